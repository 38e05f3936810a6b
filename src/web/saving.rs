//! While the database takes no writes: changes are refused before they begin, and every page says so.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use super::error::{Changed, PageError};
use crate::store::{Store, StoreError, Writes};

/// Puts the guard around the routes, inside of the session layer.
pub fn guard(router: Router, store: Store) -> Router {
    router.route_layer(middleware::from_fn_with_state(store, refuse))
}

/// A change that cannot be saved is not begun: nothing of it may reach the platform either.
async fn refuse(State(store): State<Store>, request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match cannot_save(&store.writes()) {
        None => next.run(request).await,
        Some(error) => error.changed(Changed::NothingNorSent).into_response(),
    }
}

/// What is told about a change that could not be saved; nothing while changes are taken.
fn cannot_save(writes: &Writes) -> Option<PageError> {
    let (code, what, advice) = match writes {
        Writes::Open => return None,
        Writes::Full => (
            "store.full",
            "Its disk is full.",
            "Ask the operator to make room. Seconds after that everything goes on by itself; then try again.",
        ),
        Writes::ReadOnly => (
            "store.full",
            "Its disk is read-only.",
            "Ask the operator to make it writable. Seconds after that everything goes on by itself; then try again.",
        ),
        Writes::Failed(_) => (
            "store.failed",
            "Its disk failed, and it is ending.",
            "Ask the operator to look at the disk. When the server runs again, look before you try again.",
        ),
    };
    let error = PageError::new(StatusCode::INSUFFICIENT_STORAGE, code, "The server cannot save");
    Some(error.what(what).advice(advice))
}

/// The line on every page while changes are refused.
pub fn notice(store: &Store) -> Option<&'static str> {
    match store.writes() {
        Writes::Open => None,
        Writes::Full => Some(
            "The server cannot save: its disk is full. Everything can be read; changes are refused and setups \
             wait until there is room again.",
        ),
        Writes::ReadOnly => Some(
            "The server cannot save: its disk is read-only. Everything can be read; changes are refused and \
             setups wait until it can be written again.",
        ),
        Writes::Failed(_) => Some("The server cannot save: its disk failed, and it is ending."),
    }
}

/// For a change that was begun and could not be saved, if that is the disk's doing.
pub(super) fn not_saved(error: StoreError) -> Result<PageError, StoreError> {
    let writes = match &error {
        StoreError::Full => Writes::Full,
        StoreError::ReadOnly => Writes::ReadOnly,
        StoreError::Stopped(how) => Writes::Failed(how.clone()),
        _ => return Err(error),
    };
    match cannot_save(&writes) {
        Some(told) => Ok(told.because(error)),
        None => Err(error),
    }
}
