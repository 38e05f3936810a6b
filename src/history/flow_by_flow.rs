//! Where the platform refuses to list the runs of a whole sandbox by their start, they are listed flow by flow: all
//! runs of each flow once, then the newest ones of a flow when the list of flows tells of another last run, and now
//! and again in any case.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::reading::{Note, Purpose, Reading};
use super::run_list::RunList;
use super::{ReadError, records};
use crate::platform::{Flow, Run, RunFilter, RunOrder};
use crate::store::WriteTx;
use crate::store::sync_state::{self, FailedTry, SyncTopic};

/// Flows whose runs are listed in one reading.
const FLOWS_PER_READING: usize = 40;
/// The pause until the next look at a flow of which the list tells no last run; it doubles while nothing is new.
const FIRST_PAUSE_MS: i64 = 60_000;
const LONGEST_PAUSE_MS: i64 = 900_000;
/// The same where the list tells the last run: only a run that turned up late is found so.
const LATE_PAUSE_MS: i64 = 1_800_000;

/// What the list of flows told last.
#[derive(Debug, Default)]
pub(super) struct ListedFlows {
    /// By flow: its `lastRunDetails`; null: none are told.
    last_runs: HashMap<String, Value>,
    /// When the last list that was read to its end was begun (UTC epoch milliseconds).
    complete_as_of: Option<i64>,
}

impl ListedFlows {
    pub(super) fn note(&mut self, flows: &[Flow]) {
        for flow in flows.iter().filter(|flow| records::is_source_flow(flow)) {
            let last_run = flow.raw.get("lastRunDetails").cloned().unwrap_or_default();
            self.last_runs.insert(flow.id.clone(), last_run);
        }
    }

    /// The list that was begun at a moment was read to its end and showed these.
    pub(super) fn complete(&mut self, shown: &HashSet<String>, begun_at: i64) {
        self.last_runs.retain(|id, _| shown.contains(id));
        self.complete_as_of = Some(begun_at);
    }
}

/// What is remembered of each flow between two readings.
#[derive(Debug, Default)]
pub(super) struct FlowByFlow {
    read: HashMap<String, Seen>,
}

#[derive(Debug)]
struct Seen {
    /// As the list of flows told it when the runs were read.
    last_run: Value,
    at: i64,
    pause_ms: i64,
    /// Its runs were once read to their end.
    is_whole: bool,
    /// Why they were not read to their end the last time.
    problem: Option<String>,
}

/// A flow whose runs are to be listed, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    why: Why,
    last_read_at: i64,
    flow_id: String,
    /// Its runs were once read to their end.
    is_whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    HasNews,
    IsNew,
    ItsTurn,
}

/// What listing the runs of a flow came to.
struct Listed {
    any_changed: bool,
    /// They are all stored now.
    is_whole: bool,
    /// Why they could not be read to their end.
    problem: Option<String>,
}

impl FlowByFlow {
    /// Stores the runs of the flows that have new ones, a number of flows in one go; gives the pause until the
    /// next reading, in milliseconds.
    pub(super) async fn read(&mut self, reading: &Reading) -> Result<i64, ReadError> {
        let began_at = reading.now();
        let Some((listed, listed_at)) = listed(reading) else {
            // The end of the list asks for the next reading.
            return Ok(reading.place.history.inner.interval_ms());
        };
        self.read.retain(|id, _| listed.contains_key(id));
        let mut due = self.due(&listed, began_at);
        let left = due.split_off(due.len().min(FLOWS_PER_READING));
        let side_by_side = reading.place.history.inner.pace.side_by_side as usize;
        let half_read = HalfRead::default();
        let lists = stream::iter(due).map(async |due| {
            let outcome = newest_runs(reading, &due, &half_read).await;
            (due.flow_id, outcome)
        });
        let mut lists = lists.buffer_unordered(side_by_side);
        while let Some((id, outcome)) = lists.next().await {
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    drop(lists);
                    self.begin_anew(&half_read, &error);
                    return Err(error);
                }
            };
            let last_run = listed[&id].clone();
            let seen = Seen {
                at: reading.now(),
                pause_ms: self.pause_ms(&id, &last_run, &outcome),
                is_whole: outcome.is_whole,
                problem: outcome.problem,
                last_run,
            };
            self.read.insert(id, seen);
        }
        if left.iter().all(|due| due.why == Why::ItsTurn) {
            self.note(reading, began_at.min(listed_at)).await?;
            reading.place.is_begun.store(true, Ordering::Relaxed);
            return Ok(reading.place.history.inner.interval_ms());
        }
        Ok(0)
    }

    /// Notes that everything was read as of a moment (UTC epoch milliseconds).
    async fn note(&self, reading: &Reading, read_at: i64) -> Result<(), ReadError> {
        let watermark_at = self.watermark_at(reading, read_at).await?;
        let (mut tx, id) = (reading.store().begin().await?, &reading.environment.id);
        sync_state::record_success(&mut tx, id, SyncTopic::Runs, watermark_at, read_at).await?;
        self.note_the_past(&mut tx, reading).await?;
        Ok(tx.commit().await?)
    }

    /// Of these flows only the beginning of a list was stored: what lies behind it must not be taken for known.
    fn begin_anew(&mut self, half_read: &HalfRead, error: &ReadError) {
        for id in half_read.ids().iter() {
            if let Some(seen) = self.read.get_mut(id) {
                seen.is_whole = false;
                seen.problem = Some(error.to_string());
            }
        }
    }

    /// Before which everything is stored: what it was, while the runs of a flow are not.
    async fn watermark_at(&self, reading: &Reading, read_at: i64) -> Result<i64, ReadError> {
        if self.read.values().all(|seen| seen.is_whole) {
            return Ok(read_at);
        }
        let state = sync_state::get(reading.store(), &reading.environment.id, SyncTopic::Runs).await?;
        Ok(state.map_or(0, |state| state.watermark_at))
    }

    /// Notes whether the runs of all flows are stored, however old.
    async fn note_the_past(&self, tx: &mut WriteTx, reading: &Reading) -> Result<(), ReadError> {
        let id = &reading.environment.id;
        let broken_off = self.read.values().filter(|seen| !seen.is_whole);
        if let Some(next) = broken_off.clone().min_by_key(|seen| seen.at + seen.pause_ms) {
            let problem = format!(
                "The runs of {} cannot be read to their end: {}",
                match broken_off.count() {
                    1 => "one flow".to_owned(),
                    many => format!("{many} flows"),
                },
                next.problem.as_deref().unwrap_or_default()
            );
            let failed = FailedTry {
                problem: &problem,
                at: reading.now(),
                next_try_at: next.at + next.pause_ms,
            };
            return Ok(sync_state::record_fill_failure(tx, id, failed).await?);
        }
        let state = sync_state::get(reading.store(), id, SyncTopic::Runs).await?;
        match state.and_then(|state| state.filled_from_at.zip(state.fill_goal_at)) {
            // What was being filled otherwise is here, too.
            Some((from, goal)) => {
                sync_state::move_fill(tx, id, SyncTopic::Runs, from, goal).await?;
            }
            None => sync_state::end_fill_failure(tx, id).await?,
        }
        Ok(())
    }

    fn due(&self, listed: &HashMap<String, Value>, now: i64) -> Vec<Due> {
        let mut due: Vec<Due> = listed
            .iter()
            .filter_map(|(id, last_run)| {
                let seen = self.read.get(id);
                let why = match seen {
                    None => Why::IsNew,
                    Some(seen) if seen.last_run != *last_run => Why::HasNews,
                    Some(seen) if seen.at + seen.pause_ms <= now => Why::ItsTurn,
                    Some(_) => return None,
                };
                Some(Due {
                    why,
                    last_read_at: seen.map_or(0, |seen| seen.at),
                    flow_id: id.clone(),
                    is_whole: seen.is_some_and(|seen| seen.is_whole),
                })
            })
            .collect();
        due.sort_unstable();
        due
    }

    fn pause_ms(&self, id: &str, last_run: &Value, outcome: &Listed) -> i64 {
        if outcome.is_whole && !last_run.is_null() {
            return LATE_PAUSE_MS;
        }
        let before = self.read.get(id).map_or(0, |seen| seen.pause_ms);
        if outcome.any_changed {
            FIRST_PAUSE_MS
        } else {
            (before * 2).clamp(FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
        }
    }
}

/// Flows of whose list some pages are stored, and others not yet.
#[derive(Debug, Default)]
struct HalfRead(Mutex<HashSet<String>>);

impl HalfRead {
    fn ids(&self) -> MutexGuard<'_, HashSet<String>> {
        // An id is added or taken away in one go.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the list of flows told, and as of when (UTC epoch milliseconds): runs that began later are not looked for. None:
/// it was not read to its end yet.
fn listed(reading: &Reading) -> Option<(HashMap<String, Value>, i64)> {
    let listed = reading.place.listed();
    let as_of = listed.complete_as_of?;
    Some((listed.last_runs.clone(), as_of))
}

/// Lists the runs of a flow, the newest first, up to what is stored already; all of them as long as they were never
/// read to their end.
async fn newest_runs(reading: &Reading, due: &Due, half_read: &HalfRead) -> Result<Listed, ReadError> {
    let purpose = if due.is_whole {
        Purpose::Upkeep
    } else {
        Purpose::Filling
    };
    let reading = &reading.with_purpose(purpose);
    let filter = RunFilter {
        flow_id: Some(due.flow_id.clone()),
        order: RunOrder::NewestFirst,
        ..RunFilter::default()
    };
    let (mut list, mut any_changed, mut oldest) = (RunList::new(reading, filter), false, i64::MAX);
    let problem = loop {
        let page = match list.next().await {
            Ok(page) => page,
            // One flow must not hold up all others. What was read of it stays, and it is read again from its beginning.
            Err(ReadError::Platform(error)) if !error.is_transient() && list.pages_read > 0 => {
                tracing::warn!(flow = %due.flow_id, %error, "the runs of a flow cannot be read to their end");
                break Some(error.of_a_read());
            }
            Err(error) => return Err(error),
        };
        let Some(page) = page else { break None };
        let changed = reading.keep(&reading.rows(&page.items), Note::Nothing).await?;
        any_changed |= changed.runs > 0;
        half_read.ids().insert(due.flow_id.clone());
        // Only a list that really comes in this order has nothing new behind what is known.
        let is_in_order = comes_newest_first(&page.items, &mut oldest);
        if page.is_last || (due.is_whole && is_in_order && changed.runs == 0) {
            break None;
        }
    };
    half_read.ids().remove(&due.flow_id);
    Ok(Listed {
        any_changed,
        is_whole: problem.is_none(),
        problem,
    })
}

/// Whether the runs of a page follow on one that started at `oldest`, which becomes the start of the last of them.
fn comes_newest_first(runs: &[Run], oldest: &mut i64) -> bool {
    runs.iter().all(|run| {
        let started_at = run.started_at.or(run.created_at).unwrap_or(i64::MAX);
        let follows = started_at <= *oldest;
        *oldest = started_at;
        follows
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed_with(any_changed: bool) -> Listed {
        Listed {
            any_changed,
            is_whole: true,
            problem: None,
        }
    }

    #[test]
    fn flows_with_news_come_first_and_quiet_ones_wait() {
        let listed: HashMap<String, Value> = ["quiet", "news", "new", "turn", "untold"]
            .map(|id| {
                (
                    id.to_owned(),
                    if id == "untold" {
                        Value::Null
                    } else {
                        json!({"id": id})
                    },
                )
            })
            .into();
        let mut flows = FlowByFlow::default();
        let mut seen = |id: &str, last_run: Value, at| {
            let pause_ms = flows.pause_ms(id, &last_run, &listed_with(false));
            flows.read.insert(
                id.to_owned(),
                Seen {
                    last_run,
                    at,
                    pause_ms,
                    is_whole: true,
                    problem: None,
                },
            );
        };
        let now = 10_000_000;
        seen("quiet", json!({"id": "quiet"}), now - LATE_PAUSE_MS + 1);
        seen("news", json!({"id": "before"}), now - 1);
        seen("turn", json!({"id": "turn"}), now - LATE_PAUSE_MS);
        seen("untold", Value::Null, now - FIRST_PAUSE_MS);
        let due: Vec<String> = flows
            .due(&listed, now)
            .into_iter()
            .map(|due| due.flow_id)
            .collect();
        assert_eq!(due, ["news", "new", "turn", "untold"]);
    }

    #[test]
    fn a_flow_of_which_nothing_is_told_backs_off_to_a_quarter_of_an_hour() {
        let mut flows = FlowByFlow::default();
        let mut pauses = Vec::new();
        for changed in [true, false, false, false, false, false, true] {
            let pause_ms = flows.pause_ms("f", &Value::Null, &listed_with(changed));
            pauses.push(pause_ms / 60_000);
            flows.read.insert(
                "f".into(),
                Seen {
                    last_run: Value::Null,
                    at: 0,
                    pause_ms,
                    is_whole: true,
                    problem: None,
                },
            );
        }
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15, 1]);
    }
}
