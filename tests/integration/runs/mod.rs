//! Runs across flows, as files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod export;
mod list;
