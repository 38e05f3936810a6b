//! Teams, users and who is in which team.

use super::{Hidden, Store, StoreError, WriteTx};
use crate::domain::Role;

/// People who share environments and templates.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Team {
    /// Ours.
    pub id: String,
    /// Unique.
    pub name: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// Ours.
    pub id: String,
    /// What is typed at sign-in, lower case, unique.
    pub login: String,
    /// What others see.
    pub name: String,
    /// PHC string; none: cannot sign in with a password.
    pub password_hash: Option<Hidden>,
    /// IANA name; none: the server's default.
    pub time_zone: Option<String>,
    /// Since when the person may not sign in.
    pub disabled_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub created_at: i64,
}

/// A person's role in one team, with the names that pages show.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Membership {
    /// The team.
    pub team_id: String,
    /// Its name.
    pub team_name: String,
    /// The person.
    pub user_id: String,
    /// What they sign in with.
    pub user_login: String,
    /// Their name.
    pub user_name: String,
    /// Since when they may not sign in.
    pub disabled_at: Option<i64>,
    /// What they may do.
    pub role: Role,
    /// Member since.
    pub created_at: i64,
}

macro_rules! select_user {
    ($rest:literal) => {
        concat!(
            "SELECT id, login, name, password_hash, time_zone, disabled_at, created_at FROM users ",
            $rest
        )
    };
}
macro_rules! select_membership {
    ($rest:literal) => {
        concat!(
            "SELECT m.team_id, t.name AS team_name, m.user_id, u.login AS user_login, u.name AS user_name, ",
            "u.disabled_at, m.role, m.created_at FROM memberships m ",
            "JOIN teams t ON t.id = m.team_id JOIN users u ON u.id = m.user_id ",
            $rest
        )
    };
}

const INSERT_TEAM: &str = "INSERT INTO teams (id, name, created_at) VALUES ($1, $2, $3)";
const TEAM_BY_NAME: &str = "SELECT id, name, created_at FROM teams WHERE name = $1";
const LIST_TEAMS: &str = "SELECT id, name, created_at FROM teams ORDER BY name";
const INSERT_USER: &str = "INSERT INTO users (id, login, name, password_hash, time_zone, disabled_at, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const USER_BY_LOGIN: &str = select_user!("WHERE login = $1");
const USER_BY_ID: &str = select_user!("WHERE id = $1");
const LIST_USERS: &str = select_user!("WHERE login > $1 ORDER BY login LIMIT $2");
const SET_DISABLED: &str = "UPDATE users SET disabled_at = $2 WHERE id = $1";
const SET_PASSWORD_HASH: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
const SET_TIME_ZONE: &str = "UPDATE users SET time_zone = $2 WHERE id = $1";
const UPSERT_MEMBERSHIP: &str = "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (team_id, user_id) DO UPDATE SET role = excluded.role";
const REMOVE_MEMBERSHIP: &str = "DELETE FROM memberships WHERE team_id = $1 AND user_id = $2";
const MEMBERSHIPS_OF: &str = select_membership!("WHERE m.user_id = $1 ORDER BY t.name");
const MEMBERSHIP: &str = select_membership!("WHERE m.team_id = $1 AND m.user_id = $2");
const USERS_OF_TEAM: &str =
    select_membership!("WHERE m.team_id = $1 AND u.login > $2 ORDER BY u.login LIMIT $3");

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[
    TEAM_BY_NAME,
    USER_BY_LOGIN,
    USER_BY_ID,
    MEMBERSHIPS_OF,
    MEMBERSHIP,
    USERS_OF_TEAM,
];

/// Adds a team. [`StoreError::Duplicate`]: the name is taken.
pub async fn insert_team(tx: &mut WriteTx, team: &Team) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_TEAM)
        .bind(&team.id)
        .bind(&team.name)
        .bind(team.created_at);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the team's name"))?;
    Ok(())
}

/// The team of that name.
pub async fn team_by_name(store: &Store, name: &str) -> Result<Option<Team>, StoreError> {
    read!(store, |db| sqlx::query_as(TEAM_BY_NAME)
        .bind(name)
        .fetch_optional(db))
}

/// All teams by name, for the command line.
pub async fn list_teams(store: &Store) -> Result<Vec<Team>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST_TEAMS).fetch_all(db))
}

/// Adds a person. [`StoreError::Duplicate`]: the login is taken.
pub async fn insert_user(tx: &mut WriteTx, user: &User) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT_USER)
        .bind(&user.id)
        .bind(&user.login)
        .bind(&user.name)
        .bind(&user.password_hash)
        .bind(&user.time_zone)
        .bind(user.disabled_at)
        .bind(user.created_at);
    change!(tx, |db| insert.execute(db)).map_err(|error| error.naming("the login"))?;
    Ok(())
}

/// The person who signs in with `login` (lower case).
pub async fn user_by_login(store: &Store, login: &str) -> Result<Option<User>, StoreError> {
    read!(store, |db| sqlx::query_as(USER_BY_LOGIN)
        .bind(login)
        .fetch_optional(db))
}

/// The person with that id.
pub async fn user_by_id(store: &Store, id: &str) -> Result<Option<User>, StoreError> {
    read!(store, |db| sqlx::query_as(USER_BY_ID).bind(id).fetch_optional(db))
}

/// All people with their memberships, by login, after the login `after`.
pub async fn list_users(
    store: &Store,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(User, Vec<Membership>)>, StoreError> {
    let users: Vec<User> = read!(store, |db| sqlx::query_as(LIST_USERS)
        .bind(after.unwrap_or(""))
        .bind(limit)
        .fetch_all(db))?;
    let mut listed = Vec::with_capacity(users.len());
    for user in users {
        let memberships = memberships_of(store, &user.id).await?;
        listed.push((user, memberships));
    }
    Ok(listed)
}

/// Bars a person from signing in since `disabled_at`, or lets them again. False: there is no such person.
pub async fn set_disabled(
    tx: &mut WriteTx,
    user_id: &str,
    disabled_at: Option<i64>,
) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_DISABLED).bind(user_id).bind(disabled_at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Stores another password's hash. False: there is no such person.
pub async fn set_password_hash(tx: &mut WriteTx, user_id: &str, hash: &Hidden) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_PASSWORD_HASH).bind(user_id).bind(hash);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Sets the zone in which a person reads times. False: there is no such person.
pub async fn set_time_zone(tx: &mut WriteTx, user_id: &str, zone: Option<&str>) -> Result<bool, StoreError> {
    let update = sqlx::query(SET_TIME_ZONE).bind(user_id).bind(zone);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Gives a person a role in a team, in place of the one they had there.
pub async fn upsert_membership(
    tx: &mut WriteTx,
    team_id: &str,
    user_id: &str,
    role: Role,
    at: i64,
) -> Result<(), StoreError> {
    let upsert = sqlx::query(UPSERT_MEMBERSHIP)
        .bind(team_id)
        .bind(user_id)
        .bind(role.as_str())
        .bind(at);
    change!(tx, |db| upsert.execute(db))?;
    Ok(())
}

/// Takes a person out of a team. False: they were not in it.
pub async fn remove_membership(tx: &mut WriteTx, team_id: &str, user_id: &str) -> Result<bool, StoreError> {
    let delete = sqlx::query(REMOVE_MEMBERSHIP).bind(team_id).bind(user_id);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected() == 1)
}

/// The teams of a person, by name.
pub async fn memberships_of(store: &Store, user_id: &str) -> Result<Vec<Membership>, StoreError> {
    read!(store, |db| sqlx::query_as(MEMBERSHIPS_OF)
        .bind(user_id)
        .fetch_all(db))
}

/// A person's place in one team.
pub async fn membership(
    store: &Store,
    team_id: &str,
    user_id: &str,
) -> Result<Option<Membership>, StoreError> {
    read!(store, |db| sqlx::query_as(MEMBERSHIP)
        .bind(team_id)
        .bind(user_id)
        .fetch_optional(db))
}

/// The people of a team by login, after the login `after`.
pub async fn users_of_team(
    store: &Store,
    team_id: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Membership>, StoreError> {
    let query = sqlx::query_as(USERS_OF_TEAM)
        .bind(team_id)
        .bind(after.unwrap_or(""))
        .bind(limit);
    read!(store, |db| query.fetch_all(db))
}
