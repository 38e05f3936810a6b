//! One server on one data directory, one setup, and what must hold after all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use headgate::accounts::people::{self, NewPerson};
use headgate::audit::Actor;
use headgate::domain::setup::{SetupState, StepState};
use headgate::domain::{Role, SystemClock, new_id};
use headgate::emulator::{Emulator, Options};
use headgate::store::checkup::{self, Integrity};
use headgate::store::setup_journal::SetupEvent;
use headgate::store::setups::Setup;
use headgate::store::{self, Store};
use headgate::vault::{KeyRing, SecretString};

use super::recipes::s3_parquet;
use super::server::Server;
use super::works::{CANARY, EDITOR, TEAM, draft, editor, populate, setups};

/// The login of somebody who may look ([`Case::add_watcher`]).
pub const WATCHER: &str = "vera";
/// Theirs.
pub const PASSWORD: &str = "correct horse battery";
/// Objects of the setup: two connections, schema, dataset, source and target connection, flow.
const OBJECTS: usize = 7;

/// An emulator, a data directory with a team and an environment, and a place for logs elsewhere.
pub struct Case {
    pub emulator: headgate::emulator::Running,
    pub data: PathBuf,
    logs: tempfile::TempDir,
}

impl Case {
    /// On this data directory, which is filled.
    pub async fn on(data: &Path) -> Self {
        let options = Options {
            latency_ms: 2,
            ..Options::default()
        };
        let case = Self {
            emulator: Emulator::start(options).await.unwrap(),
            data: data.to_owned(),
            logs: tempfile::tempdir().unwrap(),
        };
        let store = Store::open(&case.database()).await.unwrap();
        let vault = KeyRing::from_file_or_new(&data.join("vault.keys"), true).unwrap();
        populate(&store, &vault, &case.emulator.url()).await;
        store.close().await;
        case
    }

    /// Adds a person who can sign in, while no server runs.
    pub async fn add_watcher(&self) {
        let store = Store::open(&self.database()).await.unwrap();
        let person = NewPerson {
            login: WATCHER.into(),
            name: "Vera".into(),
            role: Role::Viewer,
            team: "Watchers".into(),
            password: Some(SecretString::from(PASSWORD)),
        };
        let operator = Actor::operator("tests");
        people::add(&store, &SystemClock, &operator, person)
            .await
            .unwrap();
        store.close().await;
    }

    pub fn database(&self) -> PathBuf {
        self.data.join("headgate.db")
    }

    fn log_file(&self) -> PathBuf {
        self.logs.path().join("log")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }

    /// A server that is ready, has read the history and filled its past, so that it writes nothing by itself.
    pub async fn serve(&self) -> Server {
        let server = Server::start(&self.data, &self.emulator.url(), &self.log_file()).await;
        loop {
            let topics = self.read(async |store| store::sync_state::all_for(&store, TEAM).await.unwrap());
            let topics = topics.await;
            let are_read = topics.iter().filter(|topic| topic.attempted_at > 0).count() >= 2;
            if are_read && topics.iter().all(|topic| topic.fill_goal_at.is_none()) {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Reads beside the server.
    pub async fn read<T>(&self, read: impl AsyncFnOnce(Store) -> T) -> T {
        let store = Store::open_read_only(&self.database()).await.unwrap();
        let value = read(store.clone()).await;
        store.close().await;
        value
    }

    /// Writes a setup beside the server, which finds it within a second. When this returns, it is promised.
    pub async fn set_up(&self) -> String {
        let store = Store::open(&self.database()).await.unwrap();
        let vault = KeyRing::from_file_or_new(&self.data.join("vault.keys"), false).unwrap();
        // Schemas are named after their dataflow, and their titles are unique.
        let recipe = s3_parquet(&format!("Loyalty members {}", new_id()));
        let draft = draft(&store, &vault, &recipe).await;
        let setups = setups(
            &store,
            &Arc::new(vault),
            &self.emulator.url(),
            Arc::new(SystemClock),
        );
        let id = setups.start(&editor(), EDITOR, TEAM, &draft).await.unwrap();
        store.close().await;
        id
    }

    pub async fn setup(&self, id: &str) -> Setup {
        let setup = self.read(async |store| store::setups::any_by_id(&store, id).await.unwrap());
        setup.await.expect("the setup was promised")
    }

    pub async fn journal(&self, id: &str) -> Vec<SetupEvent> {
        let journal = self.read(async |store| store::setup_journal::list(&store, id, 0, 1000).await.unwrap());
        journal.await
    }

    /// How long it takes until the setup is done, at most `patience`.
    pub async fn done(&self, id: &str, patience: Duration) -> Duration {
        let begun = Instant::now();
        loop {
            let setup = self.setup(id).await;
            if setup.state == SetupState::Done {
                return begun.elapsed();
            }
            if begun.elapsed() > patience {
                panic!(
                    "not done: {setup:?} {:#?}\n{}",
                    self.journal(id).await,
                    self.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Creates that reached the platform, by kind, whether it acted on them or not.
    fn sent(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.emulator.control().ledger() {
            // Signing in is a POST too.
            if entry.method == "POST" && !entry.target.contains("/ims/") {
                let path = entry.target.split('?').next().unwrap_or_default();
                *counts.entry(path.to_owned()).or_default() += 1;
            }
        }
        counts
    }

    /// P1: every create that reached the platform has an intent of its own in the journal.
    pub async fn nothing_was_sent_unrecorded(&self, setups: &[String]) {
        let sent = self.sent();
        let mut intents = 0;
        for setup in setups {
            let journal = self.journal(setup).await;
            intents += journal
                .iter()
                .filter(|event| event.facts.event == "sending")
                .count();
        }
        let sum = sent.values().sum::<usize>();
        assert!(
            sum <= intents,
            "{sum} sent, {intents} recorded: {sent:?}\n{}",
            self.log()
        );
    }

    /// What must hold when all is over: each object once, every step confirmed, nothing unrecorded, no secret in
    /// the log, and a database without a flaw. The server must have ended.
    pub async fn all_is_well(&self, setups: &[String]) {
        self.nothing_was_sent_unrecorded(setups).await;
        // All but the first share the data lake's connection.
        let objects = setups.len() * (OBJECTS - 1) + 1;
        let sent = self.sent();
        assert_eq!(sent.values().sum::<usize>(), objects, "{sent:?}\n{}", self.log());
        for setup in setups {
            let steps = self
                .read(async |store| store::setups::steps(&store, setup).await.unwrap())
                .await;
            assert_eq!(steps.len(), OBJECTS);
            assert!(
                steps.iter().all(|step| step.state == StepState::Confirmed),
                "{steps:#?}"
            );
        }
        assert!(!self.log().contains(CANARY));
        self.database_is_sound().await;
        let store = Store::open(&self.database()).await.unwrap();
        let events = store::audit::after(&store, 0, 1000).await.unwrap();
        store.close().await;
        for event in ["setup.started", "setup.done"] {
            let told = events.iter().filter(|told| told.facts.event == event).count();
            assert_eq!(told, setups.len(), "{event}");
        }
    }

    async fn database_is_sound(&self) {
        let (integrity, dangling) = self
            .read(async |store| {
                let pages = checkup::integrity(&store, Duration::from_secs(60)).await.unwrap();
                (pages, checkup::dangling(&store).await.unwrap())
            })
            .await;
        assert_eq!((integrity, dangling), (Integrity::Sound, vec![]));
    }
}
