//! Which tasks there are, and when a topic of an environment is read again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::audience::{Attention, Desk};
use super::failed::Failed;
use super::flow_list::FlowList;
use super::followers::{Followers, Pulse};
use super::reading::{Place, Purpose, Reading};
use super::recent_runs::RecentRuns;
use super::{History, ReadError, fill, look_back};
use crate::store::sync_state::SyncTopic;
use crate::store::{self, StoreError};

/// How often it is looked which environments there are, and whether something is due.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A task that did not get on with anything for so long is stuck: longer than any single call may take.
const PATIENCE: Duration = Duration::from_secs(360);
/// First pause after a failure, in milliseconds; it doubles up to the longest.
const FAILURE_PAUSE_MS: i64 = 5_000;
/// The same after the credential was refused, which only a person can mend.
const CREDENTIAL_PAUSE_MS: i64 = 30_000;
pub(super) const LONGEST_PAUSE_MS: i64 = 300_000;

/// What a task of an environment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Flows,
    Runs,
    LookBack,
    Fill,
}

/// Something that is read again and again, and whose freshness pages show.
pub(super) trait Topic: Default + Send + 'static {
    /// Under which its freshness is noted.
    const TOPIC: SyncTopic;
    const PURPOSE: Purpose;

    /// Where readings of it are asked for.
    fn desk(attention: &Attention) -> &Desk;

    /// Reads it once; gives the pause until the next reading at which nobody looks, in milliseconds.
    fn read(&mut self, reading: &Reading) -> impl Future<Output = Result<i64, ReadError>> + Send;

    /// The longest pause in milliseconds for this audience.
    fn longest_pause_ms(attention: &Attention) -> i64;
}

impl History {
    /// Reads environments until `stop` is cancelled, then waits for the readings on their way. `beat` is called on
    /// each look, with the number of tasks that had to be started again since the last one; not while that does not
    /// help.
    pub async fn run(&self, stop: CancellationToken, beat: impl Fn(u64) + Send) {
        if let Err(error) = self.give_up_old_wishes().await {
            tracing::error!(%error, "cannot note what became of runs that were asked for");
        }
        if let Err(error) = self.judge_anew().await {
            tracing::error!(%error, "cannot judge the flows anew");
        }
        let mut to_read = self.inner.to_read.lock().await;
        let mut followers: Followers<(String, Work)> = Followers::new(PATIENCE);
        let mut places: BTreeMap<String, Arc<Place>> = BTreeMap::new();
        while !stop.is_cancelled() {
            match store::environments::list_all_active(&self.inner.store).await {
                Ok(environments) => {
                    let ids: BTreeSet<String> = environments.into_iter().map(|found| found.id).collect();
                    places.retain(|id, _| ids.contains(id));
                    for id in &ids {
                        let place = || Arc::new(Place::new(self.clone(), id.clone()));
                        places.entry(id.clone()).or_insert_with(place);
                    }
                    let wanted = ids.into_iter().flat_map(|id| {
                        [Work::Flows, Work::Runs, Work::LookBack, Work::Fill].map(|work| (id.clone(), work))
                    });
                    let replaced = followers.tend(wanted.collect(), &stop, |(id, work), pulse, stop| {
                        start(*work, Arc::clone(&places[id]), pulse, stop)
                    });
                    if !followers.is_stalled() {
                        beat(replaced);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "cannot read which environments there are");
                    beat(0);
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(id) = to_read.recv() => if let Some(place) = places.get(&id) {
                    place.attention.flows.wake();
                    place.attention.runs.wake();
                },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
        followers.stop().await;
    }

    /// What is stored may have been judged by another version.
    async fn judge_anew(&self) -> Result<(), StoreError> {
        let store = &self.inner.store;
        for environment in store::environments::list_all_active(store).await? {
            store::judgements::judge_by_these_rules(store, &environment.id).await?;
        }
        Ok(())
    }
}

fn start(work: Work, place: Arc<Place>, pulse: Arc<Pulse>, stop: CancellationToken) -> JoinHandle<()> {
    match work {
        Work::Flows => tokio::spawn(follow::<FlowList>(place, pulse, stop)),
        Work::Runs => tokio::spawn(follow::<RecentRuns>(place, pulse, stop)),
        Work::LookBack => tokio::spawn(look_back::look_back(place, pulse, stop)),
        Work::Fill => tokio::spawn(fill::fill(place, pulse, stop)),
    }
}

/// Reads a topic again and again.
async fn follow<T: Topic>(place: Arc<Place>, pulse: Arc<Pulse>, stop: CancellationToken) {
    let (mut topic, mut failures) = (T::default(), Failures::default());
    let desk = T::desk(&place.attention);
    while !stop.is_cancelled() {
        // What is read has to be stored.
        wait_until_writable(&place, &pulse, &stop).await;
        let waiting = desk.take_waiting();
        let (pause_ms, problem) = match read_once(&mut topic, &place, &pulse, &stop).await {
            Ok(pause_ms) => {
                failures = Failures::default();
                (jittered(pause_ms), None)
            }
            Err(ReadError::Stopping) => return,
            Err(error) => {
                let least_ms = match error.held_back_for() {
                    None => place.history.inner.interval_ms(),
                    Some(_) => 0,
                };
                let pause_ms = jittered(failures.pause_ms(&error).max(least_ms));
                tracing::warn!(environment = %place.environment_id, topic = %T::TOPIC, %error, pause_ms, "cannot read from the platform");
                let failed = Failed::of_topic(&place, T::TOPIC, &error, pause_ms).await;
                failed.note(&place, T::TOPIC).await;
                (pause_ms, Some(failed.problem))
            }
        };
        let failed = problem.is_some();
        let outcome = problem.map_or(Ok(()), Err);
        place
            .history
            .inner
            .audience
            .tell(&place.environment_id, BTreeSet::new());
        for person in waiting {
            // Who went away does not wait any more.
            let _ = person.send(outcome.clone());
        }
        let ended_at = place.now();
        let due_at = || {
            let longest_ms = if failed {
                i64::MAX
            } else {
                T::longest_pause_ms(&place.attention)
            };
            ended_at.saturating_add(pause_ms.min(longest_ms))
        };
        // A clock that was set back must not make it wait longer.
        while (ended_at..due_at()).contains(&place.now()) && !stop.is_cancelled() {
            pulse.beat();
            let left_ms = u64::try_from(due_at() - place.now()).unwrap_or(0);
            tokio::select! {
                () = stop.cancelled() => {}
                () = desk.woken() => break,
                () = tokio::time::sleep(LOOK_EVERY.min(Duration::from_millis(left_ms))) => {}
            }
        }
    }
}

async fn read_once<T: Topic>(
    topic: &mut T,
    place: &Arc<Place>,
    pulse: &Arc<Pulse>,
    stop: &CancellationToken,
) -> Result<i64, ReadError> {
    match place.reading(T::PURPOSE, pulse, stop).await? {
        Some(reading) => topic.read(&reading).await,
        None => Ok(place.history.inner.interval_ms()),
    }
}

/// While the disk is full, nothing is asked for.
pub(super) async fn wait_until_writable(place: &Place, pulse: &Pulse, stop: &CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = place.store().writable_again() => return,
            () = tokio::time::sleep(LOOK_EVERY) => pulse.beat(),
        }
    }
}

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Failures {
    in_a_row: u32,
}

impl Failures {
    /// How long to wait after one more, in milliseconds. Where calls are held back, nothing has failed anew, and how
    /// long that lasts is known.
    pub(super) fn pause_ms(&mut self, error: &ReadError) -> i64 {
        if let Some(wait) = error.held_back_for() {
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            return wait_ms.clamp(FAILURE_PAUSE_MS, LONGEST_PAUSE_MS);
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        let first = if error.is_about_the_credential() {
            CREDENTIAL_PAUSE_MS
        } else {
            FAILURE_PAUSE_MS
        };
        first
            .saturating_mul(1 << (self.in_a_row - 1).min(10))
            .min(LONGEST_PAUSE_MS)
    }
}

/// Whether a moment has come that was set at most so long ahead (all in milliseconds). One that is further away was set
/// by a clock that has been set back since.
pub(super) fn has_come(moment: i64, now: i64, most_ahead_ms: i64) -> bool {
    moment <= now || moment - now > most_ahead_ms + most_ahead_ms / 10
}

/// Up to a tenth less or more, so that environments do not all ask at the same moment.
pub(super) fn jittered(pause_ms: i64) -> i64 {
    let most = pause_ms / 10;
    pause_ms + fastrand::i64(-most..=most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::PlatformError;

    #[test]
    fn pauses_grow_and_end() {
        let error = ReadError::Store(StoreError::Busy);
        let mut failures = Failures::default();
        let pauses: Vec<i64> = (1..9).map(|_| failures.pause_ms(&error)).collect();
        assert_eq!(
            pauses,
            [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]
        );
        let most = Failures { in_a_row: u32::MAX }.pause_ms(&error);
        assert_eq!(most, 300_000);
        let held_back = |seconds| {
            ReadError::Platform(PlatformError::Paused {
                wait: Duration::from_secs(seconds),
                reason: "most of the last calls failed",
            })
        };
        let mut failures = Failures { in_a_row: 1 };
        assert_eq!(
            [29, 1, 900].map(|wait| failures.pause_ms(&held_back(wait))),
            [29_000, 5_000, 300_000]
        );
        assert_eq!(failures.pause_ms(&error), 10_000, "the second failure");
        assert_eq!(
            [4, 5, 6, 1_100, 1_106].map(|at| has_come(at, 5, 1_000)),
            [true, true, false, false, true]
        );
        assert_eq!(jittered(1), 1);
        assert!((0..100).all(|_| (9_000..=11_000).contains(&jittered(10_000))));
    }
}
