//! Judging how flows do, by the transaction that changes a flow or one of its last runs.

use std::collections::HashMap;

use super::bulk::{CHUNK, insert_into, take_excluded};
use super::database::Engine;
use super::flow_health::{damaged, read_left};
use super::{Store, StoreError, WriteTx, flows};
use crate::domain::RunOutcome;
use crate::domain::health::{
    Circumstances, Health, Judgement, Left, MOST_RUNS, RECENT_RUNS, RULES, RecentRun, Wanted, judge,
};

/// Environment and flow.
pub(super) type Place<'a> = (&'a str, &'a str);
type OwnPlace = (String, String);
/// The runs of some flows, each flow's oldest first.
type Runs = HashMap<OwnPlace, Vec<RecentRun>>;

const COLUMNS: &[&str] = &[
    "environment_id",
    "flow_id",
    "base",
    "base_since_at",
    "stuck_at",
    "late_at",
    "on_since_at",
    "recent_from_at",
    "judgement",
    "recent",
    "lost_windows",
    "left_behind",
    "look_further",
];
const KEY_COLUMNS: usize = 2;
/// Flows whose [`MOST_RUNS`] are in memory at once.
const LONG_CHUNK: usize = 20;

const KNOWN: &str = "SELECT environment_id, flow_id, recent_from_at FROM flow_health \
     WHERE recent_from_at IS NOT NULL AND (environment_id, flow_id) IN (";
const FLOWS_HEAD: &str = "SELECT f.environment_id, f.id, f.state, f.gone_at, f.frequency, f.interval_count, f.start_at, \
     f.platform_created_at, f.read_at, h.base, h.on_since_at, h.left_behind, h.look_further, v.wanted, \
     y.filled_from_at, y.fill_failing_since_at FROM (";
const FLOWS_TAIL: &str = ") AS t CROSS JOIN flows f LEFT JOIN flow_health h \
     ON h.environment_id = f.environment_id AND h.flow_id = f.id \
     LEFT JOIN flow_versions v ON v.environment_id = f.environment_id AND v.flow_id = f.id AND v.number = \
     (SELECT MAX(n.number) FROM flow_versions n WHERE n.environment_id = f.environment_id AND n.flow_id = f.id) \
     LEFT JOIN sync_state y ON y.environment_id = f.environment_id AND y.topic = 'runs' \
     WHERE f.environment_id = t.column1 AND f.id = t.column2";
const RUNS_HEAD: &str = "SELECT r.environment_id, r.flow_id, r.outcome, r.started_at, r.duration_ms, r.records_out, \
     r.window_start_at, r.window_end_at FROM (";
/// `CROSS JOIN` keeps the order: the few flows first, their runs by index from the last but so many on, or from so many
/// milliseconds before the last on.
macro_rules! runs_tail {
    ($others:literal, $before_ms:literal) => {
        concat!(
            ") AS t CROSS JOIN runs r WHERE r.environment_id = t.column1 AND r.flow_id = t.column2 ",
            // Of one that the platform forgot before its end nobody will hear again.
            "AND (r.gone_at IS NULL OR r.ended_at IS NOT NULL) ",
            "AND r.started_at >= COALESCE((SELECT o.started_at FROM runs o WHERE o.environment_id = t.column1 ",
            "AND o.flow_id = t.column2 AND (o.gone_at IS NULL OR o.ended_at IS NOT NULL) ORDER BY o.started_at DESC, o.id DESC LIMIT 1 OFFSET ",
            $others,
            ") - ",
            $before_ms,
            ", -9223372036854775807) ORDER BY r.environment_id, r.flow_id, r.started_at, r.id"
        )
    };
}
const RECENT_TAIL: &str = runs_tail!(29, 0);
const MOST_TAIL: &str = runs_tail!(499, 0);
/// [`KEPT_MS`](crate::domain::health::KEPT_MS).
pub(super) const KEPT_TAIL: &str = runs_tail!(0, 2592000000);
const ALL_OF: &str = "SELECT flow_id FROM flow_health WHERE environment_id = $1";
/// The number of the rules stands at the beginning.
const BY_OTHER_RULES: &str =
    "SELECT flow_id FROM flow_health WHERE environment_id = $1 AND judgement NOT LIKE $2 ORDER BY flow_id";

/// The statements around the rows of a chunk, for a chunk of one.
#[cfg(test)]
pub(super) fn chunk_statements() -> [String; 5] {
    let one = "VALUES ('e', 'f')";
    [
        format!("{KNOWN}{one})"),
        format!("{FLOWS_HEAD}{one}{FLOWS_TAIL}"),
        format!("{RUNS_HEAD}{one}{RECENT_TAIL}"),
        format!("{RUNS_HEAD}{one}{MOST_TAIL}"),
        format!("{RUNS_HEAD}{one}{KEPT_TAIL}"),
    ]
}

#[derive(sqlx::FromRow)]
struct FlowFacts {
    environment_id: String,
    id: String,
    state: String,
    gone_at: Option<i64>,
    frequency: Option<String>,
    interval_count: Option<i64>,
    start_at: Option<i64>,
    platform_created_at: Option<i64>,
    read_at: i64,
    base: Option<Health>,
    on_since_at: Option<i64>,
    left_behind: Option<String>,
    look_further: Option<i64>,
    wanted: Option<String>,
    filled_from_at: Option<i64>,
    fill_failing_since_at: Option<i64>,
}

/// A flow as it was judged.
struct Judged {
    flow: FlowFacts,
    on_since_at: Option<i64>,
    judgement: Judgement,
    /// The start of the oldest run that was looked at, where there may be others.
    from_at: Option<i64>,
    /// The runs that are kept beside it.
    recent: Vec<RecentRun>,
    left: Left,
    /// Those before them are to be looked at, too.
    look_further: bool,
}

#[derive(sqlx::FromRow)]
struct RunFacts {
    environment_id: String,
    flow_id: String,
    outcome: RunOutcome,
    started_at: i64,
    duration_ms: Option<i64>,
    records_out: Option<i64>,
    window_start_at: Option<i64>,
    window_end_at: Option<i64>,
}

impl FlowFacts {
    fn circumstances(&self) -> Result<Circumstances, StoreError> {
        let is_on = self.gone_at.is_none() && self.state == flows::ENABLED;
        let on_since_at = match self.base {
            None => self.platform_created_at,
            // The platform does not tell when it was switched on, so it is when we saw it.
            Some(Health::Off) if is_on => Some(self.read_at),
            Some(_) => self.on_since_at,
        };
        let wanted: Option<Wanted> = self
            .wanted
            .as_deref()
            .map(serde_json::from_str)
            .transpose()
            .map_err(damaged)?;
        // Not before it was set so.
        let on_since_at = on_since_at.max(wanted.and_then(|wanted| wanted.on_since_at()));
        Ok(Circumstances {
            is_on,
            frequency: self.frequency.as_deref().and_then(|word| word.parse().ok()),
            interval: self.interval_count.unwrap_or(1),
            start_at: self.start_at,
            on_since_at,
            known_since_at: self.filled_from_at,
        })
    }

    /// Judges it by its last runs, of which at most `most` were read.
    fn judged(self, mut runs: Vec<RecentRun>, most: usize) -> Result<Judged, StoreError> {
        let circumstances = self.circumstances()?;
        let mut left = read_left(self.left_behind.as_deref())?;
        let was_to_look_further = left.is_parted_from(&runs) || self.look_further.unwrap_or(0) > 0;
        left.look_at(&runs);
        let are_all = runs.len() < most;
        // More of them where several started at the same moment.
        runs.drain(..runs.len().saturating_sub(most));
        let are_known = match self.filled_from_at {
            // Where flows are listed one by one, all of it is read, or that fails.
            None => self.fill_failing_since_at.is_none(),
            Some(since) => self.platform_created_at.is_some_and(|made| made >= since),
        };
        let is_whole = are_all && are_known;
        let judgement = judge(&circumstances, &runs, is_whole, &left);
        let from_at = runs.first().filter(|_| !are_all).map(|run| run.started_at);
        runs.drain(..runs.len().saturating_sub(RECENT_RUNS));
        Ok(Judged {
            flow: self,
            on_since_at: circumstances.on_since_at,
            judgement,
            look_further: was_to_look_further && from_at.is_some(),
            from_at,
            recent: runs,
            left,
        })
    }
}

/// From the start of the first to that of the last of some runs (UTC epoch milliseconds).
pub(super) type Between = (i64, i64);

/// Keeps last run and judgement of flows of which runs have changed. Runs older than those that a judgement looks at
/// change nothing.
pub(super) async fn runs_changed(
    tx: &mut WriteTx,
    changes: &HashMap<Place<'_>, Between>,
) -> Result<(), StoreError> {
    let places: Vec<Place<'_>> = changes.keys().copied().collect();
    let mut untouched: HashMap<OwnPlace, i64> = HashMap::new();
    for chunk in places.chunks(CHUNK) {
        let mut query = places_in(KNOWN, chunk);
        query.push(")");
        let known: Vec<(String, String, i64)> = change!(tx, |db| query
            .build_query_as()
            .persistent(chunk.len() == CHUNK)
            .fetch_all(db))?;
        untouched.extend(
            known
                .into_iter()
                .map(|(environment_id, flow_id, from_at)| ((environment_id, flow_id), from_at)),
        );
    }
    let is_touched = |(place, (_, last)): &(&Place<'_>, &Between)| {
        let key = (place.0.to_owned(), place.1.to_owned());
        untouched.get(&key).is_none_or(|from_at| *last >= *from_at)
    };
    let touched = changes.iter().filter(is_touched);
    let touched: Vec<Place<'_>> = touched.map(|(place, _)| *place).collect();
    flows::set_last_run(tx, &touched).await?;
    judge_anew(tx, &touched).await
}

/// Judges all flows of an environment anew: other runs are known of than before.
pub(super) async fn judge_all_anew(tx: &mut WriteTx, environment_id: &str) -> Result<(), StoreError> {
    let query = sqlx::query_scalar(ALL_OF).bind(environment_id);
    let ids: Vec<String> = change!(tx, |db| query.fetch_all(db))?;
    judge_anew(tx, &places_of(environment_id, &ids)).await
}

/// Judges the flows anew that another version has judged by other rules, some in a transaction.
pub async fn judge_by_these_rules(store: &Store, environment_id: &str) -> Result<(), StoreError> {
    let query = sqlx::query_scalar(BY_OTHER_RULES)
        .bind(environment_id)
        .bind(format!("{{\"rules\":{RULES},%"));
    let ids: Vec<String> = read!(store, |db| query.fetch_all(db))?;
    for some in ids.chunks(CHUNK) {
        let mut tx = store.begin().await?;
        judge_anew(&mut tx, &places_of(environment_id, some)).await?;
        tx.commit().await?;
    }
    Ok(())
}

pub(super) fn places_of<'a>(environment_id: &'a str, ids: &'a [String]) -> Vec<Place<'a>> {
    ids.iter().map(|id| (environment_id, id.as_str())).collect()
}

/// Judges flows by what is stored of them now; those that are not mirrored are left out.
pub(super) async fn judge_anew(tx: &mut WriteTx, places: &[Place<'_>]) -> Result<(), StoreError> {
    for chunk in places.chunks(CHUNK) {
        let (judged, to_look_further) = judge_by(tx, chunk, RECENT_RUNS).await?;
        store_judgements(tx, &judged).await?;
        let places: Vec<Place<'_>> = to_look_further.iter().map(Judged::place).collect();
        for few in places.chunks(LONG_CHUNK) {
            let (judged, _) = judge_by(tx, few, MOST_RUNS).await?;
            store_judgements(tx, &judged).await?;
        }
    }
    Ok(())
}

impl Judged {
    fn place(&self) -> Place<'_> {
        (&self.flow.environment_id, &self.flow.id)
    }
}

/// Judges flows by [`RECENT_RUNS`] or [`MOST_RUNS`]; those apart of which more of them should be looked at.
async fn judge_by(
    tx: &mut WriteTx,
    places: &[Place<'_>],
    most: usize,
) -> Result<(Vec<Judged>, Vec<Judged>), StoreError> {
    let persistent = places.len() == CHUNK;
    let mut query = places_in(FLOWS_HEAD, places);
    query.push(FLOWS_TAIL);
    let flows: Vec<FlowFacts> = change!(tx, |db| query
        .build_query_as()
        .persistent(persistent)
        .fetch_all(db))?;
    let tail = if most == MOST_RUNS { MOST_TAIL } else { RECENT_TAIL };
    let mut runs = runs_of(tx, places, tail).await?;
    let judged = flows.into_iter().map(|flow| {
        let own = runs.remove(&(flow.environment_id.clone(), flow.id.clone()));
        flow.judged(own.unwrap_or_default(), most)
    });
    let judged: Vec<Judged> = judged.collect::<Result<_, _>>()?;
    Ok(judged.into_iter().partition(|judged| {
        let is_last_look = most == MOST_RUNS || judged.from_at.is_none();
        is_last_look || !judged.judgement.asks_for_more()
    }))
}

/// The last runs of flows, as many as the tail says.
pub(super) async fn runs_of(
    tx: &mut WriteTx,
    places: &[Place<'_>],
    tail: &'static str,
) -> Result<Runs, StoreError> {
    let mut query = places_in(RUNS_HEAD, places);
    query.push(tail);
    let found: Vec<RunFacts> = change!(tx, |db| query
        .build_query_as()
        .persistent(places.len() == CHUNK)
        .fetch_all(db))?;
    let mut runs = Runs::new();
    for run in found {
        let fact = RecentRun {
            outcome: run.outcome,
            started_at: run.started_at,
            duration_ms: run.duration_ms,
            records_out: run.records_out,
            window_start_at: run.window_start_at,
            window_end_at: run.window_end_at,
        };
        let own = runs.entry((run.environment_id, run.flow_id));
        own.or_default().push(fact);
    }
    Ok(runs)
}

async fn store_judgements(tx: &mut WriteTx, judged: &[Judged]) -> Result<(), StoreError> {
    let unreadable = |error: serde_json::Error| StoreError::Other(format!("a judgement: {error}"));
    let texts = |judged: &Judged| {
        let judgement = serde_json::to_string(&judged.judgement)?;
        let recent = serde_json::to_string(&judged.recent)?;
        Ok([judgement, recent, serde_json::to_string(&judged.left)?])
    };
    let rows: Vec<(&Judged, [String; 3])> = judged
        .iter()
        .map(|judged| Ok((judged, texts(judged)?)))
        .collect::<Result<_, _>>()
        .map_err(unreadable)?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut upsert = insert_into("flow_health", COLUMNS);
    upsert.push_values(&rows, |mut tuple, (judged, [judgement, recent, left])| {
        tuple
            .push_bind(&judged.flow.environment_id)
            .push_bind(&judged.flow.id)
            .push_bind(judged.judgement.base.as_str())
            .push_bind(judged.judgement.base_since_at)
            .push_bind(judged.judgement.stuck_at)
            .push_bind(judged.judgement.late_at)
            .push_bind(judged.on_since_at)
            .push_bind(judged.from_at)
            .push_bind(judgement)
            .push_bind(recent)
            .push_bind(judged.judgement.lost.windows as i64)
            .push_bind(left)
            .push_bind(i64::from(judged.look_further));
    });
    upsert.push(format!(
        " ON CONFLICT (environment_id, flow_id) DO UPDATE SET {}",
        take_excluded(&COLUMNS[KEY_COLUMNS..])
    ));
    change!(tx, |db| upsert
        .build()
        .persistent(rows.len() == CHUNK)
        .execute(db))?;
    Ok(())
}

fn places_in(head: &'static str, places: &[Place<'_>]) -> sqlx::QueryBuilder<Engine> {
    let mut query = sqlx::QueryBuilder::<Engine>::new(head);
    query.push_values(places, |mut tuple, (environment_id, id)| {
        tuple
            .push_bind((*environment_id).to_owned())
            .push_bind((*id).to_owned());
    });
    query
}
