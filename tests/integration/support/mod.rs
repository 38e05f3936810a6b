//! What tests start: an emulator over a socket, a real database, the real client, and what stands on them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

pub mod app;
pub mod forwarder;
pub mod mirror;
pub mod process;
pub mod recipes;
pub mod refusals;
pub mod setups;
pub mod stored;
pub mod watched;
pub mod works;
