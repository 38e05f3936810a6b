//! `headgate doctor` on sound and broken installations.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Output;

use headgate::emulator::{Emulator, Options};
use serde_json::Value;

use crate::support::process::{Server, populate, run};
use crate::support::recipes::s3_parquet;
use crate::support::works::Works;

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

/// The line about this check.
fn line<'a>(text: &'a str, check: &str) -> &'a str {
    let named = |line: &&str| {
        line.get(9..)
            .is_some_and(|rest| rest.starts_with(&format!("{check}: ")))
    };
    text.lines()
        .find(named)
        .unwrap_or_else(|| panic!("nothing about {check}: {text}"))
}

/// Every file with a hash of its bytes, but for SQLite's shared index of the log, which whoever reads makes anew.
fn contents(directory: &Path) -> BTreeMap<String, u64> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mut hash = DefaultHasher::new();
        std::fs::read(&path).unwrap().hash(&mut hash);
        files.insert(
            path.file_name().unwrap().to_string_lossy().into_owned(),
            hash.finish(),
        );
    }
    files.remove("headgate.db-shm");
    files
}

/// An emulator and a data directory with a person and an environment.
async fn installation() -> (headgate::emulator::Running, tempfile::TempDir) {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (path, url) = (directory.path().to_owned(), emulator.url());
    // The commands block, and the emulator answers them from this very runtime.
    tokio::task::spawn_blocking(move || populate(&path, &url))
        .await
        .unwrap();
    (emulator, directory)
}

async fn doctor(directory: &Path, platform: &str, arguments: &'static [&'static str]) -> Output {
    let (directory, platform) = (directory.to_owned(), platform.to_owned());
    let all = [&["doctor"], arguments].concat();
    tokio::task::spawn_blocking(move || run(&directory, &platform, &all, ""))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sound_installation_passes_and_is_left_as_it_is() {
    let (emulator, directory) = installation().await;
    let before = contents(directory.path());
    let told = doctor(directory.path(), &emulator.url(), &[]).await;
    let text = said(&told);
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert_eq!(contents(directory.path()), before, "the doctor changed something");
    for (check, expected) in [
        ("configuration", "ok"),
        ("data directory", "ok"),
        ("free space", "ok"),
        ("database rights", "ok"),
        ("key file rights", "ok"),
        ("server", "No server runs"),
        ("SQLite", "3."),
        ("schema", "ok"),
        ("integrity", "sound"),
        ("references", "ok"),
        ("keys", "They open what is sealed"),
        ("setups", "0 active, 0 waiting, 0 asking"),
        ("unclear calls", "ok"),
        ("leases", "0 held"),
        (
            "environment",
            "Retail dev: sign-in, sandbox and Flow Service answer",
        ),
    ] {
        assert!(line(&text, check).contains(expected), "{check}: {text}");
    }
    assert!(!text.contains("PROBLEM"), "{text}");
    let key = std::fs::read_to_string(directory.path().join("vault.keys")).unwrap();
    let key = key.trim().trim_start_matches("K1:");
    for secret in ["headgate-demo-secret", key] {
        assert!(!text.contains(secret), "a secret in the output");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_beside_a_running_server() {
    let (emulator, directory) = installation().await;
    let _server = Server::start(directory.path(), &emulator.url()).await;
    let told = doctor(directory.path(), &emulator.url(), &["--json"]).await;
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let json: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&json["exit"], &json["problems"]),
        (&Value::from(0), &Value::from(0))
    );
    let findings = json["findings"].as_array().unwrap();
    let server = findings
        .iter()
        .find(|finding| finding["check"] == "server")
        .unwrap();
    assert_eq!(server["found"], "A server runs on this data directory.");
    assert_eq!(server["verdict"], "ok");
}

#[tokio::test]
async fn each_kind_of_problem_has_its_exit_code_and_says_what_to_do() {
    let (emulator, directory) = installation().await;
    let (here, url) = (directory.path(), emulator.url());
    let database = here.join("headgate.db");

    let wrong = doctor(here, &url, &["--listen", "nonsense"]).await;
    assert_eq!(wrong.status.code(), Some(78), "{}", said(&wrong));

    let missing = doctor(&here.join("nowhere"), &url, &[]).await;
    assert_eq!(missing.status.code(), Some(73), "{}", said(&missing));
    assert!(line(&said(&missing), "data directory").contains("--data-dir"));
    assert!(!here.join("nowhere").exists(), "the doctor made a directory");

    let dead = doctor(here, NOWHERE, &[]).await;
    assert_eq!(dead.status.code(), Some(78), "another platform: {}", said(&dead));
    emulator.shutdown().await;
    let dead = doctor(here, &url, &[]).await;
    assert_eq!(dead.status.code(), Some(69), "{}", said(&dead));
    assert!(line(&said(&dead), "environment").contains("Retail dev"));
    let offline = doctor(here, &url, &["--offline"]).await;
    assert_eq!(offline.status.code(), Some(0), "{}", said(&offline));

    let key = std::fs::read(here.join("vault.keys")).unwrap();
    std::fs::remove_file(here.join("vault.keys")).unwrap();
    let lost = doctor(here, &url, &["--offline"]).await;
    assert_eq!(lost.status.code(), Some(78), "{}", said(&lost));
    assert!(line(&said(&lost), "keys").contains("PROBLEM"));
    assert!(!here.join("vault.keys").exists(), "the doctor made a key");
    std::fs::write(here.join("vault.keys"), key).unwrap();

    let mut bytes = std::fs::read(&database).unwrap();
    // A whole page in the middle: 8,192 bytes each, the first one holds the header.
    let middle = bytes.len() / 8_192 / 2 * 8_192;
    bytes[middle..middle + 8_192].fill(0x5a);
    std::fs::write(&database, &bytes).unwrap();
    let damaged = doctor(here, &url, &["--offline"]).await;
    assert_eq!(damaged.status.code(), Some(74), "{}", said(&damaged));
    assert!(said(&damaged).contains("restore a backup"), "{}", said(&damaged));

    std::fs::write(&database, "no database at all ".repeat(500)).unwrap();
    let garbage = doctor(here, &url, &["--offline"]).await;
    assert_eq!(garbage.status.code(), Some(74), "{}", said(&garbage));
    assert!(line(&said(&garbage), "database").contains("PROBLEM"));
}

#[cfg(unix)]
#[tokio::test]
async fn rights_that_are_too_wide_are_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let (emulator, directory) = installation().await;
    let wide = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(directory.path().join("headgate.db"), wide).unwrap();
    let told = doctor(directory.path(), &emulator.url(), &["--offline"]).await;
    assert_eq!(told.status.code(), Some(0), "{}", said(&told));
    let text = said(&told);
    let line = line(&text, "database rights");
    assert!(
        line.starts_with("warning") && line.contains("chmod 600"),
        "{line}"
    );
}

#[tokio::test]
async fn setups_leases_and_unclear_calls_are_counted() {
    let works = Works::start().await;
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let mut tx = works.store.begin().await.unwrap();
    let mut setup = works.setup(&id).await;
    setup.state = headgate::domain::setup::SetupState::NeedsAttention;
    headgate::store::setups::save_setup(&mut tx, &setup)
        .await
        .unwrap();
    let mut step = works.steps(&id).await.remove(0);
    step.state = headgate::domain::setup::StepState::Unknown;
    step.sent_at = Some(1);
    headgate::store::setups::save_step(&mut tx, &step).await.unwrap();
    headgate::store::leases::acquire(&mut tx, "left", "nobody", i64::MAX / 2, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let told = doctor(works.directory.path(), &works.emulator.url(), &["--offline"]).await;
    let text = said(&told);
    assert_eq!(told.status.code(), Some(0), "{text}");
    assert!(line(&text, "setups").contains("1 asking"), "{text}");
    let unclear = line(&text, "unclear calls");
    assert!(
        unclear.starts_with("warning") && unclear.contains("Of 1 calls"),
        "{text}"
    );
    let leases = line(&text, "leases");
    assert!(
        leases.starts_with("warning") && leases.contains("1 held"),
        "{text}"
    );
}
