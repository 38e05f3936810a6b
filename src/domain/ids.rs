//! Making ids and markers.

use uuid::Uuid;

/// A fresh id of ours: UUIDv7 as text, so that ids sort by age.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// A fresh tag for a setup: 26 characters of `[a-z2-7]`, unguessable.
///
/// Markers are made of it. The alphabet is safe in every filter of the platform, where commas, stars and
/// quotes have a meaning.
pub fn new_tag() -> String {
    data_encoding::BASE32_NOPAD
        .encode(Uuid::new_v4().as_bytes())
        .to_ascii_lowercase()
}
