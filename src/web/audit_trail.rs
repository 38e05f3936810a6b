//! The audit trail of one thing, for its page: `components/audit_trail.html` draws it.

use super::audit_sentence::AuditSentence;
use super::times::TimeView;
use super::visit::Visit;
use crate::store::audit::AuditEvent;
use crate::store::{self, Store, StoreError};

/// Events that a thing's page shows; the audit page shows all.
const SHOWN: i64 = 15;

/// What was done to one thing, newest first.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    /// The newest events.
    pub rows: Vec<AuditRow>,
    /// The audit page with all events of this thing.
    pub all_href: String,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// One event.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Its place among all events.
    pub seq: i64,
    /// Its page.
    pub href: String,
    /// When.
    pub time: TimeView,
    /// What.
    pub sentence: AuditSentence,
    /// From which address; empty when it did not come from one.
    pub address: String,
}

impl AuditRow {
    /// An event as this visitor reads it.
    pub fn new(event: &AuditEvent, visit: &Visit) -> Self {
        Self {
            seq: event.seq,
            href: format!("/audit/{}", event.seq),
            time: visit.times().at(event.facts.at),
            sentence: AuditSentence::of(event),
            address: event.facts.client_address.clone().unwrap_or_default(),
        }
    }
}

impl AuditTrail {
    /// The trail of the thing of this kind (`environment`, `template`, `setup`, `flow`) and id in the visitor's team.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn of(store: &Store, kind: &str, id: &str, visit: &Visit) -> Result<Self, StoreError> {
        let team = &visit.session.team_id;
        let mut events = store::audit::for_object(store, team, kind, id, None, SHOWN + 1).await?;
        let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
        let has_more = events.len() > shown;
        events.truncate(shown);
        Ok(Self {
            rows: events.iter().map(|event| AuditRow::new(event, visit)).collect(),
            all_href: all_href(kind, id),
            has_more,
        })
    }
}

/// The audit page with all events of one thing.
pub fn all_href(kind: &str, id: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("kind", kind)
        .append_pair("object", id)
        .finish();
    format!("/audit?{query}")
}
