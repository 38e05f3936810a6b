use std::fs;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use proptest::prelude::*;

use super::*;

const FIRST: &str = "K1:3qX0h2yLwQ8n5e1ZrV9tKbJ7uMcPaSgDfGhYjWxEoTk";
const SECOND: &str = "K2:Zm9QkX7sR2vB5nH8jL1wE4tY6uI3oP0aSdFgHcJkVxM";

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn ring(text: &str) -> KeyRing {
    KeyRing::from_text(&secret(text)).unwrap()
}

const PLACE: Place<'_> = Place {
    table: "environments",
    row_id: "e1",
    column: "client_secret",
    version: 1,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_in_its_place(text in ".*", table in ".*", row_id in ".*", column in ".*", version: i64) {
        let ring = ring(FIRST);
        let place = Place { table: &table, row_id: &row_id, column: &column, version };
        let sealed = ring.seal(&place, &secret(&text)).unwrap();
        let opened = ring.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), text);
    }

    #[test]
    fn moved_values_do_not_open(parts in proptest::array::uniform6("[a-z:]{0,3}"), versions: (i64, i64)) {
        let ring = ring(FIRST);
        let [a, b, c, d, e, f] = &parts;
        let here = Place { table: a, row_id: b, column: c, version: versions.0 };
        let there = Place { table: d, row_id: e, column: f, version: versions.1 };
        prop_assume!(here != there);
        let sealed = ring.seal(&here, &secret("a secret value")).unwrap();
        let refused = matches!(ring.open(&there, &sealed), Err(VaultError::DoesNotOpen { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn tampering_is_refused(position: prop::sample::Index, letter in "[A-Za-z0-9_:-]") {
        let ring = ring(&format!("{FIRST},{SECOND}"));
        let sealed = ring.seal(&PLACE, &secret("a secret value")).unwrap();
        let mut text = sealed.as_str().to_owned();
        let at = position.index(text.len());
        text.replace_range(at..=at, &letter);
        prop_assume!(text != sealed.as_str());
        prop_assert!(ring.open(&PLACE, &Sealed::from_stored(text)).is_err());
    }

    #[test]
    fn scrubbing_finds_every_form(value in "\\PC{8,40}", before in "[a-z]{0,5}") {
        let secrets = [secret(&value)];
        let escaped_json = serde_json::to_string(&value).unwrap();
        let url = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", &value).finish();
        for text in [
            format!("{before}{value}{before}"),
            escaped_json,
            url,
            HEXLOWER.encode(value.as_bytes()),
            askama::filters::escape(&value, askama::filters::Html).unwrap().to_string(),
        ] {
            prop_assert!(scrub(&text, &secrets).contains("[redacted]"), "{}", text);
        }
        let inside = scrub(&BASE64.encode(format!("{before}{value}").as_bytes()), &secrets);
        prop_assert!(inside.contains("[redacted]") && inside.len() <= 10 + before.len() * 2 + 8, "{}", inside);
    }
}

#[test]
fn sealing_twice_gives_different_texts_and_shows_nothing() {
    let ring = ring(FIRST);
    let sealed = ring.seal(&PLACE, &secret("a secret value")).unwrap();
    assert_ne!(sealed, ring.seal(&PLACE, &secret("a secret value")).unwrap());
    assert!(sealed.as_str().starts_with("v1:K1:"));
    assert_eq!(format!("{sealed:?}"), "Sealed(K1)");
    assert_eq!(
        format!("{ring:?}"),
        "KeyRing { keys: {1: SecretBox<[u8; 32]>([REDACTED])} }"
    );
}

#[test]
fn the_newest_key_seals_and_all_of_them_open() {
    let old = ring(FIRST).seal(&PLACE, &secret("old")).unwrap();
    let both = ring(&format!("# rotated today\n{SECOND}\n{FIRST}\n"));
    let new = both.seal(&PLACE, &secret("new")).unwrap();
    assert_eq!((old.key_id(), new.key_id()), (Some("K1"), Some("K2")));
    assert_eq!(both.open(&PLACE, &old).unwrap().expose_secret(), "old");
    assert_eq!(both.key_ids(), ["K1", "K2"]);
    assert!(
        matches!(ring(FIRST).open(&PLACE, &new), Err(VaultError::KeyNeeded { key_id }) if key_id == "K2")
    );
}

#[test]
fn the_canary_tells_a_missing_and_a_wrong_key() {
    let canary = ring(FIRST).seal_canary().unwrap();
    ring(&format!("{FIRST} {SECOND}")).check_canary(&canary).unwrap();
    assert!(matches!(
        ring(SECOND).check_canary(&canary),
        Err(VaultError::KeyNeeded { .. })
    ));
    let impostor = SECOND.replace("K2", "K1");
    assert!(matches!(
        ring(&impostor).check_canary(&canary),
        Err(VaultError::DoesNotOpen { .. })
    ));
}

#[test]
fn fingerprints_are_equal_for_equal_secrets_and_survive_a_new_key() {
    let ring_1 = ring(FIRST);
    let print = ring_1.fingerprint(&secret("hunter2hunter2"));
    assert_eq!(print.len(), 8);
    assert_eq!(
        print,
        ring(&format!("{FIRST},{SECOND}")).fingerprint(&secret("hunter2hunter2"))
    );
    assert_ne!(print, ring_1.fingerprint(&secret("hunter2hunter3")));
    assert_ne!(print, ring(SECOND).fingerprint(&secret("hunter2hunter2")));
    assert_ne!(ring_1.mac("one", b"x"), ring_1.mac("two", b"x"));
}

#[test]
fn wrong_keys_are_refused_without_repeating_them() {
    let key = |bytes: &[u8]| format!("K1:{}", BASE64URL_NOPAD.encode(bytes));
    let counted: Vec<u8> = (0..32).collect();
    let doubled: Vec<u8> = (0..16).chain(0..16).collect();
    for (text, expected) in [
        (String::new(), "no vault key"),
        ("# K1:only a comment".to_owned(), "no vault key"),
        ("canary".to_owned(), "number 1 is wrong: the colon"),
        ("canary:AAAA".to_owned(), "not K and a number"),
        (FIRST.replace("K1", "K01"), "not K and a number"),
        (
            format!("{FIRST},K2:canary!"),
            "number 2 is wrong: it is not unpadded",
        ),
        ("K1:Y2FuYXJ5".to_owned(), "32 bytes"),
        (
            format!("{FIRST} {FIRST}"),
            "number 2 is wrong: its number is given twice",
        ),
        (key(&[0; 32]), "not random"),
        (key(&counted), "not random"),
        (key(&doubled), "not random"),
        (key(b"this is a sample key, change me!"), "not random"),
    ] {
        let error = KeyRing::from_text(&secret(&text)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[test]
fn the_key_file_is_made_once_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.keys");
    let made = KeyRing::from_file_or_new(&path, true).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let sealed = made.seal(&PLACE, &secret("kept")).unwrap();
    let read = KeyRing::from_file_or_new(&path, true).unwrap();
    assert_eq!(read.open(&PLACE, &sealed).unwrap().expose_secret(), "kept");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn no_key_file_is_made_when_something_is_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.keys");
    assert!(matches!(
        KeyRing::from_file_or_new(&path, false),
        Err(VaultError::KeyFileMissing { .. })
    ));
    assert!(!path.exists());
}

#[test]
fn a_key_file_that_cannot_be_trusted_or_made_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.keys");
    fs::write(&path, FIRST).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        KeyRing::from_file_or_new(&path, true),
        Err(VaultError::KeyFileOpenToAll { .. })
    ));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    KeyRing::from_file_or_new(&path, false).unwrap();
    let nowhere = directory.path().join("missing/vault.keys");
    assert!(matches!(
        KeyRing::from_file_or_new(&nowhere, true),
        Err(VaultError::KeyFile {
            action: "written",
            ..
        })
    ));
}

#[test]
fn scrubbing_knows_every_encoding() {
    let value = "p/w+=<k>&\"é'7";
    let secrets = [secret(value), secret("abc%2Bdef%3D")];
    for text in [
        "p/w+=<k>&\"é'7",
        "p%2Fw%2B%3D%3Ck%3E%26%22%C3%A9%277",
        "p%2fw%2b%3d%3ck%3e%26%22%c3%a9%277",
        "p/w+=<k>&\\\"é'7",
        "p\\/w+=<k>&\\\"é'7",
        "p/w+=<k>&\\\"\\u00e9'7",
        "p/w+\\u003d\\u003ck\\u003e\\u0026\\\"\\u00e9\\u00277",
        "p/w+=&lt;k&gt;&amp;&quot;é&#39;7",
        "p/w+=&#60;k&#62;&#38;&#34;é&#39;7",
        "p/w+=&#x3c;k&#x3e;&#x26;&#x22;é&#x27;7",
        "702f772b3d3c6b3e2622c3a92737",
        "702F772B3D3C6B3E2622C3A92737",
        "abc+def=",
        "abc%2bdef%3d",
        "abc%252Bdef%253D",
    ] {
        assert_eq!(
            scrub(&format!("bad '{text}' given"), &secrets),
            "bad '[redacted]' given",
            "{text}"
        );
    }
}

#[test]
fn scrubbing_leaves_short_values_and_ordinary_text_alone() {
    let text = "the password 1234567 was refused for user root";
    assert_eq!(
        scrub(text, &[secret("1234567"), secret("root"), secret("")]),
        text
    );
    assert_eq!(scrub(text, &[secret("12345678")]), text);
}

#[test]
fn a_secret_within_another_leaves_no_rest() {
    let secrets = [secret("password"), secret("password-and-more")];
    assert_eq!(scrub("say password-and-more", &secrets), "say [redacted]");
}
