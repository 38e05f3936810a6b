//! Reading the runs that started lately, and following the unfinished ones.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::ReadError;
use super::audience::{Attention, Desk, WATCHED_MS};
use super::by_id::Unfinished;
use super::flow_by_flow::FlowByFlow;
use super::reading::{Note, Purpose, Reading};
use super::rounds::Topic;
use super::run_list::RunList;
use crate::domain::DAY_MS;
use crate::platform::{Run, RunFilter};
use crate::store::sync_state::{self, SyncState, SyncTopic};

const HOUR_MS: i64 = 3_600_000;
/// A run can be seen two to three minutes after its start, says Adobe. What comes later is found by looking back.
pub(super) const OVERLAP_MS: i64 = 240_000;
/// After a longer pause only the last hour is read at once, and what lies between is filled.
const LONGEST_GAP_MS: i64 = 2 * HOUR_MS;
const FIRST_LOOK_MS: i64 = HOUR_MS;
/// How far the history of a new environment is filled.
const FIRST_FILL_MS: i64 = 90 * DAY_MS;

/// What is remembered between two readings.
#[derive(Debug, Default)]
pub(super) struct RecentRuns {
    /// Everything that started before is stored or being filled.
    mark: Option<i64>,
    /// The runs of the last list.
    known: HashMap<String, Stamp>,
    unfinished: Unfinished,
    flow_by_flow: FlowByFlow,
}

/// By this a run is seen to be as it was: the platform gives a new etag with each change.
type Stamp = (String, Option<i64>);

fn stamp(run: &Run) -> Option<Stamp> {
    Some((run.etag.clone()?, run.updated_at))
}

/// Where a reading begins, and what is left to be filled.
#[derive(Debug, PartialEq, Eq)]
struct Begin {
    from: i64,
    to_fill: Option<(i64, i64)>,
}

impl Begin {
    /// With everything stored that started before `mark` (0: nothing), but for what `state` says is still to be
    /// filled.
    fn at(mark: i64, state: Option<&SyncState>, now: i64) -> Self {
        // A mark in the future is that of a clock which has been set back since: what was read before nobody knows.
        let mark = if mark > now {
            now - LONGEST_GAP_MS - 1
        } else {
            mark
        };
        if now - mark <= LONGEST_GAP_MS {
            return Self {
                from: mark - OVERLAP_MS,
                to_fill: None,
            };
        }
        let from = now - FIRST_LOOK_MS;
        let goal = (mark - DAY_MS).max(now - FIRST_FILL_MS);
        let older = state.and_then(|state| state.fill_goal_at).unwrap_or(goal);
        Self {
            from,
            to_fill: Some((from, goal.min(older))),
        }
    }
}

impl Topic for RecentRuns {
    const TOPIC: SyncTopic = SyncTopic::Runs;
    const PURPOSE: Purpose = Purpose::News;

    fn desk(attention: &Attention) -> &Desk {
        &attention.runs
    }

    fn longest_pause_ms(attention: &Attention) -> i64 {
        if attention.is_watched() {
            WATCHED_MS
        } else {
            i64::MAX
        }
    }

    /// Stores the runs that are new or have changed.
    async fn read(&mut self, reading: &Reading) -> Result<i64, ReadError> {
        if !reading.place.is_flow_by_flow() {
            match self.by_start(reading).await {
                Err(error) if error.refuses_the_filter() => reading.place.go_flow_by_flow(),
                Err(error) => return Err(error),
                Ok(()) => {
                    let upkeep = reading.with_purpose(Purpose::Upkeep);
                    let is_listed = |id: &str| self.known.contains_key(id);
                    pass_over(self.unfinished.follow(&upkeep, is_listed).await)?;
                    return Ok(reading.place.history.inner.interval_ms());
                }
            }
        }
        self.mark = None;
        let upkeep = reading.with_purpose(Purpose::Upkeep);
        let pause_ms = self.flow_by_flow.read(&upkeep).await?;
        pass_over(self.unfinished.follow(&upkeep, |_| false).await)?;
        Ok(pause_ms)
    }
}

/// A run that cannot be read by itself keeps no list from being read: it stays as it was, and its page says since when.
fn pass_over(followed: Result<(), ReadError>) -> Result<(), ReadError> {
    match followed {
        Err(error @ ReadError::Platform(_)) => {
            tracing::warn!(%error, "unfinished runs cannot be read one by one");
            Ok(())
        }
        other => other,
    }
}

impl RecentRuns {
    async fn by_start(&mut self, reading: &Reading) -> Result<(), ReadError> {
        let (now, id) = (reading.now(), &reading.environment.id);
        let state = sync_state::get(reading.store(), id, SyncTopic::Runs).await?;
        let stored = state.as_ref().map_or(0, |state| state.watermark_at);
        let begin = Begin::at(self.mark.unwrap_or(stored), state.as_ref(), now);
        let filter = RunFilter {
            started_after: Some(begin.from - 1),
            ..RunFilter::default()
        };
        let (mut list, mut listed) = (RunList::new(reading, filter), HashMap::new());
        while let Some(page) = list.next().await? {
            let mut news = Vec::new();
            for run in page.items {
                let stamp = stamp(&run);
                if stamp.is_none() || self.known.get(&run.id) != stamp.as_ref() {
                    news.push(run.clone());
                }
                listed.insert(run.id, stamp);
            }
            let note = if page.is_last {
                Note::Read {
                    up_to: now,
                    to_fill: begin.to_fill,
                }
            } else {
                Note::Nothing
            };
            reading.keep(&reading.rows(&news), note).await?;
            if page.is_last {
                break;
            }
        }
        self.mark = Some(now);
        self.known = listed
            .into_iter()
            .filter_map(|(id, stamp)| Some((id, stamp?)))
            .collect();
        if begin.to_fill.is_some() {
            reading.place.to_fill.notify_one();
        }
        reading.place.is_begun.store(true, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_774_076_400_000;

    fn filling(goal: i64) -> SyncState {
        SyncState {
            environment_id: "e".into(),
            topic: SyncTopic::Runs,
            watermark_at: 0,
            attempted_at: 0,
            succeeded_at: None,
            failing_since_at: None,
            problem: None,
            next_try_at: None,
            filled_from_at: Some(NOW - 10 * DAY_MS),
            fill_goal_at: Some(goal),
            fill_failing_since_at: None,
            fill_problem: None,
            fill_next_try_at: None,
        }
    }

    #[test]
    fn a_mark_in_the_future_is_not_believed() {
        let begin = Begin::at(NOW + HOUR_MS, None, NOW);
        assert_eq!(begin.from, NOW - FIRST_LOOK_MS);
        assert!(begin.to_fill.is_some_and(|(_, goal)| goal < NOW - DAY_MS));
    }

    #[test]
    fn a_new_environment_shows_its_newest_runs_first() {
        let to_fill = Some((NOW - FIRST_LOOK_MS, NOW - FIRST_FILL_MS));
        assert_eq!(
            Begin::at(0, None, NOW),
            Begin {
                from: NOW - FIRST_LOOK_MS,
                to_fill
            }
        );
    }

    #[test]
    fn a_reading_overlaps_the_last_one_and_leaves_a_fill_alone() {
        let mark = NOW - 10_000;
        let begin = Begin {
            from: mark - OVERLAP_MS,
            to_fill: None,
        };
        assert_eq!(Begin::at(mark, Some(&filling(5)), NOW), begin);
    }

    #[test]
    fn after_a_pause_the_gap_is_filled_with_a_day_to_spare() {
        let from = NOW - FIRST_LOOK_MS;
        let gap = Begin::at(NOW - 3 * DAY_MS, None, NOW);
        assert_eq!(
            gap,
            Begin {
                from,
                to_fill: Some((from, NOW - 4 * DAY_MS))
            }
        );
        let older = NOW - 80 * DAY_MS;
        let gap = Begin::at(NOW - 3 * DAY_MS, Some(&filling(older)), NOW);
        assert_eq!(gap.to_fill, Some((from, older)));
        let long_ago = Begin::at(NOW - 400 * DAY_MS, None, NOW);
        assert_eq!(long_ago.to_fill, Some((from, NOW - FIRST_FILL_MS)));
    }
}
