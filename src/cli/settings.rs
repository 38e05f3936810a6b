//! Flags for the settings, made from [`SETTINGS`], so that no flag can be forgotten or mean something else.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};

use super::CliError;
use crate::config::{Config, FILE_VARIABLE, Loaded, SETTINGS, Sources};

const FILE: &str = "config";

/// `--config` and one flag for each setting that is not a secret. Put it into a subcommand with `#[command(flatten)]`.
#[derive(Debug, Default)]
pub struct SettingArguments {
    file: Option<PathBuf>,
    flags: Vec<(&'static str, String)>,
}

impl SettingArguments {
    /// The settings of this process: defaults, file, environment and these flags.
    ///
    /// # Errors
    /// All mistakes in them, with exit code 78.
    pub fn load(&self) -> Result<Loaded, CliError> {
        let sources = Sources {
            file: self.file.clone(),
            environment: std::env::vars_os().collect(),
            flags: self.flags.clone(),
        };
        Ok(Config::load(sources)?)
    }
}

impl Args for SettingArguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .env(FILE_VARIABLE)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("TOML file with settings")
            .help_heading("Settings");
        SETTINGS
            .iter()
            .fold(command.arg(file), |command, setting| match setting.flag() {
                Some(flag) => command.arg(
                    Arg::new(setting.key)
                        .long(flag)
                        .value_name("VALUE")
                        .help(format!(
                            "{} [env: {}] [default: {}]",
                            setting.meaning.trim(),
                            setting.variable(),
                            setting.default
                        ))
                        .help_heading("Settings"),
                ),
                None => command,
            })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut arguments = Self::default();
        arguments.update_from_arg_matches(matches)?;
        Ok(arguments)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.file = matches.get_one::<PathBuf>(FILE).cloned();
        let given = |key| matches.get_one::<String>(key).cloned().map(|text| (key, text));
        self.flags = SETTINGS
            .iter()
            .filter(|setting| !setting.secret)
            .filter_map(|setting| given(setting.key))
            .collect();
        Ok(())
    }
}
