//! From a page struct to an answer, and from what went wrong inside to what a person is told.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::error::PageError;
use super::saving;
use crate::connection_templates::SaveError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Bytes in which nearly every page fits, so that it is not copied into larger and larger places while it grows.
const MOST_PAGES_BYTES: usize = 64 << 10;

/// A rendered page or fragment with status 200.
pub fn page(template: &impl Template) -> Result<Response, PageError> {
    page_with(StatusCode::OK, template)
}

/// A rendered page or fragment with another status, such as 422 for a form that comes back.
pub fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, PageError> {
    let mut html = String::with_capacity(MOST_PAGES_BYTES);
    template.render_into(&mut html).map_err(PageError::internal)?;
    Ok((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        match saving::not_saved(error) {
            Ok(told) => told,
            Err(StoreError::Busy) => Self::store_busy(),
            Err(other) => Self::internal(other),
        }
    }
}

impl From<SaveError> for PageError {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::NotFound => Self::not_found(),
            SaveError::Store(error) => error.into(),
            SaveError::Exists { .. } | SaveError::Stale => {
                Self::new(StatusCode::CONFLICT, "edit.conflict", "Somebody else was faster")
                    .what("What you changed was changed by somebody else meanwhile.")
                    .advice("Go back, reload the page and make your change again.")
            }
            SaveError::Vault(error) => error.into(),
            error @ SaveError::Damaged => Self::internal(error),
        }
    }
}

impl From<VaultError> for PageError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::KeyNeeded { key_id } => Self::new(
                StatusCode::CONFLICT,
                "secret.key_missing",
                "A stored secret cannot be opened",
            )
            .what(format!(
                "It was stored with key {key_id}, which this server does not have."
            ))
            .advice("Enter the secret again, or ask the operator to restore the key."),
            other => Self::internal(other),
        }
    }
}
