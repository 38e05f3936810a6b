//! Objects at the platform that do not fit our records, and what people decided about them.

use super::{Store, StoreError, WriteTx};
use crate::domain::setup::StepKind;
use crate::domain::{FindingState, Verdict, new_id};

/// An object that does not fit, as a look at the platform showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// Whose environment it is.
    pub team_id: String,
    /// Where it was found.
    pub environment_id: String,
    /// What does not fit.
    pub verdict: Verdict,
    /// The kind of object, named by the step that makes such objects.
    pub object_kind: StepKind,
    /// Adobe's id.
    pub object_id: String,
    /// Its name at Adobe.
    pub object_name: String,
    /// The marker that it carries, or that it was made with.
    pub marker: String,
    /// The setup that it belongs to, with the step; none: no setup of ours knows the marker.
    pub of: Option<(String, StepKind)>,
    /// When it was made (UTC epoch milliseconds), as the platform says.
    pub platform_created_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub found_at: i64,
    /// When the look began that saw it.
    pub seen_at: i64,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Finding {
    /// Ours.
    pub id: String,
    /// Whose environment it is.
    pub team_id: String,
    /// Where it was found.
    pub environment_id: String,
    /// What does not fit.
    pub verdict: Verdict,
    /// The kind of object, named by the step that makes such objects.
    pub object_kind: StepKind,
    /// Adobe's id.
    pub object_id: String,
    /// Its name at Adobe.
    pub object_name: String,
    /// The marker that it carries, or that it was made with.
    pub marker: String,
    /// The setup that it belongs to.
    pub setup_id: Option<String>,
    /// The step of that setup.
    pub step: Option<StepKind>,
    /// When it was made (UTC epoch milliseconds), as the platform says.
    pub platform_created_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub found_at: i64,
    /// When the last look began that saw it.
    pub seen_at: i64,
    /// What became of it.
    pub state: FindingState,
    /// Who decided; none: nobody, or Headgate itself.
    pub decided_by: Option<String>,
    /// When that was; none while it is open.
    pub decided_at: Option<i64>,
    /// Why it could not be deleted.
    pub problem: Option<String>,
}

/// A finding with what a page says about it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedFinding {
    /// The finding.
    #[sqlx(flatten)]
    pub finding: Finding,
    /// The environment's name.
    pub environment_name: String,
    /// Adobe's name of its sandbox.
    pub sandbox: String,
    /// Whether that is a production sandbox.
    pub production: bool,
    /// The name of the dataflow that the setup was to make.
    pub flow_name: Option<String>,
    /// The object that the setup itself uses in that step.
    pub used_id: Option<String>,
    /// The name of who decided.
    pub decided_by_name: Option<String>,
}

macro_rules! columns {
    () => {
        "f.id, f.team_id, f.environment_id, f.verdict, f.object_kind, f.object_id, f.object_name, f.marker, \
         f.setup_id, f.step, f.platform_created_at, f.found_at, f.seen_at, f.state, f.decided_by, f.decided_at, \
         f.problem"
    };
}
macro_rules! listed {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", e.name AS environment_name, e.sandbox, e.production <> 0 AS production, s.flow_name, ",
            "CASE WHEN p.state NOT IN ('planned', 'rejected', 'undone') THEN p.object_id END AS used_id, ",
            "u.name AS decided_by_name FROM findings f JOIN environments e ON e.id = f.environment_id ",
            "LEFT JOIN setups s ON s.id = f.setup_id ",
            "LEFT JOIN setup_steps p ON p.setup_id = f.setup_id AND p.kind = f.step ",
            "LEFT JOIN users u ON u.id = f.decided_by ",
            $rest
        )
    };
}
macro_rules! plain {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), " FROM findings f ", $rest)
    };
}

/// Reopened is what was settled or deleted before the look began that sees it again; what a person dismissed stays
/// dismissed.
const OBSERVE: &str = "INSERT INTO findings (id, team_id, environment_id, verdict, object_kind, object_id, \
     object_name, marker, setup_id, step, platform_created_at, found_at, seen_at, state) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'open') \
     ON CONFLICT (environment_id, verdict, object_kind, object_id) DO UPDATE SET \
     object_name = excluded.object_name, marker = excluded.marker, setup_id = excluded.setup_id, \
     step = excluded.step, seen_at = excluded.seen_at, \
     found_at = CASE WHEN findings.state IN ('settled', 'deleted') AND findings.decided_at < excluded.seen_at \
     THEN excluded.found_at ELSE findings.found_at END, \
     decided_by = CASE WHEN findings.state IN ('settled', 'deleted') AND findings.decided_at < excluded.seen_at \
     THEN NULL ELSE findings.decided_by END, \
     decided_at = CASE WHEN findings.state IN ('settled', 'deleted') AND findings.decided_at < excluded.seen_at \
     THEN NULL ELSE findings.decided_at END, \
     state = CASE WHEN findings.state IN ('settled', 'deleted') AND findings.decided_at < excluded.seen_at \
     THEN 'open' ELSE findings.state END";
const SETTLE: &str = "UPDATE findings SET state = 'settled', decided_by = $2, decided_at = $3, problem = NULL \
     WHERE id = $1 AND state = 'open'";
const NOTE_PROBLEM: &str = "UPDATE findings SET problem = $2 WHERE id = $1 AND state = 'open'";
const DISMISS: &str = "UPDATE findings SET state = 'dismissed', decided_by = $3, decided_at = $4 \
     WHERE id = $2 AND team_id = $1 AND state = 'open'";
/// Never what a setup uses, and of the objects with one marker never two at a time: the last one must stay.
const BEGIN_DELETING: &str = "UPDATE findings SET state = 'deleting', decided_by = $3, decided_at = $4, \
     problem = NULL WHERE id = $2 AND team_id = $1 AND state = 'open' AND verdict <> 'vanished' \
     AND NOT EXISTS (SELECT 1 FROM findings o WHERE o.marker = findings.marker AND o.state = 'deleting') \
     AND NOT EXISTS (SELECT 1 FROM setup_steps p WHERE p.object_id = findings.object_id \
     AND p.state NOT IN ('planned', 'rejected', 'undone'))";
const END_DELETING: &str = "UPDATE findings SET state = $2, problem = $3, decided_at = $4, \
     decided_by = CASE WHEN $2 = 'open' THEN NULL ELSE decided_by END WHERE id = $1 AND state = 'deleting'";
const LIST: &str = listed!(
    "WHERE f.team_id = $1 AND f.state = 'open' AND f.verdict = $2 AND e.archived_at IS NULL \
     AND (f.found_at, f.id) < ($3, $4) ORDER BY f.found_at DESC, f.id DESC LIMIT $5"
);
const LIST_DECIDED: &str = listed!(
    "WHERE f.team_id = $1 AND f.decided_at >= $2 AND f.state IN ('deleted', 'dismissed', 'settled') \
     AND e.archived_at IS NULL ORDER BY f.decided_at DESC, f.id DESC LIMIT $3"
);
const LIST_DELETING: &str = listed!(
    "WHERE f.team_id = $1 AND f.state = 'deleting' AND e.archived_at IS NULL ORDER BY f.verdict, f.id LIMIT $2"
);
const BY_ID: &str = listed!("WHERE f.id = $2 AND f.team_id = $1");
const FOR_SETUP: &str = listed!(
    "WHERE f.setup_id = $2 AND f.team_id = $1 AND f.state IN ('open', 'deleting') \
     ORDER BY f.platform_created_at, f.id LIMIT 100"
);
const COUNT_OPEN: &str = "SELECT f.verdict, COUNT(*) FROM findings f JOIN environments e ON e.id = f.environment_id \
     WHERE f.team_id = $1 AND f.state = 'open' AND e.archived_at IS NULL GROUP BY f.verdict";
const STANDING_IN: &str =
    plain!("WHERE f.environment_id = $1 AND f.state IN ('open', 'dismissed') ORDER BY f.id");
const DELETING: &str = plain!("WHERE f.state = 'deleting' ORDER BY f.decided_at, f.id LIMIT $1");

/// Reads on a page's path. The first two are long lists.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[
    LIST,
    LIST_DECIDED,
    LIST_DELETING,
    BY_ID,
    FOR_SETUP,
    COUNT_OPEN,
    STANDING_IN,
    DELETING,
];

/// Notes what a look at the platform showed. The same object with the same verdict is one finding, however often it
/// is seen; one that was settled or deleted before the look began is open again.
pub async fn observe(tx: &mut WriteTx, seen: &NewFinding) -> Result<(), StoreError> {
    let (setup_id, step) = match &seen.of {
        Some((setup_id, step)) => (Some(setup_id), Some(step.as_str())),
        None => (None, None),
    };
    let upsert = sqlx::query(OBSERVE)
        .bind(new_id())
        .bind(&seen.team_id)
        .bind(&seen.environment_id)
        .bind(seen.verdict.as_str())
        .bind(seen.object_kind.as_str())
        .bind(&seen.object_id)
        .bind(&seen.object_name)
        .bind(&seen.marker)
        .bind(setup_id)
        .bind(step)
        .bind(seen.platform_created_at)
        .bind(seen.found_at)
        .bind(seen.seen_at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// Closes an open finding that is no longer true. `by`: whose wish to delete it brought that to light. False: it was
/// not open.
pub async fn settle(tx: &mut WriteTx, id: &str, by: Option<&str>, at: i64) -> Result<bool, StoreError> {
    let update = sqlx::query(SETTLE).bind(id).bind(by).bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Says why an open finding was not deleted.
pub async fn note_problem(tx: &mut WriteTx, id: &str, problem: &str) -> Result<(), StoreError> {
    let update = sqlx::query(NOTE_PROBLEM).bind(id).bind(problem);
    change!(tx, |db| update.execute(db))?;
    Ok(())
}

/// A person says that the object may stay as it is. False: the team has no such open finding.
pub async fn dismiss(
    tx: &mut WriteTx,
    team_id: &str,
    id: &str,
    user_id: &str,
    at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(DISMISS).bind(team_id).bind(id).bind(user_id).bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// A person's word to delete the object is about to be carried out. False, and nothing is changed: the finding is
/// not open, a setup uses the object, or another one with the same marker is being deleted.
pub async fn begin_deleting(
    tx: &mut WriteTx,
    team_id: &str,
    id: &str,
    user_id: &str,
    at: i64,
) -> Result<bool, StoreError> {
    let update = sqlx::query(BEGIN_DELETING)
        .bind(team_id)
        .bind(id)
        .bind(user_id)
        .bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// How the deletion ended: the object is gone at `deleted_at`, or it is still there because of `problem`.
pub async fn end_deleting(
    tx: &mut WriteTx,
    id: &str,
    outcome: Result<i64, &str>,
) -> Result<bool, StoreError> {
    let (state, at, problem) = match outcome {
        Ok(deleted_at) => (FindingState::Deleted, Some(deleted_at), None),
        Err(problem) => (FindingState::Open, None, Some(problem)),
    };
    let update = sqlx::query(END_DELETING)
        .bind(id)
        .bind(state.as_str())
        .bind(problem)
        .bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// The team's open findings of one verdict in environments in use, newest first, before the one found at `before.0`
/// with id `before.1`.
pub async fn list(
    store: &Store,
    team_id: &str,
    verdict: Verdict,
    before: Option<(i64, &str)>,
    limit: i64,
) -> Result<Vec<ListedFinding>, StoreError> {
    let (found_at, id) = before.unwrap_or((i64::MAX, ""));
    read!(store, |db| sqlx::query_as(LIST)
        .bind(team_id)
        .bind(verdict.as_str())
        .bind(found_at)
        .bind(id)
        .bind(limit)
        .fetch_all(db))
}

/// The team's findings that were closed at `since` or later, newest first.
pub async fn list_decided(
    store: &Store,
    team_id: &str,
    since: i64,
    limit: i64,
) -> Result<Vec<ListedFinding>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST_DECIDED)
        .bind(team_id)
        .bind(since)
        .bind(limit)
        .fetch_all(db))
}

/// The team's findings whose object is being deleted.
pub async fn list_deleting(
    store: &Store,
    team_id: &str,
    limit: i64,
) -> Result<Vec<ListedFinding>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST_DELETING)
        .bind(team_id)
        .bind(limit)
        .fetch_all(db))
}

/// A finding of the team.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<ListedFinding>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .fetch_optional(db))
}

/// What is open or being deleted about the objects of a setup, the oldest object first; at most 100.
pub async fn for_setup(
    store: &Store,
    team_id: &str,
    setup_id: &str,
) -> Result<Vec<ListedFinding>, StoreError> {
    read!(store, |db| sqlx::query_as(FOR_SETUP)
        .bind(team_id)
        .bind(setup_id)
        .fetch_all(db))
}

/// How many findings of the team are open in environments in use, by verdict; verdicts without any are left out.
pub async fn count_open(store: &Store, team_id: &str) -> Result<Vec<(Verdict, i64)>, StoreError> {
    read!(store, |db| sqlx::query_as(COUNT_OPEN).bind(team_id).fetch_all(db))
}

/// The findings of an environment that a look may confirm or close: open ones, and those that people dismissed.
pub async fn standing_in(store: &Store, environment_id: &str) -> Result<Vec<Finding>, StoreError> {
    read!(store, |db| sqlx::query_as(STANDING_IN)
        .bind(environment_id)
        .fetch_all(db))
}

/// Findings of all teams whose deletion was begun and has no outcome yet, the oldest first.
pub async fn deleting(store: &Store, limit: i64) -> Result<Vec<Finding>, StoreError> {
    read!(store, |db| sqlx::query_as(DELETING).bind(limit).fetch_all(db))
}
