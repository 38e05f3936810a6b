//! `POST /theme`: light, dark, or as the system says.

use axum::Form;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::web::error::PageError;
use crate::web::layout::Theme;
use crate::web::remembered::{page_before, remember};
use crate::web::state::AppState;

/// What the buttons send.
#[derive(Debug, Deserialize)]
pub struct ThemeForm {
    #[serde(default)]
    theme: String,
}

/// Remembers the theme in this browser and goes back to the page. The script reads and writes the same cookie.
pub async fn submit(
    State(state): State<AppState>,
    headers: HeaderMap,
    Form(form): Form<ThemeForm>,
) -> Result<Response, PageError> {
    let theme = Theme::parse(&form.theme).ok_or_else(PageError::not_found)?;
    let cookie = remember(&state.site, Theme::COOKIE, theme.name());
    Ok(([cookie], Redirect::to(&page_before(&headers))).into_response())
}
