//! Since when a flow is set to what it is set to, as far as runs follow from that.

use serde::{Deserialize, Serialize};

/// So many times are kept in mind.
const MOST: usize = 20;

/// The times at which a flow was enabled with the schedule that it has now. Times are UTC epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// From when until when, the oldest first; none: since ever, and still.
    times: Vec<(Option<i64>, Option<i64>)>,
    /// When it was switched off, if it is off and that was seen.
    off_since_at: Option<i64>,
}

impl Wanted {
    /// Of the first version that is known: what was set before is taken for the same.
    pub fn of_first(is_enabled: bool) -> Self {
        let times = is_enabled.then_some((None, None));
        Self {
            times: times.into_iter().collect(),
            off_since_at: None,
        }
    }

    /// Of a version that holds since `at`, where nothing is known of those before it.
    pub fn since(at: i64, is_enabled: bool) -> Self {
        let times = is_enabled.then_some((Some(at), None));
        Self {
            times: times.into_iter().collect(),
            off_since_at: None,
        }
    }

    /// Of the version after this one, which holds since `at`.
    pub fn followed_by(&self, at: i64, has_same_schedule: bool, is_enabled: bool) -> Self {
        let was_enabled = self.times.last().is_some_and(|(_, until)| until.is_none());
        let mut times = if has_same_schedule {
            self.times.clone()
        } else {
            Vec::new()
        };
        match times.last_mut() {
            Some((_, until @ None)) if !is_enabled => *until = Some(at),
            Some((_, None)) => {}
            _ if is_enabled => times.push((Some(at), None)),
            _ => {}
        }
        times.drain(..times.len().saturating_sub(MOST));
        Self {
            times,
            off_since_at: match is_enabled {
                true => None,
                false if was_enabled => Some(at),
                false => self.off_since_at,
            },
        }
    }

    /// When it was switched off; none: it is on, or that was not seen.
    pub fn off_since_at(&self) -> Option<i64> {
        self.off_since_at
    }

    /// From when until when, with the ends of time where none is known.
    pub(super) fn times(&self) -> impl Iterator<Item = (i64, i64)> {
        let times = self.times.iter();
        times.map(|(from, until)| (from.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX)))
    }
}
