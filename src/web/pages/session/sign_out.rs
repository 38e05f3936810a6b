//! `POST /sign-out`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;

use crate::web::error::PageError;
use crate::web::session::SIGN_IN;
use crate::web::session_layer::{cookie_value, removal_cookie};
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Ends the session on the server and takes the cookie away.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if let Some(cookie) = cookie_value(&headers, &state.site) {
        state
            .accounts
            .sign_out(&cookie, &visit.actor(), visit.person())
            .await?;
    }
    let jar = CookieJar::new().add(removal_cookie(&state.site));
    Ok((jar, Redirect::to(SIGN_IN)).into_response())
}
