//! What the tests start: a server on a data directory of its own, and what breaks its storage.

pub mod case;
pub mod mount;
pub mod server;
pub mod strace;
pub mod table;
pub mod visitor;

#[path = "../../integration/support/recipes.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which need more of it"
)]
pub mod recipes;
#[path = "../../integration/support/works.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which need more of it"
)]
pub mod works;

use std::process::Command;

/// Runs a tool of the system to its end.
///
/// # Panics
/// It cannot be started or fails.
pub fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
    assert!(status.success(), "{program} {arguments:?}: {status}");
}
