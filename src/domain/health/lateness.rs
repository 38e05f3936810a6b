//! Which run is expected next, from when on it is late, and which runs were missed.

use super::usual::Usual;
use super::{Circumstances, Judgement, RECENT_RUNS, RecentRun, Wanted};
use crate::domain::schedule::{Frequency, next_slots};

const MINUTE_MS: i64 = 60_000;
/// Leeway after the usual delay: the platform shows runs two to three minutes after they began, and no document
/// says how precisely it keeps a schedule. A tenth of the period within these bounds, in milliseconds.
const LEAST_LEEWAY_MS: i64 = 15 * MINUTE_MS;
const MOST_LEEWAY_MS: i64 = 60 * MINUTE_MS;
/// A run that began so little before a moment of the schedule is taken for the run of that moment: clocks differ.
const MOST_EARLY_MS: i64 = 2 * MINUTE_MS;

/// The first moment of the schedule after the last run, or since the flow is on and its runs are known (UTC epoch
/// milliseconds).
pub(super) fn expected_at(flow: &Circumstances, runs: &[RecentRun]) -> Option<i64> {
    let (frequency, start_at) = (flow.frequency?, flow.start_at?);
    let last = runs
        .last()
        .map(|run| run.started_at.saturating_add(MOST_EARLY_MS));
    if frequency == Frequency::Once {
        // It may have been among those that are not known.
        let is_awaited = last.is_none() && flow.known_since_at.is_none_or(|since| since <= start_at);
        return is_awaited.then_some(start_at);
    }
    let after = [last, flow.on_since_at, flow.known_since_at];
    let after = after.into_iter().flatten().max();
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

/// Whether the first of the runs came so much later after its window than the others that it was one of old files: what
/// it is among says nothing of those before it.
pub(super) fn begins_late(flow: &Circumstances, runs: &[RecentRun]) -> bool {
    let lag = |run: &RecentRun| Some(run.started_at.saturating_sub(run.window_end_at?));
    let least = runs.iter().filter_map(lag).min();
    let first = runs.first().and_then(lag);
    let period_ms = period_ms(flow);
    let is_later = |(first, least): (i64, i64)| first.saturating_sub(least) >= period_ms;
    period_ms > 0 && first.zip(least).is_some_and(is_later)
}

fn period_ms(flow: &Circumstances) -> i64 {
    flow.frequency
        .map_or(0, |frequency| frequency.period_ms(flow.interval))
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

/// When the runs of a flow should begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    /// 0: there is a single run.
    period_ms: i64,
    /// The first moment of the schedule.
    start_at: i64,
    /// The times at which that was wanted.
    wanted: Wanted,
    /// What was there before is not known.
    known_since_at: Option<i64>,
}

impl Rhythm {
    /// What the columns of a flow say. Of the runs before `known_since_at` (UTC epoch milliseconds) not all are known.
    pub fn of(
        frequency: Option<&str>,
        interval: Option<i64>,
        start_at: Option<i64>,
        wanted: Wanted,
        known_since_at: Option<i64>,
    ) -> Option<Self> {
        Some(Self {
            period_ms: Frequency::period_ms(frequency?.parse().ok()?, interval.unwrap_or(1)),
            start_at: start_at?,
            wanted,
            known_since_at,
        })
    }

    /// The moments between two runs that follow each other, given by their starts, at which another should have
    /// begun: nothing where that was not wanted, is not known, or a single run was.
    pub(super) fn missed_between(&self, earlier_at: i64, later_at: i64) -> impl Iterator<Item = Missed> {
        self.missed(earlier_at, move |rhythm| rhythm.slot(later_at))
    }

    /// The same between a run and a moment from which on no other was wanted or was there.
    pub(super) fn missed_until(&self, earlier_at: i64, until_at: i64) -> impl Iterator<Item = Missed> {
        self.missed(earlier_at, move |rhythm| rhythm.first_slot_from(until_at))
    }

    /// `end` gives the number of the first moment that does not count; it is asked only where there is a period.
    fn missed(&self, earlier_at: i64, end: impl Fn(&Self) -> i64) -> impl Iterator<Item = Missed> {
        let is_known = self.known_since_at.is_none_or(|since| since <= earlier_at);
        let times = self
            .wanted
            .times()
            .filter(move |_| is_known && self.period_ms > 0);
        times.filter_map(move |(from, until)| {
            let first = self
                .slot(earlier_at)
                .saturating_add(1)
                .max(self.first_slot_from(from));
            let end = end(self).min(self.first_slot_from(until));
            let (first, count) = (first.max(0), end.saturating_sub(first.max(0)));
            (count > 0).then(|| Missed {
                first_at: self.start_at.saturating_add(first.saturating_mul(self.period_ms)),
                period_ms: self.period_ms,
                count,
            })
        })
    }

    /// When the flow was switched off; none: it is on, or that was not seen.
    pub(super) fn off_since_at(&self) -> Option<i64> {
        self.wanted.off_since_at()
    }

    /// The number of the moment whose run began then.
    fn slot(&self, at: i64) -> i64 {
        at.saturating_add(MOST_EARLY_MS)
            .saturating_sub(self.start_at)
            .div_euclid(self.period_ms)
    }

    /// The number of the first moment from then on.
    fn first_slot_from(&self, at: i64) -> i64 {
        let before = at.saturating_sub(1).saturating_sub(self.start_at);
        before.div_euclid(self.period_ms).saturating_add(1)
    }

    /// The runs that are late at a moment (UTC epoch milliseconds).
    pub fn late(&self, judgement: &Judgement, moment: i64) -> Option<Missed> {
        let (first_at, late_at) = (judgement.expected_at?, judgement.late_at?);
        let period_ms = self.period_ms;
        let since = moment.saturating_sub(late_at);
        judgement.is_late_at(moment).then(|| Missed {
            first_at,
            period_ms,
            count: since.checked_div(period_ms).unwrap_or(0).saturating_add(1),
        })
    }
}

/// How long after their moment the runs usually begin.
fn usual_delay_ms(flow: &Circumstances, runs: &[RecentRun], period_ms: i64) -> i64 {
    let Some(start_at) = flow.start_at.filter(|_| period_ms > 0) else {
        return 0;
    };
    let since_start = runs.iter().rev().filter(|run| run.started_at >= start_at);
    let delays = since_start
        .take(RECENT_RUNS)
        .map(|run| run.started_at.saturating_sub(start_at) % period_ms);
    Usual::of(delays.collect()).map_or(0, |usual| usual.high)
}
