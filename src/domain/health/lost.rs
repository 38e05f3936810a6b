//! Failed runs whose files did not come.

use serde::{Deserialize, Serialize};

use super::RecentRun;
use crate::domain::{DAY_MS, RunOutcome};

/// Of so many, the start is told.
const TOLD: usize = 10;
/// So many failed runs are kept in mind.
const MOST_KEPT: usize = 100;
/// Failed runs are kept in mind for so long, in milliseconds.
pub const KEPT_MS: i64 = 30 * DAY_MS;
/// The platform tells the window of a run that has not begun in whole seconds, in milliseconds.
const LESS_THAN_A_SECOND: i64 = 999;

/// Failed runs and their files, as a judgement tells of them. Times are UTC epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// All runs that started since then were looked at, one by one.
    #[serde(default)]
    pub since_at: Option<i64>,
    /// How many windows of time were read by failed runs, and by no later one that brought something.
    pub windows: usize,
    /// The starts of the last failed runs of some of these windows, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newest_at: Vec<i64>,
    /// How many more runs failed of which the platform does not tell the window.
    pub untold: usize,
}

/// What one judgement leaves to the next: a failed run is not forgotten when it is none of the last runs any more.
/// Times are UTC epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// All runs that started from then ...
    from_at: Option<i64>,
    /// ... until then were looked at.
    until_at: Option<i64>,
    /// Those of them that failed, and no later run that has ended stands for them; the oldest first.
    failed: Vec<Failed>,
}

/// Start, and the window of time whose files it should have read, if the platform told.
type Failed = (i64, Option<Window>);
/// Files that changed since then until then.
type Window = (i64, i64);

impl Left {
    /// Whether runs may be there that belong between those looked at and these ones, the oldest first.
    pub fn is_parted_from(&self, runs: &[RecentRun]) -> bool {
        let begins_after = |first: &RecentRun| self.until_at.is_none_or(|until| until < first.started_at);
        runs.first().is_some_and(begins_after)
    }

    /// What judgements would have left that had looked at all of these runs, the oldest first.
    pub fn of(runs: &[RecentRun]) -> Self {
        let mut left = Self::default();
        left.look_at(runs);
        left
    }

    /// Takes in the last runs, the oldest first.
    pub fn look_at(&mut self, runs: &[RecentRun]) {
        let Some((first, last)) = runs.first().zip(runs.last()) else {
            *self = Self::default();
            return;
        };
        if self.is_parted_from(runs) {
            *self = Self::default();
        }
        // Those that are among the last ones are looked at anew.
        self.failed
            .retain(|(started_at, window)| *started_at < first.started_at && still_waits(*window, runs));
        for (place, run) in runs.iter().enumerate() {
            let window = run.window_start_at.zip(run.window_end_at);
            if run.outcome == RunOutcome::Failed && still_waits(window, &runs[place + 1..]) {
                self.failed.push((run.started_at, window));
            }
        }
        let oldest_at = self
            .from_at
            .map_or(first.started_at, |at| at.min(first.started_at));
        let oldest_at = oldest_at.max(last.started_at.saturating_sub(KEPT_MS));
        self.failed.retain(|(started_at, ..)| *started_at >= oldest_at);
        let too_many = self.failed.len().saturating_sub(MOST_KEPT);
        self.failed.drain(..too_many);
        let kept = self.failed.first().filter(|_| too_many > 0);
        self.from_at = Some(kept.map_or(oldest_at, |(started_at, ..)| *started_at));
        self.until_at = Some(last.started_at);
    }

    /// What is lost as long as no later run has brought it.
    pub(super) fn lost(&self) -> Lost {
        let (told, untold): (Vec<&Failed>, Vec<&Failed>) =
            self.failed.iter().rev().partition(|(_, window)| window.is_some());
        let newest = told.iter().take(TOLD);
        Lost {
            since_at: self.from_at,
            windows: told.len(),
            newest_at: newest.map(|(started_at, _)| *started_at).collect(),
            untold: untold.len(),
        }
    }
}

/// Whether none of these later runs stands for one that failed.
fn still_waits(window: Option<Window>, later: &[RecentRun]) -> bool {
    window.is_none_or(|window| !later.iter().any(|run| run.ends_the_wait_for(window)))
}

impl RecentRun {
    /// Whether it read all files of a window.
    fn covers(&self, (from, to): Window) -> bool {
        let begins = |own: i64| own <= from.saturating_add(LESS_THAN_A_SECOND);
        let ends = |own: i64| own >= to.saturating_sub(LESS_THAN_A_SECOND);
        self.window_start_at.is_some_and(begins) && self.window_end_at.is_some_and(ends)
    }

    /// Whether the run of a window that failed before need not be spoken of any more: its files came, or this one
    /// failed once more and stands for both.
    fn ends_the_wait_for(&self, window: Window) -> bool {
        let says_so = self.outcome == RunOutcome::Failed || self.outcome.brought_records(self.records_out);
        says_so && self.covers(window)
    }
}
