//! The fault suite: what the promises of setups are worth when processes die, answers get lost and the platform
//! misbehaves. Each test names its promise (`p1_…`, `p11_…`).
//!
//! The short form runs with every `cargo test`. The long form runs the whole of each row and prints its figures:
//! `cargo test --test integration -- --ignored faults`.
//!
//! Cases come from the step table in [`steps`] and the moments in [`moments`]: a step or a point of the journal
//! that is new does not compile until it has its place there. Every test ends with [`ledger::account`], which holds
//! what arrived at the emulator against journal, steps and audit trail.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod bad_answers;
mod figures;
// A release build has no points to stop at.
#[cfg(debug_assertions)]
mod intents;
#[cfg(debug_assertions)]
mod killed_storms;
#[cfg(debug_assertions)]
mod kills;
mod ledger;
mod look_ups;
mod lost_answers;
#[cfg(debug_assertions)]
mod moments;
mod random;
mod steps;
mod submits;
mod undo;
#[cfg(debug_assertions)]
mod undo_kills;
