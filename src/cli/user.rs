//! `headgate user`: people and their roles, from the machine's command line.

use clap::Subcommand;

use super::operator::{open, read_secret, refused};
use super::{CliError, SettingArguments};
use crate::accounts::people::{self, NewPerson, PersonError};
use crate::audit::Actor;
use crate::domain::Role;
use crate::store;

/// People on one page of the list that is read.
const PAGE: i64 = 200;

/// Flags of `headgate user`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a person to a team; the team is made by its first person
    Add {
        /// What the person types at sign-in
        login: String,
        /// What others see [default: the login]
        #[arg(long)]
        name: Option<String>,
        /// viewer, editor or admin
        #[arg(long)]
        role: Role,
        /// The team's name
        #[arg(long)]
        team: String,
        /// Give no password: the person cannot sign in yet. Otherwise it is read from standard input
        #[arg(long)]
        no_password: bool,
        #[command(flatten)]
        settings: SettingArguments,
    },
    /// List people with their teams and roles
    List {
        #[command(flatten)]
        settings: SettingArguments,
    },
    /// Bar a person from signing in and end their sessions
    Disable {
        /// What the person types at sign-in
        login: String,
        #[command(flatten)]
        settings: SettingArguments,
    },
}

/// Adds, lists or disables.
///
/// # Errors
/// What was wrong; nothing was changed then.
pub async fn run(arguments: Arguments) -> Result<(), CliError> {
    match arguments.action {
        Action::Add {
            login,
            name,
            role,
            team,
            no_password,
            settings,
        } => {
            let (foundation, clock) = open(&settings).await?;
            let password = if no_password {
                None
            } else {
                Some(read_secret("The password")?)
            };
            let name = name.unwrap_or_else(|| login.clone());
            let person = NewPerson {
                login: login.clone(),
                name,
                role,
                team: team.clone(),
                password,
            };
            people::add(&foundation.store, &*clock, &Actor::operator("user add"), person).await?;
            println!("{login} is {role} in {team}.");
        }
        Action::List { settings } => list(&settings).await?,
        Action::Disable { login, settings } => {
            let (foundation, clock) = open(&settings).await?;
            let actor = Actor::operator("user disable");
            let ended = people::disable(&foundation.store, &*clock, &actor, &login).await?;
            println!("{login} is disabled; {} sessions were ended.", ended.sessions);
            if ended.board_links > 0 {
                println!(
                    "Links to wall boards that they had made: {} withdrawn.",
                    ended.board_links
                );
            }
        }
    }
    Ok(())
}

async fn list(settings: &SettingArguments) -> Result<(), CliError> {
    let (foundation, _) = open(settings).await?;
    let mut after: Option<String> = None;
    loop {
        let page = store::people::list_users(&foundation.store, after.as_deref(), PAGE).await?;
        for (user, memberships) in &page {
            let roles: Vec<String> = memberships
                .iter()
                .map(|m| format!("{} in {}", m.role, m.team_name))
                .collect();
            let state = if user.disabled_at.is_some() {
                " (disabled)"
            } else {
                ""
            };
            println!("{}\t{}{state}\t{}", user.login, user.name, roles.join(", "));
        }
        match page.last() {
            Some((user, _)) if page.len() as i64 == PAGE => after = Some(user.login.clone()),
            _ => return Ok(()),
        }
    }
}

impl From<PersonError> for CliError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Store(error) => error.into(),
            other => refused(other),
        }
    }
}
