//! The layers around all routes, and their order.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tracing::Instrument;

use super::error::PageError;
use super::site::Site;
use super::{error_pages, host, limits, request_id, security_headers};

/// Level of compression, which means the same for each algorithm. The usual one takes as long as the page itself and
/// makes it a tenth smaller.
const COMPRESSION: i32 = 2;

/// Puts the layers around a router that has its state and its session layer. From the outside in:
/// request id and log, careful headers, compression, error pages, own hosts only, panics caught,
/// time limit, changes carried to their end.
pub fn wrap(router: Router, site: Arc<Site>) -> Router {
    router
        .layer(middleware::from_fn(to_the_end))
        .layer(middleware::from_fn(within_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(site.clone(), host::require_own))
        .layer(middleware::from_fn(error_pages::render))
        .layer(CompressionLayer::new().quality(CompressionLevel::Precise(COMPRESSION)))
        .layer(middleware::from_fn_with_state(site, security_headers::add))
        .layer(middleware::from_fn(request_id::assign))
}

/// A browser that goes away, or a time limit, must not stop a change half-way: axum drops the handler then, and a
/// database write that is dropped may or may not have happened.
async fn to_the_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(lost) => match lost.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(stopped) => PageError::internal(stopped).into_response(),
        },
    }
}

async fn within_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits::HANDLER_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => PageError::too_slow().into_response(),
    }
}

/// The payload is not told: it may hold anything. The panic hook has logged the place.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    PageError::internal("a handler panicked").into_response()
}
