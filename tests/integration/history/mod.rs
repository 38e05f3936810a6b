//! The mirror of flows and runs, against an emulator whose time the tests move.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod flow_by_flow;
mod reading;
mod sparing;
mod surviving;
