//! Reading an environment's runs by the time of their start, the newest first.
//!
//! Each reading takes what started since a little before the last one (the head). What lies further back is left
//! to a walk towards the past in windows that grow and shrink with what they hold, a bounded number of pages in
//! each reading. The walk fills a new environment, closes the gap after a pause, and every hour goes back a day
//! for runs that turned up late. No order of the list is assumed: Adobe documents none.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::TryStreamExt;

use super::rounds::{Memory, Reading};
use super::{ReadError, records};
use crate::domain::DAY_MS;
use crate::platform::{Run, RunFilter};
use crate::store::runs;
use crate::store::sync_state::{self, SyncTopic};

const HOUR_MS: i64 = 3_600_000;
/// So far before the last reading the head begins.
const OVERLAP_MS: i64 = HOUR_MS / 2;
/// After a longer pause the head begins anew and the walk closes the gap.
const LONGEST_HEAD_MS: i64 = 2 * HOUR_MS;
/// The head of a first reading, or of one after a pause.
const FIRST_HEAD_MS: i64 = HOUR_MS;
/// How far a new environment is filled.
const FIRST_FILL_MS: i64 = 90 * DAY_MS;
/// How often the last day is read again.
const LATE_RUNS_EVERY_MS: i64 = HOUR_MS;
/// Pages of the walk in one reading.
const PAGES_PER_READING: usize = 40;
const LEAST_STEP_MS: i64 = 60_000;
const FIRST_STEP_MS: i64 = 6 * HOUR_MS;
const LONGEST_STEP_MS: i64 = 8 * DAY_MS;

/// How far the runs of an environment are read.
#[derive(Debug)]
pub(super) struct Windows {
    /// When this process last read the head to its end.
    mark: Option<i64>,
    walk: Option<Walk>,
    late_runs_due_at: i64,
    step_ms: i64,
}

/// A way back: everything that started at or after `cursor` is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Walk {
    cursor: i64,
    goal: i64,
    /// Until it ends, the stored watermark stays where it is: another process would have to begin anew.
    closes_a_gap: bool,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            mark: None,
            walk: None,
            late_runs_due_at: 0,
            step_ms: FIRST_STEP_MS,
        }
    }
}

impl Windows {
    /// Where the head of a reading at `now` begins, with everything stored that started before `watermark`.
    /// Sends the walk back for the rest.
    fn begin(&mut self, watermark: i64, now: i64) -> i64 {
        let mark = self.mark.unwrap_or(watermark);
        if now - mark > LONGEST_HEAD_MS {
            let goal = (mark - DAY_MS).max(now - FIRST_FILL_MS);
            let goal = self.walk.map_or(goal, |walk| walk.goal.min(goal));
            let cursor = now - FIRST_HEAD_MS;
            self.walk = Some(Walk {
                cursor,
                goal,
                closes_a_gap: true,
            });
            return cursor;
        }
        let from = mark - OVERLAP_MS;
        if self.walk.is_none() && self.late_runs_due_at <= now {
            self.late_runs_due_at = now + LATE_RUNS_EVERY_MS;
            self.walk = Some(Walk {
                cursor: from,
                goal: now - DAY_MS,
                closes_a_gap: false,
            });
        }
        from
    }

    fn closes_a_gap(&self) -> bool {
        self.walk.is_some_and(|walk| walk.closes_a_gap)
    }
}

impl Reading<'_> {
    /// Stores the runs that are new or have changed.
    pub(super) async fn runs(&self, memory: &mut Memory) -> Result<(), ReadError> {
        if memory.flow_by_flow.is_needed() {
            return self.runs_flow_by_flow(&mut memory.flow_by_flow).await;
        }
        let began_at = self.now();
        let stored =
            sync_state::get(&self.history.inner.store, &self.environment.id, SyncTopic::Runs).await?;
        let watermark = stored.map_or(0, |state| state.watermark_at);
        let from = memory.windows.begin(watermark, began_at);
        let success = if memory.windows.closes_a_gap() {
            watermark
        } else {
            began_at
        };
        let mut seen = HashSet::new();
        let head = RunFilter {
            started_after: Some(from - 1),
            ..RunFilter::default()
        };
        match self.window(&head, usize::MAX, Some(success), &mut seen).await {
            Ok(_) => memory.windows.mark = Some(began_at),
            Err(ReadError::Platform(error)) if super::flow_by_flow::refuses_to_filter(&error) => {
                memory.flow_by_flow.need();
                return self.runs_flow_by_flow(&mut memory.flow_by_flow).await;
            }
            Err(error) => return Err(error),
        }
        self.walk_back(&mut memory.windows, &mut seen).await?;
        self.follow_unfinished(&mut memory.unfinished, &seen).await
    }

    async fn walk_back(&self, windows: &mut Windows, seen: &mut HashSet<String>) -> Result<(), ReadError> {
        let mut pages_left = PAGES_PER_READING;
        while let Some(walk) = windows.walk
            && pages_left > 0
        {
            let from = (walk.cursor - windows.step_ms).max(walk.goal);
            let arrives = from == walk.goal;
            let most = if windows.step_ms == LEAST_STEP_MS {
                usize::MAX
            } else {
                pages_left
            };
            let success = windows.mark.filter(|_| arrives && walk.closes_a_gap);
            let (after, before) = (Some(from - 1), Some(walk.cursor));
            let filter = RunFilter {
                started_after: after,
                started_before: before,
                ..RunFilter::default()
            };
            match self.window(&filter, most, success, seen).await? {
                Some(pages) => {
                    pages_left = pages_left.saturating_sub(pages);
                    windows.walk = (!arrives).then_some(Walk { cursor: from, ..walk });
                    if pages * 4 <= PAGES_PER_READING {
                        windows.step_ms = (windows.step_ms * 2).min(LONGEST_STEP_MS);
                    }
                }
                None => {
                    windows.step_ms = (windows.step_ms / 2).max(LEAST_STEP_MS);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Stores the runs of one list and says how many pages it had; none: more than `most`, and the rest was not
    /// read. With the last page, `success` becomes the watermark.
    pub(super) async fn window(
        &self,
        filter: &RunFilter,
        most: usize,
        success: Option<i64>,
        seen: &mut HashSet<String>,
    ) -> Result<Option<usize>, ReadError> {
        let mut pages = pin!(self.client.runs(filter));
        let mut next = self.unless_stopping(pages.try_next()).await?;
        let mut read = 0;
        while let Some(page) = next {
            if read == most {
                return Ok(None);
            }
            read += 1;
            next = self.unless_stopping(pages.try_next()).await?;
            self.store_runs(&page.items, success.filter(|_| next.is_none()))
                .await?;
            seen.extend(page.items.into_iter().map(|run| run.id));
        }
        Ok(Some(read))
    }

    /// Stores runs, their sums and, if given, the watermark in one transaction.
    pub(super) async fn store_runs(&self, read: &[Run], watermark: Option<i64>) -> Result<(), ReadError> {
        let (id, now) = (&self.environment.id, self.now());
        let rows: Vec<_> = read.iter().map(|run| records::run_row(id, run, now)).collect();
        let mut tx = self.history.inner.store.begin().await?;
        runs::upsert_many(&mut tx, &rows).await?;
        if let Some(watermark) = watermark {
            sync_state::record_success(&mut tx, id, SyncTopic::Runs, watermark, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_774_076_400_000;

    #[test]
    fn a_new_environment_shows_its_newest_runs_first() {
        let mut windows = Windows::default();
        assert_eq!(windows.begin(0, NOW), NOW - FIRST_HEAD_MS);
        let walk = windows.walk.unwrap();
        assert_eq!(
            (walk.cursor, walk.goal),
            (NOW - FIRST_HEAD_MS, NOW - FIRST_FILL_MS)
        );
        assert!(windows.closes_a_gap());
    }

    #[test]
    fn a_quick_look_overlaps_and_the_last_day_is_read_hourly() {
        let mut windows = Windows::default();
        let watermark = NOW - 10_000;
        assert_eq!(windows.begin(watermark, NOW), watermark - OVERLAP_MS);
        let walk = windows.walk.take().unwrap();
        assert_eq!((walk.cursor, walk.goal), (watermark - OVERLAP_MS, NOW - DAY_MS));
        assert!(!walk.closes_a_gap);
        windows.mark = Some(NOW);
        assert_eq!(windows.begin(watermark, NOW + 10_000), NOW - OVERLAP_MS);
        assert_eq!(windows.walk, None, "once an hour is enough");
        windows.mark = Some(NOW + HOUR_MS);
        windows.begin(watermark, NOW + HOUR_MS);
        assert!(windows.walk.is_some());
    }

    #[test]
    fn after_a_pause_the_gap_is_closed_even_when_another_is_open() {
        let mut windows = Windows::default();
        let watermark = NOW - 3 * DAY_MS;
        assert_eq!(windows.begin(watermark, NOW), NOW - FIRST_HEAD_MS);
        assert_eq!(windows.walk.unwrap().goal, watermark - DAY_MS);
        windows.mark = Some(NOW);
        let later = NOW + DAY_MS;
        assert_eq!(windows.begin(watermark, later), later - FIRST_HEAD_MS);
        assert_eq!(windows.walk.unwrap().goal, watermark - DAY_MS);
        assert_eq!(windows.walk.unwrap().cursor, later - FIRST_HEAD_MS);
    }
}
