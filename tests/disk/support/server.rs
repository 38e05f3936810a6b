//! `headgate serve`, the built binary.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::run;

/// How long a server may take to answer. The machine may be busy with many of them.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long an unknown outcome is settled: as short as the settings allow.
const SETTLE_SECONDS: &str = "2";

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts it and waits until it is ready. Its log goes to `log`.
    pub async fn start(data: &Path, platform: &str, log: &Path) -> Self {
        let server = Self::spawn(data, platform, log);
        let begun = Instant::now();
        while !server.is_ready().await {
            let told = std::fs::read_to_string(log).unwrap();
            assert!(begun.elapsed() < PATIENCE, "the server is not ready: {told}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Starts it.
    pub fn spawn(data: &Path, platform: &str, log: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = free.local_addr().unwrap().to_string();
        drop(free);
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_headgate"))
            .args(["serve", "--listen", &listen])
            .env_clear()
            .env("HEADGATE_DATA_DIR", data)
            .env("HEADGATE_PLATFORM_URL", platform)
            .env("HEADGATE_IMS_URL", platform)
            .env("HEADGATE_LOG", "info")
            // Only setups shall write while the storage breaks.
            .env("HEADGATE_HISTORY_INTERVAL_SECONDS", "3600")
            .env("HEADGATE_SETTLE_SECONDS", SETTLE_SECONDS)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self {
            child,
            url: format!("http://{listen}"),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn is_ready(&self) -> bool {
        let answer = reqwest::get(format!("{}/readyz", self.url)).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Goes on after a SIGSTOP.
    pub fn go_on(&self) {
        run("kill", &["-CONT", &self.pid().to_string()]);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// How it ends by itself.
    pub async fn end(&mut self, patience: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(begun.elapsed() < patience, "the server does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGTERM.
    pub async fn stop(&mut self) -> ExitStatus {
        run("kill", &["-TERM", &self.pid().to_string()]);
        self.end(PATIENCE).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
