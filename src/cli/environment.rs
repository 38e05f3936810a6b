//! `headgate environment`: organizations, sandboxes and credentials, from the machine's command line.

use clap::Subcommand;

use super::operator::{open, read_secret, refused};
use super::{CliError, Exit, SettingArguments};
use crate::audit::Actor;
use crate::bootstrap::Foundation;
use crate::domain::SharedClock;
use crate::environments::{EnvironmentError, EnvironmentForm, Environments};
use crate::platform::{CheckState, CheckStep};
use crate::store;
use crate::store::environments::Environment;
use crate::store::people::Team;

/// Environments of one team that are read.
const MOST: i64 = 500;

/// Flags of `headgate environment`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an environment and check its credential; the client secret is read from standard input
    Add {
        /// The team's name for it
        name: String,
        /// The team's name
        #[arg(long)]
        team: String,
        /// Adobe organization, such as 0123456789ABCDEF01234567@AdobeOrg
        #[arg(long)]
        organization: String,
        /// Sandbox, such as prod
        #[arg(long)]
        sandbox: String,
        /// Client id of the OAuth server-to-server credential
        #[arg(long)]
        client_id: String,
        /// Scopes, separated by commas [default: the usual ones of Experience Platform]
        #[arg(long, default_value = "", hide_default_value = true)]
        scopes: String,
        #[command(flatten)]
        settings: SettingArguments,
    },
    /// List the environments of all teams
    List {
        #[command(flatten)]
        settings: SettingArguments,
    },
    /// Check the credential of an environment step by step
    Check {
        /// The team's name for it
        name: String,
        /// The team's name
        #[arg(long)]
        team: String,
        #[command(flatten)]
        settings: SettingArguments,
    },
}

/// Adds, lists or checks.
///
/// # Errors
/// What was wrong; a credential that does not work ends with exit code 69.
pub async fn run(arguments: Arguments) -> Result<(), CliError> {
    match arguments.action {
        Action::Add {
            name,
            team,
            organization,
            sandbox,
            client_id,
            scopes,
            settings,
        } => {
            let (foundation, clock) = open(&settings).await?;
            let team = team_named(&foundation, &team).await?;
            let client_secret = read_secret("The client secret")?;
            let form = EnvironmentForm {
                name,
                organization,
                sandbox,
                client_id,
                client_secret,
                scopes,
            };
            let (rooms, actor) = (
                environments(&foundation, clock),
                Actor::operator("environment add"),
            );
            let id = rooms.add(&actor, "operator", &team.id, form).await?;
            println!("The environment was added. Its credential:");
            tell(&rooms.check(&actor, &team.id, &id).await?)
        }
        Action::List { settings } => list(&settings).await,
        Action::Check { name, team, settings } => {
            let (foundation, clock) = open(&settings).await?;
            let team = team_named(&foundation, &team).await?;
            let all = store::environments::list(&foundation.store, &team.id, None, MOST).await?;
            let found = all
                .into_iter()
                .find(|e| e.name == name && e.archived_at.is_none());
            let environment =
                found.ok_or_else(|| refused(format!("{} has no environment {name}", team.name)))?;
            let actor = Actor::operator("environment check");
            tell(
                &environments(&foundation, clock)
                    .check(&actor, &team.id, &environment.id)
                    .await?,
            )
        }
    }
}

/// The room of environments over an open data directory.
pub(super) fn environments(foundation: &Foundation, clock: SharedClock) -> Environments {
    Environments::new(
        foundation.store.clone(),
        foundation.vault.clone(),
        foundation.clients.clone(),
        clock,
    )
}

async fn team_named(foundation: &Foundation, name: &str) -> Result<Team, CliError> {
    let team = store::people::team_by_name(&foundation.store, name).await?;
    team.ok_or_else(|| {
        refused(format!(
            "there is no team {name}. headgate user add makes one with its first person"
        ))
    })
}

/// Prints the steps of a check; one that failed is an error.
fn tell(steps: &[CheckStep]) -> Result<(), CliError> {
    for step in steps {
        let word = match step.state {
            CheckState::Passed => "passed",
            CheckState::Failed => "FAILED",
            CheckState::NotTried => "not tried",
        };
        println!(
            "{word:<9} {} ({} ms): {}",
            step.name, step.duration_ms, step.detail
        );
    }
    if steps.iter().any(|step| step.state == CheckState::Failed) {
        let reason = anyhow::anyhow!(
            "the credential does not work yet; the environment is kept, check it again later"
        );
        return Err(CliError::new(Exit::Unreachable, reason));
    }
    Ok(())
}

async fn list(settings: &SettingArguments) -> Result<(), CliError> {
    let (foundation, _) = open(settings).await?;
    for team in store::people::list_teams(&foundation.store).await? {
        for environment in store::environments::list(&foundation.store, &team.id, None, MOST).await? {
            println!("{}\t{}", team.name, line(&environment));
        }
    }
    Ok(())
}

fn line(environment: &Environment) -> String {
    let state = match (environment.archived_at, environment.checked_at) {
        (Some(_), _) => "archived",
        (None, Some(_)) => "checked",
        (None, None) => "not checked",
    };
    let kind = if environment.production {
        ", production"
    } else {
        ""
    };
    let Environment {
        name,
        organization,
        sandbox,
        ..
    } = environment;
    format!("{name}\t{organization}\t{sandbox}{kind}\t{state}")
}

impl From<EnvironmentError> for CliError {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Store(error) => error.into(),
            EnvironmentError::Vault(error) => Self::new(Exit::Configuration, error),
            other => refused(other),
        }
    }
}
