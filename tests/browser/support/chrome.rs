//! One headless Chromium behind a chromedriver of its own.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command};
use std::time::Duration;

use axum::http::Method;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::start;

const ADVICE: &str = "The browser tests need chromium and chromedriver; .ci/run installs them";
/// No sandbox: in containers tests run as root, and the only pages seen are our own on loopback.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--lang=en",
    "--window-size=1440,1000",
];

/// What is special about a browser.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Whether pages may run scripts.
    pub script: bool,
    /// What `prefers-color-scheme` says.
    pub dark: bool,
    /// Width of the page, in CSS pixels.
    pub width: u32,
}

/// A wide, light browser with scripts.
pub const DESK: Kind = Kind {
    script: true,
    dark: false,
    width: 1440,
};
/// The same with scripts switched off.
pub const NO_SCRIPT: Kind = Kind {
    script: false,
    ..DESK
};
/// As wide as a telephone.
pub const PHONE: Kind = Kind { width: 390, ..DESK };

/// A running browser. It ends with the value.
#[derive(Debug)]
pub struct Chrome {
    /// Speaks WebDriver with it.
    pub client: Client,
    // In this order: the driver ends the browser, then its profile goes.
    _driver: Driver,
    _profile: tempfile::TempDir,
}

impl Chrome {
    /// Starts a browser with an empty profile.
    pub async fn start(kind: Kind) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let driver = Driver::start();
        let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "goog:chromeOptions": { "args": flags },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&driver.url())
            .await
            .unwrap_or_else(|error| panic!("no browser: {error}. {ADVICE}"));
        let chrome = Self {
            client,
            _driver: driver,
            _profile: profile,
        };
        chrome.become_kind(kind).await;
        chrome
    }

    /// Changes width and colours at once, scripts from the next page on.
    pub async fn become_kind(&self, kind: Kind) {
        let scheme = if kind.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
        let size = json!({ "width": kind.width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !kind.script }),
        )
        .await;
    }

    /// Calls a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.vendor("goog/cdp/execute", body).await
    }

    /// Takes what was written to a log (`browser`, `performance`) since the last time.
    pub async fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.vendor("se/log", json!({ "type": kind })).await;
        entries.as_array().unwrap().clone()
    }

    async fn vendor(&self, path: &'static str, body: Value) -> Value {
        let answer = self
            .client
            .issue_cmd(Vendor {
                path,
                body: body.to_string(),
            })
            .await;
        answer.unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }
}

/// A command that only chromedriver knows.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: String,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!(
            "session/{}/{}",
            session_id.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}

#[derive(Debug)]
struct Driver {
    process: Child,
    port: u16,
    // Closing it would stop the driver at its next word.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    fn start() -> Self {
        let port = |line: &str| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse().ok()
        };
        // It chooses a free port for IPv4 and then wants the same for IPv6, which others may hold by then.
        let started = (0..5).find_map(|_| start(Command::new("chromedriver").arg("--port=0"), ADVICE, port));
        let (process, port, output) =
            started.unwrap_or_else(|| panic!("chromedriver does not stay. {ADVICE}"));
        Self {
            process,
            port,
            _output: output,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks the driver to end its browsers and itself; also works while a test panics.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new())?;
        Ok(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}
