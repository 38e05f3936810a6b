//! How a command ends.

use std::fmt;
use std::io::ErrorKind;
use std::process::ExitCode;

use crate::config::ConfigError;

/// Exit codes with the meaning that `sysexits.h` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 64: the command line is wrong.
    Usage = 64,
    /// 69: something needed cannot be reached.
    Unreachable = 69,
    /// 70: a fault of Headgate itself.
    Software = 70,
    /// 73: a file or directory cannot be created or written.
    CannotCreate = 73,
    /// 74: reading or writing failed half-way.
    InputOutput = 74,
    /// 77: a permission is missing.
    NoPermission = 77,
    /// 78: the configuration, a key included, is wrong.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// For a file or directory that cannot be used, told apart by what the system answered.
    pub(in crate::cli) fn of_unusable(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::NoPermission,
            ErrorKind::NotFound
            | ErrorKind::NotADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded => Self::CannotCreate,
            _ => Self::InputOutput,
        }
    }
}

/// Why a command failed, told to the person at the keyboard, and the exit code for the script.
#[derive(Debug)]
pub struct CliError {
    /// What the process ends with.
    pub exit: Exit,
    reason: anyhow::Error,
}

impl CliError {
    /// An error with everything that led to it.
    pub fn new(exit: Exit, reason: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            reason: reason.into(),
        }
    }

    /// A file or directory that could not be written, told apart by what the system answered.
    pub fn writing(what: &str, error: std::io::Error) -> Self {
        let exit = Exit::of_unusable(error.kind());
        Self::new(
            exit,
            anyhow::Error::new(error).context(format!("{what} cannot be written")),
        )
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.reason)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Configuration, error)
    }
}
