//! The right of one worker to act for a setup.
//!
//! The row in the database decides who may write ([`store::leases::check`] stands in every transaction); the
//! monotonic clock decides who may send: a call leaves only if its answer, or the end of waiting for it, still
//! falls into the lease. So an old holder's call has ended before a new one may call an object absent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Setups, lease_name};
use crate::store::{self, StoreError};

/// How long a lease lasts without being renewed, in milliseconds.
const TTL_MS: i64 = 90_000;
/// How often a worker renews its lease.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(20);
/// What must be left of a lease beyond the longest call.
const MARGIN: Duration = Duration::from_secs(5);

/// A lease that is held.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    pub(super) epoch: i64,
    /// Until when it surely is ours.
    until: Arc<Mutex<Instant>>,
    renewed_at: Instant,
}

impl Lease {
    /// Takes the lease of a setup. `None`: somebody else holds it.
    pub(super) async fn take(setups: &Setups, setup_id: &str) -> Result<Option<Self>, StoreError> {
        let name = lease_name(setup_id);
        let asked_at = Instant::now();
        let mut tx = setups.inner.store.begin().await?;
        let now = setups.inner.clock.now_ms();
        let epoch = store::leases::acquire(&mut tx, &name, &setups.inner.holder, now, TTL_MS).await?;
        tx.commit().await?;
        Ok(epoch.map(|epoch| Self {
            name,
            epoch,
            until: Arc::new(Mutex::new(end_of(asked_at))),
            renewed_at: asked_at,
        }))
    }

    /// Holds the lease for another while when it is time for that.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it was lost.
    pub(super) async fn renew_if_due(&mut self, setups: &Setups) -> Result<(), StoreError> {
        let asked_at = Instant::now();
        if asked_at.duration_since(self.renewed_at) < RENEW_EVERY {
            return Ok(());
        }
        let (holder, now) = (&setups.inner.holder, setups.inner.clock.now_ms());
        let mut tx = setups.inner.store.begin().await?;
        let held = store::leases::renew(&mut tx, &self.name, holder, self.epoch, now, TTL_MS).await?;
        tx.commit().await?;
        if !held {
            return Err(StoreError::Stale);
        }
        self.renewed_at = asked_at;
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = end_of(asked_at);
        Ok(())
    }

    /// Asked right before a call leaves that takes `longest` at most.
    pub(super) fn permit(&self, longest: Duration) -> impl Fn() -> bool + Send + use<> {
        let until = Arc::clone(&self.until);
        move || {
            let until = *until.lock().unwrap_or_else(PoisonError::into_inner);
            until.saturating_duration_since(Instant::now()) > longest + MARGIN
        }
    }

    /// From now on nothing more may leave under this lease.
    pub(super) fn withhold(&self) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Gives the lease up. If that cannot be written now, the dispatcher does it later.
    pub(super) async fn give_up(self, setups: &Setups) {
        if let Err(error) = setups.release(&self.name, self.epoch).await {
            tracing::warn!(%error, lease = self.name, "a lease cannot be given up yet");
            setups.unreleased().push((self.name, self.epoch));
        }
    }
}

impl Setups {
    /// Gives up leases that could not be given up when their worker ended.
    pub(super) async fn release_the_rest(&self) -> Result<(), StoreError> {
        let left = self.unreleased().clone();
        for (name, epoch) in left {
            self.release(&name, epoch).await?;
            self.unreleased().retain(|kept| *kept != (name.clone(), epoch));
        }
        Ok(())
    }

    async fn release(&self, name: &str, epoch: i64) -> Result<(), StoreError> {
        let mut tx = self.inner.store.begin().await?;
        store::leases::release(&mut tx, name, &self.inner.holder, epoch).await?;
        tx.commit().await
    }
}

fn end_of(asked_at: Instant) -> Instant {
    asked_at + Duration::from_millis(TTL_MS.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(left: Duration) -> Lease {
        let until = Arc::new(Mutex::new(Instant::now() + left));
        Lease {
            name: "setup:1".to_owned(),
            epoch: 1,
            until,
            renewed_at: Instant::now(),
        }
    }

    #[test]
    fn m2_a_call_leaves_only_when_its_end_falls_into_the_lease() {
        let longest = Duration::from_secs(60);
        assert!(lease(Duration::from_secs(70)).permit(longest)());
        assert!(!lease(Duration::from_secs(64)).permit(longest)());
        assert!(!lease(Duration::ZERO).permit(longest)());
        // A healthy worker, which renews in time, may always send.
        let least = Duration::from_millis(TTL_MS.unsigned_abs()) - RENEW_EVERY;
        assert!(lease(least).permit(longest)());
    }
}
