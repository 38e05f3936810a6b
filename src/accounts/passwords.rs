//! Hashing and checking passwords: argon2id with the parameters that OWASP's Password Storage page asks for.

use std::sync::LazyLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::Problem;
use crate::lifecycle::aside;
use crate::store::Hidden;

/// Shortest password, in characters.
pub const PASSWORD_MIN: usize = 10;
/// Longest password, in characters: hashing longer ones would only cost.
pub const PASSWORD_MAX: usize = 200;

/// The hash of no password anybody has. Checking against it takes as long as against a real one, so that the
/// time of an answer does not tell whether a login exists.
static NOBODY: LazyLock<Option<Hidden>> =
    LazyLock::new(|| hash_now(&SecretString::from(crate::domain::new_tag())).ok());

/// A password could not be hashed: the system has no random numbers or no memory. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("the password cannot be hashed now ({0}); nothing was changed; try again")]
pub struct HashError(String);

/// What is wrong with a new password. The message never repeats it.
pub fn check_password(field: &str, password: &SecretString) -> Option<Problem> {
    let length = password.expose_secret().chars().count();
    let (code, message) = if length == 0 {
        ("input.missing", "Password is needed.".to_owned())
    } else if length < PASSWORD_MIN {
        let message =
            format!("Password: at least {PASSWORD_MIN} characters. A few words are easier to remember.");
        ("password.short", message)
    } else if length > PASSWORD_MAX {
        let message = format!("Password: at most {PASSWORD_MAX} characters.");
        ("password.long", message)
    } else {
        return None;
    };
    Some(Problem::new(field, code, message))
}

/// Hashes a password, away from the threads that serve requests.
///
/// # Errors
/// The system has no random numbers or no memory.
pub async fn hash(password: SecretString) -> Result<Hidden, HashError> {
    aside(move || hash_now(&password)).await
}

/// Whether the password is the one whose hash is stored; takes equally long when there is none.
pub(super) async fn verify(stored: Option<Hidden>, password: SecretString) -> bool {
    aside(move || {
        let Some(hash) = stored.as_ref().or(NOBODY.as_ref()) else {
            return false;
        };
        let fits = PasswordHash::new(hash.expose()).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &hash)
                .is_ok()
        });
        fits && stored.is_some()
    })
    .await
}

fn hash_now(password: &SecretString) -> Result<Hidden, HashError> {
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
    hash.map(|hash: PasswordHash| Hidden::new(hash.to_string()))
        .map_err(|error| HashError(error.to_string()))
}
