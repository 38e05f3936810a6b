//! `GET /findings`: what does not fit between the platform and our records.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::view::{FindingView, noun};
use crate::domain::{DAY_MS, FindingState, Role, Verdict};
use crate::store::findings::{self, ListedFinding};
use crate::store::sweeps::{self, SweepState};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::table::PageLinks;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Findings of one verdict on the page of all.
const IN_A_GROUP: usize = 20;
/// Findings on a page of one verdict.
const PAGE_SIZE: usize = 50;
/// How long decisions are shown, in milliseconds, and how many at most.
const DECIDED_FOR_MS: i64 = 30 * DAY_MS;
const DECIDED_MAX: i64 = 50;
/// Deletions on their way that are shown.
const DELETING_MAX: i64 = 20;

#[derive(Template)]
#[template(path = "findings/list.html")]
struct FindingsPage {
    layout: Layout,
    groups: Vec<Group>,
    deleting: Vec<FindingView>,
    decided: Vec<DecidedRow>,
    looks: Vec<EnvironmentLook>,
    unread: Vec<Unread>,
    all_href: Option<&'static str>,
    may_decide: bool,
    has_environments: bool,
}

/// The findings of one verdict.
struct Group {
    heading: &'static str,
    intro: &'static str,
    total: String,
    rows: Vec<FindingView>,
    more: Option<(String, String)>,
    pages: Option<PageLinks>,
}

/// What was decided lately.
struct DecidedRow {
    what: String,
    name: String,
    environment: String,
    became: &'static str,
    by: String,
    at: Option<TimeView>,
}

/// When an environment was looked through.
struct EnvironmentLook {
    environment: String,
    ended: Option<TimeView>,
    next: Option<TimeView>,
}

/// Collections that cannot be read at present, for one reason.
struct Unread {
    environment_id: String,
    environment: String,
    /// "base connections, datasets".
    collections: String,
    since: TimeView,
    problem: String,
    read: Option<TimeView>,
}

/// What the list shows: one verdict only, and from where on.
#[derive(Debug, Default, Deserialize)]
pub struct FindingsQuery {
    #[serde(default)]
    verdict: String,
    before_at: Option<i64>,
    before_id: Option<String>,
}

/// The list.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<FindingsQuery>,
) -> Result<Response, PageError> {
    let (store, team_id, times) = (&state.store, visit.session.team_id.as_str(), visit.times());
    let counts = findings::count_open(store, team_id).await?;
    let wanted: Option<Verdict> = query.verdict.parse().ok();
    let mut groups = Vec::new();
    for verdict in Verdict::ALL
        .iter()
        .filter(|verdict| wanted.is_none_or(|wanted| wanted == **verdict))
    {
        let total = counts
            .iter()
            .find(|(counted, _)| counted == verdict)
            .map_or(0, |(_, count)| *count);
        if total == 0 {
            continue;
        }
        let size = if wanted.is_some() { PAGE_SIZE } else { IN_A_GROUP };
        let before = query
            .before_at
            .zip(query.before_id.as_deref())
            .filter(|_| wanted.is_some());
        let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
        let rows = findings::list(store, team_id, *verdict, before, limit).await?;
        groups.push(Group::new(
            *verdict,
            total,
            rows,
            wanted.map(|_| before.is_some()),
            size,
            &times,
        ));
    }
    let deleting = findings::list_deleting(store, team_id, DELETING_MAX).await?;
    let decided = findings::list_decided(store, team_id, visit.now_ms - DECIDED_FOR_MS, DECIDED_MAX).await?;
    let states = sweeps::states_for(store, team_id).await?;
    let mut layout = visit.layout("Findings", NavEntry::Findings);
    let open: i64 = counts.iter().map(|(_, count)| count).sum();
    if open > 0 {
        layout.counts = vec![(NavEntry::Findings, open)];
    }
    page(&FindingsPage {
        layout,
        groups,
        deleting: deleting
            .iter()
            .map(|listed| FindingView::new(listed, &times))
            .collect(),
        decided: decided
            .iter()
            .map(|listed| DecidedRow::new(listed, &times))
            .collect(),
        looks: looks(&states, &times),
        unread: unread(&states, &times),
        all_href: wanted.map(|_| "/findings"),
        may_decide: visit.may(Role::Editor),
        has_environments: !visit.environments.is_empty(),
    })
}

impl Group {
    /// `pages_on`: set when the page is about this verdict alone; true when it is not its first page.
    fn new(
        verdict: Verdict,
        total: i64,
        mut rows: Vec<ListedFinding>,
        pages_on: Option<bool>,
        size: usize,
        times: &Times,
    ) -> Self {
        let (heading, intro) = words(verdict);
        let there_is_more = rows.len() > size;
        rows.truncate(size);
        let own_href = format!("/findings?verdict={verdict}");
        let next = rows.last().map(|last| {
            format!(
                "{own_href}&before_at={}&before_id={}",
                last.finding.found_at, last.finding.id
            )
        });
        let total = numbers::count(total).to_string();
        let more = (there_is_more && pages_on.is_none()).then(|| (format!("All {total}"), own_href.clone()));
        let pages = pages_on.map(|goes_back| PageLinks {
            summary: format!("{} on this page", rows.len()),
            previous: goes_back.then_some(own_href),
            next: next.filter(|_| there_is_more),
        });
        Self {
            heading,
            intro,
            total,
            rows: rows
                .iter()
                .map(|listed| FindingView::new(listed, times))
                .collect(),
            more,
            pages,
        }
    }
}

const fn words(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Duplicate => (
            "Made more than once",
            "Two or more objects carry the mark of one step of a setup. Only one of them is used.",
        ),
        Verdict::Unclaimed => (
            "Claimed by nobody",
            "These objects carry a mark of Headgate, but no finished setup here vouches for them.",
        ),
        Verdict::Vanished => (
            "Gone",
            "A setup made these objects, and Adobe no longer has them.",
        ),
    }
}

impl DecidedRow {
    fn new(listed: &ListedFinding, times: &Times) -> Self {
        let finding = &listed.finding;
        let became = match (finding.state, finding.verdict) {
            (FindingState::Deleted, _) => "Deleted",
            (FindingState::Dismissed, _) => "Marked as known",
            (FindingState::Settled, Verdict::Vanished) => "It is there again",
            _ => "It is not there any more, or has an owner",
        };
        Self {
            what: noun(finding.object_kind).to_owned(),
            name: finding.object_name.clone(),
            environment: listed.environment_name.clone(),
            became,
            by: listed
                .decided_by_name
                .clone()
                .unwrap_or_else(|| "Seen by Headgate".to_owned()),
            at: finding.decided_at.map(|at| times.at(at)),
        }
    }
}

/// One line for each environment.
fn looks(states: &[SweepState], times: &Times) -> Vec<EnvironmentLook> {
    let mut seen: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for state in states {
        if seen.contains(&state.environment_id.as_str()) {
            continue;
        }
        seen.push(&state.environment_id);
        lines.push(EnvironmentLook {
            environment: state.environment_name.clone(),
            ended: state.ended_at.map(|at| times.at(at)),
            next: state.due_at.map(|at| times.at(at)),
        });
    }
    lines
}

/// One entry for each reason.
fn unread(states: &[SweepState], times: &Times) -> Vec<Unread> {
    let mut all: Vec<Unread> = Vec::new();
    for state in states {
        let Some((collection, since)) = state.collection.zip(state.failing_since_at) else {
            continue;
        };
        let problem = state.problem.clone().unwrap_or_default();
        let (collection, since) = (format!("{}s", noun(collection)), times.at(since));
        let same = all.iter_mut().find(|unread| {
            unread.environment_id == state.environment_id
                && unread.problem == problem
                && unread.since.local().to_string() == since.local().to_string()
        });
        if let Some(same) = same {
            same.collections = format!("{}, {collection}", same.collections);
            continue;
        }
        all.push(Unread {
            environment_id: state.environment_id.clone(),
            environment: state.environment_name.clone(),
            collections: collection,
            since,
            problem,
            read: state.read_at.map(|at| times.at(at)),
        });
    }
    all
}
