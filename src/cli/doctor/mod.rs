//! `headgate doctor`: what is wrong with an installation, and what to do.
//!
//! It changes nothing: the database is opened for reading, no lock is held, nothing is migrated or made. It works
//! beside a running server and on an installation that no server would start on. No line holds a secret.

mod database;
mod files;
mod finding;
mod platform;

use std::io::Write;
use std::time::Duration;

use serde_json::json;

use super::{CliError, Exit, SettingArguments};
use crate::config::Config;
use finding::{Finding, Verdict};

/// Flags of `headgate doctor`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Do not ask Adobe anything
    #[arg(long)]
    offline: bool,
    /// Print one JSON object, for machines
    #[arg(long)]
    json: bool,
    /// Longest time for the check of every page of the database, in seconds
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    check_within: u64,
    #[command(flatten)]
    settings: SettingArguments,
}

/// Examines the installation and prints what was found.
///
/// # Errors
/// At least one problem was found; the exit code is that of the first one. Warnings are no error.
pub async fn run(arguments: &Arguments) -> Result<(), CliError> {
    let findings = examine(arguments).await;
    let text = if arguments.json {
        as_json(&findings)
    } else {
        findings.iter().map(Finding::as_text).collect()
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| CliError::writing("standard output", error))?;
    let problems: Vec<Exit> = findings.iter().filter_map(Finding::exit).collect();
    match problems[..] {
        [] => Ok(()),
        [exit] => Err(CliError::new(
            exit,
            anyhow::anyhow!("1 problem was found. Nothing was changed"),
        )),
        [exit, ..] => {
            let count = problems.len();
            let reason = anyhow::anyhow!("{count} problems were found. Nothing was changed");
            Err(CliError::new(exit, reason))
        }
    }
}

async fn examine(arguments: &Arguments) -> Vec<Finding> {
    let config = match arguments.settings.load() {
        Ok(loaded) => loaded.config,
        Err(error) => {
            let found = format!("{error}\n  Nothing else was examined.");
            return vec![
                Finding::problem("configuration", error.exit, found).advice("See `headgate config`."),
            ];
        }
    };
    let mut findings = vec![Finding::ok(
        "configuration",
        format!(
            "All settings can be used. The data directory is {}.",
            config.data_dir.display()
        ),
    )];
    findings.extend(files::examine(&config));
    findings.extend(of_database(arguments, &config).await);
    findings
}

async fn of_database(arguments: &Arguments, config: &Config) -> Vec<Finding> {
    let store = match database::open(config).await {
        Ok(Some(store)) => store,
        Ok(None) => return Vec::new(),
        Err(finding) => return vec![finding],
    };
    let limit = Duration::from_secs(arguments.check_within);
    let mut findings = database::examine(&store, config, limit).await;
    let (ring, finding) = database::key_ring(&store, config).await;
    findings.push(finding);
    findings.extend(platform::examine(&store, config, ring, arguments.offline).await);
    store.close().await;
    findings
}

fn as_json(findings: &[Finding]) -> String {
    let exit = findings
        .iter()
        .find_map(Finding::exit)
        .map_or(0, |exit| exit as u8);
    let list: Vec<_> = findings.iter().map(Finding::as_json).collect();
    let count = |verdict: fn(&Verdict) -> bool| findings.iter().filter(|f| verdict(&f.verdict)).count();
    let told = json!({
        "exit": exit,
        "problems": count(|verdict| matches!(verdict, Verdict::Problem(_))),
        "warnings": count(|verdict| matches!(verdict, Verdict::Warning)),
        "findings": list,
    });
    format!("{told}\n")
}
