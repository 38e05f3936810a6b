//! Secrets at rest.
//!
//! A secret is sealed for one [`Place`] (table, row, column, version) with a key of the [`KeyRing`];
//! moved anywhere else it does not open. Keys come from the configuration or from a key file, never
//! from the database. [`scrub()`] takes known secrets out of texts that come from outside,
//! [`mask()`] what looks like a secret of somebody else.
//!
//! What this cannot do: copies in the buffers of TLS, the allocator, the kernel or swap are out of reach.

mod key_ring;
mod mask;
mod scrub;
mod seal;

pub use key_ring::KeyRing;
pub use mask::{is_harmless_json, mask};
pub use scrub::scrub;
pub use seal::{Place, Sealed};
pub use secrecy::{ExposeSecret, SecretString};

use std::path::PathBuf;

/// Why keys cannot be used or a secret cannot be sealed or opened. No message holds key or secret.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A value was sealed with a key that is not on the ring.
    #[error(
        "key {key_id} is needed to open a stored secret, and it is not among the vault keys. Nothing was changed. Add key {key_id} to the key file or to HEADGATE_KEY"
    )]
    KeyNeeded {
        /// Such as `K1`.
        key_id: String,
    },
    /// The key is there, but it did not seal this value for this place: another key under the same
    /// id, a value moved from elsewhere, or damage.
    #[error(
        "a stored secret does not open with key {key_id}: the key is another one under the same name, or the secret was moved or damaged. Nothing was changed. Restore the right key or the backup, or enter the secret again"
    )]
    DoesNotOpen {
        /// Such as `K1`.
        key_id: String,
    },
    /// Not something that [`KeyRing::seal`] made.
    #[error(
        "a stored secret has an unknown form. Nothing was changed. It may come from a newer Headgate, or be damaged: restore the backup, or enter the secret again"
    )]
    UnknownForm,
    /// There is no key file, and making one would lock everything sealed so far away for ever.
    #[error("the key file {} is missing, but secrets are stored that need its keys. Nothing was changed. Restore the file from your backup, or set HEADGATE_KEY", path.display())]
    KeyFileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Anybody on the machine could read the keys.
    #[error("the key file {} can be read by every user of this machine. Nothing was changed. Run: chmod 600 {}", path.display(), path.display())]
    KeyFileOpenToAll {
        /// The file.
        path: PathBuf,
    },
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be {action}. Check the permissions of the file and of its directory", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text of the keys is wrong.
    #[error(
        "vault key number {position} is wrong: {problem}. Nothing was changed. A key looks like K1: followed by 32 random bytes in unpadded base64url"
    )]
    WrongKey {
        /// Counted from 1.
        position: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The text holds no key at all.
    #[error("no vault key is given. Nothing was changed. Put at least one into the key file or HEADGATE_KEY")]
    NoKeys,
    /// The system has no random numbers for us.
    #[error(
        "the system gives no random numbers, so nothing was sealed. Try again; if it stays so, the machine is broken"
    )]
    NoRandomness(#[from] getrandom::Error),
}

#[cfg(test)]
mod tests;
