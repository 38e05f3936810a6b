//! `GET /`: the overview.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::situation::{Looking, Situation};
use crate::domain::Role;
use crate::domain::health::Health;
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::flows::row::FlowRow;
use crate::web::state::AppState;
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
    situation: Situation,
    /// How many flows need a person.
    needing: String,
    rows: Vec<FlowRow>,
    /// All flows, where some have no strip.
    all_flows: Option<String>,
    has_environments: bool,
    may_add_environments: bool,
    refresh_seconds: u32,
}

/// The overview.
pub async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    let (store, team_id, now_ms) = (&state.store, visit.session.team_id.as_str(), visit.now_ms);
    let times = visit.times();
    let looking = Looking {
        team_id,
        environments: &visit.environments,
        times: &times,
        now_ms,
        coming_up: COMING_UP,
    };
    // The list takes by far the longest: the rest is read beside it, not before it.
    let (flows, situation) = tokio::try_join!(
        flow_lists::list(
            store,
            team_id,
            FlowFilter::default(),
            FlowSort::Need,
            now_ms,
            FlowPage::First,
            FLOWS_SHOWN
        ),
        Situation::read(store, looking),
    )?;
    let all_flows: i64 = situation.counts.iter().map(|(_, count)| count).sum();
    let rows = flows.into_iter().map(|flow| FlowRow::new(flow, &times, now_ms));

    let mut layout = visit.layout("Overview", NavEntry::Overview);
    layout.read_at = situation.freshness.read_at.clone();
    layout.refresh_seconds = Some(REFRESH_SECONDS);
    layout.counts = vec![(NavEntry::Flows, all_flows)];
    if situation.open_findings > 0 {
        layout.counts.push((NavEntry::Findings, situation.open_findings));
    }
    page(&OverviewPage {
        layout,
        needing: needing(&situation.counts),
        situation,
        rows: rows.collect::<Result<_, _>>()?,
        all_flows: (all_flows > FLOWS_SHOWN).then(|| numbers::count(all_flows).to_string()),
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
