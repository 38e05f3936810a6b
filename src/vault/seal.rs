//! Sealing and opening one value: XChaCha20-Poly1305, a fresh 24-byte nonce, the place as associated data.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};

use super::{KeyRing, VaultError};

const FORM: &str = "v1";
const NONCE_BYTES: usize = 24;

/// Where a sealed value lives. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table of the database.
    pub table: &'a str,
    /// Primary key of the row.
    pub row_id: &'a str,
    /// Column, or the name of the field in it.
    pub column: &'a str,
    /// Version of the row, so that an older value cannot be put back; 1 where rows have none.
    pub version: i64,
}

impl<'a> Place<'a> {
    /// Where a row of the table of secrets keeps its value.
    pub const fn secret(row_id: &'a str) -> Self {
        Self {
            table: "secrets",
            row_id,
            column: "sealed",
            version: 1,
        }
    }

    /// Where an environment keeps the client secret of its API credential.
    pub const fn environment_secret(environment_id: &'a str) -> Self {
        Self {
            table: "environments",
            row_id: environment_id,
            column: "client_secret",
            version: 1,
        }
    }

    /// Each part with its length before it, so that no two places give the same bytes.
    fn associated_data(&self, key_id: &str) -> Vec<u8> {
        let version = self.version.to_string();
        let mut bytes = Vec::new();
        for part in [FORM, key_id, self.table, self.row_id, self.column, &version] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// A sealed secret as it is stored: `v1:key id:nonce:ciphertext`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    /// Takes over what the store read; it is checked when opened.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Id of the key that opens it, such as `K1`; none if the form is unknown.
    pub fn key_id(&self) -> Option<&str> {
        self.parts().map(|[key_id, ..]| key_id)
    }

    fn parts(&self) -> Option<[&str; 3]> {
        let mut parts = self.0.strip_prefix(FORM)?.strip_prefix(':')?.split(':');
        let found = [parts.next()?, parts.next()?, parts.next()?];
        parts.next().is_none().then_some(found)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({})", self.key_id().unwrap_or("unknown form"))
    }
}

const CANARY: &str = "headgate";
const CANARY_PLACE: Place<'_> = Place {
    table: "vault",
    row_id: "canary",
    column: "value",
    version: 1,
};

impl KeyRing {
    /// Seals a secret for its place with the newest key. Twice the same secret gives different texts.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Sealed, VaultError> {
        let (key_id, key) = self.newest();
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce)?;
        let aad = place.associated_data(&key_id);
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: &aad,
        };
        // Fails only beyond 256 GiB, which no text of a form reaches.
        let sealed = XChaCha20Poly1305::new(&key.into()).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| VaultError::UnknownForm)?;
        let encoded = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        Ok(Sealed(format!(
            "{FORM}:{key_id}:{}:{}",
            encoded(&nonce),
            encoded(&sealed)
        )))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// The key is not on the ring, or it does not fit the value and the place.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let [key_id, nonce, ciphertext] = sealed.parts().ok_or(VaultError::UnknownForm)?;
        let decoded = |text: &str| {
            BASE64URL_NOPAD
                .decode(text.as_bytes())
                .map_err(|_| VaultError::UnknownForm)
        };
        let nonce: [u8; NONCE_BYTES] = decoded(nonce)?.try_into().map_err(|_| VaultError::UnknownForm)?;
        let ciphertext = decoded(ciphertext)?;
        let key = self.find(key_id).ok_or_else(|| VaultError::KeyNeeded {
            key_id: key_id.to_owned(),
        })?;
        let aad = place.associated_data(key_id);
        let opened = XChaCha20Poly1305::new(&key.into())
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &ciphertext,
                    aad: &aad,
                },
            )
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        opened
            .map(SecretString::from)
            .ok_or_else(|| VaultError::DoesNotOpen {
                key_id: key_id.to_owned(),
            })
    }

    /// A sealed value to store beside the secrets, so that the next start can tell a wrong key from the right one.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn seal_canary(&self) -> Result<Sealed, VaultError> {
        self.seal(&CANARY_PLACE, &SecretString::from(CANARY))
    }

    /// Checks at start, before anything is written, that this ring opens what is stored.
    ///
    /// # Errors
    /// As [`Self::open`]; the process should then end with exit code 78.
    pub fn check_canary(&self, canary: &Sealed) -> Result<(), VaultError> {
        self.open(&CANARY_PLACE, canary).map(drop)
    }
}
