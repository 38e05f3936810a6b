//! Whether the database takes writes. Full or read-only storage ends that until there is room again; a disk that
//! fails ends it for this process.
//!
//! SQLite's answer to a write decides, with one look at the file system where that answer is not clear. While the
//! state is not [`Writes::Open`], [`Store::begin`] refuses at once and touches nothing.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::disk::Disk;
use super::error::extended_code;
use super::{Store, StoreError};
use crate::lifecycle::aside;

/// How often it is tried whether the database takes writes again.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// How often the write-ahead log is folded into the database, besides what SQLite does after a commit: that one
/// keeps its failures to itself.
const FOLD_EVERY: Duration = Duration::from_secs(20);
/// Written beside the database to see what the disk says; removed at once.
const PROBE: &str = "headgate.probe";
/// As much as one page of the database.
const PROBE_BYTES: [u8; 4096] = [0; 4096];
/// SQLite's codes for a sync that failed: SQLITE_IOERR_FSYNC and SQLITE_IOERR_DIR_FSYNC.
const FAILED_SYNCS: [i32; 2] = [1034, 1290];

/// Whether the database takes writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writes {
    /// As it should.
    Open,
    /// The disk is full. Reads go on; it is tried again every second.
    Full,
    /// The file system or the file is read-only. Reads go on; it is tried again every second.
    ReadOnly,
    /// The disk failed, in SQLite's words. What it holds is known only after a new start.
    Failed(String),
}

/// The state, shared by all handles to one database.
#[derive(Debug, Clone)]
pub(super) struct Writability {
    directory: Arc<PathBuf>,
    state: watch::Sender<Writes>,
}

impl Writability {
    /// Of the database file at `path`.
    pub(super) fn new(path: &Path, state: Writes) -> Self {
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Self {
            directory: Arc::new(directory),
            state: watch::Sender::new(state),
        }
    }

    pub(super) fn now(&self) -> Writes {
        self.state.borrow().clone()
    }

    /// Refuses unless writes are taken.
    pub(super) fn gate(&self) -> Result<(), StoreError> {
        match &*self.state.borrow() {
            Writes::Open => Ok(()),
            Writes::Full => Err(StoreError::Full),
            Writes::ReadOnly => Err(StoreError::ReadOnly),
            Writes::Failed(how) => Err(StoreError::Stopped(how.clone())),
        }
    }

    /// Takes note of what went wrong with a write, and says it in our words.
    pub(super) fn note(&self, error: sqlx::Error) -> StoreError {
        let code = extended_code(&error);
        let error = StoreError::from(error);
        match (error, code) {
            (StoreError::Full, _) => self.enter(Writes::Full, StoreError::Full),
            (StoreError::ReadOnly, _) => self.enter(Writes::ReadOnly, StoreError::ReadOnly),
            (StoreError::Io(how), Some(code)) if code & 0xff == 10 => self.failed(code, how),
            (error, _) => error,
        }
    }

    /// SQLite says "disk I/O error" for a file system that turned read-only, for a quota that is used up and for
    /// a disk that breaks. A small write of our own tells them apart, except after a failed sync: what that one
    /// did not bring to the disk may be lost although a next sync succeeds.
    fn failed(&self, code: i32, how: String) -> StoreError {
        let told = match code {
            code if FAILED_SYNCS.contains(&code) => ErrorKind::Other,
            _ => self
                .try_writing()
                .map_or_else(|error| error.kind(), |()| ErrorKind::Other),
        };
        match told {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => self.enter(Writes::Full, StoreError::Full),
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                self.enter(Writes::ReadOnly, StoreError::ReadOnly)
            }
            _ => self.enter(Writes::Failed(how.clone()), StoreError::Io(how)),
        }
    }

    /// Changes the state, and says so once. A failed disk stays failed.
    fn enter(&self, writes: Writes, error: StoreError) -> StoreError {
        let entered = self.state.send_if_modified(|state| {
            let is_news =
                *state == Writes::Open || (matches!(writes, Writes::Failed(_)) && !is_failed(state));
            if is_news {
                *state = writes;
            }
            is_news
        });
        if entered {
            tracing::error!(%error, "the database takes no writes; reads go on, and nothing is sent to Adobe");
        }
        error
    }

    fn reopen(&self) {
        let reopened = self.state.send_if_modified(|state| {
            let is_news = matches!(state, Writes::Full | Writes::ReadOnly);
            if is_news {
                *state = Writes::Open;
            }
            is_news
        });
        if reopened {
            tracing::warn!("the database takes writes again; everything goes on");
        }
    }

    fn has_room(&self) -> bool {
        Disk::of(&self.directory).is_ok_and(|disk| disk.has_room() && !disk.read_only)
    }

    /// Writes and syncs a small file beside the database.
    fn try_writing(&self) -> io::Result<()> {
        let path = self.directory.join(PROBE);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(&PROBE_BYTES)?;
            file.sync_all()
        });
        // What cannot be removed is found and overwritten by the next try.
        let _ = std::fs::remove_file(&path);
        written
    }
}

fn is_failed(state: &Writes) -> bool {
    matches!(state, Writes::Failed(_))
}

impl Store {
    /// Whether the database takes writes, and if not, why.
    pub fn writes(&self) -> Writes {
        self.writability().now()
    }

    /// Whether a write may begin now.
    pub fn can_write(&self) -> bool {
        self.writes() == Writes::Open
    }

    /// Comes back as soon as the database takes writes: at once, or when there is room again. Never after
    /// [`Writes::Failed`].
    pub async fn writable_again(&self) {
        self.reached(|state| *state == Writes::Open).await;
    }

    /// Comes back when the disk has failed: then this process should end, and a new one read what is there.
    pub async fn failed(&self) {
        self.reached(is_failed).await;
    }

    async fn reached(&self, is_it: impl FnMut(&Writes) -> bool) {
        let mut state = self.writability().state.subscribe();
        // It cannot be closed: this handle keeps the sender.
        let _ = state.wait_for(is_it).await;
    }

    /// Watches over the database until `stop` is cancelled or the disk fails: opens it again as soon as it can be
    /// written, and folds its log in. `beat` is called on each round.
    pub async fn keep_writable(&self, stop: &CancellationToken, beat: impl Fn() + Send) {
        let (mut folded_at, mut folding) = (Instant::now(), None::<JoinHandle<()>>);
        while !stop.is_cancelled() {
            beat();
            self.try_again().await;
            let is_free = folding.as_ref().is_none_or(JoinHandle::is_finished);
            if is_free && folded_at.elapsed() >= FOLD_EVERY && self.can_write() {
                folded_at = Instant::now();
                // Beside this loop: a large log on a slow disk takes long, which is no reason to be called lost.
                let store = self.clone();
                folding = Some(tokio::spawn(async move { store.fold_log().await }));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.failed() => return,
                () = tokio::time::sleep(TRY_EVERY) => {}
            }
        }
    }

    /// Opens a full or read-only database again if there is room, a file can be written and a transaction
    /// committed. Whatever goes wrong leaves the state as it is or makes it worse.
    pub async fn try_again(&self) {
        let writability = self.writability().clone();
        if !matches!(writability.now(), Writes::Full | Writes::ReadOnly) {
            return;
        }
        let may_go_on = aside(move || writability.has_room() && writability.try_writing().is_ok());
        if may_go_on.await && self.rewrite_a_page().await.is_ok() {
            self.writability().reopen();
        }
    }
}
