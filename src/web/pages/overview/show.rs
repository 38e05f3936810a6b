//! `GET /`: the overview.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::attention::{Kind, OF_A_KIND, Troubles};
use crate::domain::Role;
use crate::domain::health::Health;
use crate::domain::setup::SetupState;
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort, NextRun};
use crate::store::setup_lists::{self, SetupFilter};
use crate::store::{findings, sync_state};
use crate::web::error::PageError;
use crate::web::health_view;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::flows::row::FlowRow;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Flows with a strip.
const FLOWS_SHOWN: i64 = 500;
/// Runs that come next.
const COMING_UP: i64 = 8;
/// Seconds between two looks.
const REFRESH_SECONDS: u32 = 30;

#[derive(Template)]
#[template(path = "overview/show.html")]
struct OverviewPage {
    layout: Layout,
    kinds: Vec<Kind>,
    /// How many flows need a person.
    needing: String,
    chips: Vec<Chip>,
    coming_up: Vec<Coming>,
    rows: Vec<FlowRow>,
    /// All flows, where some have no strip.
    all_flows: Option<String>,
    freshness: Freshness,
    has_environments: bool,
    may_add_environments: bool,
    refresh_seconds: u32,
}

/// How many flows do so.
pub(super) struct Chip {
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) count: String,
    href: String,
}

pub(super) struct Coming {
    pub(super) at: TimeView,
    href: String,
    pub(super) name: String,
    pub(super) environment: String,
}

/// The overview.
pub async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let (store, team_id, now_ms) = (&state.store, visit.session.team_id.as_str(), visit.now_ms);
    let asking = SetupFilter {
        state: Some(SetupState::NeedsAttention),
        ..SetupFilter::default()
    };
    let of_a_kind = OF_A_KIND as i64;
    let (sync, flows, counts, troubled, setups, next_runs, findings) = tokio::try_join!(
        sync_state::all_for(store, team_id),
        flow_lists::list(
            store,
            team_id,
            FlowFilter::default(),
            FlowSort::Need,
            now_ms,
            FlowPage::First,
            FLOWS_SHOWN
        ),
        flow_lists::counts(store, team_id, now_ms),
        flow_lists::troubled(store, team_id, now_ms, of_a_kind),
        setup_lists::list(store, team_id, asking, None, of_a_kind + 1),
        flow_lists::next_runs(store, team_id, now_ms, COMING_UP),
        findings::count_open(store, team_id),
    )?;
    let times = visit.times();
    let freshness = Freshness::of_team(&sync, &visit);
    let open_findings = findings.iter().map(|(_, count)| count).sum();
    let troubles = Troubles {
        freshness: &freshness,
        setups,
        flows: troubled,
        counts: &counts,
        open_findings,
    };
    let kinds = troubles.kinds(&times, now_ms);
    let all_flows: i64 = counts.iter().map(|(_, count)| count).sum();
    let rows = flows.into_iter().map(|flow| FlowRow::new(flow, &times, now_ms));

    let mut layout = visit.layout("Overview", NavEntry::Overview);
    layout.read_at = freshness.read_at.clone();
    layout.refresh_seconds = Some(REFRESH_SECONDS);
    layout.counts = vec![(NavEntry::Flows, all_flows)];
    if open_findings > 0 {
        layout.counts.push((NavEntry::Findings, open_findings));
    }
    page(&OverviewPage {
        layout,
        needing: needing(&counts),
        kinds,
        chips: counts.iter().map(chip).collect(),
        coming_up: next_runs.into_iter().map(|run| coming(run, &times)).collect(),
        rows: rows.collect::<Result<_, _>>()?,
        all_flows: (all_flows > FLOWS_SHOWN).then(|| numbers::count(all_flows).to_string()),
        freshness,
        has_environments: !visit.environments.is_empty(),
        may_add_environments: visit.may(Role::Admin),
        refresh_seconds: REFRESH_SECONDS,
    })
}

/// "3 flows" that need a person, or nothing where no flow does.
fn needing(counts: &[(Health, i64)]) -> String {
    let flows: i64 = counts
        .iter()
        .filter(|(health, _)| health.needs_a_person())
        .map(|(_, count)| count)
        .sum();
    match flows {
        0 => String::new(),
        1 => "1 flow".to_owned(),
        n => format!("{} flows", numbers::count(n)),
    }
}

pub(super) fn chip((health, count): &(Health, i64)) -> Chip {
    Chip {
        status: health_view::status(*health),
        word: health_view::word(*health),
        count: numbers::count(*count).to_string(),
        href: format!("/flows?health={health}"),
    }
}

pub(super) fn coming(run: NextRun, times: &Times) -> Coming {
    Coming {
        at: times.at(run.at),
        href: format!("/flows/{}", run.flow_id),
        name: run.flow_name,
        environment: run.environment_name,
    }
}
