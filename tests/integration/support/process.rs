//! The real binary as a process of its own, to be killed.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::app::PASSWORD;

/// A `headgate serve` on a data directory, talking to an emulator. Dropping it kills it.
pub struct Server {
    child: Child,
    pub url: String,
}

/// `headgate` with these arguments, on this data directory and this platform.
fn headgate(directory: &Path, platform: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headgate"));
    command
        .args(arguments)
        .env_clear()
        .env("HEADGATE_DATA_DIR", directory)
        .env("HEADGATE_PLATFORM_URL", platform)
        .env("HEADGATE_IMS_URL", platform)
        .env("HEADGATE_LOG", "trace");
    command
}

/// Runs a command to its end with this text on standard input.
pub fn run(directory: &Path, platform: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = headgate(directory, platform, arguments);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Makes the person `ana` (editor) and the environment "Retail dev".
pub fn populate(directory: &Path, platform: &str) {
    let password = format!("{PASSWORD}\n");
    let person = ["user", "add", "ana", "--role", "editor", "--team", "Retail data"];
    let added = run(directory, platform, &person, &password);
    assert!(added.status.success(), "{added:?}");
    let environment = [
        "environment",
        "add",
        "Retail dev",
        "--team",
        "Retail data",
        "--organization",
        "0123456789ABCDEF01234567@AdobeOrg",
        "--sandbox",
        "dev",
        "--client-id",
        "headgate-demo",
    ];
    let added = run(directory, platform, &environment, "headgate-demo-secret\n");
    assert!(added.status.success(), "{added:?}");
}

/// A port that is free and stays so until the process has it: it lies below those that systems give to whoever asks
/// for any, as all other tests and their clients do.
fn free_port() -> u16 {
    const PORTS: std::ops::Range<u32> = 20_000..32_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(100);
    loop {
        let place = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = (PORTS.start + place % (PORTS.end - PORTS.start)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// What to add to the environment of a process.
pub type Variables<'a> = &'a [(&'static str, String)];

impl Server {
    /// Starts it without waiting until it answers. Its log goes to `log` in the directory.
    pub fn spawn(directory: &Path, platform: &str, variables: Variables<'_>) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(directory.join("log"))
            .unwrap();
        let mut command = headgate(directory, platform, &["serve", "--listen", &listen]);
        command.envs(variables.iter().map(|(name, value)| (*name, value)));
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        Self {
            child,
            url: format!("http://{listen}"),
        }
    }

    /// Starts it and waits until it answers. Its log goes to `log` in the directory.
    pub async fn start(directory: &Path, platform: &str) -> Self {
        let server = Self::spawn(
            directory,
            platform,
            &[("HEADGATE_SETTLE_SECONDS", "2".to_owned())],
        );
        for _ in 0..200 {
            if reqwest::get(format!("{}/healthz", server.url))
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "the server does not answer: {}",
            std::fs::read_to_string(directory.join("log")).unwrap()
        );
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Server {
    /// `kill -TERM`.
    pub fn ask_to_stop(&self) {
        let pid = self.child.id();
        let mut asked = Command::new("sh");
        asked.args(["-c", &format!("kill -TERM {pid}")]);
        assert!(asked.status().unwrap().success());
    }

    /// Waits for the end of a server that was asked to stop, and says whether it ended well.
    pub async fn ended(&mut self, patience: Duration) -> bool {
        let begun = std::time::Instant::now();
        while begun.elapsed() < patience {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not stop within {patience:?}");
    }

    /// Whether it has ended by itself.
    pub fn is_gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
