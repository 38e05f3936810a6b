//! Runs in their order, with those between them that should have been there.

use super::{Missed, Rhythm};

/// One place of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed<T> {
    /// A run.
    Run(T),
    /// Some that are not there.
    Missed(Missed),
}

/// Puts what was missed between `runs`, which come with their starts, the oldest first. Those that were made again, by
/// their starts, stand for no moment of the schedule and go behind what is missing around them.
pub fn with_missed<T>(
    runs: impl IntoIterator<Item = (i64, T)>,
    rhythm: Option<&Rhythm>,
    made_again_at: &[i64],
) -> Vec<Placed<T>> {
    let (mut placed, mut made_again) = (Vec::new(), Vec::new());
    let mut before: Option<i64> = None;
    for (started_at, run) in runs {
        if made_again_at.contains(&started_at) {
            made_again.push(Placed::Run(run));
            continue;
        }
        if let Some((before, rhythm)) = before.zip(rhythm) {
            placed.extend(rhythm.missed_between(before, started_at).map(Placed::Missed));
        }
        placed.append(&mut made_again);
        placed.push(Placed::Run(run));
        before = Some(started_at);
    }
    placed.append(&mut made_again);
    placed
}
