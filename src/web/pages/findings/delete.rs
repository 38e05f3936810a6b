//! `GET` and `POST /findings/{id}/delete`: one object too many goes, after a page that asks.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::view::{SetupLink, delete_label, noun, setup_link};
use crate::domain::{FindingState, Verdict};
use crate::store::findings::{self, ListedFinding};
use crate::sweep::{DeleteError, Deletion, Sweep};
use crate::web::error::{Changed, PageError};
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

#[derive(Template)]
#[template(path = "findings/delete.html")]
struct DeleteFindingPage {
    layout: Layout,
    form_errors: FormErrors,
    id: String,
    heading: String,
    label: String,
    noun: &'static str,
    name: String,
    object_id: String,
    environment: String,
    sandbox: String,
    production: bool,
    setup: Option<SetupLink>,
    used_id: Option<String>,
    is_duplicate: bool,
    sandbox_field: FieldView,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct DeleteForm {
    /// In a production sandbox its name, typed by the person.
    #[serde(default)]
    sandbox: String,
}

/// Asks.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let listed = open(&state, &visit, &id).await?;
    page(&DeleteFindingPage::new(visit, &listed, ""))
}

/// Deletes the object.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<DeleteForm>,
) -> Result<Response, PageError> {
    let listed = open(&state, &visit, &id).await?;
    if listed.production && form.sandbox.trim() != listed.sandbox {
        let mistake = "Type the name of the sandbox exactly as it is shown above.";
        let page = DeleteFindingPage::new(visit, &listed, mistake);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    // In a task of its own: a person who goes away must not leave the call without its outcome.
    let sweep = state.sweep.clone();
    let work = async move {
        let (user_id, team_id) = (&visit.session.user_id, &visit.session.team_id);
        sweep.delete(&visit.actor(), user_id, team_id, &id).await
    };
    let deletion = state.lifecycle.spawn(work).await.map_err(PageError::internal)?;
    answer(deletion, noun(listed.finding.object_kind))
}

/// A finding whose object can be deleted.
async fn open(state: &AppState, visit: &Visit, id: &str) -> Result<ListedFinding, PageError> {
    let listed = findings::by_id(&state.store, &visit.session.team_id, id).await?;
    let listed = listed.ok_or_else(PageError::not_found)?;
    if listed.finding.state != FindingState::Open {
        return Err(PageError::new(
            StatusCode::CONFLICT,
            "finding.decided",
            "This was decided already",
        )
        .what("Somebody has decided about this finding, or it is not true any more.")
        .advice("Go to the list of findings: it shows what was decided."));
    }
    if !Sweep::can_delete(&listed.finding) {
        return Err(
            PageError::new(StatusCode::CONFLICT, "finding.kept", "This cannot be deleted")
                .what("There is nothing to delete, or Adobe documents no way to do it.")
                .advice("Go to the list of findings and mark it as known."),
        );
    }
    Ok(listed)
}

fn answer(deletion: Result<Deletion, DeleteError>, noun: &str) -> Result<Response, PageError> {
    let done = |key: &str| Ok(Redirect::to(&format!("/findings?{DONE}={key}")).into_response());
    let kept = |code, title: String| PageError::new(StatusCode::CONFLICT, code, title);
    match deletion {
        Ok(Deletion::Done) => done("finding-deleted"),
        Ok(Deletion::AlreadyGone) => done("finding-gone"),
        Ok(Deletion::Kept(reason)) => Err(kept("finding.kept", format!("The {noun} was left as it is"))
            .what(reason)
            .advice("Go to the list of findings: the reason stands there too. Put it right first, or mark it as known.")),
        Ok(Deletion::CannotTell(error)) => Err(kept("finding.cannot_tell", format!("The {noun} was left as it is"))
            .what(format!("Whether it may go could not be found out: {error}"))
            .advice("Nothing is deleted on a guess. Try again when Adobe answers.")),
        Ok(Deletion::Refused(error)) => Err(kept("finding.refused", format!("Adobe did not delete the {noun}"))
            .what(error.to_string())
            .advice("Go to the list of findings: the reason stands there too. If the cause passes, try again later.")),
        Ok(Deletion::Unknown(error)) => Err(PageError::new(
            StatusCode::BAD_GATEWAY,
            "finding.unknown",
            "The answer was lost",
        )
        .what(error.to_string())
        .changed(Changed::Unknown)
        .advice("Headgate goes on looking whether it is gone, and says so in the list of findings.")),
        Err(DeleteError::NoFinding) => Err(PageError::not_found()),
        Err(DeleteError::Environment(error)) => Err(PageError::new(
            StatusCode::CONFLICT,
            "environment.unusable",
            "The environment cannot be used",
        )
        .what(error.to_string())
        .advice("An admin can check the environment on its page: it says what is wrong with it.")),
        Err(DeleteError::Store(error)) => Err(error.into()),
    }
}

impl DeleteFindingPage {
    fn new(visit: Visit, listed: &ListedFinding, mistake: &str) -> Self {
        let finding = &listed.finding;
        let mut sandbox_field = FieldView::new(FieldKind::Text, "sandbox", "Name of the sandbox")
            .hint("This is a production sandbox: type its name to confirm.")
            .width(FieldWidth::Medium);
        sandbox_field.error = mistake.to_owned();
        let form_errors = FormErrors::of([&sandbox_field]);
        let error = if mistake.is_empty() { "" } else { "Error: " };
        let (label, noun) = (delete_label(listed), noun(finding.object_kind));
        let heading = format!("{label}?");
        Self {
            layout: visit
                .in_environment(&finding.environment_id)
                .layout(format!("{error}{heading}"), NavEntry::Findings),
            form_errors,
            id: finding.id.clone(),
            heading,
            label,
            noun,
            name: finding.object_name.clone(),
            object_id: finding.object_id.clone(),
            environment: listed.environment_name.clone(),
            sandbox: listed.sandbox.clone(),
            production: listed.production,
            setup: setup_link(listed),
            used_id: listed.used_id.clone(),
            is_duplicate: finding.verdict == Verdict::Duplicate,
            sandbox_field,
        }
    }
}
