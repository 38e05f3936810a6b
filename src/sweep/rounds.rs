//! When what is looked at. What is due stands in the database, so that a restart neither forgets nor repeats it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::after_setup::Counted;
use super::environment::problem_of;
use super::{Sweep, SweepError};
use crate::domain::DAY_MS;
use crate::store::StoreError;
use crate::store::sweeps::{self, DueCheck};

/// How often it is looked what is due.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Environments that are looked through at once: a look at everything is never urgent.
const SWEEPS: usize = 1;
/// Setups whose objects are counted at once.
const CHECKS: usize = 2;
/// Setups taken up in one round.
const CHECKS_AT_ONCE: i64 = 20;

const MINUTE_MS: i64 = 60_000;
/// An environment that is new to the sweep is looked through after this and a random part of as much again.
const FIRST_AFTER_MS: i64 = 15 * MINUTE_MS;
/// A look that a stopped process left half-way begins again after this.
const AGAIN_AFTER_MS: i64 = 5 * MINUTE_MS;
/// How long after its end the objects of a setup are counted: lists may lag, and a call that went astray may act late.
const SETTLE_MS: i64 = 30_000;
/// A call that was sent again may have acted the first time too, only later: such setups are counted again so long
/// after their end. The second time lies before the first run of a dataflow too many
/// ([`crate::domain::schedule::START_GUARD_S`]).
const RECOUNTS_MS: [i64; 3] = [2 * MINUTE_MS, 4 * MINUTE_MS, 10 * MINUTE_MS];
/// Setups that finished longer ago are left to the look at their environment.
const CHECKED_WITHIN_MS: i64 = 2 * DAY_MS;
/// Looks at a setup that fail before it is left to the look at its environment.
const CHECK_ATTEMPTS: i64 = 5;

impl Sweep {
    /// Looks at what is due until `stop` is cancelled, then waits for the looks on their way. `beat` is called on
    /// each round.
    pub async fn run(&self, stop: CancellationToken, beat: impl Fn() + Send) {
        let rounds = Rounds {
            sweep: self.clone(),
            stop: stop.clone(),
            tracker: TaskTracker::new(),
            at_work: Arc::default(),
            sweeps: Arc::new(Semaphore::new(SWEEPS)),
            checks: Arc::new(Semaphore::new(CHECKS)),
        };
        while !stop.is_cancelled() {
            beat();
            if let Err(error) = rounds.start_due().await {
                tracing::error!(%error, "cannot read what is to be looked at");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        rounds.tracker.close();
        rounds.tracker.wait().await;
    }

    /// One turn of an environment.
    async fn take_turn(&self, environment_id: &str, stop: &CancellationToken) -> Result<(), SweepError> {
        let (store, now) = (&self.inner.store, self.now());
        let mut tx = store.begin().await?;
        let mine = sweeps::begin(&mut tx, environment_id, now, now + AGAIN_AFTER_MS).await?;
        tx.commit().await?;
        if !mine {
            return Ok(());
        }
        self.environment(environment_id, stop).await?;
        Ok(())
    }

    /// Counts the objects of a setup and notes that it was done.
    async fn check(&self, check: &DueCheck, stop: &CancellationToken) -> Result<(), SweepError> {
        let looked = self.setup(&check.setup_id, stop).await;
        let now = self.now();
        let problem = match &looked {
            Err(SweepError::Stopping) => return Ok(()),
            looked => looked.as_ref().err().map(problem_of),
        };
        let again_at = match &looked {
            Ok(Counted::ForGood) => None,
            Ok(Counted::MayGrow) => next_recount(check.finished_at, now),
            Err(_) => (check.attempts + 1 < CHECK_ATTEMPTS).then_some(now + AGAIN_AFTER_MS),
        };
        let mut tx = self.inner.store.begin().await?;
        sweeps::record_check(&mut tx, check, (again_at, problem.as_deref()), now).await?;
        tx.commit().await?;
        looked.map(|_| ())
    }
}

/// When a setup that may still get an object too many is counted again.
fn next_recount(finished_at: i64, now: i64) -> Option<i64> {
    let times = RECOUNTS_MS.into_iter().map(|after| finished_at + after);
    times.into_iter().find(|at| *at > now)
}

/// What a running sweep has in its hands.
struct Rounds {
    sweep: Sweep,
    stop: CancellationToken,
    tracker: TaskTracker,
    /// What is being looked at now.
    at_work: Arc<Mutex<HashSet<String>>>,
    sweeps: Arc<Semaphore>,
    checks: Arc<Semaphore>,
}

impl Rounds {
    async fn start_due(&self) -> Result<(), StoreError> {
        let (store, now) = (&self.sweep.inner.store, self.sweep.now());
        if !store.can_write() {
            return Ok(());
        }
        let sweep = self.sweep.clone();
        self.start("deletions".to_owned(), None, async move {
            sweep.finish_deletions().await
        });
        let (since, until) = (now - CHECKED_WITHIN_MS, now - SETTLE_MS);
        for check in sweeps::due_checks(store, since, until, now, CHECKS_AT_ONCE).await? {
            let (sweep, stop) = (self.sweep.clone(), self.stop.clone());
            let name = format!("setup {}", check.setup_id);
            self.start(name, Some(&self.checks), async move {
                sweep.check(&check, &stop).await
            });
        }
        for (id, due_at) in sweeps::due(store, now).await? {
            if due_at.is_none() {
                let first = now + FIRST_AFTER_MS + fastrand::i64(0..FIRST_AFTER_MS);
                let mut tx = store.begin().await?;
                sweeps::plan(&mut tx, &id, first).await?;
                tx.commit().await?;
                continue;
            }
            let (sweep, stop) = (self.sweep.clone(), self.stop.clone());
            let name = format!("environment {id}");
            self.start(name, Some(&self.sweeps), async move {
                sweep.take_turn(&id, &stop).await
            });
        }
        Ok(())
    }

    /// Runs a look in a task of its own, unless it is running or there is no place for it; then it stays due.
    fn start(
        &self,
        name: String,
        places: Option<&Arc<Semaphore>>,
        look: impl Future<Output = Result<(), SweepError>> + Send + 'static,
    ) {
        let permit = match places.map(|places| Arc::clone(places).try_acquire_owned()) {
            Some(Err(_)) => return,
            Some(Ok(permit)) => Some(permit),
            None => None,
        };
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if !at_work.insert(name.clone()) {
            return;
        }
        drop(at_work);
        let done = AtWork {
            names: Arc::clone(&self.at_work),
            name,
        };
        self.tracker.spawn(async move {
            let _permit = permit;
            match look.await {
                Ok(()) | Err(SweepError::Stopping) => {}
                Err(error) => tracing::warn!(look = %done.name, %error, "could not see everything"),
            }
        });
    }
}

/// Takes a look off the list even when it panics.
struct AtWork {
    names: Arc<Mutex<HashSet<String>>>,
    name: String,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.names
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.name);
    }
}
