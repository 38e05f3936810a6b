//! Finding the setups that have something to do, and giving each a worker.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Setups;
use crate::store::setup_lists::ActiveSetup;
use crate::store::{self, StoreError};

/// Setups that are worked on at once by one process.
const WORKERS: usize = 4;
/// How often the rows are looked through even if nobody called: waits that are over, setups of a process that died.
const SCAN_EVERY: Duration = Duration::from_secs(1);
/// How many setups one look takes.
const SCAN_LIMIT: i64 = 200;

impl Setups {
    /// Wakes the dispatcher at once.
    pub(super) fn wake(&self) {
        self.inner.work.notify_one();
    }

    /// Works on setups until `stop` is cancelled, then waits for the calls on their way. `beat` is called on
    /// each round.
    pub async fn dispatch(&self, stop: CancellationToken, beat: impl Fn() + Send) {
        let (tracker, at_work) = (TaskTracker::new(), Arc::new(Mutex::new(HashSet::<String>::new())));
        let workers = Arc::new(Semaphore::new(WORKERS));
        while !stop.is_cancelled() {
            beat();
            match self.due().await {
                Ok(active) => {
                    for setup in active {
                        self.start_worker(setup.id, &tracker, &workers, &at_work, &stop);
                    }
                }
                Err(error) => tracing::error!(%error, "cannot find out which setups have something to do"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.inner.work.notified() => {}
                () = tokio::time::sleep(SCAN_EVERY) => {}
            }
        }
        tracker.close();
        tracker.wait().await;
    }

    /// The setups that have something to do now, oldest first; none while nothing can be written.
    async fn due(&self) -> Result<Vec<ActiveSetup>, StoreError> {
        if !self.inner.store.can_write() {
            // What cannot be recorded must not be sent: they wait until there is room again.
            return Ok(Vec::new());
        }
        self.release_the_rest().await?;
        let now = self.inner.clock.now_ms();
        store::setup_lists::list_active(&self.inner.store, now, SCAN_LIMIT).await
    }

    fn start_worker(
        &self,
        setup_id: String,
        tracker: &TaskTracker,
        workers: &Arc<Semaphore>,
        at_work: &Arc<Mutex<HashSet<String>>>,
        stop: &CancellationToken,
    ) {
        let Ok(permit) = Arc::clone(workers).try_acquire_owned() else {
            return;
        };
        if !at_work
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(setup_id.clone())
        {
            return;
        }
        let (setups, stop, done) = (
            self.clone(),
            stop.clone(),
            AtWork {
                ids: Arc::clone(at_work),
                id: setup_id,
            },
        );
        tracker.spawn(async move {
            let _permit = permit;
            if let Err(error) = setups.work_on(&done.id, &stop).await {
                // The rows say where it stands; the next round takes it up again.
                tracing::error!(setup = %done.id, %error, "let go of a setup");
                tokio::time::sleep(SCAN_EVERY).await;
            }
            let setups = setups.clone();
            drop(done);
            setups.wake();
        });
    }
}

/// Takes a setup off the list even when its worker panics.
struct AtWork {
    ids: Arc<Mutex<HashSet<String>>>,
    id: String,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}
