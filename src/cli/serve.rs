//! `headgate serve`: the server.

use std::sync::Arc;

use super::{CliError, Exit, SettingArguments};
use crate::bootstrap::{self, StartError, Variation};
use crate::config::LogFormat;
use crate::domain::SystemClock;
use crate::domain::setup::Rules;
use crate::lifecycle::{End, Lifecycle};
use crate::platform::HttpOptions;
use crate::store::StoreError;
use crate::telemetry;

/// Flags of `headgate serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingArguments,
}

/// Serves until it is told to stop.
///
/// # Errors
/// What keeps it from starting or from going on.
pub async fn run(arguments: &Arguments) -> Result<(), CliError> {
    let config = arguments.settings.load()?.config;
    telemetry::init(&config.log, config.log_format == LogFormat::Json)
        .map_err(|error| CliError::new(Exit::Configuration, error))?;
    let lifecycle = Lifecycle::new();
    lifecycle
        .stop_on_signals()
        .map_err(|error| CliError::new(Exit::Software, error))?;
    let variation = Variation {
        clock: Arc::new(SystemClock),
        rules: Rules::settling_within(config.settle_seconds),
        http: HttpOptions::default(),
        demo: None,
    };
    let running = bootstrap::start(&config, variation, lifecycle).await?;
    tracing::info!(address = %running.address, public_url = %config.public_url, "listening");
    eprintln!("headgate: open {}", config.public_url);
    finish(running).await
}

/// Waits for the end of a server and says how it went.
pub(super) async fn finish(running: bootstrap::Running) -> Result<(), CliError> {
    let (end, stopped) = running.until_stopped().await;
    if let Err(left) = stopped {
        tracing::warn!(tasks = ?left.tasks, "stopped although some tasks had not ended");
    }
    match end {
        End::Asked => Ok(()),
        End::Lost(task) => {
            let reason =
                anyhow::anyhow!("the task \u{201c}{task}\u{201d} stopped working, so Headgate stopped too");
            Err(CliError::new(Exit::Software, reason))
        }
        End::DiskFailed => {
            let reason = anyhow::anyhow!(
                "the disk failed under the database, so Headgate stopped without another write. Look at the \
                 disk (headgate doctor), then start it again: it goes on from what is stored"
            );
            Err(CliError::new(Exit::InputOutput, reason))
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        let exit = match &error {
            StartError::Unusable { source, .. } => Exit::of_unusable(source.kind()),
            StartError::InUse(_) => Exit::CannotCreate,
            StartError::Store(StoreError::Full | StoreError::ReadOnly) => Exit::CannotCreate,
            StartError::Store(StoreError::Busy | StoreError::Io(_) | StoreError::Stopped(_)) => {
                Exit::InputOutput
            }
            StartError::Listen { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                Exit::NoPermission
            }
            StartError::Listen { .. } => Exit::Unreachable,
            StartError::Store(_) | StartError::Vault(_) | StartError::Endpoints(_) | StartError::Http(_) => {
                Exit::Configuration
            }
        };
        Self::new(exit, error)
    }
}
