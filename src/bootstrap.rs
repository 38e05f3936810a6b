//! Turning configuration into running parts. The only file that knows all of them.

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::accounts::{Accounts, SessionLimits};
use crate::config::Config;
use crate::domain::SharedClock;
use crate::domain::setup::Rules;
use crate::environments::Environments;
use crate::history::History;
use crate::lifecycle::{End, Lifecycle, StillRunning};
use crate::platform::{Clients, Endpoints, EndpointsError, Http, HttpOptions, PlatformError};
use crate::setups::Setups;
use crate::store::{self, Store, StoreError};
use crate::sweep::Sweep;
use crate::vault::{KeyRing, Sealed, VaultError};
use crate::web::route_table;
use crate::web::routes::ROUTES;
use crate::web::site::Site;
use crate::web::state::{AppState, Demo, WebSettings};
use crate::web::{layers, server, session_layer};

/// The database's file in the data directory.
const DATABASE: &str = "headgate.db";
/// Held by the one process that serves a data directory.
const LOCK: &str = "headgate.lock";
/// How long a stop may take.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// Environments that wait to be read at once.
const FINISHED_QUEUE: usize = 64;

/// Why Headgate cannot start. Nothing is served, and nothing was changed unless the text says so.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made or used.
    #[error("the data directory {path} cannot be used: {source}. It must be writable for this user")]
    DataDirectory {
        /// As configured.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process serves it.
    #[error(
        "another headgate serves the data directory {0}. Stop it first; two on one database would corrupt it"
    )]
    InUse(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The addresses of the platform.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
    /// The HTTP client.
    #[error(transparent)]
    Http(#[from] PlatformError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Choose another one with --listen")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Database and keys of a data directory, for commands that need no server.
#[derive(Debug, Clone)]
pub struct Foundation {
    /// The database.
    pub store: Store,
    /// The keys, proven to be the right ones.
    pub vault: Arc<KeyRing>,
    /// Clients of the platform.
    pub clients: Clients,
}

/// What differs between `serve`, `demo` and tests.
#[derive(Debug, Clone)]
pub struct Variation {
    /// The time.
    pub clock: SharedClock,
    /// How unknown outcomes are settled.
    pub rules: Rules,
    /// Timeouts of calls to the platform.
    pub http: HttpOptions,
    /// Set in demo mode.
    pub demo: Option<Demo>,
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What handlers reach.
    pub state: AppState,
    /// The history task.
    pub history: History,
    store: Store,
    // Held until the process ends.
    _lock: File,
}

impl Foundation {
    /// Opens database and keys. Several processes may do so at once.
    pub async fn open(config: &Config, http: HttpOptions) -> Result<Self, StartError> {
        prepare(&config.data_dir)?;
        let store = Store::open(&config.data_dir.join(DATABASE)).await?;
        let vault = Arc::new(open_vault(config, &store).await?);
        let endpoints = Endpoints::parse(config.platform_url.as_str(), config.ims_url.as_str())?;
        let clients = Clients::new(Http::new(endpoints, http)?, Arc::clone(&vault));
        Ok(Self {
            store,
            vault,
            clients,
        })
    }
}

/// Starts everything and listens.
pub async fn start(
    config: &Config,
    variation: Variation,
    lifecycle: Lifecycle,
) -> Result<Running, StartError> {
    prepare(&config.data_dir)?;
    let lock = lock(&config.data_dir)?;
    let foundation = Foundation::open(config, variation.http.clone()).await?;
    let Foundation {
        store,
        vault,
        clients,
    } = foundation;
    // The lock proves that no other process works on these rows.
    let mut tx = store.begin().await?;
    store::leases::expire_all(&mut tx).await?;
    tx.commit().await?;
    let listen_error = |source| StartError::Listen {
        address: config.listen,
        source,
    };
    let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;

    let (finished, to_read) = mpsc::channel(FINISHED_QUEUE);
    let clock = Arc::clone(&variation.clock);
    let setups = Setups::new(
        store.clone(),
        Arc::clone(&vault),
        clients.clone(),
        Arc::clone(&clock),
        variation.rules,
        finished,
    );
    let history_interval = Duration::from_secs(config.history_interval_seconds.into());
    let history = History::new(
        store.clone(),
        clients.clone(),
        Arc::clone(&clock),
        history_interval,
        to_read,
    );
    let sweep = Sweep::new(store.clone(), clients.clone(), Arc::clone(&clock));
    let limits = SessionLimits {
        idle_ms: i64::from(config.session_idle_minutes) * 60_000,
        absolute_ms: i64::from(config.session_hours) * 3_600_000,
    };
    let state = AppState {
        store: store.clone(),
        accounts: Accounts::new(store.clone(), Arc::clone(&clock), limits),
        environments: Environments::new(
            store.clone(),
            Arc::clone(&vault),
            clients.clone(),
            Arc::clone(&clock),
        ),
        vault,
        clients,
        setups: setups.clone(),
        history: history.clone(),
        sweep: sweep.clone(),
        clock,
        lifecycle: lifecycle.clone(),
        site: Arc::new(Site::new(&public_url(config, address), address)),
        settings: Arc::new(WebSettings {
            time_zone: config.time_zone.clone(),
            demo: variation.demo,
        }),
    };
    supervise(&lifecycle, &setups, &history, history_interval);
    supervise_sweep(&lifecycle, &sweep);
    let router = route_table::build(ROUTES).with_state(state.clone());
    let router = layers::wrap(
        session_layer::wrap(router, state.clone()),
        Arc::clone(&state.site),
    );
    lifecycle.spawn(server::serve(listener, router, lifecycle.stopping()));
    Ok(Running {
        address,
        state,
        history,
        store,
        _lock: lock,
    })
}

impl Running {
    /// Waits for the end and stops in order. `Err`: some tasks had to be left.
    pub async fn until_stopped(self) -> Result<End, StillRunning> {
        let end = self.state.lifecycle.wait_for_end().await;
        self.stop().await?;
        Ok(end)
    }

    /// Stops in order: no new connections, no new steps, then the database is closed.
    pub async fn stop(self) -> Result<(), StillRunning> {
        let stopped = self.state.lifecycle.shutdown(STOP_WITHIN).await;
        self.store.close().await;
        stopped
    }
}

fn supervise(lifecycle: &Lifecycle, setups: &Setups, history: &History, history_interval: Duration) {
    let (setups, stop) = (setups.clone(), lifecycle.stopping());
    lifecycle.spawn_supervised("setups", Duration::from_secs(5), move |heartbeat| {
        let (setups, stop) = (setups.clone(), stop.clone());
        async move { setups.dispatch(stop, || heartbeat.beat()).await }
    });
    let (history, stop) = (history.clone(), lifecycle.stopping());
    lifecycle.spawn_supervised(
        "history",
        history_interval.max(Duration::from_secs(60)),
        move |heartbeat| {
            let (history, stop) = (history.clone(), stop.clone());
            async move { history.run(stop, || heartbeat.beat()).await }
        },
    );
}

fn supervise_sweep(lifecycle: &Lifecycle, sweep: &Sweep) {
    let (sweep, stop) = (sweep.clone(), lifecycle.stopping());
    lifecycle.spawn_supervised("sweep", Duration::from_secs(20), move |heartbeat| {
        let (sweep, stop) = (sweep.clone(), stop.clone());
        async move { sweep.run(stop, || heartbeat.beat()).await }
    });
}

/// The address under which people reach the server; the default follows the port that was bound.
fn public_url(config: &Config, address: SocketAddr) -> url::Url {
    let mut url = config.public_url.clone();
    if url.port() == Some(config.listen.port()) && config.listen.port() != address.port() {
        // Only an address without a host refuses a port, and those are refused by the configuration.
        let _ = url.set_port(Some(address.port()));
    }
    url
}

fn prepare(directory: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|source| unusable(directory, source))
}

fn lock(directory: &Path) -> Result<File, StartError> {
    let file = File::options()
        .create(true)
        .append(true)
        .open(directory.join(LOCK));
    let file = file.map_err(|source| unusable(directory, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(directory.display().to_string())),
        Err(TryLockError::Error(source)) => Err(unusable(directory, source)),
    }
}

fn unusable(directory: &Path, source: io::Error) -> StartError {
    StartError::DataDirectory {
        path: directory.display().to_string(),
        source,
    }
}

/// The key ring, made on the very first start and proven by the canary on every other.
async fn open_vault(config: &Config, store: &Store) -> Result<KeyRing, StartError> {
    let canary = store::secrets::canary(store).await?;
    let nothing_is_sealed = canary.is_none() && !store::secrets::any_sealed(store).await?;
    let ring = match &config.key {
        Some(keys) => KeyRing::from_text(keys)?,
        None => KeyRing::from_file_or_new(&config.key_file, nothing_is_sealed)?,
    };
    match canary {
        Some(canary) => ring.check_canary(&Sealed::from_stored(canary))?,
        None => {
            let sealed = ring.seal_canary()?;
            let mut tx = store.begin().await?;
            store::secrets::put_canary(&mut tx, sealed.as_str()).await?;
            tx.commit().await?;
        }
    }
    Ok(ring)
}
