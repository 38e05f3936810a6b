//! Who and what is in the demo: a team, its people, environments and templates.

use secrecy::SecretString;

use super::leftovers;
use super::templates::TEMPLATES;
use crate::accounts::people::{self, NewPerson};
use crate::audit::Actor;
use crate::connection_templates::{self, By};
use crate::domain::Role;
use crate::domain::connector::connector;
use crate::environments::EnvironmentForm;
use crate::store;
use crate::web::state::AppState;

/// The team.
const TEAM: &str = "Retail data";

/// Somebody in the demo.
pub(super) struct Person {
    pub(super) login: &'static str,
    name: &'static str,
    role: Role,
}

/// An analyst, a template author and an auditor.
pub(super) const PEOPLE: [Person; 3] = [
    Person {
        login: "ana",
        name: "Ana Ribeiro (analyst)",
        role: Role::Editor,
    },
    Person {
        login: "theo",
        name: "Theo Lindqvist (template author)",
        role: Role::Admin,
    },
    Person {
        login: "aude",
        name: "Aude Marchal (auditor)",
        role: Role::Viewer,
    },
];
/// Who makes templates and environments.
const AUTHOR: &str = "theo";

/// Fills an empty database; one that was kept from an earlier demo stays as it is.
pub(super) async fn populate(state: &AppState) -> anyhow::Result<()> {
    if !store::people::list_teams(&state.store).await?.is_empty() {
        return Ok(());
    }
    let operator = Actor::operator("demo");
    for person in &PEOPLE {
        let new = NewPerson {
            login: person.login.to_owned(),
            name: person.name.to_owned(),
            role: person.role,
            team: TEAM.to_owned(),
            password: None,
        };
        people::add(&state.store, &*state.clock, &operator, new).await?;
    }
    let team = store::people::team_by_name(&state.store, TEAM).await?;
    let team_id = team
        .ok_or_else(|| anyhow::anyhow!("the demo's team vanished"))?
        .id;
    let author = store::people::user_by_login(&state.store, AUTHOR).await?;
    let author = author.ok_or_else(|| anyhow::anyhow!("the demo's template author vanished"))?;
    let actor = Actor::person(&author.id, &author.name, Role::Admin, "demo", "127.0.0.1", "demo");
    for (name, sandbox) in [("Retail dev", "dev"), ("Retail prod", "prod")] {
        let form = EnvironmentForm {
            name: name.to_owned(),
            organization: "0123456789ABCDEF01234567@AdobeOrg".to_owned(),
            sandbox: sandbox.to_owned(),
            client_id: "headgate-demo".to_owned(),
            client_secret: SecretString::from("headgate-demo-secret"),
            scopes: String::new(),
        };
        let id = state.environments.add(&actor, &author.id, &team_id, form).await?;
        state.environments.check(&actor, &team_id, &id).await?;
        if sandbox == "dev" {
            leftovers::leave(state, &id).await?;
        }
    }
    let by = By {
        actor: &actor,
        user_id: &author.id,
        team_id: &team_id,
        now_ms: state.clock.now_ms(),
    };
    for (slug, fields) in TEMPLATES {
        let connector = connector(slug).ok_or_else(|| anyhow::anyhow!("no connector {slug}"))?;
        let pairs = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let content = connection_templates::read_template(pairs, connector, None, by.now_ms);
        let content =
            content.map_err(|problems| anyhow::anyhow!("the demo's {slug} template: {problems:?}"))?;
        connection_templates::create(&state.store, &state.vault, &by, &content).await?;
    }
    Ok(())
}
