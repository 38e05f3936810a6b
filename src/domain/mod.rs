//! Pure types and rules: no I/O, no clock but the one handed in, no SQL, no HTTP.

mod clock;
mod ids;
mod role;
mod run;
pub mod setup;
mod words;

pub use clock::{Clock, DAY_MS, ManualClock, SharedClock, SystemClock};
pub use ids::{new_id, new_tag};
pub use role::Role;
pub use run::RunOutcome;
pub use words::UnknownWord;
pub(crate) use words::words;
