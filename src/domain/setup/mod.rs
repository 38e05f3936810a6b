//! A setup: the chain of calls that makes one dataflow.

pub mod body;
mod decisions;
mod machine;
mod plan;
mod refusals;
mod shown;
mod steps;
mod words;

pub use machine::{Illegal, Machine};
pub use plan::{DATA_LAKE_NAME, MARKER_PREFIX, MARKER_TAG, PlannedStep, marker, plan, tag_of};
pub use refusals::{Refusal, refusal};
pub use shown::{CurlCall, MASK, curl, shown_body};
pub use steps::{Effect, Event, Rules, Step};
pub use words::{Question, SetupState, StepKind, StepState};
