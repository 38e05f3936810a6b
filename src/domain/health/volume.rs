//! Runs that succeeded and yet brought nothing, or an unusual number of records.

use super::RecentRun;
use super::usual;
use crate::domain::RunOutcome;

/// Where at least one in so many runs brought nothing, an empty one is nothing to speak of.
const USUALLY_EMPTY: usize = 5;
/// Distance from the middle half, in widths of it, from which on a number of records is odd.
const ODD_WIDTHS: i64 = 3;
/// The middle half is taken to be at least this share of the median, so that steady flows are not called odd for
/// a trifle: one in so many.
const LEAST_WIDTH_SHARE: i64 = 10;

/// Nothing came, and that is not usual: runs of this flow bring something, or none of them ever did.
pub(super) fn is_empty(run: &RecentRun, before: &[RecentRun]) -> bool {
    if run.records_out != Some(0) {
        return false;
    }
    let told: Vec<i64> = before
        .iter()
        .filter(|run| run.outcome != RunOutcome::Failed)
        .filter_map(|run| run.records_out)
        .collect();
    let empty = told.iter().filter(|count| **count == 0).count();
    empty == told.len() || empty * USUALLY_EMPTY < told.len()
}

/// Far from what the runs before brought.
pub(super) fn is_odd(run: &RecentRun, before: &[RecentRun]) -> bool {
    let (Some(count), Some(usual)) = (run.records_out.filter(|count| *count > 0), usual::records(before))
    else {
        return false;
    };
    let width = usual
        .high
        .saturating_sub(usual.low)
        .max(usual.median / LEAST_WIDTH_SHARE)
        .max(1);
    let reach = width.saturating_mul(ODD_WIDTHS);
    count < usual.low.saturating_sub(reach) || count > usual.high.saturating_add(reach)
}
