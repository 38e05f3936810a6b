//! What a service says when it refuses, in any of the envelopes that Adobe documents.

use std::fmt;

use serde_json::Value;

use super::error::Service;
use super::wire;

/// The most of any text of the platform's that an error keeps, in bytes.
const MESSAGE_LIMIT: usize = 2048;

/// What a service said when it did not do what was asked. Texts are untrusted: capped at 2 KiB, without
/// control characters, with known secrets taken out; they still have to be escaped where they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Who answered.
    pub service: Service,
    /// HTTP status.
    pub status: u16,
    /// The service's own code, for example `FLOW-1418-400`, `XDM-1521-400`, `403025` or `invalid_client`.
    pub code: Option<String>,
    /// Short title, where the service gives one.
    pub title: Option<String>,
    /// The most detailed text the service gave.
    pub message: String,
    /// The id under which the service logged the call.
    pub upstream_request_id: Option<String>,
}

impl Reply {
    /// Reads any of the error envelopes that Adobe documents (gateway, Flow Service old and new, Schema
    /// Registry old and new, sandboxes, IMS), leniently. `None` when `body` is none of them.
    pub(super) fn parse(
        service: Service,
        status: u16,
        request_id: Option<String>,
        body: &Value,
    ) -> Option<Self> {
        let text = |pointer| wire::text(body, pointer).map(|text| clean(&text, MESSAGE_LIMIT));
        let title = text("/title");
        let code = text("/type")
            .and_then(|kind| code_of_type(&kind))
            .or_else(|| text("/error_code"))
            .or_else(|| text("/error"))
            .or_else(|| text("/code"));
        let message = [
            "/report/detailed-message",
            "/errorMessage",
            "/detail",
            "/message",
            "/error_description",
        ]
        .into_iter()
        .find_map(text)
        .or_else(|| title.clone());
        if code.is_none() && message.is_none() {
            return None;
        }
        let upstream_request_id = text("/report/request-id")
            .or_else(|| text("/report/registryRequestId"))
            .or(request_id);
        let message = message.unwrap_or_else(|| "no explanation was given".to_owned());
        Some(Self {
            service,
            status,
            code,
            title,
            message,
            upstream_request_id,
        })
    }

    /// A reply that brought no text in a form we know.
    pub(super) fn without_text(service: Service, status: u16, request_id: Option<String>) -> Self {
        let message = "no explanation was given".to_owned();
        Self {
            service,
            status,
            code: None,
            title: None,
            message,
            upstream_request_id: request_id,
        }
    }

    pub(super) fn scrub(&mut self, secrets: &[&str]) {
        let texts = [&mut self.code, &mut self.title, &mut self.upstream_request_id];
        for text in texts.into_iter().flatten().chain([&mut self.message]) {
            *text = scrub(text, secrets);
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.service, self.status)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        // A sentence goes on behind it.
        write!(f, ": {}", self.message.trim_end_matches('.'))
    }
}

/// Makes a foreign text fit to be stored or shown: no control or direction-changing characters, at most `limit` bytes.
pub fn clean(text: &str, limit: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        let misleading = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let character = if character.is_control() || misleading {
            ' '
        } else {
            character
        };
        if kept.len() + character.len_utf8() > limit {
            break;
        }
        kept.push(character);
    }
    kept
}

/// Takes every secret out of a text. The longest go first, since one may be a part of another.
pub(super) fn scrub(text: &str, secrets: &[&str]) -> String {
    let mut secrets: Vec<&str> = secrets
        .iter()
        .copied()
        .filter(|secret| secret.len() >= 4)
        .collect();
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
        .into_iter()
        .fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
}

/// `FLOW-1418-400` out of `https://ns.adobe.com/aep/errors/FLOW-1418-400`; scheme and host differ by service.
fn code_of_type(kind: &str) -> Option<String> {
    let code = kind.rsplit('/').next()?;
    let looks_like_one = code.contains('-') && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    looks_like_one.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(status: u16, body: Value) -> Option<Reply> {
        Reply::parse(
            Service::FlowService,
            status,
            Some("from-header".to_owned()),
            &body,
        )
    }

    #[test]
    fn every_documented_envelope_is_read() {
        let flow = parse(
            400,
            json!({"type": "https://ns.adobe.com/aep/errors/FLOW-1418-400", "title": "Invalid request", "status": 400,
                "report": {"detailed-message": "in use", "request-id": "r-1"}, "errorMessage": "in use"}),
        )
        .unwrap();
        assert_eq!(flow.code.as_deref(), Some("FLOW-1418-400"));
        assert_eq!(flow.title.as_deref(), Some("Invalid request"));
        assert_eq!(flow.message, "in use");
        assert_eq!(flow.upstream_request_id.as_deref(), Some("r-1"));

        let registry = parse(
            400,
            json!({"type": "http://ns.adobe.com/aep/errors/XDM-1521-400", "title": "Title not unique",
                "report": {"registryRequestId": "r-2", "sub-errors": []}, "detail": "taken"}),
        )
        .unwrap();
        assert_eq!(registry.code.as_deref(), Some("XDM-1521-400"));
        assert_eq!(registry.message, "taken");
        assert_eq!(registry.upstream_request_id.as_deref(), Some("r-2"));

        let gateway = parse(
            403,
            json!({"error_code": "403025", "message": "Profile is not valid"}),
        )
        .unwrap();
        assert_eq!(gateway.code.as_deref(), Some("403025"));
        assert_eq!(gateway.upstream_request_id.as_deref(), Some("from-header"));

        let numeric = parse(
            403,
            json!({"error_code": 403025, "message": "Profile is not valid"}),
        )
        .unwrap();
        assert_eq!(numeric.code.as_deref(), Some("403025"));

        let old = parse(412, json!({"errorMessage": "version does not match"})).unwrap();
        assert_eq!((old.code, old.message.as_str()), (None, "version does not match"));

        let placeholder = parse(
            406,
            json!({"type": "/placeholder/type/uri", "title": "NotAcceptableError", "detail": "Accept"}),
        )
        .unwrap();
        assert_eq!((placeholder.code, placeholder.message.as_str()), (None, "Accept"));

        let ims = parse(
            400,
            json!({"error": "invalid_client", "error_description": "bad secret"}),
        )
        .unwrap();
        assert_eq!(
            (ims.code.as_deref(), ims.message.as_str()),
            (Some("invalid_client"), "bad secret")
        );
    }

    #[test]
    fn other_bodies_are_nobodys_own() {
        for body in [
            json!({}),
            json!([]),
            json!("no"),
            json!({"items": []}),
            json!({"title": {"a": 1}}),
        ] {
            assert!(parse(403, body.clone()).is_none(), "{body}");
        }
    }

    #[test]
    fn foreign_text_is_capped_and_harmless() {
        let long = format!("a\r\n\u{202e}b{}", "é".repeat(5000));
        let reply = parse(400, json!({"message": long})).unwrap();
        assert!(reply.message.len() <= MESSAGE_LIMIT);
        assert!(reply.message.starts_with("a   b"));
        assert!(!reply.message.chars().any(char::is_control));
    }
}
