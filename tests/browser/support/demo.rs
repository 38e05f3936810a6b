//! `headgate demo`, the built binary, on a free port.

use std::io::BufReader;
use std::process::{Child, ChildStdout, Command};

use super::start;

/// A demo of one test's own. It ends with the value.
#[derive(Debug)]
pub struct Demo {
    process: Child,
    url: String,
    // Closing it would make the demo's next word fail.
    _output: BufReader<ChildStdout>,
    // Removed after the process has ended.
    _data: tempfile::TempDir,
}

impl Demo {
    /// Starts it and waits until it answers.
    pub fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_headgate"));
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data.path());
        let address = |line: &str| line.strip_prefix("Headgate demo: ").map(str::to_owned);
        let started = start(&mut command, "cargo builds it for these tests", address);
        let (process, url, output) = started.expect("the demo says on standard error why it ended");
        Self {
            process,
            url,
            _output: output,
            _data: data,
        }
    }

    /// Lets it stand still, as behind a network that was cut, or go on.
    pub fn hold(&self, still: bool) {
        let signal = if still { "-STOP" } else { "-CONT" };
        let status = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Origin, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
