//! `/audit`: all events of the team, newest first, with filters. Reading it is an event itself.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded;

use crate::audit::{self, Change};
use crate::store;
use crate::store::audit::AuditFilter;
use crate::web::audit_sentence::meaning;
use crate::web::audit_trail::AuditRow;
use crate::web::error::PageError;
use crate::web::forms::field::FieldOption;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::table::PageLinks;
use crate::web::visit::Visit;

/// Events of one page.
const SHOWN: i64 = 50;
/// Kinds of thing that events are about, with the word for the menu.
const KINDS: [(&str, &str); 6] = [
    ("environment", "Environments"),
    ("template", "Templates"),
    ("setup", "Setups"),
    ("flow", "Dataflows"),
    ("user", "People"),
    ("audit", "The audit trail"),
];

#[derive(Template)]
#[template(path = "audit/list.html")]
struct AuditPage {
    layout: Layout,
    filter: Filter,
    actors: Vec<FieldOption>,
    events: Vec<FieldOption>,
    kinds: Vec<FieldOption>,
    problem: Option<&'static str>,
    rows: Vec<AuditRow>,
    links: PageLinks,
}

/// The filters, as they stand in the URL. Empty ones are off.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    person: String,
    event: String,
    kind: String,
    object: String,
    from: String,
    to: String,
    text: String,
    /// Only events before this place.
    before: Option<i64>,
}

/// One page of events.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Query(filter): Query<Filter>,
) -> Result<Response, PageError> {
    let team = &visit.session.team_id;
    let times = visit.times();
    let from_at = times.day_starts(&filter.from);
    let to_at = times.day_ends(&filter.to);
    let unread = |text: &str, day: Option<i64>| !text.is_empty() && day.is_none();
    let problem = (unread(&filter.from, from_at) || unread(&filter.to, to_at))
        .then_some("A day is written like 2026-03-21. The one that cannot be read was left out.");
    let selected = AuditFilter {
        actor_id: given(&filter.person),
        event: given(&filter.event),
        object_kind: given(&filter.kind),
        object_id: given(&filter.object),
        from_at,
        to_at,
        text: given(&filter.text),
    };
    let mut events = store::audit::list(&state.store, team, selected, filter.before, SHOWN + 1).await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let has_more = events.len() > shown;
    events.truncate(shown);
    let links = links(
        &filter,
        has_more.then(|| events.last().map(|event| event.seq)).flatten(),
        events.len(),
    );
    let actors = store::audit::actors(&state.store, team).await?;
    let known = store::audit::events(&state.store, team).await?;
    record_reading(&state, &visit, &filter).await?;
    page(&AuditPage {
        layout: visit.layout("Audit", NavEntry::Audit),
        actors: actors
            .into_iter()
            .map(|actor| option(&actor.actor_id, &actor.actor_name))
            .collect(),
        events: known.iter().map(|event| option(event, meaning(event))).collect(),
        kinds: KINDS.iter().map(|(kind, word)| option(kind, word)).collect(),
        problem,
        rows: events.iter().map(|event| AuditRow::new(event, &visit)).collect(),
        links,
        filter,
    })
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn option(value: &str, label: &str) -> FieldOption {
    FieldOption {
        value: value.to_owned(),
        label: label.to_owned(),
    }
}

/// `last` is the place of the last event shown, if there are older ones.
fn links(filter: &Filter, last: Option<i64>, shown: usize) -> PageLinks {
    let newest = format!("/audit?{}", filter.query());
    PageLinks {
        summary: match shown {
            1 => "1 event, newest first".to_owned(),
            many => format!("{many} events, newest first"),
        },
        previous: filter.before.is_some().then(|| newest.clone()),
        next: last.map(|seq| format!("{newest}&before={seq}")),
    }
}

impl Filter {
    /// Whether any filter is on.
    fn is_on(&self) -> bool {
        [
            &self.person,
            &self.event,
            &self.kind,
            &self.object,
            &self.from,
            &self.to,
            &self.text,
        ]
        .iter()
        .any(|text| !text.trim().is_empty())
    }

    /// The filters that are on, for a URL.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("person", &self.person),
            ("event", &self.event),
            ("kind", &self.kind),
            ("object", &self.object),
            ("from", &self.from),
            ("to", &self.to),
            ("text", &self.text),
        ] {
            if let Some(value) = given(value) {
                query.append_pair(name, value);
            }
        }
        query.finish()
    }
}

async fn record_reading(state: &AppState, visit: &Visit, filter: &Filter) -> Result<(), PageError> {
    let change = Change::new(
        "audit.read",
        "audit",
        &visit.session.team_id,
        &visit.session.team_name,
    )
    .after(json!({ "filter": filter.query(), "before": filter.before }));
    let mut tx = state.store.begin().await?;
    audit::record(
        &mut tx,
        &visit.actor(),
        visit.now_ms,
        Some(&visit.session.team_id),
        &change,
    )
    .await?;
    Ok(tx.commit().await?)
}
