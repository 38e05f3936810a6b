//! `GET` and `POST /setups/{id}/change`: other answers for a setup that asks, and on it goes.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::decide::{back, person_error};
use crate::connection_templates::Before;
use crate::domain::Problem;
use crate::domain::setup::{SetupState, StepKind};
use crate::setups::{ChangeError, NewAnswers, PersonError};
use crate::store::setups::Setup;
use crate::store::{self};
use crate::web::error::PageError;
use crate::web::forms::recipe_page::{Conflict, typed_values};
use crate::web::layout::NavEntry;
use crate::web::pages::drafts::editing::{Editing, Frame};
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// The form with the answers so far.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (setup, editing) = begin(&state, &visit, &id).await?;
    let visit = visit.only_in_environment(&setup.environment_id);
    let values = editing.values(&visit)?;
    editing.page(&visit, frame(&setup, None), &values, &[]).answer()
}

/// Puts the new answers in place and goes on.
pub async fn save(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let (setup, editing) = begin(&state, &visit, &id).await?;
    let visit = visit.only_in_environment(&setup.environment_id);
    let values = typed_values(&pairs);
    let again = |conflict, problems: &[Problem]| {
        let page = editing.page(&visit, frame(&setup, conflict), &values, problems);
        page.answer()
    };
    let content = match editing.read(pairs, &[&setup.environment_id], visit.now_ms) {
        Ok(content) => content,
        Err(problems) => return again(None, &problems),
    };
    let answers = NewAnswers {
        recipe: content.recipe,
        answers: content.answers,
        secrets: content.secrets,
    };
    let session = &visit.session;
    let of = (session.team_id.as_str(), id.as_str());
    let changed = state
        .setups
        .change(&visit.actor(), &session.user_id, of, answers)
        .await;
    match changed {
        Ok(()) => Ok(back(&id, "setup-changed")),
        Err(ChangeError::Mistakes(problems)) => again(None, &problems),
        Err(ChangeError::SecretMissing(field)) => {
            let message = "Enter this secret again: it is not stored any more.";
            again(None, &[Problem::new(field, "secret.again", message)])
        }
        Err(ChangeError::Exists(kinds)) => again(Some(exists(&setup, &kinds)), &[]),
        Err(ChangeError::Person(PersonError::NotNow)) => Ok(back(&id, "setup-unchanged")),
        Err(error) => Err(change_error(error)),
    }
}

async fn begin(state: &AppState, visit: &Visit, id: &str) -> Result<(Setup, Editing), PageError> {
    let team_id = &visit.session.team_id;
    let setup = store::setups::by_id(&state.store, team_id, id).await?;
    let setup = setup.ok_or_else(PageError::not_found)?;
    if setup.state != SetupState::NeedsAttention || setup.undoing {
        return Err(person_error(PersonError::NotNow));
    }
    let draft = store::drafts::by_id(&state.store, team_id, &setup.draft_id).await?;
    let draft = draft.ok_or_else(PageError::not_found)?;
    let before = Before::of_setup(&state.store, &draft, &setup.id).await?;
    let editing = Editing::begin(state, draft, before).await?;
    Ok((setup, editing))
}

fn frame(setup: &Setup, conflict: Option<Conflict>) -> Frame {
    let page = format!("/setups/{}", setup.id);
    Frame {
        title: "Change answers",
        nav: NavEntry::Setups,
        crumbs: vec![
            ("/setups".to_owned(), "Setups".to_owned()),
            (page.clone(), setup.flow_name.clone()),
        ],
        heading: format!("Change answers of {}", setup.flow_name),
        action: format!("{page}/change"),
        cancel: page,
        submit: "Change and resume",
        conflict,
    }
}

/// What exists cannot be changed by answers: it would have to be taken back first.
fn exists(setup: &Setup, kinds: &[StepKind]) -> Conflict {
    let labels: Vec<String> = kinds.iter().map(|kind| kind.label().to_lowercase()).collect();
    Conflict {
        code: "setup.exists",
        heading: "These answers would change what exists already".to_owned(),
        text: format!(
            "With them the {} would have to be different, but exists at Adobe or may exist. Change only what was not \
             made, or take back what was made and create the dataflow anew.",
            labels.join(", the ")
        ),
        differences: Vec::new(),
        href: format!("/setups/{}", setup.id),
        link: "Back to the setup".to_owned(),
    }
}

/// Why answers were not changed, where the form cannot tell.
pub(super) fn change_error(error: ChangeError) -> PageError {
    match error {
        ChangeError::Person(error) => person_error(error),
        ChangeError::Vault(error) => error.into(),
        error => PageError::new(
            StatusCode::CONFLICT,
            "setup.change",
            "The answers could not be changed",
        )
        .what(error.to_string())
        .advice("Open Change answers and look at the fields that are marked."),
    }
}
