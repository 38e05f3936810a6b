//! One id per request, by which a page, a log line and an audit event find each other.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::domain::new_id;

/// The header in which every answer carries the id.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered, as a request extension. A client cannot choose it.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// As it is shown and stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The outermost layer: gives the id, names it in all log lines of the request and logs the answer.
/// Neither query nor headers are logged.
pub async fn assign(mut request: Request, next: Next) -> Response {
    let id = RequestId(new_id());
    let span = tracing::info_span!("request", id = id.as_str(), method = %request.method(), path = request.uri().path());
    let header = HeaderValue::from_str(id.as_str());
    request.extensions_mut().insert(id);
    let started = Instant::now();
    async {
        let mut response = next.run(request).await;
        if let Ok(header) = header {
            response.headers_mut().insert(HEADER, header);
        }
        let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
        tracing::info!(status, ms, "answered");
        response
    }
    .instrument(span)
    .await
}
