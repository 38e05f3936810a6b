//! Runs on request, as buttons: a run once more, or a window of time; where a rule of Adobe forbids one, its reason.

use crate::domain::run_request::{self, FlowFacts};
use crate::domain::{Role, new_id};
use crate::history::run_requests;
use crate::store::StoreError;
use crate::store::flows::Flow;
use crate::store::runs::Run;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// What stands in a button's place; `components/ask.html` draws it.
#[derive(Debug, Clone)]
pub(in crate::web::pages) enum Ask {
    /// A form with nothing to fill in: where it goes, its one-time key, its label.
    Form {
        action: String,
        key: String,
        label: &'static str,
    },
    /// A page with a form.
    Link { href: String, label: &'static str },
    /// Why not.
    Reason(String),
}

const WHO_MAY: &str = "An editor of the team can ask Adobe for a run.";

/// Running `run` once more.
pub(in crate::web::pages) async fn run_again(
    state: &AppState,
    visit: &Visit,
    flow: &Flow,
    run: &Run,
) -> Result<Ask, StoreError> {
    let facts = run_requests::facts(&state.store, flow).await?;
    let allowed = run_request::may_run_again(&facts, run_requests::run_facts(run), visit.now_ms);
    Ok(match allowed {
        Err(hindrance) => Ask::Reason(hindrance.to_string()),
        Ok(()) if !visit.may(Role::Editor) => Ask::Reason(WHO_MAY.to_owned()),
        Ok(()) => Ask::Form {
            action: format!("/flows/{}/runs/{}/again", run.flow_id, run.id),
            key: new_id(),
            label: "Run again",
        },
    })
}

/// Running the flow over a window of time.
pub(in crate::web::pages) async fn run_window(
    state: &AppState,
    visit: &Visit,
    flow: &Flow,
) -> Result<Ask, StoreError> {
    let facts = run_requests::facts(&state.store, flow).await?;
    Ok(window(visit, flow, &facts))
}

/// The same by what a page has read anyway; the page with the form looks whether an answer was lost.
pub(in crate::web::pages) fn run_window_at_a_glance(visit: &Visit, flow: &Flow, is_running: bool) -> Ask {
    window(visit, flow, &run_requests::flow_facts(flow, is_running, None))
}

fn window(visit: &Visit, flow: &Flow, facts: &FlowFacts<'_>) -> Ask {
    match run_request::may_run_window(facts, visit.now_ms) {
        Err(hindrance) => Ask::Reason(hindrance.to_string()),
        Ok(()) if !visit.may(Role::Editor) => Ask::Reason(WHO_MAY.to_owned()),
        Ok(()) => Ask::Link {
            href: format!("/flows/{}/runs/new", flow.record.id),
            label: "Run a window",
        },
    }
}
