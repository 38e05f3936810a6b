//! What browser tests start: a demo of their own and somebody who visits it.

pub mod axe;
pub mod chrome;
pub mod demo;
pub mod network;
pub mod visitor;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Starts a program and reads its output until `find` recognises something in a line; `None` when it ended before.
///
/// # Panics
/// The program cannot be started.
#[expect(
    clippy::zombie_processes,
    reason = "whoever gets the process ends it when dropped"
)]
fn start<T>(
    command: &mut Command,
    advice: &str,
    find: impl Fn(&str) -> Option<T>,
) -> Option<(Child, T, BufReader<ChildStdout>)> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started: {error}. {advice}"));
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        if output.read_line(&mut line).unwrap() == 0 {
            child.wait().unwrap();
            return None;
        }
        if let Some(found) = find(line.trim()) {
            return Some((child, found, output));
        }
    }
}
