//! Breaking chosen system calls of a running process, by `strace`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::run;

/// How long `strace` may take to come and go.
const PATIENCE: Duration = Duration::from_secs(10);

/// `strace` on a process. Dropping it leaves the process alone again.
pub struct Strace {
    child: Child,
    pid: u32,
}

impl Strace {
    /// Breaks what `injections` say (as in `-e inject=`), for these files only.
    pub fn attach(pid: u32, files: &[PathBuf], injections: &[&str]) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-p", &pid.to_string()]);
        for file in files {
            command.arg("-P").arg(file);
        }
        for injection in injections {
            command.arg("-e").arg(format!("inject={injection}"));
        }
        let child = command
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("strace cannot be started: {error}. apt-get install strace"));
        let strace = Self { child, pid };
        assert!(strace.wait_until(true), "strace did not attach");
        strace
    }

    /// Leaves the process alone.
    pub fn detach(mut self) {
        self.end();
        assert!(self.wait_until(false), "strace did not detach");
    }

    fn end(&mut self) {
        run("kill", &["-INT", &self.child.id().to_string()]);
        self.child.wait().unwrap();
    }

    fn wait_until(&self, traced: bool) -> bool {
        until(|| tracers(self.pid).iter().all(|tracer| (*tracer != 0) == traced))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.end();
        }
    }
}

fn until(condition: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if condition() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}

/// One line of the status of each thread; threads that have ended meanwhile are left out.
fn of_threads(pid: u32, field: &str) -> Vec<String> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let status = |thread: PathBuf| std::fs::read_to_string(thread.join("status")).ok();
    let field = |status: String| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .map(str::trim);
        line.map(str::to_owned)
    };
    threads
        .filter_map(|thread| field(status(thread.unwrap().path())?))
        .collect()
}

fn tracers(pid: u32) -> Vec<u32> {
    let tracers = of_threads(pid, "TracerPid:");
    tracers.iter().map(|tracer| tracer.parse().unwrap()).collect()
}

/// Whether the process was stopped, by a signal that an injection sent.
pub fn is_stopped(pid: u32) -> bool {
    // A traced thread also stops for a moment at each system call.
    (0..4).all(|_| {
        thread::sleep(Duration::from_millis(2));
        let states = of_threads(pid, "State:");
        !states.is_empty() && states.iter().all(|state| state.starts_with(['T', 't']))
    })
}

/// The files of a database, as `-P` wants them.
pub fn database_files(data: &Path) -> Vec<PathBuf> {
    ["headgate.db", "headgate.db-wal"]
        .iter()
        .map(|name| data.join(name))
        .collect()
}
