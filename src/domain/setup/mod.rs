//! A setup: the chain of calls that makes one dataflow.

pub mod body;
mod machine;
mod plan;
mod shown;
mod steps;
mod words;

pub use machine::{Illegal, Machine};
pub use plan::{DATA_LAKE_NAME, MARKER_PREFIX, MARKER_TAG, PlannedStep, marker, plan};
pub use shown::{CurlCall, MASK, curl, shown_body};
pub use steps::{Effect, Event, Rules, Step};
pub use words::{Question, SetupState, StepKind, StepState};
