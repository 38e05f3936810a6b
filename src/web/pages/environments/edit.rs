//! `/environments/{id}/edit`: another name or credential.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use super::check::check_now;
use super::new::credential_fields;
use super::show::find;
use crate::domain::Problem;
use crate::environments::{EnvironmentError, SaveForm};
use crate::store::environments::Environment;
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FormErrors};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "environments/edit.html")]
struct EditEnvironmentPage {
    layout: Layout,
    form_errors: FormErrors,
    environment: Environment,
    form_fields: Vec<FieldView>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct EditForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    client_id: String,
    client_secret: SecretString,
    #[serde(default)]
    scopes: String,
}

/// The form with what is stored, but for the secret.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let environment = in_use(&state, &visit, &id).await?;
    let typed = [&environment.name, &environment.client_id, &environment.scopes].map(String::clone);
    page(&EditEnvironmentPage::new(&visit, environment, &typed, &[]))
}

/// Saves and checks. An empty secret keeps the stored one.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<EditForm>,
) -> Result<Response, PageError> {
    let typed = [&form.name, &form.client_id, &form.scopes].map(String::clone);
    let save = SaveForm {
        name: form.name,
        client_id: form.client_id,
        client_secret: form.client_secret,
        scopes: form.scopes,
    };
    match state
        .environments
        .save(&visit.actor(), &visit.session.team_id, &id, save)
        .await
    {
        Ok(()) => {
            check_now(&state, &visit, &id).await?;
            Ok(Redirect::to(&format!("/environments/{id}?done=environment-saved")).into_response())
        }
        Err(EnvironmentError::Mistakes(mistakes)) => {
            let environment = in_use(&state, &visit, &id).await?;
            let page = EditEnvironmentPage::new(&visit, environment, &typed, &mistakes);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

/// An archived environment is not changed any more.
async fn in_use(state: &AppState, visit: &Visit, id: &str) -> Result<Environment, PageError> {
    let environment = find(state, visit, id).await?;
    if environment.archived_at.is_some() {
        return Err(PageError::not_found());
    }
    Ok(environment)
}

impl EditEnvironmentPage {
    /// `typed` is name, client id and scopes.
    fn new(visit: &Visit, environment: Environment, typed: &[String; 3], problems: &[Problem]) -> Self {
        let [name, client_id, scopes] = typed;
        let name = FieldView::new(FieldKind::Text, "name", "Name")
            .value(name)
            .problem_of(problems);
        let mut form_fields = vec![name];
        form_fields.extend(credential_fields(client_id, scopes, problems));
        for field in form_fields
            .iter_mut()
            .filter(|field| field.kind == FieldKind::Secret)
        {
            field.secret_set = true;
        }
        let form_errors = FormErrors::of(&form_fields);
        let error = if form_errors.is_empty() { "" } else { "Error: " };
        Self {
            layout: visit.layout(
                format!("{error}Edit {}", environment.name),
                NavEntry::Environments,
            ),
            form_errors,
            environment,
            form_fields,
        }
    }
}
