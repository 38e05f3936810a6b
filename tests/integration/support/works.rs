//! The machinery behind the pages: emulator, store, vault, client and setups, without a web server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use headgate::audit::Actor;
use headgate::domain::recipe::Recipe;
use headgate::domain::setup::{Rules, SetupState};
use headgate::domain::{Clock, Role, SharedClock, SystemClock, new_id};
use headgate::emulator::{Emulator, Options};
use headgate::platform::{Clients, Endpoints, Http, HttpOptions, PlatformClient, USUAL_SCOPES};
use headgate::setups::{Decision, PersonError, Setups, StartError};
use headgate::store::drafts::Draft;
use headgate::store::environments::Environment;
use headgate::store::people::{Team, User};
use headgate::store::secrets::{Secret, SecretOwner};
use headgate::store::setups::{Setup, Step};
use headgate::store::{self, Store};
use headgate::vault::{KeyRing, Place, SecretString};
use tokio_util::sync::CancellationToken;

pub const TEAM: &str = "team-1";
pub const EDITOR: &str = "user-1";
pub const ENVIRONMENT: &str = "environment-1";
/// A secret that must be found nowhere.
pub const CANARY: &str = "canary-7f3a91c2e5d84b60";

/// Unknown outcomes are settled within a fraction of a second.
pub const QUICK: Rules = Rules {
    settle_ms: 300,
    looks_needed: 3,
    look_pause_ms: 60,
    failed_looks_max: 5,
    deletions_max: 5,
};

/// The machine's clock, and as much later as a test says.
#[derive(Debug, Default)]
pub struct LaterClock(AtomicI64);

impl LaterClock {
    pub fn advance_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for LaterClock {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + self.0.load(Ordering::Relaxed)
    }
}

pub struct Works {
    pub emulator: headgate::emulator::Running,
    pub store: Store,
    pub vault: Arc<KeyRing>,
    pub setups: Setups,
    pub directory: tempfile::TempDir,
    pub clock: Arc<LaterClock>,
    /// Where the platform is reached: the emulator, or something before it.
    url: String,
    /// The setups run on threads of their own, so that they can be made to vanish.
    process: Option<tokio::runtime::Runtime>,
}

impl Works {
    /// Everything running, with a team, an editor and an environment in the sandbox `dev`.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let mut works = Self::idle(options).await;
        works.run();
        works
    }

    /// The same, but nobody works on setups yet.
    pub async fn idle(options: Options) -> Self {
        let emulator = Emulator::start(options).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
        let vault = Arc::new(KeyRing::from_file_or_new(&directory.path().join("vault.keys"), true).unwrap());
        populate(&store, &vault, &emulator.url()).await;
        let clock = Arc::new(LaterClock::default());
        Self {
            setups: setups(&store, &vault, &emulator.url(), clock.clone()),
            clock,
            url: emulator.url(),
            emulator,
            store,
            vault,
            directory,
            process: None,
        }
    }

    /// Reaches the platform at another address from now on.
    pub fn through(&mut self, url: &str) {
        self.url = url.to_owned();
        self.setups = setups(&self.store, &self.vault, &self.url, self.clock.clone());
    }

    /// The setups as another process on the same database sees them.
    pub fn another_process(&self) -> Setups {
        setups(&self.store, &self.vault, &self.url, self.clock.clone())
    }

    /// Begins to work on setups.
    pub fn run(&mut self) {
        let setups = self.setups.clone();
        let process = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        process.spawn(async move { setups.dispatch(CancellationToken::new(), || {}).await });
        self.process = Some(process);
    }

    /// What a `kill -9` leaves: tasks vanish wherever they are, leases stay until the next start ends them.
    pub async fn crash_and_restart(&mut self) {
        self.stop_working().await;
        self.setups = setups(&self.store, &self.vault, &self.url, self.clock.clone());
        self.run();
    }

    /// The tasks vanish, and what they held is let go of.
    pub async fn stop_working(&mut self) {
        self.crash();
        let mut tx = self.store.begin().await.unwrap();
        store::leases::expire_all(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Closes the database, so that another process has it for itself.
    pub async fn close_store(&mut self) {
        self.stop_working().await;
        self.store.close().await;
    }

    /// Opens the database again.
    pub async fn reopen_store(&mut self) {
        self.store = Store::open(&self.directory.path().join("headgate.db"))
            .await
            .unwrap();
        self.setups = setups(&self.store, &self.vault, &self.url, self.clock.clone());
    }

    fn crash(&mut self) {
        if let Some(process) = self.process.take() {
            // A runtime may not be waited for inside another one.
            std::thread::spawn(move || process.shutdown_timeout(Duration::from_secs(5)))
                .join()
                .unwrap();
        }
    }

    /// A client of the environment that shares nothing with the setups.
    pub async fn client(&self) -> PlatformClient {
        let environment = store::environments::any_by_id(&self.store, ENVIRONMENT).await;
        let access = environment.unwrap().unwrap().access();
        clients(&self.vault, &self.emulator.url())
            .client_for(&access)
            .unwrap()
    }

    /// A draft of this recipe whose stored secrets are all [`CANARY`].
    pub async fn draft(&self, recipe: &Recipe) -> String {
        draft(&self.store, &self.vault, recipe).await
    }

    /// Starts a setup of this recipe.
    pub async fn set_up(&self, recipe: &Recipe) -> String {
        let draft = self.draft(recipe).await;
        loop {
            match self.setups.start(&editor(), EDITOR, TEAM, &draft).await {
                Ok(id) => return id,
                // A person who creates many at once has to wait until some have begun.
                Err(StartError::QueueFull(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                Err(error) => panic!("{error}"),
            }
        }
    }

    pub async fn setup(&self, id: &str) -> Setup {
        store::setups::any_by_id(&self.store, id).await.unwrap().unwrap()
    }

    pub async fn steps(&self, id: &str) -> Vec<Step> {
        store::setups::steps(&self.store, id).await.unwrap()
    }

    /// Says what the editor decided.
    pub async fn decide(&self, id: &str, decision: Decision) -> Result<(), PersonError> {
        self.setups.decide(&editor(), EDITOR, (TEAM, id), decision).await
    }

    /// Waits until the setup rests: finished or asking.
    pub async fn rested(&self, id: &str) -> Setup {
        self.rested_within(Duration::from_secs(15), id).await
    }

    /// The same for one of many, which may take longer.
    pub async fn rested_within(&self, patience: Duration, id: &str) -> Setup {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            let setup = self.setup(id).await;
            if !setup.state.is_active() {
                return setup;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "the setup never rested: {:?} {:#?}",
            self.setup(id).await,
            self.steps(id).await
        );
    }

    /// The setup is done; says where it stands otherwise.
    pub async fn done(&self, id: &str) -> Setup {
        let setup = self.rested(id).await;
        assert_eq!(
            setup.state,
            SetupState::Done,
            "{setup:?} {:#?}",
            self.steps(id).await
        );
        setup
    }

    /// How many creates the platform acted on, by path below the services' base.
    pub fn created(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.emulator.control().ledger() {
            if entry.method == "POST" && entry.object_id.is_some() {
                let path = entry.target.split('?').next().unwrap_or_default();
                *counts
                    .entry(path.rsplit('/').next().unwrap_or_default().to_owned())
                    .or_default() += 1;
            }
        }
        counts
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        self.crash();
    }
}

pub fn editor() -> Actor {
    Actor::person(EDITOR, "Ana", Role::Editor, "session", "127.0.0.1", "request")
}

/// A draft of this recipe whose stored secrets are all [`CANARY`].
pub async fn draft(store: &Store, vault: &KeyRing, recipe: &Recipe) -> String {
    let id = new_id();
    let draft = Draft {
        id: id.clone(),
        team_id: TEAM.into(),
        environment_id: ENVIRONMENT.into(),
        template_version_id: None,
        recipe: serde_json::to_string(recipe).unwrap(),
        answers: "{}".into(),
        created_by: EDITOR.into(),
        created_at: 1,
        updated_at: 1,
    };
    let mut tx = store.begin().await.unwrap();
    store::drafts::insert(&mut tx, &draft).await.unwrap();
    for key in recipe.secret_sources().keys() {
        let secret_id = new_id();
        let value = SecretString::from(CANARY);
        let sealed = vault.seal(&Place::secret(&secret_id), &value).unwrap();
        let secret = Secret {
            sealed: sealed.as_str().to_owned(),
            fingerprint: vault.fingerprint(&value),
            id: secret_id,
            owner_kind: SecretOwner::Draft,
            owner_id: id.clone(),
            field: format!("auth.{key}"),
            set_by: EDITOR.into(),
            set_at: 1,
        };
        store::secrets::put(&mut tx, &secret).await.unwrap();
    }
    tx.commit().await.unwrap();
    id
}

fn clients(vault: &Arc<KeyRing>, url: &str) -> Clients {
    let options = HttpOptions {
        read_timeout: Duration::from_secs(2),
        change_timeout: Duration::from_secs(2),
        retry_base: Duration::from_millis(20),
        ..HttpOptions::default()
    };
    let http = Http::new(Endpoints::parse(url, url).unwrap(), options).unwrap();
    Clients::new(http, Arc::clone(vault))
}

pub fn setups(store: &Store, vault: &Arc<KeyRing>, url: &str, clock: SharedClock) -> Setups {
    let clients = clients(vault, url);
    let (finished, _) = tokio::sync::mpsc::channel(8);
    Setups::new(store.clone(), Arc::clone(vault), clients, clock, QUICK, finished)
}

pub async fn populate(store: &Store, vault: &KeyRing, url: &str) {
    let mut tx = store.begin().await.unwrap();
    let team = Team {
        id: TEAM.into(),
        name: "Retail data".into(),
        created_at: 1,
    };
    store::people::insert_team(&mut tx, &team).await.unwrap();
    let user = User {
        id: EDITOR.into(),
        login: "ana".into(),
        name: "Ana".into(),
        password_hash: None,
        time_zone: None,
        disabled_at: None,
        created_at: 1,
    };
    store::people::insert_user(&mut tx, &user).await.unwrap();
    store::people::upsert_membership(&mut tx, TEAM, EDITOR, Role::Editor, 1)
        .await
        .unwrap();
    let secret = SecretString::from("headgate-demo-secret");
    let environment = Environment {
        id: ENVIRONMENT.into(),
        team_id: TEAM.into(),
        name: "Retail dev".into(),
        platform_origin: url.into(),
        organization: "0123456789ABCDEF01234567@AdobeOrg".into(),
        sandbox: "dev".into(),
        production: false,
        client_id: "headgate-demo".into(),
        client_secret: vault
            .seal(&Place::environment_secret(ENVIRONMENT), &secret)
            .unwrap()
            .as_str()
            .to_owned(),
        client_secret_fingerprint: vault.fingerprint(&secret),
        scopes: USUAL_SCOPES.into(),
        data_lake_connection_id: None,
        check_steps: None,
        checked_at: None,
        created_by: EDITOR.into(),
        created_at: 1,
        updated_at: 1,
        archived_at: None,
    };
    store::environments::insert(&mut tx, &environment).await.unwrap();
    tx.commit().await.unwrap();
}
