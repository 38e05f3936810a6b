//! A setup: the chain of calls that makes one dataflow.

mod words;

pub use words::{Question, SetupState, StepKind, StepState};
