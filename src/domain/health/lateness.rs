//! Which run is expected next, from when on it is late, and which runs were missed.

use super::usual::Usual;
use super::{Circumstances, RecentRun};
use crate::domain::schedule::{Frequency, next_slots};

const MINUTE_MS: i64 = 60_000;
/// Leeway after the usual delay: the platform shows runs two to three minutes after they began, and no document
/// says how precisely it keeps a schedule. A tenth of the period within these bounds, in milliseconds.
const LEAST_LEEWAY_MS: i64 = 15 * MINUTE_MS;
const MOST_LEEWAY_MS: i64 = 60 * MINUTE_MS;
/// A run that began so little before a moment of the schedule is taken for the run of that moment: clocks differ.
const MOST_EARLY_MS: i64 = 2 * MINUTE_MS;

/// The first moment of the schedule after the last run, or since the flow is on (UTC epoch milliseconds).
pub(super) fn expected_at(flow: &Circumstances, runs: &[RecentRun]) -> Option<i64> {
    let (frequency, start_at) = (flow.frequency?, flow.start_at?);
    let last = runs
        .last()
        .map(|run| run.started_at.saturating_add(MOST_EARLY_MS));
    if frequency == Frequency::Once {
        return last.is_none().then_some(start_at);
    }
    let after = [last, flow.on_since_at].into_iter().flatten().max();
    let after = after.unwrap_or_else(|| start_at.saturating_sub(1));
    next_slots(frequency, flow.interval, start_at, after, 1)
        .first()
        .copied()
}

/// From when on the run expected at `expected_at` is late.
pub(super) fn late_at(expected_at: i64, flow: &Circumstances, runs: &[RecentRun]) -> i64 {
    let period_ms = period_ms(flow);
    let leeway = (period_ms / 10).clamp(LEAST_LEEWAY_MS, MOST_LEEWAY_MS);
    expected_at
        .saturating_add(usual_delay_ms(flow, runs, period_ms))
        .saturating_add(leeway)
}

fn period_ms(flow: &Circumstances) -> i64 {
    flow.frequency.map_or(0, |frequency| {
        frequency.unit_ms().saturating_mul(flow.interval.max(1))
    })
}

/// Moments of a schedule in a row (UTC epoch milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The first of them.
    pub first_at: i64,
    /// From one to the next, in milliseconds.
    pub period_ms: i64,
    /// How many there are.
    pub count: i64,
}

impl Missed {
    /// The first `most` of them.
    pub fn moments(self, most: i64) -> impl DoubleEndedIterator<Item = i64> {
        (0..self.count.min(most)).map(move |n| self.first_at.saturating_add(n.saturating_mul(self.period_ms)))
    }
}

/// The moments of the schedule between two runs that follow each other, given by their starts, at which another
/// should have begun. Nothing where the schedule is not known or knows a single run only.
pub fn missed_between(
    frequency: Frequency,
    interval: i64,
    start_at: i64,
    earlier_at: i64,
    later_at: i64,
) -> Option<Missed> {
    let period_ms = frequency.unit_ms().saturating_mul(interval.max(1));
    if period_ms == 0 {
        return None;
    }
    let slot = |at: i64| {
        at.saturating_add(MOST_EARLY_MS)
            .saturating_sub(start_at)
            .div_euclid(period_ms)
    };
    let first = slot(earlier_at).saturating_add(1).max(0);
    let count = slot(later_at).saturating_sub(first);
    (count > 0).then(|| Missed {
        first_at: start_at.saturating_add(first.saturating_mul(period_ms)),
        period_ms,
        count,
    })
}

/// How long after their moment the runs usually begin.
fn usual_delay_ms(flow: &Circumstances, runs: &[RecentRun], period_ms: i64) -> i64 {
    let Some(start_at) = flow.start_at.filter(|_| period_ms > 0) else {
        return 0;
    };
    let delays = runs
        .iter()
        .filter(|run| run.started_at >= start_at)
        .map(|run| run.started_at.saturating_sub(start_at) % period_ms);
    Usual::of(delays.collect()).map_or(0, |usual| usual.high)
}
