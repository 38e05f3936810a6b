//! Who is signed in. A session is found by the hash of its cookie's value.

use sqlx::{FromRow, Row};

use super::environments::{Environment, environment_columns};
use super::{Hidden, Store, StoreError, WriteTx};
use crate::domain::Role;

/// A sign-in that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// SHA-256 of the cookie's value, hex.
    pub token_hash: Hidden,
    /// Who signed in.
    pub user_id: String,
    /// The team they act for.
    pub team_id: String,
    /// The token that forms carry.
    pub csrf: Hidden,
    /// From where.
    pub client_address: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// The absolute end; the idle limit counts from the last use.
    pub expires_at: i64,
}

/// A session with all that every page needs to know about who asks for it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// SHA-256 of the cookie's value, hex.
    pub token_hash: Hidden,
    /// Who.
    pub user_id: String,
    /// What they sign in with.
    pub user_login: String,
    /// Their name.
    pub user_name: String,
    /// Their IANA time zone, if they chose one.
    pub time_zone: Option<String>,
    /// Since when they may not sign in.
    pub disabled_at: Option<i64>,
    /// The team they act for.
    #[sqlx(rename = "session_team_id")]
    pub team_id: String,
    /// Its name.
    pub team_name: String,
    /// Its environments that are in use, by name; the first hundred.
    #[sqlx(skip)]
    pub environments: Vec<Environment>,
    /// Their role there now; none: no longer a member.
    pub role: Option<Role>,
    /// The token that forms carry.
    pub csrf: Hidden,
    /// The last stored use.
    pub last_seen_at: i64,
    /// The absolute end.
    pub expires_at: i64,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedSession {
    /// SHA-256 of the cookie's value, hex.
    pub token_hash: Hidden,
    /// From where they signed in.
    pub client_address: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
    /// The last stored use.
    pub last_seen_at: i64,
}

const INSERT: &str = "INSERT INTO sessions \
     (token_hash, user_id, team_id, csrf, client_address, created_at, last_seen_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $6, $7)";
const FIND: &str = concat!(
    "SELECT s.token_hash, s.user_id, u.login AS user_login, u.name AS user_name, u.time_zone, u.disabled_at, \
     s.team_id AS session_team_id, t.name AS team_name, m.role, s.csrf, s.last_seen_at, s.expires_at, ",
    environment_columns!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id JOIN teams t ON t.id = s.team_id \
     LEFT JOIN memberships m ON m.team_id = s.team_id AND m.user_id = s.user_id \
     LEFT JOIN environments e ON e.team_id = s.team_id AND e.archived_at IS NULL \
     WHERE s.token_hash = $1 ORDER BY e.name LIMIT 100"
);
const LIST_FOR_USER: &str = "SELECT token_hash, client_address, created_at, last_seen_at FROM sessions \
     WHERE user_id = $1 AND last_seen_at > $2 AND expires_at > $3 ORDER BY last_seen_at DESC, token_hash LIMIT 100";
const TOUCH: &str = "UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1";
const SWITCH_TEAM: &str = "UPDATE sessions SET team_id = $2 WHERE token_hash = $1";
const DELETE: &str = "DELETE FROM sessions WHERE token_hash = $1";
const DELETE_FOR_USER: &str = "DELETE FROM sessions WHERE user_id = $1";
const DELETE_EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= $1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[FIND, LIST_FOR_USER];

/// Stores a sign-in.
pub async fn insert(tx: &mut WriteTx, session: &NewSession) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&session.token_hash)
        .bind(&session.user_id)
        .bind(&session.team_id)
        .bind(&session.csrf)
        .bind(&session.client_address)
        .bind(session.created_at)
        .bind(session.expires_at);
    change!(tx, |db| insert.execute(db))?;
    Ok(())
}

/// The session with everything about its person and team, in one query. Whether it still counts is the caller's to say.
pub async fn find(store: &Store, token_hash: &str) -> Result<Option<Session>, StoreError> {
    // A row for each environment; one without, if there is none.
    let rows = read!(store, |db| sqlx::query(FIND).bind(token_hash).fetch_all(db))?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut session = Session::from_row(first)?;
    for row in &rows {
        if row.try_get::<Option<&str>, _>("id")?.is_some() {
            session.environments.push(Environment::from_row(row)?);
        }
    }
    Ok(Some(session))
}

/// A person's newest 100 sessions that were used after `used_after` and end after `ends_after`, the last used first.
pub async fn list_for_user(
    store: &Store,
    user_id: &str,
    used_after: i64,
    ends_after: i64,
) -> Result<Vec<ListedSession>, StoreError> {
    let query = sqlx::query_as(LIST_FOR_USER)
        .bind(user_id)
        .bind(used_after)
        .bind(ends_after);
    read!(store, |db| query.fetch_all(db))
}

/// Notes a use. False: the session has ended meanwhile.
pub async fn touch(tx: &mut WriteTx, token_hash: &str, at: i64) -> Result<bool, StoreError> {
    let update = sqlx::query(TOUCH).bind(token_hash).bind(at);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Makes the session act for another team. False: the session has ended meanwhile.
pub async fn switch_team(tx: &mut WriteTx, token_hash: &str, team_id: &str) -> Result<bool, StoreError> {
    let update = sqlx::query(SWITCH_TEAM).bind(token_hash).bind(team_id);
    Ok(change!(tx, |db| update.execute(db))?.rows_affected() == 1)
}

/// Ends one session. False: it had ended already.
pub async fn delete(tx: &mut WriteTx, token_hash: &str) -> Result<bool, StoreError> {
    Ok(change!(tx, |db| sqlx::query(DELETE).bind(token_hash).execute(db))?.rows_affected() == 1)
}

/// Ends all sessions of a person; says how many.
pub async fn delete_for_user(tx: &mut WriteTx, user_id: &str) -> Result<u64, StoreError> {
    Ok(change!(tx, |db| sqlx::query(DELETE_FOR_USER).bind(user_id).execute(db))?.rows_affected())
}

/// Removes sessions whose absolute end has come; says how many.
pub async fn delete_expired(tx: &mut WriteTx, now: i64) -> Result<u64, StoreError> {
    Ok(change!(tx, |db| sqlx::query(DELETE_EXPIRED).bind(now).execute(db))?.rows_affected())
}
