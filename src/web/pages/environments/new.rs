//! `/environments/new`: adding an environment, which is checked at once.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;

use super::check::check_now;
use crate::domain::Problem;
use crate::environments::{EnvironmentError, EnvironmentForm};
use crate::platform::USUAL_SCOPES;
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "environments/new.html")]
struct NewEnvironmentPage {
    layout: Layout,
    form_errors: FormErrors,
    place: Vec<FieldView>,
    credential: Vec<FieldView>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct NewEnvironmentForm {
    name: String,
    organization: String,
    sandbox: String,
    client_id: String,
    client_secret: SecretString,
    scopes: String,
}

impl Default for NewEnvironmentForm {
    fn default() -> Self {
        Self {
            name: String::new(),
            organization: String::new(),
            sandbox: String::new(),
            client_id: String::new(),
            client_secret: SecretString::from(""),
            scopes: String::new(),
        }
    }
}

/// The empty form.
pub async fn show(visit: Visit) -> Result<Response, PageError> {
    page(&NewEnvironmentPage::new(
        &visit,
        &NewEnvironmentForm::default(),
        &[],
    ))
}

/// Adds the environment and checks its credential. One that does not work is kept: its page says what is wrong.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(form): Form<NewEnvironmentForm>,
) -> Result<Response, PageError> {
    let typed = EnvironmentForm {
        name: form.name.clone(),
        organization: form.organization.clone(),
        sandbox: form.sandbox.clone(),
        client_id: form.client_id.clone(),
        client_secret: form.client_secret.clone(),
        scopes: form.scopes.clone(),
    };
    let team = &visit.session.team_id;
    match state
        .environments
        .add(&visit.actor(), &visit.session.user_id, team, typed)
        .await
    {
        Ok(id) => {
            check_now(&state, &visit, &id).await?;
            Ok(Redirect::to(&format!("/environments/{id}?done=environment-added")).into_response())
        }
        Err(EnvironmentError::Mistakes(mistakes)) => {
            let page = NewEnvironmentPage::new(&visit, &form, &mistakes);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

impl NewEnvironmentPage {
    fn new(visit: &Visit, form: &NewEnvironmentForm, problems: &[Problem]) -> Self {
        let text = |name: &str, label: &str, hint: &str, value: &str| {
            FieldView::new(FieldKind::Text, name, label)
                .hint(hint)
                .value(value)
                .problem_of(problems)
        };
        let place = vec![
            text(
                "name",
                "Name",
                "As your team knows it, such as Marketing prod.",
                &form.name,
            ),
            text(
                "organization",
                "Organization",
                "From the Developer Console: 24 letters and digits, then @AdobeOrg.",
                &form.organization,
            ),
            text(
                "sandbox",
                "Sandbox",
                "Its name, not its title: lower case, such as prod.",
                &form.sandbox,
            )
            .width(FieldWidth::Medium),
        ];
        let credential = credential_fields(&form.client_id, &form.scopes, problems);
        let form_errors = FormErrors::of(place.iter().chain(&credential));
        let title = if form_errors.is_empty() {
            "Add environment"
        } else {
            "Error: Add environment"
        };
        Self {
            layout: visit.layout(title, NavEntry::Environments),
            form_errors,
            place,
            credential: credential.into(),
        }
    }
}

/// The fields that the form for adding and the one for changing share: client id, secret, scopes.
pub(super) fn credential_fields(client_id: &str, scopes: &str, problems: &[Problem]) -> [FieldView; 3] {
    let fields = [
        FieldView::new(FieldKind::Text, "client_id", "Client id")
            .hint("Of an OAuth server-to-server credential, in the Developer Console.")
            .value(client_id),
        FieldView::new(FieldKind::Secret, "client_secret", "Client secret")
            .hint("Sealed before it is stored, and never shown again."),
        FieldView::new(FieldKind::Text, "scopes", "Scopes")
            .hint(format!("Comma-separated. Empty: {USUAL_SCOPES}"))
            .value(scopes)
            .width(FieldWidth::Full)
            .optional(),
    ];
    fields.map(|field| field.problem_of(problems))
}

impl From<EnvironmentError> for PageError {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Unknown => Self::not_found(),
            EnvironmentError::Store(error) => error.into(),
            other => Self::internal(other),
        }
    }
}
