//! `GET /runs`: the runs of all flows, newest first, with a histogram of days.

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::days;
use super::filter::{RunsFilter, UTC_DAYS};
use super::found::{self, Found};
use crate::domain::RunOutcome;
use crate::store::run_lists::RunPlace;
use crate::store::saved_views::ViewedPage;
use crate::store::sync_state;
use crate::web::charts::day_histogram::DayHistogram;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::pages::flows::view::{self, RunRow};
use crate::web::pages::freshness::Freshness;
use crate::web::pages::saved_views::bar::{ViewsBar, default_address};
use crate::web::state::AppState;
use crate::web::table::PageLinks;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "runs/list.html")]
struct RunsPage {
    layout: Layout,
    views: ViewsBar,
    filters: Filters,
    /// None: a text is searched for, by which days are not counted.
    histogram: Option<DayHistogram>,
    rows: Vec<Row>,
    /// Runs are listed by their end.
    by_end: bool,
    pages: PageLinks,
    /// The search was broken off before this moment.
    searched_to: Option<TimeView>,
    freshness: Freshness,
    csv: String,
    json_lines: String,
}

/// The form above the table.
struct Filters {
    environments: Vec<Choice>,
    outcomes: Vec<Choice>,
    text: String,
    from: String,
    to: String,
    /// Whose days these are; none: the person's are those of UTC.
    days: Option<Vec<Choice>>,
    are_set: bool,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Row {
    flow_id: String,
    flow: String,
    environment: String,
    run: RunRow,
    ended: Option<TimeView>,
    is_gone: bool,
}

/// What the list shows, all of it in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RunsQuery {
    #[serde(flatten)]
    filter: RunsFilter,
    after: String,
}

impl RunsQuery {
    fn after(&self) -> Option<RunPlace> {
        let bytes = BASE64URL_NOPAD.decode(self.after.as_bytes()).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// The list.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    RawQuery(raw): RawQuery,
    Query(query): Query<RunsQuery>,
) -> Result<Response, PageError> {
    let (filter, store) = (&query.filter, &state.store);
    let raw = raw.unwrap_or_default();
    if let Some(address) = default_address(store, &visit, ViewedPage::Runs, &raw).await? {
        return Ok(Redirect::to(&address).into_response());
    }
    let times = visit.times();
    let selection = filter.selection(&times)?;
    let environments = found::environments(&visit, filter)?;
    let after = query.after();
    let found = found::page(store, &environments, &selection, after.clone()).await?;
    let histogram = days::histogram(store, &visit, filter, &selection).await?;
    let sync = sync_state::all_for(store, &visit.session.team_id).await?;
    let freshness = Freshness::of_team(&sync, &visit);
    let views = ViewsBar::read(store, &visit, ViewedPage::Runs, "All runs", &raw).await?;

    let mut layout = visit.layout("Runs", NavEntry::Runs);
    layout.read_at = freshness.read_at.clone();
    let Found {
        runs,
        next,
        searched_to,
    } = found;
    let key = |place: &RunPlace| serde_json::to_vec(place).map(|json| BASE64URL_NOPAD.encode(&json));
    let next = next.as_ref().and_then(|place| key(place).ok());
    let by_end = selection.is_by_end();
    let rows: Vec<Row> = runs
        .into_iter()
        .map(|(environment, listed)| Row {
            flow_id: listed.run.flow_id.clone(),
            flow: if listed.flow_name.is_empty() {
                listed.run.flow_id.clone()
            } else {
                listed.flow_name.clone()
            },
            environment,
            run: RunRow::new(listed.run.line(), &times),
            ended: listed.run.ended_at.map(|at| times.at(at)),
            is_gone: listed.run.gone_at.is_some(),
        })
        .collect();
    page(&RunsPage {
        views,
        filters: filters(filter, &visit),
        histogram,
        pages: PageLinks {
            summary: summary(rows.len(), next.is_some() || after.is_some()),
            previous: after.map(|_| filter.address("/runs", None)),
            next: next.map(|key| filter.address("/runs", Some(&key))),
        },
        rows,
        by_end,
        searched_to: searched_to.map(|at| times.at(at)),
        csv: filter.address("/runs.csv", None),
        json_lines: filter.address("/runs.jsonl", None),
        freshness,
        layout,
    })
}

fn summary(shown: usize, of_more: bool) -> String {
    let runs = if shown == 1 { "run" } else { "runs" };
    let where_ = if of_more { " on this page" } else { "" };
    format!("{shown} {runs}{where_}")
}

fn whose_days(filter: &RunsFilter, visit: &Visit) -> Option<Vec<Choice>> {
    let is_utc = filter.days == UTC_DAYS;
    let choice = |value: &str, label: String, chosen| Choice {
        value: value.to_owned(),
        label,
        chosen,
    };
    (!visit.times().are_utc()).then(|| {
        let own = format!("Your time zone ({})", visit.session.time_zone);
        vec![
            choice("", own, !is_utc),
            choice(UTC_DAYS, "UTC, as in the chart".to_owned(), is_utc),
        ]
    })
}

fn filters(filter: &RunsFilter, visit: &Visit) -> Filters {
    let outcomes = RunOutcome::ALL.iter().map(|outcome| Choice {
        value: outcome.as_str().to_owned(),
        label: view::outcome_status(*outcome).word().to_owned(),
        chosen: filter.outcome == outcome.as_str(),
    });
    let environments = visit.environments.iter().map(|environment| Choice {
        value: environment.id.clone(),
        label: environment.name.clone(),
        chosen: filter.environment == environment.id,
    });
    Filters {
        environments: environments.collect(),
        outcomes: outcomes.collect(),
        text: filter.q.clone(),
        from: filter.from.clone(),
        to: filter.to.clone(),
        days: whose_days(filter, visit),
        are_set: filter.are_set(),
    }
}
