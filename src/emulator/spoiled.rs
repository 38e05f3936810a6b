//! Answers that never come in whole, or come unusable.

use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::clock::wall_ms;
use super::faults::{Garbage, RetryAfter};
use super::front_desk::Acted;

/// Marks an answer that the client never gets in whole.
#[derive(Debug, Clone, Copy)]
pub struct Lost;

/// Marks an answer that is held back until its token is cancelled.
#[derive(Debug, Clone)]
pub struct Held(pub CancellationToken);

/// A response that ends the connection: before its first byte, or half-way through the body of what was acted.
///
/// The server writes the head of a response together with the first piece of its body, so a body that fails at
/// once leaves nothing on the wire. `tests/integration/emulator/faults.rs` holds this down to the byte.
pub fn closed(cut: Option<Acted>) -> Response {
    let mut response = match cut {
        None => Response::new(Body::from_stream(
            stream::iter([broken()]).map(|item: Result<Bytes, _>| item),
        )),
        // Let the first half reach the client before the connection ends.
        Some(acted) => halved(acted, tokio::time::sleep(Duration::from_millis(50))),
    };
    response.extensions_mut().insert(Lost);
    response
}

/// No answer while the token is not cancelled, then the end of the connection.
pub fn held(until: CancellationToken) -> Response {
    let mut response = closed(None);
    response.extensions_mut().insert(Held(until));
    response
}

/// The head and the first half of the body, and nothing more while the token is not cancelled.
pub fn held_half(acted: Acted, until: CancellationToken) -> Response {
    let mut response = halved(acted, until.cancelled_owned());
    response.extensions_mut().insert(Lost);
    response
}

fn broken<T>() -> std::io::Result<T> {
    Err(std::io::Error::other("the emulator was told to lose this answer"))
}

/// The first half of the body, and the end of the connection after a pause.
fn halved(acted: Acted, pause: impl Future<Output = ()> + Send + 'static) -> Response {
    let (half, whole) = (acted.body.slice(..acted.body.len() / 2), acted.body.len());
    let pieces = stream::once(async move { Ok(half) }).chain(stream::once(async move {
        pause.await;
        broken()
    }));
    let mut response = Response::from_parts(acted.response, Body::from_stream(Box::pin(pieces)));
    let length = HeaderValue::from(whole);
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    response
}

/// A successful answer that is not what the client expects.
pub fn spoil(acted: Acted, form: Garbage) -> Response {
    let Acted { mut response, body } = acted;
    response.headers.remove(header::CONTENT_LENGTH);
    let body = match form {
        Garbage::EmptyObject => Bytes::from_static(b"{}"),
        Garbage::NoId | Garbage::OddId => {
            let mut document = serde_json::from_slice::<Value>(&body).unwrap_or_default();
            spoil_ids(&mut document, form == Garbage::OddId);
            Bytes::from(document.to_string())
        }
        Garbage::Truncated => body.slice(..body.len() / 2),
        Garbage::Huge => Bytes::from([vec![b' '; 16 * 1024 * 1024], body.to_vec()].concat()),
        Garbage::NotJson => Bytes::from_static(b"<html><body>It works!</body></html>"),
        Garbage::Deep => Bytes::from([b"{\"a\":".repeat(2000), b"1".to_vec(), b"}".repeat(2000)].concat()),
        Garbage::Redirect => {
            response.status = StatusCode::TEMPORARY_REDIRECT;
            response.headers.insert(
                header::LOCATION,
                HeaderValue::from_static("http://elsewhere.invalid/"),
            );
            Bytes::new()
        }
    };
    Response::from_parts(response, Body::from(body))
}

fn spoil_ids(document: &mut Value, odd: bool) {
    match document {
        Value::Object(members) => {
            for name in ["id", "$id"] {
                if odd && members.contains_key(name) {
                    members.insert(name.to_owned(), json!({ "id": 7 }));
                } else {
                    members.remove(name);
                }
            }
        }
        Value::Array(items) if odd => *items = vec![json!(7)],
        Value::Array(items) => items.clear(),
        _ => {}
    }
}

/// The text of a `Retry-After` header.
pub fn header_text(after: &RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Raw(text) => text.clone(),
        RetryAfter::DateInSeconds(seconds) => {
            let at_s = u64::try_from(wall_ms() / 1000 + seconds).unwrap_or_default();
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at_s.min(200_000_000_000)))
        }
    }
}
