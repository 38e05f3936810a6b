//! The emulator's time: the machine's, or one that stands still until it is advanced.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time in epoch milliseconds UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the emulator is a program of its own; this is its only reading of the wall clock"
)]
pub fn wall_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}

/// What time it is for the emulated platform, epoch milliseconds UTC.
#[derive(Debug)]
pub enum Clock {
    /// The machine's clock.
    Wall,
    /// Stands still until advanced.
    Manual(AtomicI64),
}

impl Clock {
    pub fn now_ms(&self) -> i64 {
        match self {
            Self::Wall => wall_ms(),
            Self::Manual(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock forward and answers the new time; `None` on the wall clock.
    pub fn advance(&self, ms: u32) -> Option<i64> {
        match self {
            Self::Wall => None,
            Self::Manual(now) => Some(now.fetch_add(i64::from(ms), Ordering::SeqCst) + i64::from(ms)),
        }
    }
}
