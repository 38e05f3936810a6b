//! A history without a server, over a database that outlives it: it can be killed at any moment and begun again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use headgate::accounts::people::{self, NewPerson};
use headgate::audit::Actor;
use headgate::bootstrap::Foundation;
use headgate::domain::{Clock, ManualClock, Role};
use headgate::emulator::{Emulator, Options, SeedOptions};
use headgate::environments::{EnvironmentForm, Environments};
use headgate::history::{History, Pace};
use headgate::platform::{HttpOptions, PlatformClient, RunFilter};
use headgate::store::flow_health::{self, FlowHealth};
use headgate::store::lost_files;
use headgate::store::runs::{self, Run, RunDay};
use headgate::store::sync_state::{self, SyncState, SyncTopic};
use headgate::store::{self, Store};
use headgate::vault::SecretString;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::app::{PASSWORD, TEAM, config};
use super::stored::runs_of;
use super::watched::NOW_MS;

const PATIENCE: Duration = Duration::from_secs(180);

/// Calls per second as high as they may be set, so that clocks which stand still hold up nobody.
pub const QUICK: Pace = Pace {
    interval: Duration::from_secs(10),
    side_by_side: 4,
    calls_per_second: 50,
    fill_calls_per_second: 1_000,
};

/// An emulator and a database, and clocks that move together.
pub struct Mirror {
    pub emulator: headgate::emulator::Running,
    pub clock: Arc<ManualClock>,
    pub foundation: Foundation,
    pub environment_id: String,
    _directory: tempfile::TempDir,
}

/// Everything that is mirrored of an environment, but for when it was read.
#[derive(Debug, PartialEq)]
pub struct Mirrored {
    pub runs: BTreeMap<String, Run>,
    days: BTreeMap<String, Vec<RunDay>>,
    health: BTreeMap<String, Option<FlowHealth>>,
}

impl Mirror {
    /// One sandbox with this history.
    pub async fn start(seed: SeedOptions) -> Self {
        let options = Options {
            manual_time: true,
            manual_start_ms: Some(NOW_MS),
            random_seed: Some(1),
            token_lifetime_s: 400 * 86_400,
            sandboxes: vec!["dev".to_owned()],
            seed: Some(seed),
            ..Options::default()
        };
        let emulator = Emulator::start(options).await.unwrap();
        let clock = Arc::new(ManualClock::at(NOW_MS));
        let (foundation, environment_id, directory) = database(&emulator.url(), &clock).await;
        Self {
            emulator,
            clock,
            foundation,
            environment_id,
            _directory: directory,
        }
    }

    /// The same platform, with an empty database.
    pub async fn anew(self) -> Self {
        let (foundation, environment_id, directory) = database(&self.emulator.url(), &self.clock).await;
        Self {
            foundation,
            environment_id,
            _directory: directory,
            ..self
        }
    }

    pub fn store(&self) -> &Store {
        &self.foundation.store
    }

    /// Begins to mirror. Dropping the handle kills it where it is.
    pub fn run(&self, pace: Pace) -> (History, AbortOnDropHandle<()>) {
        // Nothing is to be read at once.
        let (_, to_read) = mpsc::channel(1);
        let Foundation { store, clients, .. } = self.foundation.clone();
        let history = History::new(store, clients, self.clock.clone(), pace, to_read);
        let running = history.clone();
        let task = tokio::spawn(async move { running.run(CancellationToken::new(), |_| ()).await });
        (history, AbortOnDropHandle::new(task))
    }

    pub fn advance(&self, ms: u32) {
        self.emulator.control().advance(ms).unwrap();
        self.clock.advance(ms.into());
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub async fn state(&self, topic: SyncTopic) -> Option<SyncState> {
        sync_state::get(self.store(), &self.environment_id, topic)
            .await
            .unwrap()
    }

    /// Waits until flows and runs were read since `from`, and the history is filled. A reading that ends just after
    /// time has moved waits for the next move, so that a second passes now and again.
    pub async fn read_since(&self, from: i64) {
        let moved = std::cell::Cell::new(Instant::now());
        self.eventually("everything was read", async || {
            if moved.get().elapsed() > Duration::from_secs(2) {
                self.advance(1_000);
                moved.set(Instant::now());
            }
            let (flows, runs) = (
                self.state(SyncTopic::Flows).await?,
                self.state(SyncTopic::Runs).await?,
            );
            let is_read = flows.succeeded_at >= Some(from) && runs.watermark_at >= from;
            (is_read && runs.fill_goal_at.is_none()).then_some(())
        })
        .await;
    }

    pub async fn eventually<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if begun.elapsed() >= PATIENCE {
                let states = [
                    self.state(SyncTopic::Flows).await,
                    self.state(SyncTopic::Runs).await,
                ];
                panic!(
                    "it never came true that {what}; now {}: {states:#?}",
                    self.now_ms()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The same, with half an hour passing now and again, so that all is due that is done once an hour.
    pub async fn as_hours_pass<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let moved = std::cell::Cell::new(None::<Instant>);
        self.eventually(what, async || {
            if moved
                .get()
                .is_none_or(|at| at.elapsed() > Duration::from_millis(1_500))
            {
                self.advance(30 * 60_000);
                moved.set(Some(Instant::now()));
            }
            ask().await
        })
        .await
    }

    pub async fn client(&self) -> PlatformClient {
        let found = store::environments::any_by_id(self.store(), &self.environment_id).await;
        let access = found.unwrap().unwrap().access();
        self.foundation.clients.client_for(&access).unwrap()
    }

    /// The ids of all runs that the platform shows.
    pub async fn runs_at_the_platform(&self) -> Vec<String> {
        let runs = self.last_changes_at_the_platform().await;
        runs.into_iter().map(|(id, _)| id).collect()
    }

    /// The same with when it changed each last.
    pub async fn last_changes_at_the_platform(&self) -> Vec<(String, i64)> {
        let pages: Vec<_> = self
            .client()
            .await
            .runs(&RunFilter::default())
            .try_collect()
            .await
            .unwrap();
        let mut runs: Vec<(String, i64)> = pages
            .into_iter()
            .flat_map(|page| page.items)
            .map(|run| (run.id, run.updated_at.unwrap()))
            .collect();
        runs.sort_unstable();
        runs
    }

    /// All that is stored. The day sums are held against a count of the runs.
    pub async fn mirrored(&self) -> Mirrored {
        let (store, id) = (self.store(), self.environment_id.as_str());
        let pages: Vec<_> = self.client().await.flows().try_collect().await.unwrap();
        let mut mirrored = Mirrored {
            runs: BTreeMap::new(),
            days: BTreeMap::new(),
            health: BTreeMap::new(),
        };
        // What the mirror does a moment after it has stored older runs.
        while !lost_files::look_further(store, id).await.unwrap().is_empty() {}
        for flow in pages.into_iter().flat_map(|page| page.items) {
            // A run may be stored between two reads.
            let (stored, days) = loop {
                let before = runs::day_sums(store, id, &flow.id, 0).await.unwrap();
                let stored = runs_of(store, id, &flow.id).await;
                let days = runs::day_sums(store, id, &flow.id, 0).await.unwrap();
                if before == days {
                    break (stored, days);
                }
            };
            assert_eq!(
                days,
                recount(&stored),
                "the sums of {} equal a full recount",
                flow.id
            );
            mirrored.days.insert(flow.id.clone(), days);
            let mut health = flow_health::of_flow(store, id, &flow.id).await.unwrap();
            // How far back is read depends on when that was begun.
            if let Some(health) = &mut health {
                health.judgement.known_since_at = None;
            }
            mirrored.health.insert(flow.id, health);
            for run in stored {
                let run = Run {
                    environment_id: String::new(),
                    read_at: 0,
                    ..run
                };
                mirrored.runs.insert(run.id.clone(), run);
            }
        }
        mirrored
    }
}

fn recount(runs: &[Run]) -> Vec<RunDay> {
    use headgate::domain::{DAY_MS, RunOutcome};
    let mut days: BTreeMap<i64, RunDay> = BTreeMap::new();
    for run in runs {
        let day = run.started_at.div_euclid(DAY_MS);
        let sums = days.entry(day).or_insert(RunDay {
            day,
            succeeded: 0,
            partial: 0,
            failed: 0,
            unfinished: 0,
            records_out: 0,
            bytes_in: 0,
        });
        match run.outcome {
            RunOutcome::Succeeded => sums.succeeded += 1,
            RunOutcome::Partial => sums.partial += 1,
            RunOutcome::Failed => sums.failed += 1,
            RunOutcome::Waiting | RunOutcome::Running | RunOutcome::Unknown => sums.unfinished += 1,
        }
        sums.records_out += run.records_out.unwrap_or(0);
        sums.bytes_in += run.bytes_in.unwrap_or(0);
    }
    days.into_values().collect()
}

/// A database with one environment at this platform.
async fn database(platform: &str, clock: &Arc<ManualClock>) -> (Foundation, String, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let http = HttpOptions {
        read_timeout: Duration::from_secs(10),
        retry_base: Duration::from_millis(20),
        ..HttpOptions::default()
    };
    let foundation = Foundation::open(&config(directory.path(), platform), http)
        .await
        .unwrap();
    let operator = Actor::operator("tests");
    let person = NewPerson {
        login: "ana".into(),
        name: "Ana".into(),
        role: Role::Admin,
        team: TEAM.into(),
        password: Some(SecretString::from(PASSWORD)),
    };
    people::add(&foundation.store, &**clock, &operator, person)
        .await
        .unwrap();
    let team = store::people::team_by_name(&foundation.store, TEAM)
        .await
        .unwrap()
        .unwrap();
    let form = EnvironmentForm {
        name: "Retail dev".into(),
        organization: "0123456789ABCDEF01234567@AdobeOrg".into(),
        sandbox: "dev".into(),
        client_id: "headgate-demo".into(),
        client_secret: SecretString::from("headgate-demo-secret"),
        scopes: String::new(),
    };
    let Foundation {
        store,
        vault,
        clients,
    } = foundation.clone();
    let environments = Environments::new(store, vault, clients, clock.clone());
    environments
        .add(&operator, "tests", &team.id, form)
        .await
        .unwrap();
    let listed = store::environments::list_all_active(&foundation.store)
        .await
        .unwrap();
    (foundation, listed[0].id.clone(), directory)
}
