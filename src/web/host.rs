//! Only requests that name us are answered, so that a foreign domain pointed at this machine gets nothing.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::PageError;
use super::site::Site;

/// The origin of ours that the request was sent to, as a request extension.
#[derive(Debug, Clone)]
pub struct OwnOrigin(pub String);

/// Refuses requests without exactly one host (400) or with one that is not ours (421).
pub async fn require_own(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let origin = match named_host(&request) {
        Some(host) => site.origin_of(host).ok_or(StatusCode::MISDIRECTED_REQUEST),
        None => Err(StatusCode::BAD_REQUEST),
    };
    match origin {
        Ok(origin) => {
            let origin = OwnOrigin(origin.to_owned());
            request.extensions_mut().insert(origin);
            next.run(request).await
        }
        Err(status) => refusal(status).into_response(),
    }
}

/// The one host that the request names; a target in absolute form must name the same.
fn named_host(request: &Request) -> Option<&str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    let agrees = request
        .uri()
        .authority()
        .is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(host));
    (hosts.next().is_none() && agrees).then_some(host)
}

fn refusal(status: StatusCode) -> PageError {
    PageError::new(status, "host", "This address is not Headgate's")
        .what("The request names another server, or none.")
        .advice("Use the address that your administrator gave you. Administrators: set public_url to the address that people use.")
}
