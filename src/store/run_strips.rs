//! The last runs of many flows at once, for lists.

use std::collections::HashMap;

use super::bulk::CHUNK;
use super::database::Engine;
use super::{Store, StoreError};
use crate::domain::RunOutcome;

/// Runs per flow.
pub const STRIP_RUNS: usize = 30;

/// Environment and id of a flow.
pub type FlowPlace = (String, String);

const HEAD: &str = "SELECT r.environment_id, r.flow_id, r.outcome FROM (";
/// `CROSS JOIN` keeps the order: the few flows first, their runs by index from the thirtieth last on.
const TAIL: &str = ") AS t CROSS JOIN runs r WHERE r.environment_id = t.column1 AND r.flow_id = t.column2 \
     AND r.started_at >= COALESCE((SELECT o.started_at FROM runs o WHERE o.environment_id = t.column1 \
     AND o.flow_id = t.column2 ORDER BY o.started_at DESC, o.id DESC LIMIT 1 OFFSET 29), 0) \
     ORDER BY r.environment_id, r.flow_id, r.started_at, r.id";

/// The statement around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statement() -> String {
    format!("{HEAD}VALUES ('e', 'f'){TAIL}")
}

/// What became of the last [`STRIP_RUNS`] runs of each flow, the oldest first; a few more where several started
/// at the same moment. Flows without runs are left out.
pub async fn strips(
    store: &Store,
    flows: &[(&str, &str)],
) -> Result<HashMap<FlowPlace, Vec<RunOutcome>>, StoreError> {
    let mut strips: HashMap<FlowPlace, Vec<RunOutcome>> = HashMap::new();
    for chunk in flows.chunks(CHUNK) {
        let mut query = sqlx::QueryBuilder::<Engine>::new(HEAD);
        query.push_values(chunk, |mut tuple, (environment_id, id)| {
            tuple.push_bind(*environment_id).push_bind(*id);
        });
        query.push(TAIL);
        let rows: Vec<(String, String, RunOutcome)> = read!(store, |db| query
            .build_query_as()
            .persistent(chunk.len() == CHUNK)
            .fetch_all(db))?;
        for (environment_id, flow_id, outcome) in rows {
            strips.entry((environment_id, flow_id)).or_default().push(outcome);
        }
    }
    Ok(strips)
}
