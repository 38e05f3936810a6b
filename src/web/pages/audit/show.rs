//! `/audit/{seq}`: one event with everything that is known about it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::store;
use crate::store::audit::{AuditEvent, NewAuditEvent};
use crate::web::audit_trail::AuditRow;
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "audit/show.html")]
struct AuditEventPage {
    layout: Layout,
    seq: i64,
    facts: NewAuditEvent,
    row: AuditRow,
    /// Nothing when the event has no facts before or none after it.
    differences: Vec<Difference>,
    before: String,
    after: String,
}

/// One fact that changed.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    class: &'static str,
    sign: &'static str,
    fact: String,
    before: String,
    after: String,
}

/// One event of the team; 404 for those of others too.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(seq): Path<String>,
) -> Result<Response, PageError> {
    let seq: i64 = seq.parse().map_err(|_| PageError::not_found())?;
    let event = store::audit::by_seq(&state.store, &visit.session.team_id, seq).await?;
    let event = event.ok_or_else(PageError::not_found)?;
    let row = AuditRow::new(&event, &visit);
    let AuditEvent { seq, facts } = event;
    let (before, after) = (parsed(facts.before.as_deref()), parsed(facts.after.as_deref()));
    page(&AuditEventPage {
        layout: visit.layout(format!("Event {seq}"), NavEntry::Audit),
        seq,
        differences: differences(before.as_ref(), after.as_ref()),
        before: pretty(before.as_ref()),
        after: pretty(after.as_ref()),
        facts,
        row,
    })
}

fn parsed(json: Option<&str>) -> Option<Value> {
    json.and_then(|json| serde_json::from_str(json).ok())
}

fn pretty(value: Option<&Value>) -> String {
    value
        .and_then(|value| serde_json::to_string_pretty(value).ok())
        .unwrap_or_default()
}

/// What differs between two objects, fact by fact, in alphabetical order.
fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (before, after) else {
        return Vec::new();
    };
    let added = after.keys().filter(|fact| !before.contains_key(*fact));
    let mut facts: Vec<&String> = before.keys().chain(added).collect();
    facts.sort();
    facts
        .into_iter()
        .filter_map(|fact| difference(fact, before, after))
        .collect()
}

fn difference(fact: &str, before: &Map<String, Value>, after: &Map<String, Value>) -> Option<Difference> {
    let (old, new) = (before.get(fact), after.get(fact));
    let (class, sign) = match (old, new) {
        (Some(old), Some(new)) if old == new => return None,
        (Some(_), Some(_)) => ("warn", "~"),
        (None, _) => ("ok", "+"),
        (_, None) => ("fail", "−"),
    };
    Some(Difference {
        class,
        sign,
        fact: fact.to_owned(),
        before: old.map(plain).unwrap_or_default(),
        after: new.map(plain).unwrap_or_default(),
    })
}

/// A text without its quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_listed() {
        let (before, after) = (
            json!({"a": 1, "b": "x", "c": [1]}),
            json!({"a": 1, "b": "y", "d": null}),
        );
        let found = differences(Some(&before), Some(&after));
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.sign, d.fact.as_str(), d.before.as_str(), d.after.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("~", "b", "x", "y"),
                ("−", "c", "[1]", ""),
                ("+", "d", "", "null")
            ]
        );
        assert_eq!(differences(None, Some(&after)), []);
    }
}
