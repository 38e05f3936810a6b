//! `GET /flows`: every flow of the team, by whomever it was made.

use askama::Template;
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::filter::{Filters, FlowsQuery};
use super::row::FlowRow;
use crate::domain::DAY_MS;
use crate::store::flow_lists::{self, FlowOrder, FlowPage, FlowSort, ListedFlow};
use crate::store::saved_views::ViewedPage;
use crate::store::sync_state;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::pages::saved_views::address;
use crate::web::pages::saved_views::bar::{ViewsBar, default_address};
use crate::web::session::current_page;
use crate::web::state::AppState;
use crate::web::table::{Direction, PageLinks, SortLink};
use crate::web::visit::Visit;

/// By which htmx is told what address to show.
const PUSH_URL: HeaderName = HeaderName::from_static("hx-push-url");
/// Flows on one page.
const PAGE_SIZE: usize = 50;

#[derive(Template)]
#[template(path = "flows/list.html")]
struct FlowsPage {
    layout: Layout,
    views: ViewsBar,
    filters: Filters,
    columns: Vec<SortLink>,
    rows: Vec<FlowRow>,
    pages: PageLinks,
    freshness: Freshness,
}

/// The list.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    RawQuery(raw): RawQuery,
    Query(query): Query<FlowsQuery>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let store = &state.store;
    let raw = raw.unwrap_or_default();
    if let Some(address) = default_address(store, &visit, ViewedPage::Flows, &raw).await? {
        return Ok(Redirect::to(&address).into_response());
    }
    let query = query.cut();
    let filter = query.filter()?;
    let (after, before) = (query.after(), query.before());
    let part = match (&after, &before) {
        (Some(key), _) => FlowPage::After(key),
        (None, Some(key)) => FlowPage::Before(key),
        (None, None) => FlowPage::First,
    };
    let moment = match part {
        // An old page goes on as of now; nothing else than a moment of ours counts.
        FlowPage::After(key) | FlowPage::Before(key) => key.moment.clamp(visit.now_ms - DAY_MS, visit.now_ms),
        FlowPage::First => visit.now_ms,
    };
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let (team_id, canonical) = (&visit.session.team_id, query.canonical());
    let (mut found, sync, views, filters) = tokio::try_join!(
        flow_lists::list(store, team_id, filter, query.order(), moment, part, limit),
        sync_state::all_for(store, team_id),
        ViewsBar::read(store, &visit, ViewedPage::Flows, "All flows", &canonical),
        Filters::read(store, &visit, &query),
    )?;
    if found.is_empty() && !matches!(part, FlowPage::First) {
        return Ok(Redirect::to(&query.sorted_by(query.order())).into_response());
    }
    let pages = page_links(&mut found, &query, part, moment);
    let times = visit.times();
    let freshness = Freshness::of_team(&sync, &visit);
    let mut layout = visit.layout("Flows", NavEntry::Flows);
    layout.read_at = freshness.read_at.clone();
    let rows = found
        .into_iter()
        .map(|flow| FlowRow::new(flow, &times, visit.now_ms));
    let mut response = page(&FlowsPage {
        columns: columns(&query),
        rows: rows.collect::<Result<_, _>>()?,
        layout,
        views,
        filters,
        pages,
        freshness,
    })?;
    // Where a script has sent the form, the address tells what is set, and not every empty field. A page that asks for
    // itself again has its address.
    let asked_by = current_page(&headers);
    let address = address(ViewedPage::Flows, &canonical);
    if matches!(part, FlowPage::First)
        && asked_by.is_some_and(|page| page != uri.to_string())
        && let Ok(address) = HeaderValue::from_str(&address)
    {
        response.headers_mut().insert(PUSH_URL, address);
    }
    Ok(response)
}

/// The ways to the neighbouring pages; what was read beyond this page only to know of them is taken away.
fn page_links(found: &mut Vec<ListedFlow>, query: &FlowsQuery, part: FlowPage<'_>, moment: i64) -> PageLinks {
    let more = found.len() > PAGE_SIZE;
    let (has_previous, has_next) = match part {
        FlowPage::First => (false, more),
        FlowPage::After(_) => (true, more),
        FlowPage::Before(_) => (more, true),
    };
    match part {
        FlowPage::Before(_) => drop(found.drain(..found.len().saturating_sub(PAGE_SIZE))),
        _ => found.truncate(PAGE_SIZE),
    }
    let previous = found.first().filter(|_| has_previous);
    let next = found.last().filter(|_| has_next);
    PageLinks {
        summary: summary(found.len(), has_previous || has_next),
        previous: previous.and_then(|flow| query.page_at("before", flow, moment)),
        next: next.and_then(|flow| query.page_at("after", flow, moment)),
    }
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
    let now = query.order();
    let plain = |label: &str, numeric| SortLink {
        label: label.to_owned(),
        href: None,
        sorted: None,
        numeric,
    };
    // A second look at the head of the sorted column turns it round.
    let by = |label: &str, by: FlowSort, direction: Direction| {
        let is_sorted = now.by == by;
        let is_reversed = is_sorted && !now.is_reversed;
        SortLink {
            href: Some(query.sorted_by(FlowOrder { by, is_reversed })),
            sorted: is_sorted.then_some(if now.is_reversed {
                direction.turned()
            } else {
                direction
            }),
            ..plain(label, false)
        }
    };
    vec![
        by("Name", FlowSort::Name, Direction::Ascending),
        by("Health", FlowSort::Need, Direction::Descending),
        by("Last run", FlowSort::LastRun, Direction::Descending),
        plain("Rows", true),
        plain("Last 30 runs", false),
        by("Next run", FlowSort::NextRun, Direction::Ascending),
        plain("Made from", false),
    ]
}
