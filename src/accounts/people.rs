//! Adding and disabling people, and what they change about themselves.

use secrecy::SecretString;
use serde_json::json;

use super::passwords::{self, HashError, check_password};
use super::{Accounts, sessions};
use crate::audit::{self, Actor, Change};
use crate::domain::{Clock, Problem, Role, new_id, texts};
use crate::store::people::{Team, User};
use crate::store::{self, Store, StoreError};

/// Somebody to be added.
#[derive(Debug)]
pub struct NewPerson {
    /// What they will type at sign-in; stored in lower case.
    pub login: String,
    /// What others see.
    pub name: String,
    /// What they may do in the team.
    pub role: Role,
    /// The team's name; a team is made by its first person.
    pub team: String,
    /// None: cannot sign in with a password.
    pub password: Option<SecretString>,
}

/// Why a person was not added or changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// Something typed is wrong.
    #[error("{}", .0.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join(" "))]
    Mistakes(Vec<Problem>),
    /// Somebody has this login.
    #[error("somebody has the login {0} already; nothing was changed; choose another")]
    Taken(String),
    /// Nobody has this login.
    #[error("nobody has the login {0}; nothing was changed; headgate user list shows all")]
    Unknown(String),
    /// The old password is another one.
    #[error("the current password is not right")]
    WrongPassword,
    /// Too many wrong passwords lately.
    #[error("too many attempts failed; try again in {retry_after_s} seconds")]
    TooMany {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The system cannot hash.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A login as it is stored: without surrounding blanks, in lower case.
pub fn normal_login(login: &str) -> String {
    login.trim().to_lowercase()
}

fn check_login(login: &str) -> Option<Problem> {
    texts::check_name("login", "Login", login).or_else(|| {
        login
            .contains(char::is_whitespace)
            .then(|| Problem::new("login", "input.characters", "Login may not contain blanks."))
    })
}

/// Adds a person with a role in a team; gives the id.
///
/// # Errors
/// [`PersonError`]; nothing was changed.
pub async fn add(
    store: &Store,
    clock: &dyn Clock,
    actor: &Actor,
    person: NewPerson,
) -> Result<String, PersonError> {
    let login = normal_login(&person.login);
    let mistakes: Vec<Problem> = [
        check_login(&login),
        texts::check_name("name", "Name", &person.name),
        texts::check_name("team", "Team", &person.team),
        person
            .password
            .as_ref()
            .and_then(|password| check_password("password", password)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !mistakes.is_empty() {
        return Err(PersonError::Mistakes(mistakes));
    }
    let password_hash = match person.password {
        Some(password) => Some(passwords::hash(password).await?),
        None => None,
    };
    let now = clock.now_ms();
    let user = User {
        id: new_id(),
        login,
        name: person.name.trim().to_owned(),
        password_hash,
        time_zone: None,
        disabled_at: None,
        created_at: now,
    };
    let team = store::people::team_by_name(store, person.team.trim()).await?;
    let mut tx = store.begin().await?;
    let team_id = match team {
        Some(team) => team.id,
        None => {
            let (id, name) = (new_id(), person.team.trim().to_owned());
            let team = Team {
                id,
                name,
                created_at: now,
            };
            store::people::insert_team(&mut tx, &team).await?;
            team.id
        }
    };
    match store::people::insert_user(&mut tx, &user).await {
        Err(StoreError::Duplicate { .. }) => return Err(PersonError::Taken(user.login)),
        other => other?,
    }
    store::people::upsert_membership(&mut tx, &team_id, &user.id, person.role, now).await?;
    let change = Change::new("user.added", "user", &user.id, &user.name).after(json!({
        "login": user.login, "name": user.name, "role": person.role, "team": person.team.trim(),
    }));
    audit::record(&mut tx, actor, now, Some(&team_id), &change).await?;
    tx.commit().await?;
    Ok(user.id)
}

/// What disabling a person ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Their sessions.
    pub sessions: u64,
    /// Links to wall boards that they had made, whose addresses they may know.
    pub board_links: u64,
}

/// Bars a person from signing in, ends their sessions and withdraws the links to wall boards that they made.
///
/// # Errors
/// [`PersonError::Unknown`], or the database.
pub async fn disable(
    store: &Store,
    clock: &dyn Clock,
    actor: &Actor,
    login: &str,
) -> Result<Ended, PersonError> {
    let login = normal_login(login);
    let user = store::people::user_by_login(store, &login).await?;
    let user = user.ok_or(PersonError::Unknown(login))?;
    let memberships = store::people::memberships_of(store, &user.id).await?;
    let now = clock.now_ms();
    let mut tx = store.begin().await?;
    store::people::set_disabled(&mut tx, &user.id, Some(user.disabled_at.unwrap_or(now))).await?;
    let ended = Ended {
        sessions: store::sessions::delete_for_user(&mut tx, &user.id).await?,
        board_links: store::board_links::delete_of_maker(&mut tx, &user.id).await?,
    };
    let change = Change::new("user.disabled", "user", &user.id, &user.name).after(json!({
        "login": user.login, "sessions_ended": ended.sessions, "board_links_withdrawn": ended.board_links,
    }));
    let team = memberships.first().map(|membership| membership.team_id.as_str());
    audit::record(&mut tx, actor, now, team, &change).await?;
    tx.commit().await?;
    Ok(ended)
}

impl Accounts {
    /// Replaces a person's password, who proves with the current one to be that person. Their other sessions end.
    ///
    /// # Errors
    /// [`PersonError`]; nothing was changed.
    pub async fn change_password(
        &self,
        actor: &Actor,
        changing: PasswordChange<'_>,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), PersonError> {
        if let Some(mistake) = check_password("new_password", &new) {
            return Err(PersonError::Mistakes(vec![mistake]));
        }
        let inner = &self.inner;
        let user = store::people::user_by_id(&inner.store, changing.person.user_id).await?;
        let user = user.ok_or_else(|| PersonError::Unknown(changing.person.name.to_owned()))?;
        let now = inner.clock.now_ms();
        inner
            .attempts
            .begin(&user.login, changing.client_address, now)
            .map_err(|retry_after_s| PersonError::TooMany { retry_after_s })?;
        if !self.verify(user.password_hash.clone(), current).await {
            return Err(PersonError::WrongPassword);
        }
        inner.attempts.forgive(&user.login, changing.client_address);
        let hash = passwords::hash(new).await?;
        let others = self.sessions_of(&user.id).await?;
        let mut tx = inner.store.begin().await?;
        store::people::set_password_hash(&mut tx, &user.id, &hash).await?;
        let mut ended = 0;
        for other in others {
            if sessions::session_id(&other.token_hash) != changing.session_id {
                store::sessions::delete(&mut tx, other.token_hash.expose()).await?;
                ended += 1;
            }
        }
        let change = Change::new("user.password_changed", "user", &user.id, &user.name)
            .after(json!({ "sessions_ended": ended }));
        audit::record(&mut tx, actor, now, Some(changing.person.team_id), &change).await?;
        Ok(tx.commit().await?)
    }

    /// Sets the zone in which a person reads times; none: the server's.
    ///
    /// # Errors
    /// [`PersonError::Mistakes`] for a name that is no zone, or the database. Nothing was changed.
    pub async fn set_time_zone(
        &self,
        actor: &Actor,
        person: sessions::Person<'_>,
        zone: &str,
    ) -> Result<(), PersonError> {
        let zone = zone.trim();
        if !zone.is_empty() && jiff::tz::TimeZone::get(zone).is_err() {
            let message = "Time zone: no zone has this name. Choose one of the list, such as Europe/Paris.";
            return Err(PersonError::Mistakes(vec![Problem::new(
                "time_zone",
                "time_zone.unknown",
                message,
            )]));
        }
        let zone = (!zone.is_empty()).then_some(zone);
        let mut tx = self.inner.store.begin().await?;
        store::people::set_time_zone(&mut tx, person.user_id, zone).await?;
        let change = Change::new("user.time_zone_changed", "user", person.user_id, person.name)
            .after(json!({ "time_zone": zone }));
        audit::record(
            &mut tx,
            actor,
            self.inner.clock.now_ms(),
            Some(person.team_id),
            &change,
        )
        .await?;
        Ok(tx.commit().await?)
    }
}

/// Whose password is replaced, and from where.
#[derive(Debug, Clone, Copy)]
pub struct PasswordChange<'a> {
    /// The person.
    pub person: sessions::Person<'a>,
    /// The session that stays.
    pub session_id: &'a str,
    /// From where.
    pub client_address: &'a str,
}
