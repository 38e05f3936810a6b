//! Filling the past of an environment: several spans are read side by side, the newest first, and stored together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ReadError;
use super::failed::Failed;
use super::fill_plan::{MOST_PAGES, Plan, Span};
use super::followers::Pulse;
use super::reading::{Note, Place, Purpose, Reading};
use super::rounds::{Failures, LONGEST_PAUSE_MS, LOOK_EVERY, has_come, jittered, wait_until_writable};
use super::run_list::RunList;
use crate::lifecycle::aside;
use crate::store::sync_state::{self, SyncTopic};
use crate::store::{MirroredRun, Store, lost_files};

/// How long one transaction should take: other writers wait for it. A much shorter one would write the same pages of
/// the indexes again and again: ids of runs are scattered.
const TRANSACTION: Duration = Duration::from_millis(300);
/// Readers for each two calls that may be on their way: while one page is understood, another one is fetched.
const READERS_PER_TWO_CALLS: u32 = 3;
/// Pages that each reader may be ahead of the store.
const PAGES_AHEAD: u32 = 4;
/// How long rows wait for others to be stored with them.
const GATHERING: Duration = Duration::from_millis(600);
/// How long a reader waits when all that is left is being read by others.
const IDLE: Duration = Duration::from_millis(50);

/// What a reader has read: a page, and with the last one of a span that span.
struct Read {
    rows: Vec<MirroredRun>,
    done: Option<Span>,
}

/// How many rows one transaction takes.
struct Portion {
    rows: usize,
}

impl Portion {
    const FIRST: usize = 500;
    const LEAST: usize = 50;
    const MOST: usize = 10_000;

    /// So many rows took so long.
    fn learn(&mut self, rows: usize, took: Duration) {
        let fits = rows as f64 * TRANSACTION.as_secs_f64() / took.as_secs_f64().max(1e-6);
        // Small ones cost more for each row, so they say little about larger ones.
        let most = (self.rows * 2).min(Self::MOST);
        self.rows = (fits as usize).clamp(Self::LEAST, most);
    }
}

/// Fills what is to be filled until `stop` is cancelled.
pub(super) async fn fill(place: Arc<Place>, pulse: Arc<Pulse>, stop: CancellationToken) {
    let (mut failures, mut not_before) = (Failures::default(), 0);
    while !stop.is_cancelled() {
        pulse.beat();
        wait_until_writable(&place, &pulse, &stop).await;
        if has_come(not_before, place.now(), LONGEST_PAUSE_MS) && !place.is_flow_by_flow() {
            match fill_once(&place, &pulse, &stop).await {
                Ok(()) => failures = Failures::default(),
                Err(ReadError::Stopping) => return,
                // After a pause of this server there is more to be filled.
                Err(ReadError::FilledByOthers) => continue,
                Err(error) if error.refuses_the_filter() => place.go_flow_by_flow(),
                Err(error) => {
                    let pause_ms = jittered(failures.pause_ms(&error));
                    tracing::warn!(environment = %place.environment_id, %error, pause_ms, "cannot fill the history");
                    let failed = Failed::of_older_runs(&place, &error, pause_ms).await;
                    not_before = failed.next_try_at;
                    failed.note_of_older_runs(&place).await;
                }
            }
        }
        look_further(&place, &pulse, &stop).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = place.to_fill.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Looks at the older runs that are stored by now: files may have been lost among them.
async fn look_further(place: &Place, pulse: &Pulse, stop: &CancellationToken) {
    let (store, id) = (place.store(), &place.environment_id);
    let mut looked_at = false;
    while !stop.is_cancelled() {
        pulse.beat();
        match lost_files::look_further(store, id).await {
            Ok(flow_ids) if flow_ids.is_empty() => break,
            Ok(flow_ids) => place.history.inner.audience.tell(id, flow_ids),
            Err(error) => {
                tracing::warn!(environment = %id, %error, "cannot look for lost files among older runs");
                break;
            }
        }
        looked_at = true;
    }
    if looked_at {
        shrink(store).await;
    }
}

/// Gives back the memory that much writing took.
async fn shrink(store: &Store) {
    if let Err(error) = store.shrink().await {
        tracing::debug!(%error, "the writer keeps its memory");
    }
}

/// Goes on from where the store says that the filling is.
async fn fill_once(
    place: &Arc<Place>,
    pulse: &Arc<Pulse>,
    stop: &CancellationToken,
) -> Result<(), ReadError> {
    let state = sync_state::get(place.store(), &place.environment_id, SyncTopic::Runs).await?;
    let Some((from, goal)) = state.and_then(|state| Some((state.filled_from_at?, state.fill_goal_at?)))
    else {
        return Ok(());
    };
    let Some(mut reading) = place.reading(Purpose::Filling, pulse, stop).await? else {
        return Ok(());
    };
    let side_by_side = place.history.inner.pace.side_by_side;
    // What fails here must not keep others from the news.
    reading.client = reading.client.in_background().with_reads_at_once(side_by_side);
    let readers_wanted = (side_by_side * READERS_PER_TWO_CALLS).div_ceil(2);
    let plan = Arc::new(Mutex::new(Plan::new(from, goal, readers_wanted)));
    // Readers go on while their last pages are being stored, and not further.
    let (read, to_store) = mpsc::channel((readers_wanted * PAGES_AHEAD) as usize);
    let mut readers = JoinSet::new();
    for _ in 0..readers_wanted {
        readers.spawn(read_spans(reading.clone(), Arc::clone(&plan), read.clone()));
    }
    drop(read);
    let ended = store_all(&reading, from, &plan, to_store).await;
    shrink(place.store()).await;
    // On an error, too, calls that are on their way come to an end: one of them may be the probe by which it is found
    // out that the platform is well again.
    while let Some(ended) = readers.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    ended
}

/// Reads spans until none is left.
async fn read_spans(reading: Reading, plan: Arc<Mutex<Plan>>, read: mpsc::Sender<Result<Read, ReadError>>) {
    loop {
        let (next, is_done) = {
            let mut plan = whole(&plan);
            (plan.next(), plan.is_done())
        };
        match next {
            Some(span) => {
                if let Err(error) = read_span(&reading, span, &plan, &read).await {
                    // An error here only says that the other end has given up already.
                    let _ = read.send(Err(error)).await;
                    return;
                }
            }
            None if is_done => return,
            // Another reader may give back a half of what it has.
            None => tokio::time::sleep(IDLE).await,
        }
        if read.is_closed() {
            return;
        }
    }
}

async fn read_span(
    reading: &Reading,
    span: Span,
    plan: &Mutex<Plan>,
    read: &mpsc::Sender<Result<Read, ReadError>>,
) -> Result<(), ReadError> {
    let mut list = RunList::new(reading, span.filter());
    loop {
        let page = list.next().await?;
        let is_last = page.as_ref().is_none_or(|page| page.is_last);
        let rows = match page {
            Some(page) => {
                let reading = reading.clone();
                aside(move || reading.rows(&page.items)).await
            }
            None => Vec::new(),
        };
        if is_last {
            whole(plan).measured(span, list.pages_read);
        }
        let done = is_last.then_some(span);
        if read.send(Ok(Read { rows, done })).await.is_err() || is_last {
            return Ok(());
        }
        if list.pages_read >= MOST_PAGES && span.can_be_halved() {
            whole(plan).split(span);
            return Ok(());
        }
    }
}

/// Stores what the readers read. How far the history is filled moves in the transaction that stores the last page of
/// a span.
async fn store_all(
    reading: &Reading,
    mut filled_from: i64,
    plan: &Mutex<Plan>,
    mut to_store: mpsc::Receiver<Result<Read, ReadError>>,
) -> Result<(), ReadError> {
    let mut portion = Portion { rows: Portion::FIRST };
    while let Some((rows, done)) = gather(&mut to_store, portion.rows, plan).await? {
        let to = whole(plan).filled_from(&done);
        let note = if to < filled_from {
            Note::Filled {
                from: filled_from,
                to,
            }
        } else {
            Note::Nothing
        };
        let begun = Instant::now();
        reading.keep(&rows, note).await?;
        if !rows.is_empty() {
            portion.learn(rows.len(), begun.elapsed());
        }
        whole(plan).finish(&done);
        filled_from = to;
    }
    Ok(())
}

/// What comes within [`GATHERING`], up to so many rows; none: the readers have ended.
async fn gather(
    to_store: &mut mpsc::Receiver<Result<Read, ReadError>>,
    most: usize,
    plan: &Mutex<Plan>,
) -> Result<Option<(Vec<MirroredRun>, Vec<Span>)>, ReadError> {
    let (mut rows, mut done) = (Vec::new(), Vec::new());
    let mut next = to_store.recv().await;
    if next.is_none() {
        return Ok(None);
    }
    let until = tokio::time::Instant::now() + GATHERING;
    while let Some(read) = next {
        let read = read?;
        rows.extend(read.rows);
        done.extend(read.done);
        if rows.len() >= most || whole(plan).is_read(&done) {
            break;
        }
        next = tokio::time::timeout_at(until, to_store.recv())
            .await
            .unwrap_or_default();
    }
    Ok(Some((rows, done)))
}

fn whole(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    // Each change is complete before anything could panic.
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}
