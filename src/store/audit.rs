//! Who did what. Rows are only ever added; the database refuses the rest.

use super::values::contains_pattern;
use super::{Store, StoreError, WriteTx};
use crate::domain::words;

words! {
    /// What kind of actor did something.
    pub enum ActorKind {
        /// Somebody signed in.
        Person = "person",
        /// Headgate on its own.
        System = "system",
        /// Somebody at the command line.
        Operator = "operator",
    }
}

words! {
    /// How far the thing had come that an event tells of.
    pub enum AuditPhase {
        /// It was done.
        Done = "done",
        /// It is about to be asked of the platform.
        Intent = "intent",
        /// What came of an intent.
        Outcome = "outcome",
        /// It was not allowed.
        Refused = "refused",
    }
}

/// An audit event to be added, in the transaction of the change that it tells of.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NewAuditEvent {
    /// Ours.
    pub id: String,
    /// UTC epoch milliseconds.
    pub at: i64,
    /// Whose; none: concerns the whole installation.
    pub team_id: Option<String>,
    /// Who did it: what kind of actor.
    pub actor_kind: ActorKind,
    /// The person's id.
    pub actor_id: Option<String>,
    /// Their name as shown at the time.
    pub actor_name: String,
    /// Their role at the time.
    pub actor_role: Option<String>,
    /// Tells their sessions apart.
    pub session_fingerprint: Option<String>,
    /// From where.
    pub client_address: Option<String>,
    /// Of the request that did it.
    pub request_id: String,
    /// What happened: a stable word.
    pub event: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which one.
    pub object_id: String,
    /// Its name at the time.
    pub object_name: String,
    /// JSON of what changed, as it was, without secrets.
    pub before: Option<String>,
    /// JSON of what changed, as it became, without secrets.
    pub after: Option<String>,
    /// How far it had come.
    pub phase: AuditPhase,
    /// The id of the event whose outcome this is.
    pub intent_id: Option<String>,
}

/// A stored audit event.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditEvent {
    /// Its place among all events, without gaps from 1.
    pub seq: i64,
    /// What it tells.
    #[sqlx(flatten)]
    pub facts: NewAuditEvent,
}

/// Which events a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditFilter<'a> {
    /// Only those of one person.
    pub actor_id: Option<&'a str>,
    /// Only those of one kind.
    pub event: Option<&'a str>,
    /// Only those about one kind of thing.
    pub object_kind: Option<&'a str>,
    /// Only those about one thing.
    pub object_id: Option<&'a str>,
    /// Only those since, UTC epoch milliseconds.
    pub from_at: Option<i64>,
    /// Only those before, UTC epoch milliseconds.
    pub to_at: Option<i64>,
    /// Only those with this text in the person's or the thing's name.
    pub text: Option<&'a str>,
}

/// A person who appears in a team's events.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AuditActor {
    /// The person's id.
    pub actor_id: String,
    /// Their name as last shown.
    pub actor_name: String,
}

macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT seq, id, at, team_id, actor_kind, actor_id, actor_name, actor_role, session_fingerprint, ",
            "client_address, request_id, event, object_kind, object_id, object_name, before, after, phase, ",
            "intent_id FROM audit_events WHERE ",
            $($rest),+
        )
    };
}
/// One text per filter that has an index of its own; the others are always there and mostly off.
macro_rules! list {
    ($driver:literal) => {
        select!(
            "team_id = $1 AND ",
            $driver,
            " AND ($6 IS NULL OR at >= $6) AND ($7 IS NULL OR at < $7) ",
            "AND ($8 IS NULL OR LOWER(object_name) LIKE $8 ESCAPE '\\' OR LOWER(actor_name) LIKE $8 ESCAPE '\\') ",
            "AND seq < $9 ORDER BY seq DESC LIMIT $10"
        )
    };
}

const APPEND: &str = "INSERT INTO audit_events (seq, id, at, team_id, actor_kind, actor_id, actor_name, actor_role, \
     session_fingerprint, client_address, request_id, event, object_kind, object_id, object_name, before, after, \
     phase, intent_id) SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, \
     $14, $15, $16, $17, $18 FROM audit_events RETURNING seq";
const LIST: &str = list!(
    "$2 IS NULL AND ($3 IS NULL OR event = $3) AND ($4 IS NULL OR object_kind = $4) AND ($5 IS NULL OR object_id = $5)"
);
const LIST_BY_OBJECT: &str = list!(
    "($2 IS NULL OR actor_id = $2) AND ($3 IS NULL OR event = $3) AND object_kind = $4 AND object_id = $5"
);
const LIST_BY_ACTOR: &str = list!(
    "actor_id = $2 AND ($3 IS NULL OR event = $3) AND ($4 IS NULL OR object_kind = $4) \
     AND ($5 IS NULL OR object_id = $5)"
);
const LIST_BY_EVENT: &str = list!(
    "$2 IS NULL AND event = $3 AND ($4 IS NULL OR object_kind = $4) AND ($5 IS NULL OR object_id = $5)"
);
const FOR_OBJECT: &str =
    select!("object_kind = $2 AND object_id = $3 AND team_id = $1 AND seq < $4 ORDER BY seq DESC LIMIT $5");
const BY_SEQ: &str = select!("seq = $2 AND team_id = $1");
const AFTER: &str = select!("seq > $1 ORDER BY seq LIMIT $2");
/// Jumps from one person to the next in the index, so that a million events of ten people cost ten steps.
const ACTORS: &str = "WITH RECURSIVE seen (actor_id) AS (\
     SELECT MIN(actor_id) FROM audit_events WHERE team_id = $1 UNION ALL \
     SELECT (SELECT MIN(a.actor_id) FROM audit_events a WHERE a.team_id = $1 AND a.actor_id > seen.actor_id) \
     FROM seen WHERE seen.actor_id IS NOT NULL) \
     SELECT seen.actor_id, (SELECT a.actor_name FROM audit_events a \
     WHERE a.team_id = $1 AND a.actor_id = seen.actor_id ORDER BY a.seq DESC LIMIT 1) AS actor_name \
     FROM seen WHERE seen.actor_id IS NOT NULL ORDER BY 2, 1";
const EVENTS: &str = "WITH RECURSIVE seen (event) AS (\
     SELECT MIN(event) FROM audit_events WHERE team_id = $1 UNION ALL \
     SELECT (SELECT MIN(a.event) FROM audit_events a WHERE a.team_id = $1 AND a.event > seen.event) \
     FROM seen WHERE seen.event IS NOT NULL) SELECT event FROM seen WHERE event IS NOT NULL ORDER BY 1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[
    LIST,
    LIST_BY_OBJECT,
    LIST_BY_ACTOR,
    LIST_BY_EVENT,
    FOR_OBJECT,
    BY_SEQ,
    AFTER,
    ACTORS,
    EVENTS,
];

/// Adds an event; gives its place.
pub async fn append(tx: &mut WriteTx, event: &NewAuditEvent) -> Result<i64, StoreError> {
    let insert = sqlx::query_scalar(APPEND)
        .bind(&event.id)
        .bind(event.at)
        .bind(&event.team_id)
        .bind(event.actor_kind.as_str())
        .bind(&event.actor_id)
        .bind(&event.actor_name)
        .bind(&event.actor_role)
        .bind(&event.session_fingerprint)
        .bind(&event.client_address)
        .bind(&event.request_id)
        .bind(&event.event)
        .bind(&event.object_kind)
        .bind(&event.object_id)
        .bind(&event.object_name)
        .bind(&event.before)
        .bind(&event.after)
        .bind(event.phase.as_str())
        .bind(&event.intent_id);
    change!(tx, |db| insert.fetch_one(db))
}

/// The team's events, newest first, before the one with place `before`.
pub async fn list(
    store: &Store,
    team_id: &str,
    filter: AuditFilter<'_>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    let sql = match filter {
        AuditFilter {
            object_kind: Some(_),
            object_id: Some(_),
            ..
        } => LIST_BY_OBJECT,
        AuditFilter {
            actor_id: Some(_), ..
        } => LIST_BY_ACTOR,
        AuditFilter { event: Some(_), .. } => LIST_BY_EVENT,
        _ => LIST,
    };
    let query = sqlx::query_as(sql)
        .bind(team_id)
        .bind(filter.actor_id)
        .bind(filter.event)
        .bind(filter.object_kind)
        .bind(filter.object_id)
        .bind(filter.from_at)
        .bind(filter.to_at)
        .bind(filter.text.map(contains_pattern))
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// The team's events about one thing, newest first, before the one with place `before`.
pub async fn for_object(
    store: &Store,
    team_id: &str,
    kind: &str,
    id: &str,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditEvent>, StoreError> {
    let query = sqlx::query_as(FOR_OBJECT)
        .bind(team_id)
        .bind(kind)
        .bind(id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}

/// One event of the team.
pub async fn by_seq(store: &Store, team_id: &str, seq: i64) -> Result<Option<AuditEvent>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_SEQ)
        .bind(team_id)
        .bind(seq)
        .fetch_optional(db))
}

/// Events of the whole installation in order, after the one with place `after` (0: from the start).
pub async fn after(store: &Store, after: i64, limit: i64) -> Result<Vec<AuditEvent>, StoreError> {
    read!(store, |db| sqlx::query_as(AFTER)
        .bind(after)
        .bind(limit)
        .fetch_all(db))
}

/// The people who appear in the team's events, by name.
pub async fn actors(store: &Store, team_id: &str) -> Result<Vec<AuditActor>, StoreError> {
    read!(store, |db| sqlx::query_as(ACTORS).bind(team_id).fetch_all(db))
}

/// The kinds of event that the team has, in alphabetical order.
pub async fn events(store: &Store, team_id: &str) -> Result<Vec<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(EVENTS).bind(team_id).fetch_all(db))
}
