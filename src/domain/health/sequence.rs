//! Runs in their order, with those that should have been there.

use super::{Health, Judgement, Missed, Rhythm};

/// What should have been there besides the runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected<'a> {
    /// When runs should begin; none: that is not known, and no gap is called one.
    pub rhythm: Option<Rhythm>,
    /// Until then runs were expected: to the next one, or to when the flow was switched off (UTC epoch milliseconds).
    pub until_at: Option<i64>,
    /// Runs that are late now.
    pub late: Option<Missed>,
    /// The starts of the runs that were no runs of the schedule (UTC epoch milliseconds).
    pub made_again_at: &'a [i64],
}

impl<'a> Expected<'a> {
    /// Of a flow that was judged so, at a moment (UTC epoch milliseconds).
    pub fn of(rhythm: Option<Rhythm>, judgement: &'a Judgement, moment: i64) -> Self {
        Self {
            until_at: match judgement.base {
                Health::Off => rhythm.as_ref().and_then(Rhythm::off_since_at),
                _ => judgement.expected_at,
            },
            late: rhythm.as_ref().and_then(|rhythm| rhythm.late(judgement, moment)),
            rhythm,
            made_again_at: &judgement.made_again_at,
        }
    }
}

/// One place of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed<T> {
    /// A run.
    Run(T),
    /// Some that are not there.
    Missed(Missed),
    /// Some that may still come.
    Late(Missed),
}

/// Puts what was missed between `runs`, which come with their starts, the oldest first, and what is late after them.
/// Those that were made again stand for no moment of the schedule and go behind what is missing around them.
pub fn with_missed<T>(runs: impl IntoIterator<Item = (i64, T)>, expected: &Expected<'_>) -> Vec<Placed<T>> {
    let (mut placed, mut made_again) = (Vec::new(), Vec::new());
    let mut before: Option<i64> = None;
    for (started_at, run) in runs {
        if expected.made_again_at.contains(&started_at) {
            made_again.push((started_at, run));
            continue;
        }
        if let Some((before, rhythm)) = before.zip(expected.rhythm.as_ref()) {
            placed.extend(rhythm.missed_between(before, started_at).map(Placed::Missed));
        }
        placed.extend(made_again.drain(..).map(|(_, run)| Placed::Run(run)));
        placed.push(Placed::Run(run));
        before = Some(started_at);
    }
    // After the last run some may have been missed before the flow was switched off.
    if let (Some(before), Some(until), Some(rhythm)) = (before, expected.until_at, expected.rhythm.as_ref()) {
        placed.extend(rhythm.missed_until(before, until).map(Placed::Missed));
    }
    let late_from_at = expected.late.map_or(i64::MAX, |late| late.first_at);
    let (earlier, later): (Vec<_>, Vec<_>) = made_again
        .into_iter()
        .partition(|(started_at, _)| *started_at < late_from_at);
    placed.extend(earlier.into_iter().map(|(_, run)| Placed::Run(run)));
    placed.extend(expected.late.map(Placed::Late));
    placed.extend(later.into_iter().map(|(_, run)| Placed::Run(run)));
    placed
}
