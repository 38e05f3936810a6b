//! `GET /flows/{id}/history`: what changed at a flow, at Adobe and here, as one timeline; and
//! `GET /flows/{id}/configurations/{number}`: one version of what people set.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::changes::{self, ChangeView};
use super::loaded::environment;
use crate::platform::is_one_segment;
use crate::store::audit::{self, AuditEvent};
use crate::store::environments::Environment;
use crate::store::flow_page::{self, Origin};
use crate::store::flow_versions::{self, FlowVersion};
use crate::store::flows::Flow;
use crate::web::audit_trail::{self, AuditRow};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::numbers;
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::table::PageLinks;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Entries of one page.
const PAGE_SIZE: usize = 30;

#[derive(Template)]
#[template(path = "flows/history.html")]
struct HistoryPage {
    layout: Layout,
    flow: Flow,
    environment: Environment,
    entries: Vec<Entry>,
    links: PageLinks,
    audit_href: String,
    origin: Option<Origin>,
}

/// What happened at one moment.
enum Entry {
    /// Somebody changed what is set.
    Configuration(ChangeView),
    /// Somebody did something here, with the runs that it is about.
    Action(AuditRow, Vec<RunLink>),
}

/// A run that a person asked for, or asked to repeat.
struct RunLink {
    href: String,
    words: &'static str,
}

impl RunLink {
    /// What the audit trail keeps of an event about runs.
    fn all_of(event: &AuditEvent) -> Vec<Self> {
        let after = event
            .facts
            .after
            .as_deref()
            .and_then(|after| serde_json::from_str::<Value>(after).ok());
        let (Some(after), flow_id) = (after, &event.facts.object_id) else {
            return Vec::new();
        };
        let link = |(member, words): (&str, &'static str)| {
            let run_id = after.get(member)?.as_str().filter(|id| is_one_segment(id))?;
            let href = format!("/flows/{flow_id}/runs/{run_id}");
            Some(Self { href, words })
        };
        let members = [
            ("run", "The run that was repeated"),
            ("started_run", "The run that began"),
        ];
        members.into_iter().filter_map(link).collect()
    }
}

/// Where the timeline goes on: it is made of two lists, each with a place of its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Place {
    before_version: Option<i64>,
    before_event: Option<i64>,
}

#[derive(Template)]
#[template(path = "flows/configuration.html")]
struct ConfigurationPage {
    layout: Layout,
    flow: Flow,
    environment: Environment,
    change: ChangeView,
    until: Option<TimeView>,
    settings: Vec<(String, String)>,
    earlier: Option<i64>,
    later: Option<i64>,
}

/// The timeline of a flow, the newest first.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(place): Query<Place>,
) -> Result<Response, PageError> {
    let (store, team_id) = (&state.store, visit.session.team_id.clone());
    let head = flow_page::head(store, &team_id, &id).await?;
    let head = head.ok_or_else(PageError::not_found)?;
    let environment = environment(&state, &visit, &head.flow).await?;
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let versions = flow_versions::list(store, &environment.id, &id, place.before_version, limit).await?;
    let events = audit::for_object(store, &team_id, "flow", &id, place.before_event, limit).await?;
    let visit = visit.in_environment(&environment.id);
    let (entries, next) = merged(&versions, &events, &place, &visit);
    let path = format!("/flows/{id}/history");
    let links = PageLinks {
        summary: match entries.len() {
            1 => "1 entry".to_owned(),
            many => format!(
                "{} entries",
                numbers::count(i64::try_from(many).unwrap_or(i64::MAX))
            ),
        },
        previous: (place.before_version.is_some() || place.before_event.is_some()).then(|| path.clone()),
        next: next.map(|next| {
            let (version, event) = (next.before_version, next.before_event);
            format!(
                "{path}?before_version={}&before_event={}",
                version.unwrap_or(i64::MAX),
                event.unwrap_or(i64::MAX)
            )
        }),
    };
    page(&HistoryPage {
        layout: visit.layout(format!("History of {}", head.flow.record.name), NavEntry::Flows),
        entries,
        links,
        audit_href: audit_trail::all_href("flow", &id),
        origin: head.origin,
        flow: head.flow,
        environment,
    })
}

/// The newest entries of both lists, and where the rest begins. Each list holds more than one page, so that the
/// version before each shown one is there to compare with.
fn merged(
    versions: &[FlowVersion],
    events: &[AuditEvent],
    from: &Place,
    visit: &Visit,
) -> (Vec<Entry>, Option<Place>) {
    let times = visit.times();
    let mut entries = Vec::with_capacity(PAGE_SIZE);
    let (mut version, mut event) = (0, 0);
    while entries.len() < PAGE_SIZE {
        match (versions.get(version), events.get(event)) {
            (Some(changed), done) if done.is_none_or(|done| done.facts.at < changed.valid_from_at) => {
                version += 1;
                let before = versions.get(version);
                entries.push(Entry::Configuration(ChangeView::new(changed, before, &times)));
            }
            (_, Some(done)) => {
                event += 1;
                entries.push(Entry::Action(AuditRow::new(done, visit), RunLink::all_of(done)));
            }
            (_, None) => break,
        }
    }
    let has_more = version < versions.len() || event < events.len();
    let next = has_more.then(|| Place {
        before_version: version
            .checked_sub(1)
            .map_or(from.before_version, |last| Some(versions[last].number)),
        before_event: event
            .checked_sub(1)
            .map_or(from.before_event, |last| Some(events[last].seq)),
    });
    (entries, next)
}

/// One version of what people set.
pub async fn configuration(
    State(state): State<AppState>,
    visit: Visit,
    Path((id, number)): Path<(String, i64)>,
) -> Result<Response, PageError> {
    let (store, team_id) = (&state.store, &visit.session.team_id);
    let head = flow_page::head(store, team_id, &id).await?;
    let head = head.ok_or_else(PageError::not_found)?;
    let environment = environment(&state, &visit, &head.flow).await?;
    let near = flow_versions::list(store, &environment.id, &id, number.checked_add(2), 3).await?;
    let at = |number: i64| near.iter().find(|version| version.number == number);
    let version = at(number).ok_or_else(PageError::not_found)?;
    let (earlier, later) = (at(number - 1), at(number + 1));
    let visit = visit.in_environment(&environment.id);
    let times = visit.times();
    let title = format!("Configuration {number} of {}", head.flow.record.name);
    let settings = version.configuration.settings();
    page(&ConfigurationPage {
        layout: visit.layout(title, NavEntry::Flows),
        change: ChangeView::new(version, earlier, &times),
        until: later.map(|later| times.at(later.valid_from_at)),
        settings: settings
            .into_iter()
            .map(|setting| (setting.name, changes::shown(&setting.value, &times)))
            .collect(),
        earlier: earlier.map(|earlier| earlier.number),
        later: later.map(|later| later.number),
        flow: head.flow,
        environment,
    })
}
