//! `GET /flows/{id}/runs/{run_id}`: one run: what it took and stored, stage by stage, and what went wrong.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::asking::{self, Ask};
use super::loaded::environment;
use super::run_document::RunDocument;
use super::view::{self, Badge, RunRow};
use crate::domain::RunOutcome;
use crate::domain::health::Usual;
use crate::domain::run_request::RequestState;
use crate::store::flow_page::{self, Neighbours};
use crate::store::flow_versions::{self, FlowVersion};
use crate::store::flows::Flow;
use crate::store::later_runs::{self, LaterRun};
use crate::store::run_requests;
use crate::store::runs::{self, Run};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;
use crate::web::written::Written;

/// Seconds between two looks while the run is going on.
const REFRESH_SECONDS: u32 = 5;

#[derive(Template)]
#[template(path = "flows/run.html")]
struct RunPage {
    layout: Layout,
    flow: Flow,
    run: RunRow,
    again: Ask,
    asked_for: Option<AskedForView>,
    /// Later runs of the same files, the first first.
    later: Vec<LaterRunView>,
    verdict: Verdict,
    completed: Option<TimeView>,
    gone: Option<TimeView>,
    window: Option<(TimeView, TimeView)>,
    bytes_out: String,
    usual_duration: Option<String>,
    usual_records: Option<String>,
    document: RunDocument,
    configuration: RanWith,
    neighbours: Neighbours,
    freshness: Freshness,
    read: TimeView,
    is_final: bool,
    refresh_seconds: u32,
}

/// Who asked for the run.
struct AskedForView {
    name: String,
    at: TimeView,
    /// The run that it repeats.
    repeats: Option<String>,
    /// Adobe has named this run in its answer.
    is_certain: bool,
}

/// A later run of the same files.
struct LaterRunView {
    id: String,
    badge: Badge,
    started: TimeView,
}

/// What became of the run, in words.
struct Verdict {
    status: Status,
    heading: String,
    text: String,
    /// What Adobe says about it follows, with its explanation.
    is_explained: bool,
}

/// The configuration that was in force when the run started.
enum RanWith {
    /// This one.
    Known(i64),
    /// The first that was seen, at this time: what was set before is not known.
    FirstSeen(i64, TimeView),
    /// The run is older than all that are known.
    TooOld,
}

/// The page of one run.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path((flow_id, run_id)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id.clone());
    let head = flow_page::head(store, team_id, &flow_id).await?;
    let head = head.ok_or_else(PageError::not_found)?;
    let environment = environment(&state, &visit, &head.flow).await?;
    let run = runs::by_id(store, &environment.id, &run_id)
        .await?
        .filter(|run| run.flow_id == flow_id)
        .ok_or_else(PageError::not_found)?;
    let raw = runs::raw(store, &environment.id, &run_id).await?;
    let neighbours = flow_page::neighbours(store, &environment.id, &flow_id, run.started_at, &run_id).await?;
    let in_force = flow_versions::in_force(store, &environment.id, &flow_id, run.started_at, 1).await?;
    let later = later_runs::of_same_files(store, &run).await?;
    let asked_for = run_requests::of_run(store, &run).await?;
    let again = asking::run_again(&state, &visit, &head.flow, &run, &later).await?;

    let visit = visit.in_environment(&environment.id);
    let times = visit.times();
    let freshness = Freshness::of_environment(&head.sync, &environment, &visit);
    let row = RunRow::new(run.line(), &times);
    let title = format!("Run of {}, {}", row.started.local(), head.flow.record.name);
    let is_final = run.outcome.is_final();
    let mut layout = visit.layout(title, NavEntry::Flows);
    layout.read_at = freshness.read_at.clone();
    layout.refresh_seconds = (!is_final).then_some(REFRESH_SECONDS);
    let judgement = head.judgement.as_ref();
    let verdict = Verdict::of(&run, later.iter().any(LaterRun::brought_something));
    page(&RunPage {
        layout,
        again,
        asked_for: asked_for.map(|asked| AskedForView {
            name: asked.name,
            at: times.at(asked.requested_at),
            repeats: asked.retried_run_id,
            is_certain: asked.state == RequestState::Started,
        }),
        later: later
            .into_iter()
            .map(|later| LaterRunView::new(later, &times))
            .collect(),
        verdict,
        completed: run.completed_at.map(|at| times.at(at)),
        gone: run.gone_at.map(|at| times.at(at)),
        window: run
            .window_start_at
            .zip(run.window_end_at)
            .map(|(from, to)| (times.at(from), times.at(to))),
        bytes_out: view::bytes(run.bytes_out).to_string(),
        usual_duration: judgement
            .and_then(|judged| judged.usual_duration_ms)
            .map(|usual| usually(usual, numbers::duration)),
        usual_records: judgement
            .and_then(|judged| judged.usual_records)
            .map(|usual| usually(usual, numbers::count)),
        document: RunDocument::new(&raw.unwrap_or_default(), &run, &times, visit.now_ms),
        configuration: RanWith::of(&run, in_force.first(), &times),
        neighbours,
        freshness,
        read: times.at(run.read_at),
        is_final,
        refresh_seconds: REFRESH_SECONDS,
        run: row,
        flow: head.flow,
    })
}

fn usually<W: Written>(usual: Usual, words: impl Fn(i64) -> W) -> String {
    match (words(usual.low).to_string(), words(usual.high).to_string()) {
        (low, high) if low == high => format!("usual: {low}"),
        (low, high) => format!("usual: {low} to {high}"),
    }
}

impl LaterRunView {
    fn new(run: LaterRun, times: &Times) -> Self {
        Self {
            badge: view::outcome_badge(run.outcome, &run.status),
            started: times.at(run.started_at),
            id: run.id,
        }
    }
}

impl RanWith {
    fn of(run: &Run, in_force: Option<&FlowVersion>, times: &Times) -> Self {
        match in_force {
            None => Self::TooOld,
            Some(version) if version.number == 1 && run.started_at < version.seen_at => {
                Self::FirstSeen(version.number, times.at(version.seen_at))
            }
            Some(version) => Self::Known(version.number),
        }
    }
}

impl Verdict {
    fn of(run: &Run, is_made_up_for: bool) -> Self {
        let (heading, text) = match run.outcome {
            outcome if !outcome.is_final() && run.gone_at.is_some() => (
                "Adobe does not know this run any more".to_owned(),
                "It had not ended when it was read last, so nobody can say whether it brought anything."
                    .to_owned(),
            ),
            RunOutcome::Succeeded => stored(run),
            RunOutcome::Partial => (partial(run), String::new()),
            RunOutcome::Failed if is_made_up_for => (
                "The run failed, and a later run has brought its files".to_owned(),
                "Nothing is left to be done for this one.".to_owned(),
            ),
            RunOutcome::Failed => ("The run failed".to_owned(), String::new()),
            RunOutcome::Running => (
                "The run is going on".to_owned(),
                "Adobe tells of it two to three minutes late. This page looks again by itself.".to_owned(),
            ),
            RunOutcome::Waiting => (
                "The run waits for its start".to_owned(),
                "Adobe has planned it and decides when it starts. This page looks again by itself."
                    .to_owned(),
            ),
            RunOutcome::Unknown => unknown(run),
        };
        Self {
            status: if !run.outcome.is_final() && run.gone_at.is_some() {
                Status::Unknown
            } else {
                view::outcome_status(run.outcome)
            },
            heading,
            text,
            // What to do about it is no question any more.
            is_explained: !is_made_up_for && matches!(run.outcome, RunOutcome::Partial | RunOutcome::Failed),
        }
    }
}

fn stored(run: &Run) -> (String, String) {
    let told = |heading: String, text: &str| (heading, text.to_owned());
    match (run.records_in, run.records_out) {
        (_, None) => told(
            "The run succeeded".to_owned(),
            "Adobe does not tell how many records it brought.",
        ),
        (_, Some(0)) => told("The run succeeded and brought no records".to_owned(), ""),
        (Some(read), Some(kept)) if read != kept => told(
            format!(
                "{} of {} records stored",
                numbers::count(kept),
                numbers::count(read)
            ),
            "Adobe calls the run a success and tells of no record that failed.",
        ),
        (_, Some(1)) => told("1 record stored".to_owned(), ""),
        (_, Some(many)) => told(format!("All {} records stored", numbers::count(many)), ""),
    }
}

fn partial(run: &Run) -> String {
    match run.records_failed {
        Some(1) => "1 record was rejected".to_owned(),
        Some(many) if many > 1 => format!("{} records were rejected", numbers::count(many)),
        _ => "Not everything arrived".to_owned(),
    }
}

fn unknown(run: &Run) -> (String, String) {
    if run.status.is_empty() {
        return (
            "Adobe tells no status of this run".to_owned(),
            "So nobody can say here whether it brought anything. The counts are as Adobe gives them."
                .to_owned(),
        );
    }
    (
        format!("Adobe calls this run \u{201c}{}\u{201d}", run.status),
        "No document of Adobe's names this status, so it is shown as it is and counts neither as success nor as \
         failure."
            .to_owned(),
    )
}
