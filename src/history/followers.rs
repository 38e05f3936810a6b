//! Keeping the tasks of all environments going: one that panics, ends or gets stuck is started again at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::AbortOnDropHandle;

/// When a task last got on with its work.
#[derive(Debug)]
pub(super) struct Pulse {
    last: Mutex<Instant>,
}

impl Pulse {
    fn new() -> Self {
        Self {
            last: Mutex::new(Instant::now()),
        }
    }

    /// To be called whenever something has ended, be it well or not.
    pub(super) fn beat(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silent_for(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// A running task. Dropping it ends the task where it is.
#[derive(Debug)]
struct Follower {
    task: AbortOnDropHandle<()>,
    /// Goes on from one start to the next, so that a task which gets stuck each time is told from one that recovers.
    pulse: Arc<Pulse>,
    started: Instant,
    stop: DropGuard,
}

/// One task for each key.
#[derive(Debug)]
pub(super) struct Followers<K> {
    by_key: BTreeMap<K, Follower>,
    /// A task that is silent for longer is stuck.
    patience: Duration,
}

impl<K: Ord + Clone + std::fmt::Debug> Followers<K> {
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            by_key: BTreeMap::new(),
            patience,
        }
    }

    /// Starts the tasks that are missing, stops softly those that are not wanted any more, and replaces those that
    /// ended or are stuck; says how many were replaced.
    pub(super) fn tend(
        &mut self,
        wanted: BTreeSet<K>,
        stop: &CancellationToken,
        start: impl Fn(&K, Arc<Pulse>, CancellationToken) -> JoinHandle<()>,
    ) -> u64 {
        let unwanted: Vec<K> = self
            .by_key
            .keys()
            .filter(|key| !wanted.contains(key))
            .cloned()
            .collect();
        for follower in unwanted.iter().filter_map(|key| self.by_key.remove(key)) {
            follower.task.detach();
        }
        let mut replaced = 0;
        for key in wanted {
            let mut pulse = Arc::new(Pulse::new());
            if let Some(follower) = self.by_key.get(&key) {
                let Some(how) = self.trouble(follower) else {
                    continue;
                };
                tracing::error!(task = ?key, "a task of the history {how} and is started again");
                pulse = Arc::clone(&follower.pulse);
                replaced += 1;
            }
            let stop = stop.child_token();
            let follower = Follower {
                task: AbortOnDropHandle::new(start(&key, Arc::clone(&pulse), stop.clone())),
                pulse,
                started: Instant::now(),
                stop: stop.drop_guard(),
            };
            self.by_key.insert(key, follower);
        }
        replaced
    }

    fn trouble(&self, follower: &Follower) -> Option<&'static str> {
        if follower.task.is_finished() {
            return Some("panicked or ended by itself");
        }
        let silent_for = follower.pulse.silent_for().min(follower.started.elapsed());
        (silent_for > self.patience).then_some("is stuck")
    }

    /// Whether starting a stuck task again did not help.
    pub(super) fn is_stalled(&self) -> bool {
        self.by_key
            .values()
            .any(|follower| follower.pulse.silent_for() > self.patience * 2)
    }

    /// Stops all tasks softly and waits for them, but not for one that is stuck: that one is broken off.
    pub(super) async fn stop(self) {
        let patience = self.patience;
        let tasks = self.by_key.into_values().map(|follower| {
            drop(follower.stop);
            follower.task
        });
        // Running out of patience drops the tasks, which ends them.
        let _ = tokio::time::timeout(patience, join_all(tasks)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks after two tasks for a while, the first of which does `misbehave` at its first start.
    async fn after(seconds: u32, misbehave: fn() -> bool) -> (u64, bool, [u32; 2]) {
        let starts: Arc<[AtomicU32; 2]> = Arc::default();
        let (mut followers, stop) = (Followers::new(10 * SECOND), CancellationToken::new());
        let mut replaced = 0;
        for _ in 0..seconds {
            replaced += followers.tend([0_usize, 1].into(), &stop, |place, pulse, stop| {
                let first = starts[*place].fetch_add(1, Ordering::Relaxed) == 0;
                let misbehaves = *place == 0 && first;
                tokio::spawn(async move {
                    while !stop.is_cancelled() {
                        if misbehaves && misbehave() {
                            std::future::pending::<()>().await;
                        }
                        pulse.beat();
                        tokio::time::sleep(SECOND).await;
                    }
                })
            });
            tokio::time::sleep(SECOND).await;
        }
        let stalled = followers.is_stalled();
        followers.stop().await;
        (
            replaced,
            stalled,
            [0, 1].map(|place: usize| starts[place].load(Ordering::Relaxed)),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn r4_a_task_that_panics_is_started_again_at_once_and_counted() {
        assert_eq!(after(3, || panic!("injected")).await, (1, false, [2, 1]));
    }

    #[tokio::test(start_paused = true)]
    async fn r4_a_task_that_hangs_is_started_again_and_counted() {
        assert_eq!(after(9, || true).await, (0, false, [1, 1]));
        assert_eq!(after(14, || true).await, (1, false, [2, 1]));
    }

    #[tokio::test(start_paused = true)]
    async fn r4_a_task_that_hangs_each_time_is_told() {
        let (mut followers, stop) = (Followers::new(10 * SECOND), CancellationToken::new());
        let mut replaced = 0;
        for _ in 0..25 {
            replaced += followers.tend([1].into(), &stop, |_, _, _| tokio::spawn(std::future::pending()));
            tokio::time::sleep(SECOND).await;
        }
        assert_eq!((replaced, followers.is_stalled()), (2, true));
        assert_eq!(followers.tend([].into(), &stop, |_, _, _| unreachable!()), 0);
        assert!(!followers.is_stalled(), "nobody wants it any more");
    }
}
