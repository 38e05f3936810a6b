//! Looking back for what the newest list cannot show: runs that turned up late, and runs that the platform has
//! forgotten.
//!
//! The last half hour is read again every five minutes. The day before it is read again hour by hour, one of them
//! every two and a half minutes, so that each is seen once an hour and the calls are spread evenly. Of what lies
//! further back, the oldest runs are asked for once an hour: the platform forgets from that end.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;

use super::ReadError;
use super::fill_plan::Span;
use super::followers::Pulse;
use super::reading::{Note, Place, Purpose, Reading};
use super::recent_runs::OVERLAP_MS;
use super::rounds::{Failures, LONGEST_PAUSE_MS, LOOK_EVERY, has_come, jittered, wait_until_writable};
use super::run_list::RunList;
use crate::platform::RunFilter;
use crate::store::runs;
use crate::store::sync_state::{self, SyncTopic};

const HOUR_MS: i64 = 3_600_000;
const NEAR_MS: i64 = HOUR_MS / 2;
const NEAR_EVERY_MS: i64 = 300_000;
const SLICES: i64 = 24;
const SLICE_EVERY_MS: i64 = HOUR_MS / SLICES;
const OLDEST_EVERY_MS: i64 = HOUR_MS;
/// Of the oldest runs in one look. While all of them are gone, the next look follows soon.
const OLDEST_AT_ONCE: i64 = 20;
const OLDEST_AGAIN_MS: i64 = 60_000;
/// A list with more pages is read in two halves: longer ones may not be read to their end.
const MOST_PAGES: usize = 100;

/// Whose turn it is when. All of it can begin anew.
#[derive(Debug)]
struct Turns {
    near_due_at: i64,
    slice_due_at: i64,
    slice: i64,
    oldest_due_at: i64,
    /// Start and id of the last run that was found to be gone: older ones need not be asked for.
    gone_up_to: (i64, String),
}

/// Looks back until `stop` is cancelled.
pub(super) async fn look_back(place: Arc<Place>, pulse: Arc<Pulse>, stop: CancellationToken) {
    let now = place.now();
    let mut turns = Turns {
        near_due_at: now + jittered(NEAR_EVERY_MS),
        slice_due_at: now,
        slice: 0,
        oldest_due_at: now + jittered(OLDEST_EVERY_MS),
        gone_up_to: (i64::MIN, String::new()),
    };
    let (mut failures, mut not_before) = (Failures::default(), 0);
    while !stop.is_cancelled() {
        pulse.beat();
        wait_until_writable(&place, &pulse, &stop).await;
        if place.is_begun.load(Ordering::Relaxed) && has_come(not_before, place.now(), LONGEST_PAUSE_MS) {
            match turns.take(&place, &pulse, &stop).await {
                Ok(()) => failures = Failures::default(),
                Err(ReadError::Stopping) => return,
                Err(error) => {
                    let pause_ms = failures.pause_ms(&error);
                    tracing::warn!(environment = %place.environment_id, %error, pause_ms, "cannot look back");
                    not_before = place.now() + jittered(pause_ms);
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl Turns {
    /// Does what is due.
    async fn take(
        &mut self,
        place: &Arc<Place>,
        pulse: &Arc<Pulse>,
        stop: &CancellationToken,
    ) -> Result<(), ReadError> {
        let now = place.now();
        let is_due = [
            has_come(self.near_due_at, now, NEAR_EVERY_MS),
            has_come(self.slice_due_at, now, SLICE_EVERY_MS),
            has_come(self.oldest_due_at, now, OLDEST_EVERY_MS),
        ];
        if !is_due.contains(&true) {
            return Ok(());
        }
        let Some(reading) = place.reading(Purpose::Upkeep, pulse, stop).await? else {
            return Ok(());
        };
        let [near_is_due, slice_is_due, oldest_is_due] = is_due;
        let (mut near, mut slice, mut oldest) = (Ok(()), Ok(()), Ok(()));
        // One of them that fails must not keep the others from their turns; it has its next one.
        if near_is_due {
            near = reading
                .read_again(Span {
                    from: now - NEAR_MS,
                    to: now - OVERLAP_MS / 2,
                })
                .await;
            self.near_due_at = now + jittered(NEAR_EVERY_MS);
        }
        if slice_is_due {
            let to = now - NEAR_MS - self.slice * HOUR_MS;
            slice = reading
                .read_again(Span {
                    from: to - HOUR_MS,
                    to,
                })
                .await;
            self.slice = (self.slice + 1) % SLICES;
            self.slice_due_at = now + jittered(SLICE_EVERY_MS);
        }
        if oldest_is_due {
            let looked = self.look_at_the_oldest(&reading).await;
            let pause_ms = looked.as_ref().copied().unwrap_or(OLDEST_EVERY_MS);
            oldest = looked.map(drop);
            self.oldest_due_at = now + jittered(pause_ms);
        }
        near.and(slice).and(oldest)
    }

    /// Asks for the oldest runs; says when to do so again, in milliseconds from now.
    async fn look_at_the_oldest(&mut self, reading: &Reading) -> Result<i64, ReadError> {
        let (id, after) = (
            &reading.environment.id,
            (self.gone_up_to.0, self.gone_up_to.1.as_str()),
        );
        let oldest = runs::oldest_shown(reading.store(), id, after, OLDEST_AT_ONCE).await?;
        let Some((first, _)) = oldest.first() else {
            return Ok(OLDEST_EVERY_MS);
        };
        if !reading
            .look_after(std::slice::from_ref(first))
            .await?
            .gone
            .contains(first)
        {
            return Ok(OLDEST_EVERY_MS);
        }
        let ids: Vec<String> = oldest.iter().skip(1).map(|(id, _)| id.clone()).collect();
        let gone = reading.look_after(&ids).await?.gone;
        let known = oldest.iter().skip(1).position(|(id, _)| !gone.contains(id));
        let last_gone = known.unwrap_or(ids.len());
        self.gone_up_to = (oldest[last_gone].1, oldest[last_gone].0.clone());
        Ok(if known.is_none() {
            OLDEST_AGAIN_MS
        } else {
            OLDEST_EVERY_MS
        })
    }
}

impl Reading {
    /// Reads a part of what is stored again: takes what is new or has changed, and asks for what is not shown.
    async fn read_again(&self, span: Span) -> Result<(), ReadError> {
        if self.place.is_flow_by_flow() || !self.is_filled_at(span.from).await? {
            return Ok(());
        }
        let listed_at = self.now();
        let (mut shown, mut spans) = (HashSet::new(), vec![span]);
        while let Some(span) = spans.pop() {
            if !self.span(span, &mut shown).await? {
                spans.extend(span.halves());
            }
        }
        let (id, store) = (&self.environment.id, self.store());
        let stored = runs::gone_candidates(store, id, span.from, span.to, listed_at).await?;
        let missing: Vec<String> = stored.into_iter().filter(|id| !shown.contains(id)).collect();
        self.look_after(&missing).await?;
        Ok(())
    }

    /// What is being filled will be read anyway.
    async fn is_filled_at(&self, from: i64) -> Result<bool, ReadError> {
        let state = sync_state::get(self.store(), &self.environment.id, SyncTopic::Runs).await?;
        let filling = state.filter(|state| state.fill_goal_at.is_some());
        Ok(filling.is_none_or(|state| state.filled_from_at.is_some_and(|filled| filled <= from)))
    }

    /// Whether the list of a span was read to its end.
    async fn span(&self, span: Span, shown: &mut HashSet<String>) -> Result<bool, ReadError> {
        let mut list = RunList::new(self, span.filter());
        while let Some(page) = list.next().await? {
            self.keep(&self.rows(&page.items), Note::Nothing).await?;
            shown.extend(page.items.into_iter().map(|run| run.id));
            if page.is_last {
                break;
            }
            if list.pages_read >= MOST_PAGES && span.can_be_halved() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Span {
    /// What starts in it. The platform's bounds are exclusive.
    pub(super) fn filter(self) -> RunFilter {
        RunFilter {
            started_after: Some(self.from - 1),
            started_before: Some(self.to),
            ..RunFilter::default()
        }
    }
}
