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

    /// Since when it is on with its schedule; none: that was so before anything was known, or it is off.
    pub fn on_since_at(&self) -> Option<i64> {
        let last = self.times.last().filter(|(_, until)| until.is_none());
        last.and_then(|(from, _)| *from)
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

#[cfg(test)]
mod tests {
    use super::super::Rhythm;
    use super::super::tests::{HOUR, MINUTE};
    use super::*;

    #[test]
    fn nothing_is_missed_while_the_flow_was_off_or_set_otherwise() {
        let hours = |wanted: &Wanted, earlier: i64, later: i64| -> Vec<i64> {
            let rhythm = Rhythm::of(Some("hour"), Some(1), Some(0), wanted.clone(), None).expect("a rhythm");
            let begun = |hour: i64| hour * HOUR + 3 * MINUTE;
            let missed = rhythm.missed_between(begun(earlier), begun(later));
            let moments = missed.flat_map(|missed| missed.moments(99).collect::<Vec<_>>());
            moments.map(|at| at / HOUR).collect()
        };
        let first = Wanted::of_first(true);
        assert_eq!(hours(&first, 1, 4), [2, 3]);
        let renamed = first.followed_by(3 * HOUR, true, true);
        assert_eq!(
            (hours(&renamed, 1, 4), renamed.off_since_at()),
            (vec![2, 3], None)
        );
        let off = renamed.followed_by(4 * HOUR + MINUTE, true, false);
        assert_eq!(hours(&off, 1, 9), [2, 3, 4]);
        let still_off = off.followed_by(5 * HOUR, true, false);
        assert_eq!(still_off.off_since_at(), Some(4 * HOUR + MINUTE));
        let on = still_off.followed_by(7 * HOUR, true, true);
        assert_eq!(
            (hours(&on, 1, 10), on.off_since_at()),
            (vec![2, 3, 4, 7, 8, 9], None)
        );
        assert_eq!(hours(&on, 5, 7), [0; 0], "a run of a moment at which it was off");
        let otherwise = on.followed_by(9 * HOUR, false, true);
        assert_eq!(hours(&otherwise, 1, 12), [9, 10, 11]);
        assert_eq!(hours(&Wanted::since(2 * HOUR, true), 0, 4), [2, 3]);
        // Switched off with another schedule than it gets when it is switched on again.
        let off = otherwise
            .followed_by(11 * HOUR, true, false)
            .followed_by(12 * HOUR, false, false);
        assert_eq!(
            (hours(&off, 1, 20), off.off_since_at()),
            (vec![], Some(11 * HOUR))
        );
        assert_eq!(hours(&off.followed_by(13 * HOUR, true, true), 1, 15), [13, 14]);
        let was_never_seen_on = Wanted::of_first(false);
        assert_eq!(
            (hours(&was_never_seen_on, 1, 9), was_never_seen_on.off_since_at()),
            (vec![], None)
        );
        let mut many = first;
        for n in 0..100 {
            many = many.followed_by(n * HOUR, true, n % 2 == 1);
        }
        let text = serde_json::to_string(&many).expect("JSON");
        assert!(text.len() < 1_000, "{text}");
        assert_eq!(serde_json::from_str::<Wanted>(&text).expect("the same"), many);
    }
}
