//! `GET /flows`: every flow of the team, by whomever it was made.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use url::form_urlencoded;

use super::view::{self, FlowRow};
use crate::domain::RunOutcome;
use crate::domain::connector::connectors;
use crate::store::flows::{self, FlowFilter, FlowKey, FlowSort};
use crate::store::sync_state;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::table::{Direction, PageLinks, SortLink};
use crate::web::visit::Visit;

/// Flows on one page.
const PAGE_SIZE: usize = 50;
/// The longest text that is searched for, in characters.
const TEXT_CHARS: usize = 200;

#[derive(Template)]
#[template(path = "flows/list.html")]
struct FlowsPage {
    layout: Layout,
    filters: Filters,
    columns: Vec<SortLink>,
    rows: Vec<FlowRow>,
    pages: PageLinks,
    freshness: Freshness,
}

/// The form above the table.
struct Filters {
    environments: Vec<Choice>,
    states: Vec<Choice>,
    outcomes: Vec<Choice>,
    connectors: Vec<Choice>,
    text: String,
    sort: String,
    are_set: bool,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

impl Choice {
    fn of(value: &str, label: impl Into<String>, chosen: &str) -> Self {
        Self {
            value: value.to_owned(),
            label: label.into(),
            chosen: value == chosen,
        }
    }
}

/// What the list shows, all of it in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FlowsQuery {
    environment: String,
    state: String,
    outcome: String,
    connector: String,
    q: String,
    sort: String,
    after: String,
}

impl FlowsQuery {
    fn filter(&self) -> FlowFilter<'_> {
        fn set(text: &str) -> Option<&str> {
            Some(text).filter(|text| !text.is_empty())
        }
        FlowFilter {
            environment_id: set(&self.environment),
            // What is gone has no state any more.
            state: set(&self.state).filter(|state| *state != GONE),
            connector: set(&self.connector),
            outcome: self.outcome.parse::<RunOutcome>().ok(),
            text: set(self.q.trim()),
            include_gone: self.state == GONE,
        }
    }

    fn sort(&self) -> FlowSort {
        if self.sort == LAST_RUN {
            FlowSort::LastRun
        } else {
            FlowSort::Name
        }
    }

    /// The address of the same list, sorted and begun elsewhere.
    fn address(&self, sort: &str, after: Option<&str>) -> String {
        let pairs = [
            ("environment", self.environment.as_str()),
            ("state", &self.state),
            ("outcome", &self.outcome),
            ("connector", &self.connector),
            ("q", self.q.trim()),
            ("sort", sort),
            ("after", after.unwrap_or_default()),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() {
            "/flows".to_owned()
        } else {
            format!("/flows?{query}")
        }
    }

    fn are_set(&self) -> bool {
        [&self.environment, &self.state, &self.outcome, &self.connector]
            .iter()
            .any(|value| !value.is_empty())
            || !self.q.trim().is_empty()
    }

    fn key(&self) -> Option<FlowKey> {
        let bytes = BASE64URL_NOPAD.decode(self.after.as_bytes()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// The choice of flows that Adobe lists no longer, beside Adobe's states.
const GONE: &str = "gone";
/// The word for sorting by the last run.
const LAST_RUN: &str = "last-run";

/// The list.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Query(mut query): Query<FlowsQuery>,
) -> Result<Response, PageError> {
    query.q = query.q.chars().take(TEXT_CHARS).collect();
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let key = query.key();
    let mut found = flows::list(store, team_id, query.filter(), query.sort(), key.as_ref(), limit).await?;
    let more = found.len() > PAGE_SIZE;
    found.truncate(PAGE_SIZE);
    let next = found
        .last()
        .filter(|_| more)
        .and_then(|last| serde_json::to_vec(&last.key()).ok());
    let next = next.map(|key| query.address(&query.sort, Some(&BASE64URL_NOPAD.encode(&key))));

    let times = visit.times();
    let freshness = Freshness::of_team(&sync_state::all_for(store, team_id).await?, &visit);
    let mut layout = visit.layout("Flows", NavEntry::Flows);
    layout.read_at = freshness.read_at.clone();
    page(&FlowsPage {
        filters: filters(&query, &visit),
        columns: columns(&query),
        pages: PageLinks {
            summary: summary(found.len(), more || key.is_some()),
            previous: key.map(|_| query.address(&query.sort, None)),
            next,
        },
        rows: view::rows(store, &found, &times, visit.now_ms).await?,
        freshness,
        layout,
    })
}

fn summary(shown: usize, of_more: bool) -> String {
    let flows = if shown == 1 {
        "1 flow".to_owned()
    } else {
        format!("{} flows", numbers::count(shown as i64))
    };
    if of_more {
        format!("{flows} on this page")
    } else {
        flows
    }
}

fn columns(query: &FlowsQuery) -> Vec<SortLink> {
    let sorted = query.sort();
    let plain = |label: &str| SortLink {
        label: label.to_owned(),
        href: None,
        sorted: None,
        numeric: false,
    };
    let by = |label: &str, word: &str, sort: FlowSort, direction| SortLink {
        href: Some(query.address(word, None)),
        sorted: (sorted == sort).then_some(direction),
        ..plain(label)
    };
    vec![
        by("Name", "", FlowSort::Name, Direction::Ascending),
        plain("State"),
        plain("Schedule"),
        by("Last run", LAST_RUN, FlowSort::LastRun, Direction::Descending),
        plain("Last 30 runs"),
        plain("Next run"),
    ]
}

fn filters(query: &FlowsQuery, visit: &Visit) -> Filters {
    let states = [
        ("enabled", "Enabled"),
        ("disabled", "Disabled"),
        (GONE, "Also no longer at Adobe"),
    ];
    let outcomes = RunOutcome::ALL.iter().map(|outcome| {
        let status: Status = view::outcome_status(*outcome);
        Choice::of(outcome.as_str(), status.word(), &query.outcome)
    });
    let environments = visit
        .environments
        .iter()
        .map(|e| Choice::of(&e.id, &e.name, &query.environment));
    Filters {
        environments: environments.collect(),
        states: states
            .iter()
            .map(|(value, label)| Choice::of(value, *label, &query.state))
            .collect(),
        outcomes: outcomes.collect(),
        connectors: connectors()
            .iter()
            .map(|c| Choice::of(&c.slug, &c.name, &query.connector))
            .collect(),
        text: query.q.clone(),
        sort: query.sort.clone(),
        are_set: query.are_set(),
    }
}
