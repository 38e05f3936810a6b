//! Mirroring flows and runs, so that pages are quick, show their age, and survive the platform.
//!
//! [`History::run`] keeps four tasks going for each environment. One lists the flows. One lists the runs that started
//! lately and follows the unfinished ones. One looks back again and again for runs that turned up late and for runs
//! that the platform has forgotten. One fills a new environment's past. None of them waits for another, and what they
//! ask of the platform stays within a number of calls a second. A failed reading is noted with its reason and erases
//! nothing. [`History::switch`] enables and disables a flow on a person's word.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `audience` | who looks, and who is told of changes |
//! | `rounds` | which tasks there are, and when a topic is read again |
//! | `followers` | starting tasks again that panic or get stuck |
//! | `reading` | what the tasks of an environment share: client, budget, storing |
//! | `budget` | calls a second |
//! | `flow_list` | reading an environment's flows |
//! | `connections` | what a flow's connections say about it |
//! | `recent_runs` | reading the runs that started lately |
//! | `by_id` | asking for single runs: unfinished ones until they end, missing ones |
//! | `run_list` | one list of runs, page by page |
//! | `look_back` | reading the last day again, slice by slice |
//! | `failed` | noting why something cannot be read, and when it is tried again |
//! | `fill`, `fill_plan` | filling the past, several windows side by side |
//! | `flow_by_flow` | the way where runs cannot be listed by their start |
//! | [`records`] | from the platform's objects to rows |
//! | [`stages`], [`run_errors`] | the stages and files of a run; what went wrong in it |
//! | `switching` | enabling and disabling |
//! | [`run_requests`] | asking for a run |

mod audience;
mod budget;
mod by_id;
mod connections;
mod failed;
mod fill;
mod fill_plan;
mod flow_by_flow;
mod flow_list;
mod followers;
mod look_back;
mod reading;
mod recent_runs;
pub mod records;
mod rounds;
pub mod run_errors;
mod run_list;
pub mod run_requests;
pub mod stages;
mod switching;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};

use crate::domain::SharedClock;
use crate::platform::{ClientError, Clients, PlatformError};
use crate::store::{Store, StoreError};

pub use audience::{HistoryChange, RefreshError, WATCHED_MS, WatchGuard};
pub use connections::Ends;
pub use switching::{Switch, SwitchError, Switched};

/// How often and how much is read.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time between two readings of an environment at which nobody looks.
    pub interval: Duration,
    /// Windows of the past that are read side by side.
    pub side_by_side: u32,
    /// Calls per second and environment that keep a filled history up to date.
    pub calls_per_second: u32,
    /// Calls per second and environment that fill a new history, beside the former.
    pub fill_calls_per_second: u32,
}

/// The mirror of all environments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct History {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clients: Clients,
    clock: SharedClock,
    pace: Pace,
    audience: audience::Audience,
    /// Ids of environments to be read at once.
    to_read: Mutex<mpsc::Receiver<String>>,
}

impl History {
    /// Reads each environment at this pace, and at once when its id comes in by `to_read`.
    pub fn new(
        store: Store,
        clients: Clients,
        clock: SharedClock,
        pace: Pace,
        to_read: mpsc::Receiver<String>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                clients,
                clock,
                pace,
                audience: audience::Audience::default(),
                to_read: Mutex::new(to_read),
            }),
        }
    }
}

impl Inner {
    fn interval_ms(&self) -> i64 {
        i64::try_from(self.pace.interval.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Why a reading did not come to its end. What was read before it stays.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("{}", .0.of_a_read())]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a call to the platform did not come to an end")]
    TooLong,
    #[error("the history is to be filled from elsewhere by now")]
    FilledByOthers,
    #[error("the server is stopping")]
    Stopping,
}

impl ReadError {
    /// Whether the credential is the cause, which a person must mend.
    fn is_about_the_credential(&self) -> bool {
        match self {
            Self::Client(_) => true,
            Self::Platform(error) => {
                matches!(error, PlatformError::Auth { .. }) || matches!(error.status(), Some(401 | 403))
            }
            Self::Store(_) | Self::TooLong | Self::FilledByOthers | Self::Stopping => false,
        }
    }

    /// How long calls are held back still, where nothing was sent because of that.
    fn held_back_for(&self) -> Option<Duration> {
        match self {
            Self::Platform(PlatformError::Paused { wait, .. }) => Some(*wait),
            _ => None,
        }
    }

    /// Whether the platform, asked in a documented way, says that it cannot do that.
    fn refuses_the_filter(&self) -> bool {
        // The numbers of Adobe's Flow Service error page for filters that are not supported.
        const NUMBERS: [&str; 7] = ["1423", "1440", "1443", "1448", "1449", "1450", "1451"];
        let number = |code: &str| code.split('-').any(|part| NUMBERS.contains(&part));
        matches!(self, Self::Platform(error) if error.status() == Some(400) && error.code().is_some_and(number))
    }
}
