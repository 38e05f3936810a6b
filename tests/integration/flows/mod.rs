//! The pages of flows and runs, and the overview.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod board;
mod history;
pub mod list;
mod overview;
mod run;
mod run_requests;
mod show;
mod switch;
mod views;
