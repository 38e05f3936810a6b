//! Looking for lost files among runs that are older than those by which a flow is judged.

use std::collections::{BTreeSet, HashMap};

use super::bulk::CHUNK;
use super::database::Engine;
use super::flow_health::damaged;
use super::judgements::{self, Between, KEPT_TAIL, Place, places_of, runs_of};
use super::{Store, StoreError, WriteTx};
use crate::domain::health::{Left, RecentRun};

/// Flows whose runs of a month are in memory at once.
const AT_ONCE: i64 = 5;
const MARK_HEAD: &str = "UPDATE flow_health SET look_further = 1 FROM (";
const MARK_TAIL: &str = ") AS t WHERE flow_health.environment_id = t.column1 AND flow_health.flow_id = t.column2 \
     AND flow_health.recent_from_at > t.column3 AND flow_health.look_further = 0";
const TO_LOOK_FURTHER: &str = "SELECT h.flow_id FROM flow_health h \
     JOIN flows f ON f.environment_id = h.environment_id AND f.id = h.flow_id \
     WHERE h.environment_id = $1 AND h.look_further > 0 ORDER BY h.flow_id LIMIT $2";
const LOOKED_FURTHER: &str =
    "UPDATE flow_health SET left_behind = $3, look_further = 0 WHERE environment_id = $1 AND flow_id = $2";

/// What is read each second.
#[cfg(test)]
pub(super) const MIRROR_READS: &[&str] = &[TO_LOOK_FURTHER];

/// The statement around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statement() -> String {
    format!("{MARK_HEAD}VALUES ('e', 'f', 1){MARK_TAIL}")
}

/// Marks the flows of which a run has changed that is older than those that were looked at.
pub(super) async fn mark_to_look_further(
    tx: &mut WriteTx,
    changes: &HashMap<Place<'_>, Between>,
) -> Result<(), StoreError> {
    let places: Vec<Place<'_>> = changes.keys().copied().collect();
    for chunk in places.chunks(CHUNK) {
        let mut update = sqlx::QueryBuilder::<Engine>::new(MARK_HEAD);
        update.push_values(chunk, |mut tuple, place| {
            tuple
                .push_bind(place.0.to_owned())
                .push_bind(place.1.to_owned())
                .push_bind(changes[place].0);
        });
        update.push(MARK_TAIL);
        change!(tx, |db| update
            .build()
            .persistent(chunk.len() == CHUNK)
            .execute(db))?;
    }
    Ok(())
}

/// Looks at the older runs of some flows, where that was not done yet or they have changed, and judges these flows anew;
/// gives back which. None: there are no more.
pub async fn look_further(store: &Store, environment_id: &str) -> Result<BTreeSet<String>, StoreError> {
    let query = sqlx::query_scalar(TO_LOOK_FURTHER)
        .bind(environment_id)
        .bind(AT_ONCE);
    let ids: Vec<String> = read!(store, |db| query.fetch_all(db))?;
    if !ids.is_empty() {
        let mut tx = store.begin().await?;
        let places = places_of(environment_id, &ids);
        let mut runs = runs_of(&mut tx, &places, KEPT_TAIL).await?;
        for (environment_id, flow_id) in &places {
            let own = runs.remove(&((*environment_id).to_owned(), (*flow_id).to_owned()));
            keep(&mut tx, (environment_id, flow_id), &own.unwrap_or_default()).await?;
        }
        // How it does is said by its last runs, as ever.
        judgements::judge_anew(&mut tx, &places).await?;
        tx.commit().await?;
    }
    Ok(ids.into_iter().collect())
}

/// Keeps what is lost among these runs of a flow.
async fn keep(
    tx: &mut WriteTx,
    (environment_id, flow_id): Place<'_>,
    runs: &[RecentRun],
) -> Result<(), StoreError> {
    let update = sqlx::query(LOOKED_FURTHER)
        .bind(environment_id)
        .bind(flow_id)
        .bind(serde_json::to_string(&Left::of(runs)).map_err(damaged)?);
    change!(tx, |db| update.execute(db))?;
    Ok(())
}
