//! `GET` and `POST /flows/{id}/runs/new`: a run over the files that changed in a window of time.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::asking::{self, Ask};
use super::run_again::ask;
use crate::domain::{Problem, new_id};
use crate::history::run_requests::RunWish;
use crate::store::flows::{self, Flow};
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::visit::Visit;

const DAY_MS: i64 = crate::domain::DAY_MS;

#[derive(Template)]
#[template(path = "flows/run_window.html")]
struct RunWindowPage {
    layout: Layout,
    flow: Flow,
    errors: FormErrors,
    from: FieldView,
    to: FieldView,
    key: String,
    /// Why there is no form.
    hindrance: Option<String>,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WindowForm {
    from: String,
    to: String,
    key: String,
}

/// The form, or why there is none.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let flow = load(&state, &visit, &id).await?;
    let times = visit.times();
    let form = WindowForm {
        from: times.at(visit.now_ms - DAY_MS).for_input(),
        to: times.at(visit.now_ms).for_input(),
        key: new_id(),
    };
    let hindrance = match asking::run_window(&state, &visit, &flow).await? {
        Ask::Reason(reason) => Some(reason),
        Ask::Form { .. } | Ask::Link { .. } => None,
    };
    page(&RunWindowPage::new(visit, flow, form, &[], hindrance))
}

/// Asks for the run.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(form): Form<WindowForm>,
) -> Result<Response, PageError> {
    match window(&form, &visit) {
        Ok((from_at, to_at)) => ask(state, visit, id, form.key, RunWish::Window { from_at, to_at }).await,
        Err(problems) => {
            let flow = load(&state, &visit, &id).await?;
            let page = RunWindowPage::new(visit, flow, form, &problems, None);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

async fn load(state: &AppState, visit: &Visit, id: &str) -> Result<Flow, PageError> {
    let flow = flows::by_id(&state.store, &visit.session.team_id, None, id).await?;
    flow.ok_or_else(PageError::not_found)
}

/// The window in UTC epoch milliseconds.
fn window(form: &WindowForm, visit: &Visit) -> Result<(i64, i64), Vec<Problem>> {
    let times = visit.times();
    let read = |name: &str, text: &str| {
        times.instant(text).ok_or_else(|| {
            Problem::new(
                name,
                "input.time",
                "Enter a day and a time, such as 2026-03-21T08:00.",
            )
        })
    };
    let (from_at, to_at) = match (read("from", &form.from), read("to", &form.to)) {
        (Ok(from_at), Ok(to_at)) => (from_at, to_at),
        (from, to) => return Err([from.err(), to.err()].into_iter().flatten().collect()),
    };
    let problem = if from_at >= to_at {
        Problem::new("to", "window.empty", "The end must lie after the begin.")
    } else if from_at >= visit.now_ms {
        Problem::new(
            "from",
            "window.future",
            "The window must begin in the past: there are no files yet.",
        )
    } else {
        return Ok((from_at, to_at));
    };
    Err(vec![problem])
}

impl RunWindowPage {
    fn new(
        visit: Visit,
        flow: Flow,
        form: WindowForm,
        problems: &[Problem],
        hindrance: Option<String>,
    ) -> Self {
        let zone = format!("In your time zone, {}.", visit.session.time_zone);
        let field = |name: &str, label: &str, value: String| {
            FieldView::new(FieldKind::DateTime, name, label)
                .hint(zone.clone())
                .width(FieldWidth::Medium)
                .value(value)
                .problem_of(problems)
        };
        let from = field("from", "Files changed from", form.from);
        let to = field("to", "Files changed until", form.to);
        let errors = FormErrors::of([&from, &to]);
        let error = if errors.is_empty() { "" } else { "Error: " };
        let title = format!("{error}Run a window of {}", flow.record.name);
        let visit = visit.only_in_environment(&flow.record.environment_id);
        Self {
            layout: visit.layout(title, NavEntry::Flows),
            flow,
            errors,
            from,
            to,
            key: form.key,
            hindrance,
        }
    }
}
