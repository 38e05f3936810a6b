//! Starting, watching and stopping the tasks of the process.

mod aside;
mod signals;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::FutureExt;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use aside::{aside, aside_if};
use signals::Signals;

/// Longest pause before a task is started again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A task that ran this long is healthy: the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// Without a heartbeat for so many expected ones, a task is late and the process not ready.
const LATE_AFTER: u32 = 3;
/// Without a heartbeat for so many expected ones, a task is lost and the process should end.
const LOST_AFTER: u32 = 10;

/// The tasks of the process and the two ways of ending them: softly (they finish what they do) or,
/// on a second signal, at once. Clones are handles to the same thing.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    stopping: CancellationToken,
    /// Why it stops, if nobody asked for it.
    cause: Arc<OnceLock<End>>,
    tracker: TaskTracker,
    tasks: Arc<Mutex<BTreeMap<&'static str, Task>>>,
}

#[derive(Debug)]
struct Task {
    expected_every: Duration,
    last_beat: Instant,
    restarts: u64,
    running: bool,
}

/// Given to a supervised task, so that it can say that it gets on with its work.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    name: &'static str,
    lifecycle: Lifecycle,
}

impl Heartbeat {
    /// To be called at least once in every interval promised to [`Lifecycle::spawn_supervised`].
    pub fn beat(&self) {
        if let Some(task) = self.lifecycle.tasks().get_mut(self.name) {
            task.last_beat = Instant::now();
        }
    }

    /// Counts parts of this task that it had to start again by itself.
    pub fn count_restarts(&self, restarts: u64) {
        if let Some(task) = self.lifecycle.tasks().get_mut(self.name) {
            task.restarts += restarts;
        }
    }
}

/// How a supervised task is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskHealth {
    /// Its name.
    pub name: &'static str,
    /// How often it, or a part of it, panicked, ended by itself or was stuck.
    pub restarts: u64,
    /// Time since it last said that it gets on.
    pub silent_for: Duration,
    /// What follows from that.
    pub state: TaskState,
}

/// What the silence of a task means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// It gets on.
    Fresh,
    /// It is silent for three times the expected interval; the process is not ready.
    Late,
    /// It is silent for ten times the expected interval; only a new process helps.
    Lost,
}

/// Why [`Lifecycle::wait_for_end`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Somebody asked the process to stop.
    Asked,
    /// This task is lost.
    Lost(&'static str),
    /// The disk failed: nothing may be written any more.
    DiskFailed,
}

impl Lifecycle {
    /// A process without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process should come to its end. Tasks finish their step and return.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Asks everything to stop softly.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Asks everything to stop softly because of this; the first cause is the one that counts.
    pub fn stop_because(&self, cause: End) {
        // Set before: an earlier cause stays.
        let _ = self.cause.set(cause);
        self.stop();
    }

    /// Runs work that [`Self::shutdown`] waits for. It ends when it is done; nobody starts it again.
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(work)
    }

    /// Keeps a task running: when it panics or ends while nobody asked for it, it is started again
    /// after a short, growing pause (at most 5 s), and counted. `name` must be unique.
    /// `expected_every` is the longest time that a healthy task needs between two heartbeats.
    pub fn spawn_supervised<M, F>(&self, name: &'static str, expected_every: Duration, mut make: M)
    where
        M: FnMut(Heartbeat) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let task = Task {
            expected_every,
            last_beat: Instant::now(),
            restarts: 0,
            running: true,
        };
        self.tasks().insert(name, task);
        let lifecycle = self.clone();
        self.tracker.spawn(async move {
            let mut pauses = pauses();
            while !lifecycle.stopping.is_cancelled() {
                let started = Instant::now();
                let heartbeat = Heartbeat {
                    name,
                    lifecycle: lifecycle.clone(),
                };
                let run = AssertUnwindSafe(async { make(heartbeat).await })
                    .catch_unwind()
                    .await;
                if lifecycle.stopping.is_cancelled() {
                    break;
                }
                if started.elapsed() >= HEALTHY_AFTER {
                    pauses = self::pauses();
                }
                let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
                lifecycle.count_restart(name);
                let how = if run.is_err() {
                    "panicked"
                } else {
                    "ended by itself"
                };
                tracing::error!(
                    task = name,
                    ?pause,
                    "a background task {how} and is started again"
                );
                let _ = tokio::time::timeout(pause, lifecycle.stopping.cancelled()).await;
            }
            if let Some(task) = lifecycle.tasks().get_mut(name) {
                task.running = false;
            }
        });
    }

    /// How all supervised tasks are doing, by name.
    pub fn health(&self) -> Vec<TaskHealth> {
        let health = |(name, task): (&&'static str, &Task)| {
            let silent_for = task.last_beat.elapsed();
            let state = match silent_for {
                silent if silent >= task.expected_every * LOST_AFTER => TaskState::Lost,
                silent if silent >= task.expected_every * LATE_AFTER => TaskState::Late,
                _ => TaskState::Fresh,
            };
            TaskHealth {
                name,
                restarts: task.restarts,
                silent_for,
                state,
            }
        };
        self.tasks().iter().map(health).collect()
    }

    /// Waits until the process should end: it is asked to, or one of its tasks is lost.
    pub async fn wait_for_end(&self) -> End {
        let mut every_second = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                () = self.stopping.cancelled() => {
                    return self.cause.get().copied().unwrap_or(End::Asked);
                }
                _ = every_second.tick() => {}
            }
            if let Some(lost) = self.health().iter().find(|task| task.state == TaskState::Lost) {
                return End::Lost(lost.name);
            }
        }
    }

    /// Stops everything softly and waits, at most for `within`.
    ///
    /// # Errors
    /// The names of supervised tasks that still run. The process may end all the same: whatever they
    /// do is in the database and goes on from there.
    pub async fn shutdown(&self, within: Duration) -> Result<(), StillRunning> {
        self.stop();
        self.tracker.close();
        tokio::time::timeout(within, self.tracker.wait())
            .await
            .map_err(|_| StillRunning {
                tasks: self
                    .tasks()
                    .iter()
                    .filter(|(_, task)| task.running)
                    .map(|(name, _)| *name)
                    .collect(),
                within,
            })
    }

    /// From now on SIGTERM and SIGINT stop softly; a second one ends the process at once, with the
    /// exit code that a shell gives to a killed program.
    ///
    /// # Errors
    /// The system does not let us handle signals.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let stopping = self.stopping();
        tokio::spawn(async move {
            let first = signals.next().await;
            tracing::info!(
                signal = first.name,
                "stopping; a second signal ends the process at once"
            );
            stopping.cancel();
            std::process::exit(signals.next().await.exit_code);
        });
        Ok(())
    }

    fn count_restart(&self, name: &'static str) {
        if let Some(task) = self.tasks().get_mut(name) {
            task.restarts += 1;
        }
    }

    fn tasks(&self) -> MutexGuard<'_, BTreeMap<&'static str, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Some work did not end in time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("work still runs after {within:?}: {}", if .tasks.is_empty() { "requests".into() } else { .tasks.join(", ") })]
pub struct StillRunning {
    /// Supervised tasks among it.
    pub tasks: Vec<&'static str>,
    within: Duration,
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests;
