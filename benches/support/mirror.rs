//! A real server that mirrors an emulator, each in a process of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use headgate::bootstrap::directory;
use headgate::emulator::seeded::SeededHistory;
use headgate::emulator::{Options, SeedOptions};
use headgate::store::{self, Store};

use super::installation::{LOGIN, PASSWORD, TEAM, flow_places};
use super::load::Browser;
use super::process::{self, Process, headgate, run};

/// The emulator's sandbox that holds the whole history.
const SANDBOX: &str = "prod";
/// The emulator's random seed.
const SEED: u64 = 1;
/// How often it is looked how far the mirror is. Looking costs some milliseconds, too.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How large the history at the emulator is.
#[derive(Debug, Clone, Copy)]
pub struct Upstream {
    pub flows: u32,
    pub days: u32,
    pub runs_per_day: u32,
    /// Every answer is held back for so long.
    pub latency_ms: u64,
}

/// Both processes and what the server's database tells.
pub struct Mirror {
    pub server: Process,
    _emulator: Process,
    control: Browser,
    directory: tempfile::TempDir,
    started: Instant,
    /// Flows and runs that the emulator had at the start.
    expected: (i64, i64),
}

/// What a mirror holds once it has read everything.
#[derive(Debug, Clone, Copy)]
pub struct Filled {
    pub seconds: f64,
    pub flows: i64,
    pub runs: i64,
}

impl Mirror {
    /// An emulator with this history, and a server that begins to read it now.
    pub fn start(upstream: Upstream, settings: &[&str]) -> Self {
        let expected = expected(upstream);
        let text = |number: u32| number.to_string();
        let (emulator, platform, control) = process::emulator(&[
            "--sandboxes",
            SANDBOX,
            "--random-seed",
            &SEED.to_string(),
            "--seed",
            &text(upstream.flows),
            &text(upstream.days),
            "--seed-runs-per-day",
            &text(upstream.runs_per_day),
            "--latency-ms",
            &upstream.latency_ms.to_string(),
        ]);
        let directory = tempfile::tempdir().unwrap();
        populate(directory.path(), &platform);
        let started = Instant::now();
        let (server, _) = process::server(directory.path(), &platform, settings);
        Self {
            server,
            _emulator: emulator,
            control: Browser::stranger(&control),
            directory,
            started,
            expected,
        }
    }

    /// Waits until everything is stored that the emulator had at the start.
    pub async fn filled(&self) -> Filled {
        loop {
            // Opened anew each time: as long as nothing was written, a reader would see that for ever.
            let store = self.database().await;
            let seconds = self.started.elapsed().as_secs_f64();
            let (flows, runs) = stored(&store).await;
            store.close().await;
            if flows >= self.expected.0 && runs >= self.expected.1 {
                return Filled { seconds, flows, runs };
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn database(&self) -> Store {
        let path = directory::database(self.directory.path());
        Store::open_read_only(&path).await.unwrap()
    }

    /// Calls that have arrived at the emulator so far.
    pub async fn calls(&self) -> u64 {
        let (_, body) = self.control.get("/ledger").await;
        let ledger: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let last = ledger["entries"].as_array().unwrap().last();
        last.map_or(0, |entry| entry["sequence"].as_u64().unwrap())
    }
}

/// How many flows and runs the emulator begins with, made once more by the same numbers.
fn expected(upstream: Upstream) -> (i64, i64) {
    let history = SeededHistory::new(Options {
        sandboxes: vec![SANDBOX.to_owned()],
        random_seed: Some(SEED),
        seed: Some(SeedOptions {
            flows: upstream.flows,
            days: upstream.days,
            runs_per_day: Some(upstream.runs_per_day),
        }),
        ..Options::default()
    })
    .unwrap();
    let flows = history.flows(SANDBOX);
    let runs = flows.iter().map(|flow| {
        let id = flow.flow["id"].as_str().unwrap();
        history.runs(SANDBOX, id, usize::MAX).len()
    });
    (flows.len() as i64, runs.sum::<usize>() as i64)
}

/// How many flows and runs are stored.
async fn stored(store: &Store) -> (i64, i64) {
    let team = store::people::team_by_name(store, TEAM).await.unwrap().unwrap();
    let flows = flow_places(store).await.len();
    let days = store::runs::team_day_sums(store, &team.id, None, 0)
        .await
        .unwrap();
    let runs = days
        .iter()
        .map(|day| day.succeeded + day.partial + day.failed + day.unfinished);
    (flows as i64, runs.sum())
}

/// A person, a team and the environment that is to be read.
fn populate(directory: &Path, platform: &str) {
    let team = ["--team", TEAM];
    let person = [&["user", "add", LOGIN, "--role", "admin"][..], &team].concat();
    run(headgate(directory, platform, &person), &format!("{PASSWORD}\n"));
    let environment = [
        "environment",
        "add",
        "Retail prod",
        "--organization",
        "0123456789ABCDEF01234567@AdobeOrg",
        "--sandbox",
        SANDBOX,
        "--client-id",
        "headgate-demo",
    ];
    let environment = [&environment[..], &team].concat();
    run(
        headgate(directory, platform, &environment),
        "headgate-demo-secret\n",
    );
}
