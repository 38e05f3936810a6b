//! Runs on request, as buttons: a run once more, or a window of time; where a rule of Adobe forbids one, its reason.

use crate::domain::run_request::{self, FlowFacts, Hindrance, RunFacts};
use crate::domain::{Role, new_id};
use crate::history::run_requests;
use crate::store::StoreError;
use crate::store::flows::Flow;
use crate::store::later_runs::LaterRun;
use crate::store::runs::{Run, RunLine};
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

/// Running `run` once more, after the later runs that read the same files.
pub(in crate::web::pages) async fn run_again(
    state: &AppState,
    visit: &Visit,
    flow: &Flow,
    run: &Run,
    later: &[LaterRun],
) -> Result<Ask, StoreError> {
    let facts = run_requests::facts(&state.store, flow).await?;
    let allowed = run_request::may_run_again(&facts, run_requests::run_facts(run, later), visit.now_ms);
    Ok(again(visit, &run.flow_id, &run.id, allowed))
}

/// The same for a run that failed, by what a page has read anyway; whether an answer was lost is looked at when the
/// button is pressed.
pub(in crate::web::pages) fn run_again_at_a_glance(
    visit: &Visit,
    flow: &Flow,
    is_running: bool,
    run: &RunLine,
) -> Ask {
    let facts = run_requests::flow_facts(flow, is_running, None);
    let run_facts = RunFacts {
        outcome: run.outcome,
        records_out: run.records_out,
        is_gone: false,
        is_made_up_for: false,
    };
    let allowed = run_request::may_run_again(&facts, run_facts, visit.now_ms);
    again(visit, &flow.record.id, &run.id, allowed)
}

fn again(visit: &Visit, flow_id: &str, run_id: &str, allowed: Result<(), Hindrance>) -> Ask {
    match allowed {
        Err(hindrance) => Ask::Reason(hindrance.to_string()),
        Ok(()) if !visit.may(Role::Editor) => Ask::Reason(WHO_MAY.to_owned()),
        Ok(()) => Ask::Form {
            action: format!("/flows/{flow_id}/runs/{run_id}/again"),
            key: new_id(),
            label: "Run again",
        },
    }
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
