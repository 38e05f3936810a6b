//! Pure types and rules: no I/O, no clock but the one handed in, no SQL, no HTTP.

mod clock;
pub mod configuration;
pub mod connector;
mod environment;
pub mod failures;
mod finding;
pub mod health;
mod ids;
mod problem;
pub mod recipe;
mod role;
mod run;
pub mod run_request;
pub mod schedule;
pub mod setup;
pub mod texts;
mod words;

pub use clock::{Clock, DAY_MS, ManualClock, SharedClock, SystemClock};
pub use environment::EnvironmentAccess;
pub use finding::{FindingState, Verdict};
pub use ids::{new_id, new_tag};
pub use problem::Problem;
pub use role::Role;
pub use run::RunOutcome;
pub use words::UnknownWord;
pub(crate) use words::words;
