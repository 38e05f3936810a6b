//! Runs that succeeded and yet brought nothing, or an unusual number of records.

use super::usual::{self, Usual};
use super::{RECENT_RUNS, RecentRun};
use crate::domain::RunOutcome;

/// Where at least one in so many runs brought nothing, an empty one is nothing to speak of.
const USUALLY_EMPTY: usize = 5;
/// Distance from the middle half, in widths of it, from which on a number of records is odd.
const ODD_WIDTHS: i64 = 3;
/// The middle half is taken to be at least this share of the median, so that steady flows are not called odd for
/// a trifle: one in so many.
const LEAST_WIDTH_SHARE: i64 = 10;

/// Nothing came, and that is not usual: runs of this flow bring something, or none of them ever did. What is usual is
/// what was so before nothing came.
pub(super) fn is_empty(run: &RecentRun, before: &[RecentRun]) -> bool {
    if run.records_out != Some(0) {
        return false;
    }
    let good = before
        .iter()
        .rev()
        .filter(|run| run.outcome != RunOutcome::Failed);
    let since_then = good
        .filter_map(|run| run.records_out)
        .skip_while(|count| *count == 0);
    let (mut told, mut empty) = (0, 0);
    for count in since_then.take(RECENT_RUNS) {
        told += 1;
        empty += usize::from(count == 0);
    }
    told == 0 || empty * USUALLY_EMPTY < told
}

/// Far from what the runs before brought.
pub(super) fn is_odd(run: &RecentRun, before: &[RecentRun]) -> bool {
    let count = run.records_out.filter(|count| *count > 0);
    count.zip(usual::records(before)).is_some_and(|(count, usual)| {
        let (least, most) = usual.odd_beyond();
        count < least || count > most
    })
}

impl Usual {
    /// The least and the most number of records that is not called odd.
    pub fn odd_beyond(&self) -> (i64, i64) {
        let width = self
            .high
            .saturating_sub(self.low)
            .max(self.median / LEAST_WIDTH_SHARE)
            .max(1);
        let reach = width.saturating_mul(ODD_WIDTHS);
        (self.low.saturating_sub(reach), self.high.saturating_add(reach))
    }
}
