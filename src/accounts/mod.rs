//! People, passwords and sessions: who may come in, and until when.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`passwords`] | hashing and checking passwords |
//! | [`people`] | adding and disabling people, changing what is theirs |
//! | [`sessions`] | cookies, limits, ending |
//! | `sign_in` | from login and password to a session |
//! | [`views`] | filters of lists that people keep under a name |
//! | [`boards`] | links to wall boards |
//! | `attempts` | slowing down those who guess |

mod attempts;
pub mod boards;
pub mod passwords;
pub mod people;
pub mod sessions;
mod sign_in;
pub mod views;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::domain::SharedClock;
use crate::store::Store;

use attempts::Attempts;
pub use sign_in::{SignInError, Visitor};

/// Passwords that are hashed at once. Each takes 19 MiB of memory and a core.
const HASHES_AT_ONCE: usize = 2;

/// After which time sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Milliseconds without a request.
    pub idle_ms: i64,
    /// Milliseconds since sign-in.
    pub absolute_ms: i64,
}

/// Lets people in and out. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: SharedClock,
    limits: SessionLimits,
    attempts: Attempts,
    hashing: Semaphore,
}

impl Accounts {
    /// Nobody has tried to sign in yet.
    pub fn new(store: Store, clock: SharedClock, limits: SessionLimits) -> Self {
        let (attempts, hashing) = (Attempts::default(), Semaphore::new(HASHES_AT_ONCE));
        Self {
            inner: Arc::new(Inner {
                store,
                clock,
                limits,
                attempts,
                hashing,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
