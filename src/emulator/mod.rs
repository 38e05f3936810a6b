//! A stand-in for the Adobe Experience Platform APIs that bring cloud-storage files into a dataset.
//!
//! It serves IMS tokens, sandboxes, Schema Registry, Catalog, Data Prep and Flow Service as Adobe's public
//! documents describe them, refuses what those documents say is refused, makes runs by simulated time, and has
//! a second listener through which a test arms faults and reads what arrived. `README.md` beside this file is
//! the manual; it also lists what the documents leave open and how the emulator decides.
//!
//! It imports nothing from the rest of the crate: its own wire forms, state and clock, so that a mistake in the
//! client cannot hide in types shared with the thing that tests it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use headgate::emulator::{Emulator, Options, faults::{Fault, Rule}};
//!
//! let emulator = Emulator::start(Options { manual_time: true, ..Options::default() }).await?;
//! let flows = "/data/foundation/flowservice/flows";
//! emulator.control().arm(Rule::on("POST", flows).then(Fault::LoseAnswer));
//! // ... drive a client against emulator.url() ...
//! assert_eq!(emulator.control().ledger().len(), 0);
//! emulator.shutdown().await;
//! # Ok(()) }
//! ```

mod answered_id;
mod catalog;
mod catalog_batches;
mod clock;
pub mod control;
mod data_prep;
pub mod faults;
mod flow_service;
mod front_desk;
mod gateway;
mod ids;
mod ims;
pub mod ledger;
mod list_faults;
pub mod options;
mod refusal;
mod rule_book;
mod run_book;
mod run_document;
mod run_generator;
mod sandboxes;
mod schedule;
mod schema_creation;
mod schema_registry;
mod seed;
mod seed_cast;
pub mod seeded;
mod spoiled;
mod state;
mod strict_json;
mod wire;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use control::Control;
pub use options::{Options, SeedOptions};
pub use run_book::{RunChange, Tampering};
use state::App;

/// Starts emulators; see [`Emulator::start`].
#[derive(Debug)]
pub struct Emulator;

impl Emulator {
    /// Binds both listeners and serves until the returned handle is shut down or dropped.
    ///
    /// # Errors
    /// When an address cannot be bound, when the platform and control addresses are the same non-zero port, or when the
    /// options contradict themselves (no sandbox, speed 0).
    pub async fn start(options: Options) -> std::io::Result<Running> {
        options.check()?;
        let platform = TcpListener::bind(options.listen).await?;
        let control_port = TcpListener::bind(options.control).await?;
        let app = Arc::new(App::new(options));
        let stop = CancellationToken::new();
        let (address, control_address) = (platform.local_addr()?, control_port.local_addr()?);
        let handle = Control::new(Arc::clone(&app));
        let tasks = vec![
            serve(platform, front_desk::router(app), stop.clone()),
            serve(control_port, control::router(handle.clone()), stop.clone()),
        ];
        let running = Running {
            address,
            control_address,
            control: handle,
            tasks,
            stop,
        };
        tracing::info!(target: "headgate::emulator", platform = %running.url(), control = %running.control_url(), "emulator started");
        Ok(running)
    }
}

/// How long calls under way may take to end after a stop.
const LAST_CALLS: Duration = Duration::from_millis(250);

fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    // Idle connections are closed at once; a call that does not end, or never came in whole, is not waited for.
    let hurry = stop.clone();
    tokio::spawn(async move {
        let served = tokio::select! {
            served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()) => served,
            () = async { hurry.cancelled().await; tokio::time::sleep(LAST_CALLS).await } => Ok(()),
        };
        if let Err(error) = served {
            tracing::error!(target: "headgate::emulator", %error, "listener ended");
        }
    })
}

/// A running emulator. Dropping it stops it as well.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    control_address: SocketAddr,
    control: Control,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Running {
    /// Base of IMS and of the gateway, without a trailing slash: `http://127.0.0.1:9090`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Base of the control port, without a trailing slash.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control_address)
    }

    /// What the control port offers, without HTTP.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Stops listening, closes idle connections and waits a moment for calls under way.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.control.disarm();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(target: "headgate::emulator", %error, "listener task failed");
            }
        }
    }

    /// Serves until `signal` is done, then shuts down.
    pub async fn until(self, signal: impl Future<Output = ()>) {
        signal.await;
        self.shutdown().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        // Calls that are held would keep their connections.
        self.control.disarm();
    }
}
