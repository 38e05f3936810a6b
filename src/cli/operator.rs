//! What the operator's commands have in common: the data directory's parts, and secrets that are not on the
//! command line.

use std::io::{BufRead, IsTerminal};
use std::sync::Arc;

use secrecy::SecretString;

use super::{CliError, Exit, SettingArguments};
use crate::bootstrap::Foundation;
use crate::domain::{SharedClock, SystemClock};
use crate::platform::HttpOptions;
use crate::store::StoreError;

/// Opens database and keys; a server may run beside.
pub(super) async fn open(settings: &SettingArguments) -> Result<(Foundation, SharedClock), CliError> {
    let config = settings.load()?.config;
    let foundation = Foundation::open(&config, HttpOptions::default()).await?;
    Ok((foundation, Arc::new(SystemClock)))
}

/// Reads a secret: one line of standard input. At a terminal it is asked for first.
pub(super) fn read_secret(what: &str) -> Result<SecretString, CliError> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        eprintln!("{what} (shown while you type; pipe it in to avoid that):");
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .map_err(|error| CliError::new(Exit::InputOutput, error))?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        let reason = anyhow::anyhow!("{what} is needed on standard input. Nothing was changed");
        return Err(CliError::new(Exit::Usage, reason));
    }
    Ok(SecretString::from(secret))
}

/// An error about what was typed or is missing, with exit code 64.
pub(super) fn refused(reason: impl std::fmt::Display) -> CliError {
    CliError::new(Exit::Usage, anyhow::anyhow!("{reason}"))
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        crate::bootstrap::StartError::Store(error).into()
    }
}
