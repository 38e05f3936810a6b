//! What can go wrong between us and the platform, told so that a caller can decide and a person can act.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::wire;

/// The most of any text of the platform's that an error keeps, in bytes.
const MESSAGE_LIMIT: usize = 2048;

/// One of Adobe's services. Its base path below `/data/foundation` is fixed by the published API files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Identity management: hands out access tokens.
    Ims,
    /// Connections, flows, runs and their specifications.
    FlowService,
    /// Schemas (XDM).
    SchemaRegistry,
    /// Datasets and batches.
    Catalog,
    /// Mapping sets.
    DataPrep,
    /// The list of sandboxes.
    Sandboxes,
}

impl Service {
    /// The service that answers at `path` (below `/data/foundation`), or `None` for a path of nobody we know.
    pub fn of_path(path: &str) -> Option<Self> {
        match path.trim_start_matches('/').split('/').next()? {
            "flowservice" => Some(Self::FlowService),
            "schemaregistry" => Some(Self::SchemaRegistry),
            "catalog" => Some(Self::Catalog),
            "conversion" => Some(Self::DataPrep),
            "sandbox-management" => Some(Self::Sandboxes),
            _ => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ims => "Adobe's sign-in service (IMS)",
            Self::FlowService => "Flow Service",
            Self::SchemaRegistry => "Schema Registry",
            Self::Catalog => "Catalog",
            Self::DataPrep => "Data Prep",
            Self::Sandboxes => "the sandbox service",
        })
    }
}

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

    fn scrub(&mut self, secrets: &[&str]) {
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
        write!(f, ": {}", self.message)
    }
}

/// Why a call to the platform brought no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlatformError {
    /// No connection, or it broke.
    #[error(
        "{service} could not be reached ({cause}). {}",
        if *.left { "Whether the call arrived is not known." } else { "Nothing was sent; try again." }
    )]
    Unreachable {
        /// Who was called.
        service: Service,
        /// Whether a byte of the call possibly left this machine.
        left: bool,
        /// What the network said, without addresses.
        cause: String,
    },
    /// No complete answer in time.
    #[error("{service} did not answer in time. Whether the call took effect is not known.")]
    Timeout {
        /// Who was called.
        service: Service,
    },
    /// IMS refused the credential, or a service refused a fresh token.
    #[error("the API credential was refused; check client id, secret, scopes and organization. {0}")]
    Auth(Box<Reply>),
    /// A definite refusal in the service's own words; nothing was changed.
    #[error("{0}. Nothing was changed by this call.")]
    Refused(Box<Reply>),
    /// Too many calls; nothing was changed.
    #[error("too many calls: {reply}. Nothing was changed by this call; it can be sent again later.")]
    Throttled {
        /// What the service said.
        reply: Box<Reply>,
        /// How long the service asked us to wait, clamped to 1 s … 15 min.
        retry_after: Option<Duration>,
    },
    /// The service is unwell (5xx or 408); what it did is not known.
    #[error("{reply}. Whether the call took effect is not known.")]
    Unavailable {
        /// What the service said.
        reply: Box<Reply>,
        /// How long the service asked us to wait, clamped to 1 s … 15 min.
        retry_after: Option<Duration>,
    },
    /// An answer in a form nobody documented.
    #[error("{service} answered {status} in an unknown form: {detail}")]
    Unreadable {
        /// Who answered.
        service: Service,
        /// HTTP status.
        status: u16,
        /// What was missing or odd, in our words; never a part of the answer.
        detail: String,
    },
    /// The answer was longer than we read.
    #[error("{service} answered with more than {limit} bytes; the rest was not read")]
    TooLarge {
        /// Who answered.
        service: Service,
        /// The limit in bytes.
        limit: usize,
    },
    /// A list that could not be read to its end, so that it proves no absence.
    #[error("the list of {service} could not be read to its end: {detail}")]
    Incomplete {
        /// Whose list.
        service: Service,
        /// Where it stopped and why.
        detail: String,
    },
    /// The address is not one that this process was configured to call.
    #[error("the call to {origin} was blocked: it is not the configured address. Nothing was sent.")]
    OriginBlocked {
        /// Scheme, host and port.
        origin: String,
    },
    /// Calls are held back because the platform asked for it or keeps failing.
    #[error("calls to the platform are paused for {} s: {reason}. Nothing was sent.", .wait.as_secs().max(1))]
    Paused {
        /// How long still.
        wait: Duration,
        /// Why.
        reason: &'static str,
    },
    /// The call cannot be made as asked.
    #[error("the call cannot be made: {detail}. Nothing was sent.")]
    Invalid {
        /// What is wrong with it, without the value.
        detail: String,
    },
}

impl PlatformError {
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::Invalid {
            detail: detail.into(),
        }
    }

    pub(super) fn unreadable(service: Service, detail: impl Into<String>) -> Self {
        Self::Unreadable {
            service,
            status: 200,
            detail: detail.into(),
        }
    }

    /// What the service said, where it said something.
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Auth(reply) | Self::Refused(reply) => Some(reply),
            Self::Throttled { reply, .. } | Self::Unavailable { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// The HTTP status, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Unreadable { status, .. } => Some(*status),
            other => other.reply().map(|reply| reply.status),
        }
    }

    /// The service's own code, for example `FLOW-1418-400`.
    pub fn code(&self) -> Option<&str> {
        self.reply()?.code.as_deref()
    }

    /// The id under which the service logged the call.
    pub fn upstream_request_id(&self) -> Option<&str> {
        self.reply()?.upstream_request_id.as_deref()
    }

    /// How long to wait before the next try, where somebody said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            Self::Paused { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// Whether the thing asked for does not exist. Flow Service documents 1439 with both 400 and 404.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Refused(reply) => {
                let code = reply.code.as_deref();
                // An unknown sandbox and a gateway that knows no route (codes of digits only) answer 404
                // too, but say nothing about the object.
                let about_others = code.is_some_and(|code| {
                    code.starts_with("FLOW-2") || code.bytes().all(|byte| byte.is_ascii_digit())
                });
                (reply.status == 404 && !about_others) || code.is_some_and(|c| c.starts_with("FLOW-1439"))
            }
            _ => false,
        }
    }

    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Throttled { .. }
                | Self::Unavailable { .. }
                | Self::Paused { .. }
        )
    }

    /// Whether the service definitely did not do what was asked, in its own words.
    pub(super) fn is_definite_refusal(&self) -> bool {
        matches!(self, Self::Auth(_) | Self::Refused(_) | Self::Throttled { .. })
    }

    pub(super) fn scrubbed(mut self, secrets: &[&str]) -> Self {
        match &mut self {
            Self::Auth(reply) | Self::Refused(reply) => reply.scrub(secrets),
            Self::Throttled { reply, .. } | Self::Unavailable { reply, .. } => reply.scrub(secrets),
            _ => {}
        }
        self
    }
}

/// Makes a foreign text fit to be stored: no control or direction-changing characters, at most `limit` bytes.
pub(super) fn clean(text: &str, limit: usize) -> String {
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

    #[test]
    fn secrets_leave_every_text_field() {
        let reply = Reply::without_text(Service::Ims, 400, Some("id hunter22x".to_owned()));
        let reply = Reply {
            message: "hunter22 and hunter22x".to_owned(),
            ..reply
        };
        let error = PlatformError::Auth(Box::new(reply)).scrubbed(&["hunter22", "hunter22x"]);
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }

    #[test]
    fn an_unknown_sandbox_is_no_missing_object() {
        let refused = |status, code: &str| {
            let body = json!({"type": format!("https://ns.adobe.com/aep/errors/{code}"), "title": "x"});
            PlatformError::Refused(Box::new(parse(status, body).unwrap()))
        };
        assert!(refused(404, "FLOW-1439-404").is_not_found());
        assert!(refused(400, "FLOW-1439-400").is_not_found());
        assert!(refused(404, "XDM-1010-404").is_not_found());
        assert!(!refused(404, "FLOW-2100-404").is_not_found());
        let gateway = parse(404, json!({"error_code": "404000", "message": "no route"})).unwrap();
        assert!(!PlatformError::Refused(Box::new(gateway)).is_not_found());
        assert!(!refused(400, "FLOW-1418-400").is_not_found());
    }
}
