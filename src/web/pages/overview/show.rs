//! `GET /`: the overview.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::domain::setup::SetupState;
use crate::domain::{Role, RunOutcome};
use crate::store::findings;
use crate::store::flows::{self, Flow, FlowFilter, FlowSort};
use crate::store::setup_lists::{self, ListedSetup, SetupFilter};
use crate::store::sync_state;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::flows::view::{self, FlowRow};
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Flows looked through for what comes next: those that ran last.
const FLOWS_READ: i64 = 100;
/// Flows with a strip.
const FLOWS_SHOWN: usize = 25;
/// Flows of one outcome, or setups, among what needs a person.
const ITEMS_OF_A_KIND: i64 = 10;
/// Runs that come next.
const COMING_UP: usize = 8;
/// Seconds between two looks.
const REFRESH_SECONDS: u32 = 30;

#[derive(Template)]
#[template(path = "overview/show.html")]
struct OverviewPage {
    layout: Layout,
    items: Vec<Item>,
    /// Items that are counted but not listed, with the list that holds them.
    more: Vec<(String, &'static str)>,
    coming_up: Vec<(TimeView, String, String)>,
    rows: Vec<FlowRow>,
    all_flows: i64,
    freshness: Freshness,
    has_environments: bool,
    may_add_environments: bool,
    refresh_seconds: u32,
}

/// Something that needs a person.
struct Item {
    status: Status,
    href: String,
    title: String,
    detail: String,
    environment: String,
    since: Option<TimeView>,
}

/// The overview.
pub async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let (store, team_id) = (&state.store, visit.session.team_id.as_str());
    let last_ended = |outcome| FlowFilter {
        outcome: Some(outcome),
        state: Some("enabled"),
        ..FlowFilter::default()
    };
    let troubled = |outcome| {
        flows::list(
            store,
            team_id,
            last_ended(outcome),
            FlowSort::LastRun,
            None,
            ITEMS_OF_A_KIND,
        )
    };
    let asking = SetupFilter {
        state: Some(SetupState::NeedsAttention),
        ..SetupFilter::default()
    };
    let (sync, failed, partial, setups, listed, counts, findings) = tokio::try_join!(
        sync_state::all_for(store, team_id),
        troubled(RunOutcome::Failed),
        troubled(RunOutcome::Partial),
        setup_lists::list(store, team_id, asking, None, ITEMS_OF_A_KIND),
        flows::list(
            store,
            team_id,
            FlowFilter::default(),
            FlowSort::LastRun,
            None,
            FLOWS_READ
        ),
        flows::counts(store, team_id),
        findings::count_open(store, team_id),
    )?;
    let times = visit.times();
    let freshness = Freshness::of_team(&sync, &visit);
    let shown = &listed[..listed.len().min(FLOWS_SHOWN)];
    let rows = view::rows(store, shown, &times, visit.now_ms).await?;
    let mut items = items(&freshness, setups, &failed, &partial, &times);
    let open_findings = findings.iter().map(|(_, count)| count).sum();
    items.extend(misfits(open_findings));
    let all_flows = counts.iter().map(|(_, count)| count).sum();

    let mut layout = visit.layout("Overview", NavEntry::Overview);
    layout.read_at = freshness.read_at.clone();
    layout.refresh_seconds = Some(REFRESH_SECONDS);
    layout.counts = vec![(NavEntry::Flows, all_flows)];
    if open_findings > 0 {
        layout.counts.push((NavEntry::Findings, open_findings));
    }
    page(&OverviewPage {
        layout,
        more: more(&failed, &partial),
        items,
        coming_up: coming_up(&listed, &times, visit.now_ms),
        rows,
        all_flows,
        freshness,
        has_environments: !visit.environments.is_empty(),
        may_add_environments: visit.may(Role::Admin),
        refresh_seconds: REFRESH_SECONDS,
    })
}

/// What needs a person, the most far-reaching first.
fn items(
    freshness: &Freshness,
    setups: Vec<ListedSetup>,
    failed: &[Flow],
    partial: &[Flow],
    times: &Times,
) -> Vec<Item> {
    let environments = freshness.failing.iter().map(|failing| Item {
        status: Status::Failed,
        href: format!("/environments/{}", failing.environment_id),
        title: format!("{} cannot be read", failing.environment),
        detail: failing.problem.clone(),
        environment: failing.environment.clone(),
        since: Some(failing.since.clone()),
    });
    let setups = setups.into_iter().map(|setup| Item {
        status: Status::Partial,
        href: format!("/setups/{}", setup.id),
        title: format!("The setup of {} asks you", setup.flow_name),
        detail: format!("{} of {} steps are done.", setup.steps_confirmed, setup.steps),
        environment: setup.environment_name,
        since: Some(times.at(setup.updated_at)),
    });
    let flow = |flow: &Flow, status, what: &str| Item {
        status,
        href: format!("/flows/{}", flow.record.id),
        title: flow.record.name.clone(),
        detail: what.to_owned(),
        environment: flow.environment_name.clone(),
        since: flow.last_run_at.map(|at| times.at(at)),
    };
    let failed = failed
        .iter()
        .map(|f| flow(f, Status::Failed, "The last run failed."));
    let partial = partial
        .iter()
        .map(|f| flow(f, Status::Partial, "The last run rejected some records."));
    environments.chain(setups).chain(failed).chain(partial).collect()
}

/// What the sweep found, as one item whatever its number.
fn misfits(open: i64) -> Option<Item> {
    let title = match open {
        0 => return None,
        1 => "One object at Adobe does not fit what was set up".to_owned(),
        n => format!(
            "{} objects at Adobe do not fit what was set up",
            numbers::count(n)
        ),
    };
    Some(Item {
        status: Status::Partial,
        href: "/findings".to_owned(),
        title,
        detail: "Made more than once, gone, or claimed by nobody: each needs a decision.".to_owned(),
        environment: String::new(),
        since: None,
    })
}

fn more(failed: &[Flow], partial: &[Flow]) -> Vec<(String, &'static str)> {
    let full = |flows: &[Flow]| i64::try_from(flows.len()) == Ok(ITEMS_OF_A_KIND);
    let mut more = Vec::new();
    if full(failed) {
        more.push((
            "All flows whose last run failed".to_owned(),
            "/flows?state=enabled&outcome=failed&sort=last-run",
        ));
    }
    if full(partial) {
        let label = "All flows whose last run rejected records".to_owned();
        more.push((label, "/flows?state=enabled&outcome=partial&sort=last-run"));
    }
    more
}

/// When, the flow's id and its name, the earliest first.
fn coming_up(flows: &[Flow], times: &Times, now_ms: i64) -> Vec<(TimeView, String, String)> {
    let mut next: Vec<(i64, &Flow)> = flows
        .iter()
        .flat_map(|flow| {
            view::next_runs(flow, now_ms, 1)
                .into_iter()
                .map(move |at| (at, flow))
        })
        .collect();
    next.sort_by_key(|(at, flow)| (*at, flow.record.name.clone()));
    let shown = next.into_iter().take(COMING_UP);
    shown
        .map(|(at, flow)| (times.at(at), flow.record.id.clone(), flow.record.name.clone()))
        .collect()
}
