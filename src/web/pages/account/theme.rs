//! `POST /theme`: light, dark, or as the system says.

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use serde::Deserialize;
use url::Url;

use crate::web::error::PageError;
use crate::web::layout::Theme;
use crate::web::next_path;
use crate::web::route_table::is_page;
use crate::web::routes::ROUTES;
use crate::web::state::AppState;

/// Seconds for which browsers remember it: a year.
const REMEMBERED_S: i64 = 365 * 24 * 60 * 60;

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
    Ok((remember(&state, Theme::COOKIE, theme.name()), Redirect::to(&page_before(&headers))).into_response())
}

/// A cookie for a year that protects nothing.
pub(in crate::web::pages) fn remember(state: &AppState, name: &'static str, value: &str) -> CookieJar {
    let mut cookie = Cookie::new(name, value.to_owned());
    cookie.set_path("/");
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(state.site.is_https());
    cookie.set_max_age(REMEMBERED_SPAN);
    CookieJar::new().add(cookie)
}

/// The page that the form was on, if it is one of ours.
pub(in crate::web::pages) fn page_before(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|referer| Url::parse(referer.to_str().ok()?).ok());
    let path = referer.map(|url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    });
    next_path::after_sign_in(path.as_deref(), |path| is_page(ROUTES, path)).to_owned()
}
