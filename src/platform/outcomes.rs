//! How a change ended, judged from what came back.

use serde_json::Value;

use super::calls::{Call, Method, ObjectKind, is_plain_id};
use super::error::PlatformError;
use super::http::Exchange;
use super::reply::{clean, scrub};
use super::wire;

/// The most of an answer that [`Answer::body_excerpt`] keeps, in bytes.
const EXCERPT_LIMIT: usize = 4096;

/// How a change ended. Nothing else is possible.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The platform did it.
    Confirmed {
        /// The id of what was made; always there for creates.
        id: Option<String>,
        /// Its etag, with inner quotes.
        etag: Option<String>,
        /// The answer, without authentication parameters; `Null` when it was empty.
        body: Value,
    },
    /// The platform definitely did not do it, and said so itself.
    Rejected(PlatformError),
    /// Nobody knows. Find out by looking, never by sending again.
    Unknown(PlatformError),
    /// It had no effect, because it never left, or only with a token that was refused.
    NotSent(PlatformError),
}

/// A finished call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status, if there was an answer at all.
    pub status: Option<u16>,
    /// From the first sending to the end of the last answer, in milliseconds.
    pub duration_ms: i64,
    /// The id under which the platform logged the call.
    pub upstream_request_id: Option<String>,
    /// The beginning of the answer, at most 4 KiB, without the secrets of the call.
    pub body_excerpt: Option<String>,
}

impl Answer {
    pub(super) fn not_sent(error: PlatformError) -> Self {
        let outcome = Outcome::NotSent(error);
        Self {
            outcome,
            status: None,
            duration_ms: 0,
            upstream_request_id: None,
            body_excerpt: None,
        }
    }

    pub(super) fn broken(error: PlatformError, duration_ms: i64) -> Self {
        let provably_here = matches!(
            error,
            PlatformError::Unreachable { left: false, .. }
                | PlatformError::OriginBlocked { .. }
                | PlatformError::Invalid { .. }
        );
        let outcome = if provably_here {
            Outcome::NotSent(error)
        } else {
            Outcome::Unknown(error)
        };
        Self {
            outcome,
            status: None,
            duration_ms,
            upstream_request_id: None,
            body_excerpt: None,
        }
    }

    pub(super) fn read(call: &Call, exchange: &Exchange, duration_ms: i64, secrets: &[&str]) -> Self {
        let outcome = match judge(call, exchange) {
            Ok((id, mut body)) => {
                if let Some(members) = body.as_object_mut() {
                    members.remove("auth");
                }
                Outcome::Confirmed {
                    id,
                    etag: wire::etag(&body),
                    body,
                }
            }
            Err(error) if error.is_definite_refusal() => Outcome::Rejected(error.scrubbed(secrets)),
            Err(error) => Outcome::Unknown(error.scrubbed(secrets)),
        };
        let excerpt = |body: &Vec<u8>| clean(&scrub(&String::from_utf8_lossy(body), secrets), EXCERPT_LIMIT);
        Self {
            outcome,
            status: Some(exchange.status.as_u16()),
            duration_ms,
            upstream_request_id: exchange.upstream_request_id(),
            body_excerpt: exchange
                .body
                .as_ref()
                .ok()
                .filter(|body| !body.is_empty())
                .map(excerpt),
        }
    }
}

/// A success has to prove itself: a create by an id of the documented form, anything else by a body that
/// is JSON or absent.
fn judge(call: &Call, exchange: &Exchange) -> Result<(Option<String>, Value), PlatformError> {
    let body = exchange.success()?;
    let kind = if call.method == Method::Post {
        ObjectKind::created_at(&call.path)
    } else {
        None
    };
    let id = match kind {
        Some(kind) => Some(
            kind.id_from(&body)
                .ok_or_else(|| exchange.unreadable("it says created but names no id of the usual form"))?,
        ),
        // POST /runs is documented with the id at the top and, on another page, inside `items`.
        None => wire::text(&body, "/id")
            .or_else(|| wire::text(&body, "/items/0/id"))
            .filter(|id| is_plain_id(id)),
    };
    Ok((id, body))
}
