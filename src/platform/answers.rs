//! From bytes to meaning: what an answer of the platform says, for reads and changes alike.

use memchr::memmem;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::error::PlatformError;
use super::http::Exchange;
use super::loose;
use super::reply::Reply;

impl Exchange {
    /// The body as JSON, `null` when it is empty.
    ///
    /// # Errors
    /// When the body broke off, was too large, nested too deeply, or is no JSON of that kind.
    pub(super) fn json<B: DeserializeOwned>(&self) -> Result<B, PlatformError> {
        let body = self.body.as_ref().map_err(Clone::clone)?;
        let json = std::str::from_utf8(body).map_err(|_| self.not_understood())?;
        let json = if json.is_empty() { "null" } else { json };
        // What is nested more than a hundred times is refused, too, where it is looked into; documented answers stay
        // below twenty.
        loose::read(json).map_err(|_| self.not_understood())
    }

    /// The JSON of a success, or what the service said instead.
    ///
    /// # Errors
    /// See [`Exchange::failure`].
    pub(super) fn success<B: DeserializeOwned>(&self) -> Result<B, PlatformError> {
        if self.status.is_success() {
            self.json()
        } else {
            Err(self.failure())
        }
    }

    /// What an answer that is no success means. Only a 4xx with a body of the platform's own is a definite
    /// refusal (429 always is: a limiter refuses before anything acts); the rest leaves the effect open.
    pub(super) fn failure(&self) -> PlatformError {
        let reply = self.reply();
        let said = || Box::new(reply.clone().unwrap_or_else(|| self.silent_reply()));
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => PlatformError::Throttled {
                reply: said(),
                retry_after: self.retry_after,
            },
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                PlatformError::Unavailable {
                    reply: said(),
                    retry_after: self.retry_after,
                }
            }
            status if status.is_client_error() => match (reply, &self.body) {
                (Some(reply), _) if status == StatusCode::UNAUTHORIZED => {
                    PlatformError::Auth(Box::new(reply))
                }
                (Some(reply), _) => PlatformError::Refused(Box::new(reply)),
                (None, Err(broken)) => broken.clone(),
                (None, Ok(_)) => self.unreadable("the refusal is not the service's own"),
            },
            status if status.is_redirection() => self.unreadable("redirects are not followed"),
            _ => self.unreadable("this status is not documented"),
        }
    }

    /// Whether the service itself said that the token is not valid (any more).
    pub(super) fn refuses_token(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.reply().is_some()
    }

    /// The id under which the service logged the call, from the header or the error body.
    pub(super) fn upstream_request_id(&self) -> Option<String> {
        self.request_id
            .clone()
            .or_else(|| self.reply()?.upstream_request_id)
    }

    /// Whether the answer says that the service is up: any but 5xx and 408, read to its end.
    pub(super) fn is_healthy(&self) -> bool {
        let unwell = self.status.is_server_error() || self.status == StatusCode::REQUEST_TIMEOUT;
        !unwell
            && !matches!(
                self.body,
                Err(PlatformError::Timeout { .. } | PlatformError::Unreachable { .. })
            )
    }

    pub(super) fn not_understood(&self) -> PlatformError {
        self.unreadable("it is no JSON that can be read")
    }

    pub(super) fn unreadable(&self, detail: &str) -> PlatformError {
        let (service, status) = (self.service, self.status.as_u16());
        PlatformError::Unreadable {
            service,
            status,
            detail: detail.to_owned(),
        }
    }

    /// Whether a text of the body may hold one of these. A look at the bytes is much less work than one at each text.
    pub(super) fn may_name(&self, secrets: &[&str]) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        // Letters, digits and most signs can be written in another way only as `\u`.
        memmem::find(body, br"\u").is_some() || self.may_spell_out(secrets)
    }

    /// The same, unless one is written as `\u`.
    pub(super) fn may_spell_out(&self, secrets: &[&str]) -> bool {
        let body = self.body.as_deref().unwrap_or_default();
        let has_short_escape = |letter: char| letter.is_control() || matches!(letter, '"' | '\\' | '/');
        secrets.iter().any(|secret| {
            secret.contains(has_short_escape) || memmem::find(body, secret.as_bytes()).is_some()
        })
    }

    fn reply(&self) -> Option<Reply> {
        Reply::parse(
            self.service,
            self.status.as_u16(),
            self.request_id.clone(),
            &self.json().ok()?,
        )
    }

    fn silent_reply(&self) -> Reply {
        Reply::without_text(self.service, self.status.as_u16(), self.request_id.clone())
    }
}
