//! `headgate demo`: everything against an emulator of the Platform APIs, without an account or a network.

mod leftovers;
mod population;
mod templates;

use std::path::PathBuf;
use std::sync::Arc;

use super::serve::finish;
use super::{CliError, Exit};
use crate::bootstrap::{self, Variation};
use crate::config::{Config, Sources};
use crate::domain::setup::Rules;
use crate::domain::{SystemClock, new_id};
use crate::emulator::{self, Emulator, Options, SeedOptions};
use crate::lifecycle::Lifecycle;
use crate::platform::HttpOptions;
use crate::telemetry;
use crate::web::state::Demo;

/// How many seconds of the emulator's schedules pass in one second.
const SPEED: u32 = 30;
/// Where a kept directory remembers the emulator's port.
const EMULATOR_PORT: &str = "emulator.port";
/// Keeps the seeded history the same from one start to the next.
const SEED: u64 = 20_260_301;

/// Flags of `headgate demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, env = "HEADGATE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Directory that keeps what you do; without it everything is thrown away at the end
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// How many seconds of the schedules pass in one second
    #[arg(long, default_value_t = SPEED, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    speed: u32,
    /// What is logged, such as info or headgate=debug
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Runs the demonstration until it is told to stop.
///
/// # Errors
/// An address that is not loopback, and what keeps a server from starting.
pub async fn run(arguments: &Arguments) -> Result<(), CliError> {
    telemetry::init(&arguments.log, false).map_err(|error| CliError::new(Exit::Configuration, error))?;
    let listen: std::net::SocketAddr = arguments.listen.parse().map_err(|_| refused(&arguments.listen))?;
    if !listen.ip().is_loopback() {
        return Err(refused(&arguments.listen));
    }
    let lifecycle = Lifecycle::new();
    lifecycle
        .stop_on_signals()
        .map_err(|error| CliError::new(Exit::Software, error))?;
    let options = Options {
        speed: arguments.speed,
        random_seed: Some(SEED),
        seed: Some(SeedOptions::default()),
        ..Options::default()
    };
    let directory = ThrowAway::new(arguments.data_dir.clone());
    let emulator = start_emulator(options, &directory).await?;
    let config = config(&listen, &directory.path, &emulator.url())?;
    let variation = Variation {
        clock: Arc::new(SystemClock),
        rules: Rules::settling_within(config.settle_seconds),
        http: HttpOptions::default(),
        demo: Some(Demo {
            banner: format!(
                "Demonstration: Adobe is emulated on this machine, nothing leaves it. Schedules run {} times as fast.",
                arguments.speed
            ),
            logins: population::PEOPLE
                .iter()
                .map(|person| person.login.to_owned())
                .collect(),
        }),
    };
    let running = bootstrap::start(&config, variation, lifecycle).await?;
    population::populate(&running.state)
        .await
        .map_err(|error| CliError::new(Exit::Software, error))?;
    println!("Headgate demo: http://{}", running.address);
    println!(
        "Emulated Platform APIs: {} (control port: {})",
        emulator.url(),
        emulator.control_url()
    );
    println!(
        "Stop it with Ctrl-C.{}",
        if directory.keep {
            ""
        } else {
            " Everything is thrown away then."
        }
    );
    let ended = finish(running).await;
    emulator.shutdown().await;
    ended
}

/// Starts the emulator. A kept directory remembers its port, because environments belong to one address.
async fn start_emulator(mut options: Options, directory: &ThrowAway) -> Result<emulator::Running, CliError> {
    let remembered = directory.path.join(EMULATOR_PORT);
    if directory.keep {
        let port = std::fs::read_to_string(&remembered)
            .ok()
            .and_then(|port| port.trim().parse().ok());
        options.listen.set_port(port.unwrap_or(0));
    }
    let running = Emulator::start(options)
        .await
        .map_err(|error| CliError::new(Exit::Unreachable, error))?;
    if directory.keep
        && let Some((_, port)) = running.url().rsplit_once(':')
    {
        std::fs::create_dir_all(&directory.path)
            .and_then(|()| std::fs::write(&remembered, port))
            .map_err(|error| CliError::writing("the demo's data directory", error))?;
    }
    Ok(running)
}

/// The demo's people sign in without a password, so nobody else may reach it.
fn refused(listen: &str) -> CliError {
    let reason = anyhow::anyhow!(
        "the demo signs people in without a password and so listens on loopback only, not on {listen}. \
         Use --listen 127.0.0.1:PORT, or headgate serve for other machines"
    );
    CliError::new(Exit::Configuration, reason)
}

/// The settings of a demo: nothing of the surroundings counts, so that a demo never talks to a real platform.
fn config(
    listen: &std::net::SocketAddr,
    data_dir: &std::path::Path,
    platform: &str,
) -> Result<Config, CliError> {
    let flags = [
        ("listen", listen.to_string()),
        ("data_dir", data_dir.display().to_string()),
        ("platform_url", platform.to_owned()),
        ("ims_url", platform.to_owned()),
        ("history_interval_seconds", "3".to_owned()),
    ];
    let sources = Sources {
        file: None,
        environment: Default::default(),
        flags: flags.to_vec(),
    };
    Ok(Config::load(sources)?.config)
}

/// A data directory that goes with the process, unless it was named by a person.
struct ThrowAway {
    path: PathBuf,
    keep: bool,
}

impl ThrowAway {
    fn new(named: Option<PathBuf>) -> Self {
        let keep = named.is_some();
        let path = named.unwrap_or_else(|| std::env::temp_dir().join(format!("headgate-demo-{}", new_id())));
        Self { path, keep }
    }
}

impl Drop for ThrowAway {
    fn drop(&mut self) {
        if !self.keep {
            // It lies in the system's directory for temporary files, which cleans up after us if this fails.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
