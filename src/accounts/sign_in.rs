//! From login and password to a session. Whoever is refused learns nothing about why.

use secrecy::SecretString;
use serde_json::json;

use super::passwords::{self, PASSWORD_MAX};
use super::{Accounts, people};
use crate::audit::{self, Actor, Change, Phase};
use crate::store::people::{Membership, User};
use crate::store::{self, StoreError};

use secrecy::ExposeSecret;

/// How an unknown login stands in the audit trail: what was typed may be a password in the wrong field.
const UNKNOWN_LOGIN: &str = "Unknown login";

/// Somebody without a session.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// From where.
    pub client_address: &'a str,
    /// The request.
    pub request_id: &'a str,
}

/// Why nobody was let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Login and password do not fit, or the person may not sign in, or is in no team.
    #[error("login and password do not fit, or this person may not sign in")]
    Refused,
    /// Too many failures lately.
    #[error("too many attempts failed; try again in {retry_after_s} seconds")]
    TooMany {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Lets a person in who knows the password; gives the value of the session's cookie. The session acts for the
    /// person's first team by name.
    ///
    /// # Errors
    /// [`SignInError`]; nobody was let in. A refused attempt stands in the audit trail.
    pub async fn sign_in(
        &self,
        login: &str,
        password: SecretString,
        visitor: Visitor<'_>,
    ) -> Result<SecretString, SignInError> {
        let login = people::normal_login(login);
        let now = self.inner.clock.now_ms();
        let attempts = &self.inner.attempts;
        attempts
            .begin(&login, visitor.client_address, now)
            .map_err(|retry_after_s| SignInError::TooMany { retry_after_s })?;
        let user = store::people::user_by_login(&self.inner.store, &login).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        let fits = self.verify(hash, password).await;
        let allowed = user.as_ref().filter(|user| fits && user.disabled_at.is_none());
        match allowed {
            Some(user) => {
                let cookie = self.let_in(user, visitor).await?;
                attempts.forgive(&login, visitor.client_address);
                Ok(cookie)
            }
            None => Err(self.refuse(user.as_ref(), visitor).await?),
        }
    }

    /// Lets a person in without a password: for the people of the demonstration, whose door is open.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub async fn sign_in_as(&self, login: &str, visitor: Visitor<'_>) -> Result<SecretString, SignInError> {
        let user = store::people::user_by_login(&self.inner.store, &people::normal_login(login)).await?;
        match user.as_ref().filter(|user| user.disabled_at.is_none()) {
            Some(user) => self.let_in(user, visitor).await,
            None => Err(self.refuse(user.as_ref(), visitor).await?),
        }
    }

    /// Whether the password is the one whose hash is stored. A few at a time: each costs much memory.
    pub(super) async fn verify(&self, hash: Option<store::Hidden>, password: SecretString) -> bool {
        if password.expose_secret().chars().count() > PASSWORD_MAX {
            return false;
        }
        // The semaphore is never closed.
        let _place = self.inner.hashing.acquire().await;
        passwords::verify(hash, password).await
    }

    async fn let_in(&self, user: &User, visitor: Visitor<'_>) -> Result<SecretString, SignInError> {
        let memberships = store::people::memberships_of(&self.inner.store, &user.id).await?;
        let Some(Membership { team_id, role, .. }) = memberships.into_iter().next() else {
            return Err(self.refuse(Some(user), visitor).await?);
        };
        let now = self.inner.clock.now_ms();
        let mut tx = self.inner.store.begin().await?;
        let (cookie, session_id) = self
            .start_session(&mut tx, &user.id, &team_id, visitor.client_address)
            .await?;
        let Visitor {
            client_address,
            request_id,
        } = visitor;
        let actor = Actor::person(
            &user.id,
            &user.name,
            role,
            &session_id,
            client_address,
            request_id,
        );
        let change = Change::new("session.started", "user", &user.id, &user.name)
            .after(json!({ "session": session_id, "role": role }));
        audit::record(&mut tx, &actor, now, Some(&team_id), &change).await?;
        tx.commit().await?;
        Ok(cookie)
    }

    /// Records the refusal, in the trail of the person's team if there is such a person.
    async fn refuse(&self, user: Option<&User>, visitor: Visitor<'_>) -> Result<SignInError, StoreError> {
        let memberships = match user {
            Some(user) => store::people::memberships_of(&self.inner.store, &user.id).await?,
            None => Vec::new(),
        };
        let (id, name) = user.map_or(("", UNKNOWN_LOGIN), |user| (&user.id, &user.login));
        let actor = Actor::visitor(name, visitor.client_address, visitor.request_id);
        let change = Change::new("session.refused", "user", id, name).phase(Phase::Refused);
        let team = memberships.first().map(|membership| membership.team_id.as_str());
        let now = self.inner.clock.now_ms();
        let mut tx = self.inner.store.begin().await?;
        audit::record(&mut tx, &actor, now, team, &change).await?;
        tx.commit().await?;
        Ok(SignInError::Refused)
    }
}
