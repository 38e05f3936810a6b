//! `POST /account/password`: another password for oneself.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use super::show::refused;
use crate::accounts::people::PasswordChange;
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct PasswordForm {
    current_password: SecretString,
    new_password: SecretString,
}

/// Replaces the password and ends the person's other sessions.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(form): Form<PasswordForm>,
) -> Result<Response, PageError> {
    let changing = PasswordChange {
        person: visit.person(),
        session_id: &visit.session.session_id,
        client_address: &visit.session.client_address,
    };
    let changed = state
        .accounts
        .change_password(&visit.actor(), changing, form.current_password, form.new_password)
        .await;
    match changed {
        Ok(()) => Ok(Redirect::to("/account?done=password-changed").into_response()),
        Err(error) => refused(&state, &visit, None, error).await,
    }
}
