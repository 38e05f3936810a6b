//! How many calls a second an environment may be asked.

use std::sync::{Mutex, PoisonError};

use crate::domain::SharedClock;

/// A count of calls that fills with time, up to a reserve.
#[derive(Debug)]
pub(super) struct Budget {
    clock: SharedClock,
    per_second: f64,
    reserve: f64,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    /// Calls that may be made; below zero: ones that were made in advance.
    calls: f64,
    /// When that was so (UTC epoch milliseconds).
    at: i64,
}

impl Budget {
    /// So many calls a second, and up to `seconds_kept` times as many at once after a quiet time.
    pub(super) fn new(clock: SharedClock, per_second: u32, seconds_kept: u32) -> Self {
        let reserve = f64::from(per_second) * f64::from(seconds_kept);
        let at = clock.now_ms();
        Self {
            clock,
            per_second: per_second.into(),
            reserve,
            account: Mutex::new(Account { calls: reserve, at }),
        }
    }

    /// Takes a call that is made in any case; others wait for it.
    pub(super) fn charge(&self) {
        self.with_account(|account| account.calls = (account.calls - 1.0).max(-self.reserve));
    }

    /// Takes a call if there is one; else says how many milliseconds it takes until there is.
    pub(super) fn take(&self) -> Result<(), u64> {
        self.with_account(|account| {
            if account.calls >= 1.0 {
                account.calls -= 1.0;
                return Ok(());
            }
            Err(((1.0 - account.calls) / self.per_second * 1_000.0).ceil() as u64)
        })
    }

    fn with_account<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        // Every change is complete before anything could panic.
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now_ms();
        let passed_ms = (now - account.at).max(0);
        account.calls = (account.calls + passed_ms as f64 / 1_000.0 * self.per_second).min(self.reserve);
        account.at = now;
        act(&mut account)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::ManualClock;

    #[test]
    fn no_more_than_the_reserve_and_what_time_brings() {
        let clock = Arc::new(ManualClock::at(1_000));
        let budget = Budget::new(clock.clone(), 2, 5);
        let mut taken = 0;
        for _ in 0..3_600 {
            while budget.take().is_ok() {
                taken += 1;
            }
            clock.advance(1_000);
        }
        assert!((7_200..=7_210).contains(&taken), "{taken}");
        assert_eq!(budget.take(), Ok(()));
    }

    #[test]
    fn what_is_made_in_advance_is_paid_back() {
        let clock = Arc::new(ManualClock::at(1_000));
        let budget = Budget::new(clock.clone(), 2, 1);
        for _ in 0..4 {
            budget.charge();
        }
        assert_eq!(budget.take(), Err(1_500));
        clock.advance(1_500);
        assert_eq!(budget.take(), Ok(()));
        assert_eq!(budget.take(), Err(500));
        clock.advance(86_400_000);
        assert_eq!(
            [budget.take(), budget.take(), budget.take()],
            [Ok(()), Ok(()), Err(500)]
        );
    }
}
