//! Slowing down those who guess passwords: so many failures per login and address, then a pause.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Failures within [`WINDOW_MS`] after which a login must wait.
const FAILURES: usize = 5;
const WINDOW_MS: i64 = 15 * 60 * 1000;
/// Pairs of login and address that are remembered; beyond, the one that tried longest ago is forgotten.
const REMEMBERED: usize = 10_000;

/// Who tried: login and address.
type Pair = (String, String);

/// Recent attempts that have not succeeded. They live in memory only: a new process starts without any.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    /// UTC epoch milliseconds of each, oldest first.
    recent: Mutex<HashMap<Pair, Vec<i64>>>,
}

impl Attempts {
    /// Counts an attempt as failed until [`Self::forgive`] says otherwise, so that many at once are counted too.
    ///
    /// # Errors
    /// Too many failed lately: the seconds to wait.
    pub(super) fn begin(&self, login: &str, address: &str, now_ms: i64) -> Result<(), u32> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (login.to_owned(), address.to_owned());
        if !recent.contains_key(&pair) && recent.len() >= REMEMBERED {
            make_room(&mut recent, now_ms);
        }
        let times = recent.entry(pair).or_default();
        times.retain(|at| is_recent(*at, now_ms));
        if times.len() >= FAILURES {
            let wait_ms = times
                .first()
                .map_or(WINDOW_MS, |first| first + WINDOW_MS - now_ms);
            return Err(u32::try_from(wait_ms / 1000 + 1).unwrap_or(1));
        }
        times.push(now_ms);
        Ok(())
    }

    /// The attempt succeeded: earlier failures were typing mistakes.
    pub(super) fn forgive(&self, login: &str, address: &str) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.remove(&(login.to_owned(), address.to_owned()));
    }
}

fn is_recent(at: i64, now_ms: i64) -> bool {
    (0..WINDOW_MS).contains(&(now_ms - at))
}

fn make_room(recent: &mut HashMap<Pair, Vec<i64>>, now_ms: i64) {
    recent.retain(|_, times| times.last().is_some_and(|last| is_recent(*last, now_ms)));
    if recent.len() >= REMEMBERED {
        let oldest = recent.iter().min_by_key(|(_, times)| times.last().copied());
        if let Some(pair) = oldest.map(|(pair, _)| pair.clone()) {
            recent.remove(&pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_make_a_login_wait_at_one_address_until_the_first_is_old() {
        let attempts = Attempts::default();
        for minute in 0..5 {
            attempts.begin("ada", "10.0.0.1", minute * 60_000).unwrap();
        }
        assert_eq!(attempts.begin("ada", "10.0.0.1", 5 * 60_000), Err(601));
        assert_eq!(attempts.begin("ada", "10.0.0.2", 5 * 60_000), Ok(()));
        assert_eq!(attempts.begin("eve", "10.0.0.1", 5 * 60_000), Ok(()));
        assert_eq!(attempts.begin("ada", "10.0.0.1", WINDOW_MS - 1), Err(1));
        assert_eq!(attempts.begin("ada", "10.0.0.1", WINDOW_MS), Ok(()));
        assert_eq!(attempts.begin("ada", "10.0.0.1", WINDOW_MS), Err(61));
    }

    #[test]
    fn success_forgives() {
        let attempts = Attempts::default();
        for _ in 0..20 {
            attempts.begin("ada", "a", 0).unwrap();
            attempts.forgive("ada", "a");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let attempts = Attempts::default();
        for at in 0..(REMEMBERED as i64 + 50) {
            attempts.begin(&format!("login{at}"), "a", at).unwrap();
        }
        let recent = attempts.recent.lock().unwrap();
        assert_eq!(recent.len(), REMEMBERED);
        assert!(
            !recent.contains_key(&("login0".into(), "a".into())),
            "the oldest is forgotten"
        );
    }
}
