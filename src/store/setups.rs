//! Setups and their steps: one attempt to make a dataflow.
//!
//! Whoever writes here while acting for a setup holds its lease and calls [`super::leases::check`] first in the
//! same transaction.

use super::{Store, StoreError, WriteTx};
use crate::domain::setup::{Question, SetupState, StepKind, StepState};

/// One attempt to make a dataflow.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Setup {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub team_id: String,
    /// Where the dataflow is made.
    pub environment_id: String,
    /// The template version it was made from.
    pub template_version_id: Option<String>,
    /// The form it was made from; a form makes one setup however often it is sent.
    pub draft_id: String,
    /// The dataflow's name.
    pub flow_name: String,
    /// Where it stands.
    pub state: SetupState,
    /// Why a person is asked.
    pub question: Option<Question>,
    /// The same in words.
    pub question_detail: Option<String>,
    /// Whether it takes back what it made, also while it waits or asks.
    pub undoing: bool,
    /// When there is something to do for it again; none: at once, if it is active.
    pub retry_at: Option<i64>,
    /// JSON of the recipe with every text rendered, without secrets.
    pub recipe: String,
    /// JSON object: parameter name to text, without secrets.
    pub answers: String,
    /// Adobe's id of the dataflow it made.
    pub flow_id: Option<String>,
    /// Who started it.
    pub started_by: String,
    /// In whose name its calls are made: who started it, or who last told it to go on.
    pub driven_by: String,
    /// The origin of the platform that its calls went to, once the first was made.
    pub platform_origin: Option<String>,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// The last change of any kind.
    pub updated_at: i64,
    /// When nothing was left to do.
    pub finished_at: Option<i64>,
}

/// One dependent call of a setup.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Step {
    /// Of which setup.
    pub setup_id: String,
    /// Which call.
    pub kind: StepKind,
    /// Its place in the list that people see.
    pub position: i64,
    /// JSON array of the kinds it waits for.
    pub needs: String,
    /// By which its object is found again; unique.
    pub marker: String,
    /// HTTP method.
    pub method: String,
    /// Below the platform's origin.
    pub path: String,
    /// JSON array of name-value pairs.
    pub query: String,
    /// JSON with references to other steps' objects and to secrets.
    pub body: String,
    /// Where it stands.
    pub state: StepState,
    /// How often it was sent.
    pub attempt: i64,
    /// Complete look-ups that found nothing since the last send.
    pub looks: i64,
    /// Look-ups in a row that could not be completed.
    pub failed_looks: i64,
    /// Adobe's id of its object.
    pub object_id: Option<String>,
    /// Of its object.
    pub etag: Option<String>,
    /// Its object existed already, or was found instead of made.
    pub adopted: bool,
    /// What was sent last: references filled in but for secrets.
    pub sent_body: Option<String>,
    /// Of what was sent.
    pub request_hash: Option<String>,
    /// When it was last sent.
    pub sent_at: Option<i64>,
    /// Since when it is not known whether that acted.
    pub unclear_at: Option<i64>,
    /// Deletions of its object sent since a person last decided.
    pub deletions: i64,
    /// When the answer to that came.
    pub answered_at: Option<i64>,
    /// Not to be sent or looked for before.
    pub retry_at: Option<i64>,
    /// The answer's HTTP status.
    pub answer_status: Option<i64>,
    /// What the platform said, scrubbed and capped.
    pub answer: Option<String>,
    /// JSON: code, message, the platform's request id.
    pub problem: Option<String>,
    /// Under which the platform knows the request.
    pub upstream_request_id: Option<String>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, team_id, environment_id, template_version_id, draft_id, flow_name, state, question, ",
            "question_detail, undoing <> 0 AS undoing, retry_at, recipe, answers, flow_id, started_by, ",
            "COALESCE(driven_by, started_by) AS driven_by, platform_origin, created_at, updated_at, finished_at FROM setups ",
            $rest
        )
    };
}

const INSERT: &str = "INSERT INTO setups (id, team_id, environment_id, template_version_id, draft_id, flow_name, \
     state, question, question_detail, recipe, answers, flow_id, started_by, created_at, updated_at, finished_at, \
     undoing, retry_at, driven_by, platform_origin) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
     $17, $18, $19, $20)";
const SAVE: &str = "UPDATE setups SET flow_name = $2, state = $3, question = $4, question_detail = $5, recipe = $6, \
     answers = $7, flow_id = $8, updated_at = $9, finished_at = $10, undoing = $11, retry_at = $12, driven_by = $13, \
     platform_origin = $14 WHERE id = $1";
const SAVE_STEP: &str = "INSERT INTO setup_steps (setup_id, kind, position, needs, marker, method, path, query, body, \
     state, attempt, looks, object_id, etag, adopted, request_hash, sent_at, answered_at, retry_at, answer_status, \
     answer, problem, upstream_request_id, failed_looks, sent_body, unclear_at, deletions) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
     $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27) \
     ON CONFLICT (setup_id, kind) DO UPDATE SET \
     position = excluded.position, needs = excluded.needs, marker = excluded.marker, method = excluded.method, \
     path = excluded.path, query = excluded.query, body = excluded.body, state = excluded.state, \
     attempt = excluded.attempt, looks = excluded.looks, object_id = excluded.object_id, etag = excluded.etag, \
     adopted = excluded.adopted, request_hash = excluded.request_hash, sent_at = excluded.sent_at, \
     answered_at = excluded.answered_at, retry_at = excluded.retry_at, answer_status = excluded.answer_status, \
     answer = excluded.answer, problem = excluded.problem, upstream_request_id = excluded.upstream_request_id, \
     failed_looks = excluded.failed_looks, sent_body = excluded.sent_body, unclear_at = excluded.unclear_at, \
     deletions = excluded.deletions";
/// Steps are dropped only while nothing of them exists: the state machine says when.
const DROP_STEP: &str = "DELETE FROM setup_steps WHERE setup_id = $1 AND kind = $2";
const UNCLEAR_ELSEWHERE: &str = "SELECT MAX(CASE WHEN p.state = 'intent' THEN 9000000000000000 \
     ELSE COALESCE(p.unclear_at, p.sent_at) END) FROM setup_steps p \
     JOIN setups s ON s.id = p.setup_id \
     WHERE p.kind = $2 AND p.state IN ('intent', 'unknown') AND p.setup_id <> $3 AND s.environment_id = $1";
const QUEUE: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN state = 'queued' AND started_by = $1 THEN 1 ELSE 0 END), 0) \
     AS BIGINT) FROM setups WHERE state IN ('queued', 'running', 'waiting', 'undoing')";
const BY_ID: &str = select!("WHERE id = $2 AND team_id = $1");
const BY_DRAFT: &str = select!("WHERE draft_id = $2 AND team_id = $1");
const ANY_BY_ID: &str = select!("WHERE id = $1");
const FLOW_SETUP: &str =
    select!("WHERE environment_id = $1 AND flow_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1");
const STEPS: &str = "SELECT setup_id, kind, position, needs, marker, method, path, query, body, state, attempt, looks, \
     failed_looks, sent_body, object_id, etag, adopted <> 0 AS adopted, request_hash, sent_at, unclear_at, deletions, answered_at, retry_at, answer_status, \
     answer, problem, upstream_request_id FROM setup_steps WHERE setup_id = $1 ORDER BY position, kind";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[BY_ID, BY_DRAFT, ANY_BY_ID, FLOW_SETUP, STEPS];

/// Adds a setup with its steps. [`StoreError::Duplicate`]: the form was sent before; see [`by_draft`].
pub async fn insert(tx: &mut WriteTx, setup: &Setup, steps: &[Step]) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&setup.id)
        .bind(&setup.team_id)
        .bind(&setup.environment_id)
        .bind(&setup.template_version_id)
        .bind(&setup.draft_id)
        .bind(&setup.flow_name)
        .bind(setup.state.as_str())
        .bind(setup.question.map(Question::as_str))
        .bind(&setup.question_detail)
        .bind(&setup.recipe)
        .bind(&setup.answers)
        .bind(&setup.flow_id)
        .bind(&setup.started_by)
        .bind(setup.created_at)
        .bind(setup.updated_at)
        .bind(setup.finished_at)
        .bind(i64::from(setup.undoing))
        .bind(setup.retry_at)
        .bind(&setup.driven_by)
        .bind(&setup.platform_origin);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the form"))?;
    for step in steps {
        save_step(tx, step).await?;
    }
    Ok(())
}

/// Saves what may change: name, state, question, recipe, answers, flow id and times. False: no such setup.
pub async fn save_setup(tx: &mut WriteTx, setup: &Setup) -> Result<bool, StoreError> {
    let update = sqlx::query(SAVE)
        .bind(&setup.id)
        .bind(&setup.flow_name)
        .bind(setup.state.as_str())
        .bind(setup.question.map(Question::as_str))
        .bind(&setup.question_detail)
        .bind(&setup.recipe)
        .bind(&setup.answers)
        .bind(&setup.flow_id)
        .bind(setup.updated_at)
        .bind(setup.finished_at)
        .bind(i64::from(setup.undoing))
        .bind(setup.retry_at)
        .bind(&setup.driven_by)
        .bind(&setup.platform_origin);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Saves a step as it is now; one of a kind that the setup did not have is added.
pub async fn save_step(tx: &mut WriteTx, step: &Step) -> Result<(), StoreError> {
    let upsert = sqlx::query(SAVE_STEP)
        .bind(&step.setup_id)
        .bind(step.kind.as_str())
        .bind(step.position)
        .bind(&step.needs)
        .bind(&step.marker)
        .bind(&step.method)
        .bind(&step.path)
        .bind(&step.query)
        .bind(&step.body)
        .bind(step.state.as_str())
        .bind(step.attempt)
        .bind(step.looks)
        .bind(&step.object_id)
        .bind(&step.etag)
        .bind(i64::from(step.adopted))
        .bind(&step.request_hash)
        .bind(step.sent_at)
        .bind(step.answered_at)
        .bind(step.retry_at)
        .bind(step.answer_status)
        .bind(&step.answer)
        .bind(&step.problem)
        .bind(&step.upstream_request_id)
        .bind(step.failed_looks)
        .bind(&step.sent_body)
        .bind(step.unclear_at)
        .bind(step.deletions);
    change!(tx, |db| upsert.execute(db)).map_err(|error| error.naming("the marker"))?;
    Ok(())
}

/// Takes a step out of the plan, of which nothing exists.
pub async fn drop_step(tx: &mut WriteTx, setup_id: &str, kind: StepKind) -> Result<(), StoreError> {
    let delete = sqlx::query(DROP_STEP).bind(setup_id).bind(kind.as_str());
    change!(tx, |db| delete.execute(db))?;
    Ok(())
}

/// Since when (UTC epoch milliseconds), at the latest, another setup of the environment does not know whether its
/// call of this kind acted, far in the future while the call may be on its way; none: there is no such setup.
pub async fn unclear_elsewhere(
    tx: &mut WriteTx,
    environment_id: &str,
    kind: StepKind,
    setup_id: &str,
) -> Result<Option<i64>, StoreError> {
    let query = sqlx::query_scalar(UNCLEAR_ELSEWHERE)
        .bind(environment_id)
        .bind(kind.as_str())
        .bind(setup_id);
    change!(tx, |db| query.fetch_one(db))
}

/// How many setups a worker has something to do for, and how many of a person have not begun.
pub async fn queue(tx: &mut WriteTx, user_id: &str) -> Result<(i64, i64), StoreError> {
    change!(tx, |db| sqlx::query_as(QUEUE).bind(user_id).fetch_one(db))
}

/// A setup of the team.
pub async fn by_id(store: &Store, team_id: &str, id: &str) -> Result<Option<Setup>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(id)
        .fetch_optional(db))
}

/// The team's setup that was made from a form.
pub async fn by_draft(store: &Store, team_id: &str, draft_id: &str) -> Result<Option<Setup>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_DRAFT)
        .bind(team_id)
        .bind(draft_id)
        .fetch_optional(db))
}

/// A setup of any team, for workers.
pub async fn any_by_id(store: &Store, id: &str) -> Result<Option<Setup>, StoreError> {
    read!(store, |db| sqlx::query_as(ANY_BY_ID).bind(id).fetch_optional(db))
}

/// The setup that made a dataflow.
pub async fn flow_setup(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
) -> Result<Option<Setup>, StoreError> {
    read!(store, |db| sqlx::query_as(FLOW_SETUP)
        .bind(environment_id)
        .bind(flow_id)
        .fetch_optional(db))
}

/// The steps of a setup in the order that people see.
pub async fn steps(store: &Store, setup_id: &str) -> Result<Vec<Step>, StoreError> {
    read!(store, |db| sqlx::query_as(STEPS).bind(setup_id).fetch_all(db))
}
