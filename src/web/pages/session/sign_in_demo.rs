//! `POST /sign-in/demo`: in a demonstration, people come in with one click.

use axum::Form;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::sign_in::{target, welcome};
use crate::accounts::SignInError;
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::stranger::Stranger;

/// What one button sends.
#[derive(Debug, Deserialize)]
pub struct DemoForm {
    login: String,
    #[serde(default)]
    next: Option<String>,
}

/// Lets one of the people in whom the demonstration names. Anywhere else there is no such page.
pub async fn submit(
    State(state): State<AppState>,
    stranger: Stranger,
    Form(form): Form<DemoForm>,
) -> Result<Response, PageError> {
    let demo = state.settings.demo.as_ref();
    if !demo.is_some_and(|demo| demo.logins.contains(&form.login)) {
        return Err(PageError::not_found());
    }
    match state.accounts.sign_in_as(&form.login, stranger.visitor()).await {
        Ok(cookie) => Ok(welcome(&state, &cookie, target(form.next.as_deref()))),
        Err(SignInError::Store(error)) => Err(error.into()),
        Err(SignInError::Refused | SignInError::TooMany { .. }) => Err(PageError::not_found()),
    }
}
