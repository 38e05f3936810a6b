//! What is usual for a flow.

use serde::{Deserialize, Serialize};

use super::{RECENT_RUNS, RecentRun};
use crate::domain::RunOutcome;

/// Ended runs from which on there is something usual.
const ENOUGH_RUNS: usize = 5;

/// The middle half of what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usual {
    /// Lower quartile.
    pub low: i64,
    /// Median.
    pub median: i64,
    /// Upper quartile.
    pub high: i64,
    /// Of so many runs.
    pub runs: usize,
}

impl Usual {
    /// Nothing when there are fewer than five values.
    pub(super) fn of(mut values: Vec<i64>) -> Option<Self> {
        values.sort_unstable();
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        (values.len() >= ENOUGH_RUNS).then(|| Self {
            low: at(1),
            median: at(2),
            high: at(3),
            runs: values.len(),
        })
    }
}

/// Of the last runs that did their work.
pub(super) fn durations(ended: &[RecentRun]) -> Option<Usual> {
    of_the_last(ended, |run| run.duration_ms)
}

/// Of the last runs that brought records.
pub(super) fn records(ended: &[RecentRun]) -> Option<Usual> {
    of_the_last(ended, |run| run.records_out.filter(|count| *count > 0))
}

fn of_the_last(ended: &[RecentRun], value: impl Fn(&RecentRun) -> Option<i64>) -> Option<Usual> {
    let good = ended.iter().rev().filter(|run| run.outcome != RunOutcome::Failed);
    Usual::of(good.filter_map(value).take(RECENT_RUNS).collect())
}
