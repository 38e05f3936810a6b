//! The command line: one file per subcommand.
//!
//! A new subcommand is a file with an `Arguments` struct and a `run` function, one variant of
//! `Command` and one arm in `Command::run`.

mod config;
mod demo;
mod doctor;
mod emulator;
mod environment;
mod exit;
mod generate_history;
mod operator;
mod serve;
mod settings;
mod user;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use exit::{CliError, Exit};
pub use settings::SettingArguments;

/// Set up, share, watch and audit the dataflows that bring cloud-storage files into Adobe Experience Platform.
#[derive(Debug, Parser)]
#[command(
    name = "headgate",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything against an emulator of the Platform APIs: no account, no network
    Demo(demo::Arguments),
    /// Serve Headgate
    Serve(serve::Arguments),
    Emulator(emulator::Arguments),
    // Not for an operator, so that the list of commands does not show it.
    #[command(hide = true)]
    GenerateHistory(generate_history::Arguments),
    /// Add, list and disable people
    User(user::Arguments),
    /// Add, list and check environments
    Environment(environment::Arguments),
    /// Print the settings in force, where each comes from and what it means
    Config(config::Arguments),
    /// Say what is wrong with an installation and what to do; changes nothing, also beside a running server
    Doctor(doctor::Arguments),
}

impl Command {
    async fn run(self) -> Result<(), CliError> {
        match self {
            Self::Demo(arguments) => demo::run(&arguments).await,
            Self::Serve(arguments) => serve::run(&arguments).await,
            Self::Config(arguments) => config::run(&arguments, &mut std::io::stdout()),
            Self::Doctor(arguments) => doctor::run(&arguments).await,
            Self::User(arguments) => user::run(arguments).await,
            Self::Environment(arguments) => environment::run(arguments).await,
            Self::GenerateHistory(arguments) => generate_history::run(arguments).await,
            Self::Emulator(arguments) => emulator::run(arguments).await,
        }
    }
}

/// Runs the command line and answers with the exit code, after telling on standard error what went wrong.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(refusal) => {
            // Help and version are "errors" too, meant for standard output. A closed pipe needs no second message.
            let _ = refusal.print();
            return if refusal.use_stderr() {
                Exit::Usage.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match arguments.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headgate: {error}");
            error.exit.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn exit_of(arguments: &[&str]) -> String {
        format!("{:?}", run(arguments.iter().map(OsString::from)).await)
    }

    #[test]
    fn the_tree_of_commands_holds_together() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[tokio::test]
    async fn wrong_usage_exits_with_64_and_wrong_settings_with_78() {
        let usage = format!("{:?}", ExitCode::from(64));
        assert_eq!(exit_of(&["headgate"]).await, usage);
        assert_eq!(exit_of(&["headgate", "fly"]).await, usage);
        assert_eq!(exit_of(&["headgate", "config", "--fly"]).await, usage);
        assert_eq!(
            exit_of(&["headgate", "--version"]).await,
            format!("{:?}", ExitCode::SUCCESS)
        );
        assert_eq!(
            exit_of(&["headgate", "config", "--listen", "x"]).await,
            format!("{:?}", ExitCode::from(78))
        );
    }
}
