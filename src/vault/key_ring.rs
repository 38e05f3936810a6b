//! The keys: reading them, making the first one, and what is derived from each.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use sha2::Sha256;

use super::VaultError;

pub(super) const KEY_BYTES: usize = 32;
type Key = SecretBox<[u8; KEY_BYTES]>;

/// One or more keys with numbers: `K1`, `K2`, … The highest seals, all of them open. `Debug` masks them.
#[derive(Debug)]
pub struct KeyRing {
    keys: BTreeMap<u32, Key>,
}

impl KeyRing {
    /// Reads keys such as `K1:…`, separated by commas or white space; lines that begin with `#` are
    /// passed over.
    ///
    /// # Errors
    /// No key, a malformed, repeated or obviously not random one.
    pub fn from_text(text: &SecretString) -> Result<Self, VaultError> {
        let lines = text
            .expose_secret()
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let words = lines
            .flat_map(|line| line.split([',', ' ', '\t']))
            .filter(|word| !word.is_empty());
        let mut keys = BTreeMap::new();
        for (index, word) in words.enumerate() {
            let wrong = |problem| VaultError::WrongKey {
                position: index + 1,
                problem,
            };
            let (number, key) = parse(word).map_err(wrong)?;
            if keys.insert(number, key).is_some() {
                return Err(wrong("its number is given twice"));
            }
        }
        if keys.is_empty() {
            Err(VaultError::NoKeys)
        } else {
            Ok(Self { keys })
        }
    }

    /// Reads the key file. If there is none, makes one with a new key, readable by its owner only,
    /// but only when `nothing_is_sealed` says that no stored value needs a key that is lost.
    ///
    /// # Errors
    /// The file is missing although something is sealed, cannot be read or written, is readable by
    /// everybody, or holds wrong keys.
    pub fn from_file_or_new(path: &Path, nothing_is_sealed: bool) -> Result<Self, VaultError> {
        let failed = |action| {
            move |source| VaultError::KeyFile {
                path: path.to_owned(),
                action,
                source,
            }
        };
        match fs::read_to_string(path) {
            Ok(text) => {
                refuse_if_open_to_all(path)?;
                Self::from_text(&SecretString::from(text))
            }
            Err(error) if error.kind() == ErrorKind::NotFound && nothing_is_sealed => {
                let text = new_key_text()?;
                write_for_owner_only(path, text.expose_secret()).map_err(failed("written"))?;
                Self::from_text(&text)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(VaultError::KeyFileMissing {
                path: path.to_owned(),
            }),
            Err(error) => Err(failed("read")(error)),
        }
    }

    /// Ids of the keys on the ring, oldest first.
    pub fn key_ids(&self) -> Vec<String> {
        self.keys.keys().map(|number| format!("K{number}")).collect()
    }

    /// HMAC-SHA256 with a key that is derived for one purpose from the oldest key on the ring, so
    /// that it stays the same until that key is retired. Different purposes have unrelated keys.
    pub fn mac(&self, purpose: &'static str, message: &[u8]) -> [u8; 32] {
        hmac(&derive(self.oldest(), purpose), message)
    }

    /// A short name for a secret that gives nothing away: equal secrets have equal fingerprints.
    /// Eight hexadecimal digits.
    pub fn fingerprint(&self, secret: &SecretString) -> String {
        HEXLOWER.encode(&self.mac("fingerprint", secret.expose_secret().as_bytes())[..4])
    }

    /// The key that seals: its id and what is derived from it for sealing.
    #[expect(clippy::expect_used, reason = "no ring is made without a key")]
    pub(super) fn newest(&self) -> (String, [u8; 32]) {
        let (number, key) = self.keys.last_key_value().expect("no ring is made without a key");
        (format!("K{number}"), derive(key, SEALING))
    }

    #[expect(clippy::expect_used, reason = "no ring is made without a key")]
    fn oldest(&self) -> &Key {
        self.keys.values().next().expect("no ring is made without a key")
    }

    pub(super) fn find(&self, key_id: &str) -> Option<[u8; 32]> {
        let number = key_id.strip_prefix('K')?.parse::<u32>().ok()?;
        self.keys.get(&number).map(|key| derive(key, SEALING))
    }
}

const SEALING: &str = "seal";

fn parse(word: &str) -> Result<(u32, Key), &'static str> {
    let (id, encoded) = word
        .split_once(':')
        .ok_or("the colon after its name is missing")?;
    let number = id.strip_prefix('K').and_then(|digits| digits.parse().ok());
    let number = number
        .filter(|number| format!("K{number}") == id)
        .ok_or("its name is not K and a number")?;
    let mut key: Key = SecretBox::new(Box::new([0; KEY_BYTES]));
    let bytes = SecretBox::new(Box::new(
        BASE64URL_NOPAD
            .decode(encoded.as_bytes())
            .map_err(|_| "it is not unpadded base64url")?,
    ));
    if bytes.expose_secret().len() != KEY_BYTES {
        return Err("it does not have 32 bytes");
    }
    if !looks_random(bytes.expose_secret()) {
        return Err("it is a sample or was typed by hand, not random");
    }
    key.expose_secret_mut().copy_from_slice(bytes.expose_secret());
    Ok((number, key))
}

/// False for repeated bytes, counted-up bytes and encoded text. 32 random bytes fail with a chance below 10⁻¹².
fn looks_random(bytes: &[u8]) -> bool {
    let distinct = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
    let steps = bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let distinct_steps = steps.collect::<std::collections::BTreeSet<_>>().len();
    let is_text = bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    distinct >= 16 && distinct_steps >= 12 && !is_text
}

fn new_key_text() -> Result<SecretString, VaultError> {
    let mut key: Key = SecretBox::new(Box::new([0; KEY_BYTES]));
    getrandom::fill(key.expose_secret_mut())?;
    Ok(SecretString::from(format!(
        "K1:{}\n",
        BASE64URL_NOPAD.encode(key.expose_secret())
    )))
}

/// Complete or not there at all: written beside, synced, then renamed.
fn write_for_owner_only(path: &Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        Some(directory) => File::open(directory)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

#[cfg(unix)]
fn refuse_if_open_to_all(path: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let found = fs::metadata(path);
    let found = found.map_err(|source| VaultError::KeyFile {
        path: path.to_owned(),
        action: "read",
        source,
    })?;
    // The group may read: that is how Kubernetes hands secrets to a container.
    if found.permissions().mode() & 0o007 != 0 {
        return Err(VaultError::KeyFileOpenToAll {
            path: path.to_owned(),
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_open_to_all(_: &Path) -> Result<(), VaultError> {
    Ok(())
}

fn derive(key: &Key, purpose: &str) -> [u8; 32] {
    hmac(key.expose_secret(), format!("headgate/v1/{purpose}").as_bytes())
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
