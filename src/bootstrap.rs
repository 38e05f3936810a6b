//! Turning configuration into running parts. The only file that knows all of them.

pub mod directory;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::accounts::{Accounts, SessionLimits};
use crate::config::Config;
use crate::domain::SharedClock;
use crate::domain::setup::Rules;
use crate::environments::Environments;
use crate::history::{History, Pace};
use crate::lifecycle::{End, Lifecycle, StillRunning};
use crate::platform::{Clients, Endpoints, EndpointsError, Http, HttpOptions, PlatformError};
use crate::setups::Setups;
use crate::store::database::Before;
use crate::store::{self, Store, StoreError, Writes};
use crate::sweep::Sweep;
use crate::vault::{KeyRing, Sealed, VaultError};
use crate::web::route_table;
use crate::web::routes::ROUTES;
use crate::web::site::Site;
use crate::web::state::{AppState, Demo, Parts, WebSettings};
use crate::web::{layers, saving, server, session_layer};

/// How long requests and tasks may take to end; with the two below, a stop takes less than 30 s.
const STOP_WITHIN: Duration = Duration::from_secs(25);
/// How long closing the database may take: somebody may hold one of its connections for ever.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
/// Environments that wait to be read at once.
const FINISHED_QUEUE: usize = 64;

/// Why Headgate cannot start. Nothing is served, and nothing was changed unless the text says so.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory, or a file in it, cannot be made or used.
    #[error(
        "the {role} {path} cannot be used by {user}: {missing} ({source}). {advice}. Nothing was started"
    )]
    Unusable {
        /// Data directory, database, lock file.
        role: &'static str,
        /// As configured.
        path: String,
        /// Who tried.
        user: String,
        /// The right, or what else is not there.
        missing: &'static str,
        /// What to do.
        advice: &'static str,
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
        directory::prepare(&config.data_dir)?;
        let (store, vault) = open_database_and_vault(config).await?;
        let vault = Arc::new(vault);
        let endpoints = Endpoints::parse(config.platform_url.as_str(), config.ims_url.as_str())?;
        let clients = Clients::new(Http::new(endpoints, http)?, Arc::clone(&vault));
        Ok(Self {
            store,
            vault,
            clients,
        })
    }

    /// The same for the one process that may work on these rows: none other can, until the file is dropped.
    pub async fn open_alone(config: &Config, http: HttpOptions) -> Result<(Self, File), StartError> {
        directory::prepare(&config.data_dir)?;
        let lock = directory::lock(&config.data_dir)?;
        Ok((Self::open(config, http).await?, lock))
    }
}

/// Starts everything and listens.
pub async fn start(
    config: &Config,
    variation: Variation,
    lifecycle: Lifecycle,
) -> Result<Running, StartError> {
    let (foundation, lock) = Foundation::open_alone(config, variation.http.clone()).await?;
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
    let pace = Pace {
        interval: history_interval,
        side_by_side: config.history_side_by_side,
        calls_per_second: config.history_calls_per_second,
        fill_calls_per_second: config.history_fill_calls_per_second,
    };
    let history = History::new(store.clone(), clients.clone(), Arc::clone(&clock), pace, to_read);
    let sweep = Sweep::new(store.clone(), clients.clone(), Arc::clone(&clock));
    let limits = SessionLimits {
        idle_ms: i64::from(config.session_idle_minutes) * 60_000,
        absolute_ms: i64::from(config.session_hours) * 3_600_000,
    };
    let state = AppState::new(Parts {
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
        settings: WebSettings {
            time_zone: config.time_zone.clone(),
            demo: variation.demo,
        },
    });
    keep_writable(&lifecycle, &store);
    supervise(&lifecycle, &setups, &history, history_interval);
    supervise_sweep(&lifecycle, &sweep);
    let router = route_table::build(ROUTES).with_state(state.clone());
    let router = saving::guard(router, store.clone());
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
    /// Waits for the end and stops in order. Says why it ended, and which tasks had to be left.
    pub async fn until_stopped(self) -> (End, Result<(), StillRunning>) {
        let end = self.state.lifecycle.wait_for_end().await;
        let stopped = self.stop().await;
        (end, stopped)
    }

    /// Stops in order: no new connections, no new steps, then the database is closed.
    pub async fn stop(self) -> Result<(), StillRunning> {
        let stopped = self.state.lifecycle.shutdown(STOP_WITHIN).await;
        if tokio::time::timeout(CLOSE_WITHIN, self.store.close())
            .await
            .is_err()
        {
            tracing::warn!("the database could not be closed in time; the next start reads its log");
        }
        stopped
    }
}

/// Opens the database again after it was full; ends the process when its disk fails.
fn keep_writable(lifecycle: &Lifecycle, store: &Store) {
    let (store, ending) = (store.clone(), lifecycle.clone());
    lifecycle.spawn_supervised("disk", Duration::from_secs(5), move |heartbeat| {
        let (store, ending) = (store.clone(), ending.clone());
        async move {
            store.keep_writable(&ending.stopping(), || heartbeat.beat()).await;
            if matches!(store.writes(), Writes::Failed(_)) {
                ending.stop_because(End::DiskFailed);
            }
        }
    });
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
            let beat = move |restarts| {
                heartbeat.count_restarts(restarts);
                heartbeat.beat();
            };
            async move { history.run(stop, beat).await }
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

/// In the order that leaves a database alone as long as something is wrong: the keys are proven by the canary
/// before anything is migrated. On the very first start there is nothing to prove, and they are made.
async fn open_database_and_vault(config: &Config) -> Result<(Store, KeyRing), StartError> {
    let path = directory::database(&config.data_dir);
    let (mut ring, mut canary_is_missing) = (None, false);
    let opened = Store::open_if(&path, |before| {
        ring = Some(proven_ring(config, before)?);
        canary_is_missing = before.canary.is_none();
        Ok::<_, StartError>(())
    });
    let store = match opened.await {
        Err(StartError::Store(StoreError::ReadOnly)) => {
            let source = io::ErrorKind::PermissionDenied.into();
            return Err(directory::unusable("database", &path, source));
        }
        outcome => outcome?,
    };
    let Some(ring) = ring else {
        let never = StoreError::Other("the database was opened without a look at it".to_owned());
        return Err(never.into());
    };
    if canary_is_missing {
        let sealed = ring.seal_canary()?;
        let mut tx = store.begin().await?;
        store::secrets::put_canary(&mut tx, sealed.as_str()).await?;
        tx.commit().await?;
    }
    Ok((store, ring))
}

fn proven_ring(config: &Config, before: &Before) -> Result<KeyRing, VaultError> {
    let nothing_is_sealed = before.canary.is_none() && !before.any_sealed;
    let ring = match &config.key {
        Some(keys) => KeyRing::from_text(keys)?,
        None => KeyRing::from_file_or_new(&config.key_file, nothing_is_sealed)?,
    };
    if let Some(canary) = &before.canary {
        ring.check_canary(&Sealed::from_stored(canary.clone()))?;
    }
    Ok(ring)
}
