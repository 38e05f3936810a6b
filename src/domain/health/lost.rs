//! Failed runs whose files did not come.

use super::{Lost, RecentRun, is_going_on};
use crate::domain::RunOutcome;

/// Of so many, the start is told.
const TOLD: usize = 5;
/// The platform tells the window of a run that has not begun in whole seconds, in milliseconds.
const LESS_THAN_A_SECOND: i64 = 999;

/// What was lost among these runs, the oldest first.
pub(super) fn lost(runs: &[RecentRun]) -> Lost {
    let mut lost = Lost {
        looked_at: runs.len(),
        ..Lost::default()
    };
    for (place, run) in runs.iter().enumerate().rev() {
        if run.outcome != RunOutcome::Failed {
            continue;
        }
        match run.window_start_at.zip(run.window_end_at) {
            None => lost.untold += 1,
            // One that failed once more stands for both.
            Some(window) if runs[place + 1..].iter().any(|later| later.stands_for(window)) => {}
            Some(_) => {
                lost.windows += 1;
                if lost.newest_at.len() < TOLD {
                    lost.newest_at.push(run.started_at);
                }
            }
        }
    }
    lost
}

impl RecentRun {
    /// Whether all files of a window were read once more, unless nothing came of that.
    fn stands_for(&self, (from, to): (i64, i64)) -> bool {
        let begins = |own: i64| own <= from.saturating_add(LESS_THAN_A_SECOND);
        let ends = |own: i64| own >= to.saturating_sub(LESS_THAN_A_SECOND);
        let covers = self.window_start_at.is_some_and(begins) && self.window_end_at.is_some_and(ends);
        let outcome = self.outcome;
        let may_bring = outcome == RunOutcome::Failed || is_going_on(outcome);
        covers && (may_bring || outcome.brought_records(self.records_out))
    }
}
