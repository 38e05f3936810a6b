//! Sessions: an unguessable cookie whose hash is a row. Everything else about them is read for each request.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::Accounts;
use crate::audit::{self, Actor, Change};
use crate::domain::Role;
use crate::store::sessions::{ListedSession, NewSession, Session};
use crate::store::{self, Hidden, StoreError, WriteTx};

/// A use is stored at most so often.
const TOUCH_EVERY_MS: i64 = 60_000;
/// Characters of the hash by which a session is named in the audit trail and on its owner's page.
const ID_CHARACTERS: usize = 12;

/// A session that counts, and the role that its person has in its team now.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// The row.
    pub row: Session,
    /// What the person may do.
    pub role: Role,
}

/// How a session is named without giving away its cookie.
pub fn session_id(token_hash: &Hidden) -> String {
    token_hash.expose().chars().take(ID_CHARACTERS).collect()
}

/// The hash under which a session or a link is stored, of its cookie's value.
pub(super) fn hash_of(cookie: &SecretString) -> Hidden {
    Hidden::new(HEXLOWER.encode(&Sha256::digest(cookie.expose_secret())))
}

/// 256 random bits as text.
pub(super) fn random_text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

impl Accounts {
    /// Stores a new session; gives the value of its cookie. Takes sessions away whose absolute end has come.
    pub(super) async fn start_session(
        &self,
        tx: &mut WriteTx,
        user_id: &str,
        team_id: &str,
        client_address: &str,
    ) -> Result<(SecretString, String), StoreError> {
        let unlucky = |error: getrandom::Error| StoreError::Other(error.to_string());
        let cookie = SecretString::from(random_text().map_err(unlucky)?);
        let now = self.inner.clock.now_ms();
        let session = NewSession {
            token_hash: hash_of(&cookie),
            user_id: user_id.to_owned(),
            team_id: team_id.to_owned(),
            csrf: Hidden::new(random_text().map_err(unlucky)?),
            client_address: client_address.to_owned(),
            created_at: now,
            expires_at: now.saturating_add(self.inner.limits.absolute_ms),
        };
        store::sessions::delete_expired(tx, now).await?;
        store::sessions::insert(tx, &session).await?;
        Ok((cookie, session_id(&session.token_hash)))
    }

    /// The session of a cookie's value, if it still counts: neither limit is reached, and its person is neither
    /// disabled nor out of the team. A use is stored at most once a minute.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_session(&self, cookie: &SecretString) -> Result<Option<LiveSession>, StoreError> {
        let found = store::sessions::find(&self.inner.store, hash_of(cookie).expose()).await?;
        let now = self.inner.clock.now_ms();
        let live = found.and_then(|row| {
            let role = row.role?;
            let in_time =
                now < row.expires_at && now.saturating_sub(row.last_seen_at) < self.inner.limits.idle_ms;
            (in_time && row.disabled_at.is_none()).then_some(LiveSession { row, role })
        });
        if let Some(session) = &live
            && now.saturating_sub(session.row.last_seen_at) >= TOUCH_EVERY_MS
            && self.inner.store.can_write()
        {
            self.touch(session.row.token_hash.clone(), now).await;
        }
        Ok(live)
    }

    /// In a task of its own, because a write must not be dropped with its request. A use that cannot be stored
    /// is no reason to refuse the request: the next one stores it.
    async fn touch(&self, token_hash: Hidden, now: i64) {
        let store = self.inner.store.clone();
        let written = tokio::spawn(async move {
            let mut tx = store.begin().await?;
            store::sessions::touch(&mut tx, token_hash.expose(), now).await?;
            tx.commit().await
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the use of a session was not stored"),
            Err(error) => tracing::warn!(%error, "the use of a session was not stored"),
        }
    }

    /// Ends the session of a cookie's value.
    ///
    /// # Errors
    /// The database cannot be written; the session goes on.
    pub async fn sign_out(
        &self,
        cookie: &SecretString,
        actor: &Actor,
        person: Person<'_>,
    ) -> Result<(), StoreError> {
        self.end(hash_of(cookie), actor, person).await
    }

    /// Ends one of a person's sessions, named as in [`Self::sessions_of`]. False: there is none of that name.
    ///
    /// # Errors
    /// The database cannot be read or written; the session goes on.
    pub async fn end_session(&self, id: &str, actor: &Actor, person: Person<'_>) -> Result<bool, StoreError> {
        let sessions = self.sessions_of(person.user_id).await?;
        match sessions
            .into_iter()
            .find(|session| session_id(&session.token_hash) == id)
        {
            Some(session) => self.end(session.token_hash, actor, person).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn end(&self, token_hash: Hidden, actor: &Actor, person: Person<'_>) -> Result<(), StoreError> {
        let mut tx = self.inner.store.begin().await?;
        if store::sessions::delete(&mut tx, token_hash.expose()).await? {
            let after = serde_json::json!({ "session": session_id(&token_hash) });
            let change = Change::new("session.ended", "user", person.user_id, person.name).after(after);
            let now = self.inner.clock.now_ms();
            audit::record(&mut tx, actor, now, Some(person.team_id), &change).await?;
        }
        tx.commit().await
    }

    /// A person's sessions that still count, the last used first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn sessions_of(&self, user_id: &str) -> Result<Vec<ListedSession>, StoreError> {
        let now = self.inner.clock.now_ms();
        let used_since = now.saturating_sub(self.inner.limits.idle_ms);
        store::sessions::list_for_user(&self.inner.store, user_id, used_since, now).await
    }
}

/// Whose session it is, for the audit trail.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The person's id.
    pub user_id: &'a str,
    /// Their name.
    pub name: &'a str,
    /// The team that sees it in its audit trail.
    pub team_id: &'a str,
}
