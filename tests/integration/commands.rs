//! The operator's commands, run as processes on a data directory of their own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::path::Path;
use std::process::Output;

use headgate::emulator::{Emulator, Options};
use headgate::store::{self, Store};

use crate::support::app::PASSWORD;
use crate::support::process::{populate, run};

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

async fn events(directory: &Path) -> Vec<String> {
    let store = Store::open(&directory.join("headgate.db")).await.unwrap();
    let events = store::audit::after(&store, 0, 100).await.unwrap();
    store.close().await;
    events.into_iter().map(|event| event.facts.event).collect()
}

#[tokio::test]
async fn people_are_added_listed_and_disabled() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let command = |arguments: &[&str], input: &str| run(here, "http://127.0.0.1:9", arguments, input);
    let add = [
        "user",
        "add",
        "Ana",
        "--name",
        "Ana Ruiz",
        "--role",
        "editor",
        "--team",
        "Retail data",
    ];
    let added = command(&add, &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{}", said(&added));
    for (arguments, input, expected) in [
        (&add[..], PASSWORD, "somebody has the login ana already"),
        (
            &["user", "add", "eve", "--role", "editor", "--team", "T"],
            "short",
            "at least 10 characters",
        ),
        (
            &["user", "add", "eve", "--role", "editor", "--team", "T"],
            "",
            "needed on standard input",
        ),
        (&["user", "disable", "eve"], "", "nobody has the login eve"),
        (
            &["user", "add", "eve", "--role", "king", "--team", "T"],
            PASSWORD,
            "king",
        ),
    ] {
        let refused = command(arguments, input);
        assert_eq!(
            refused.status.code(),
            Some(64),
            "{arguments:?} {}",
            said(&refused)
        );
        assert!(said(&refused).contains(expected), "{}", said(&refused));
    }
    let listed = said(&command(&["user", "list"], ""));
    assert!(
        listed.contains("ana\tAna Ruiz\teditor in Retail data"),
        "{listed}"
    );
    assert!(!listed.contains("argon2"));
    assert!(command(&["user", "disable", "ana"], "").status.success());
    assert!(said(&command(&["user", "list"], "")).contains("(disabled)"));
    assert_eq!(events(here).await, ["user.added", "user.disabled"]);
}

#[tokio::test]
async fn environments_are_added_checked_and_listed() {
    let emulator = Emulator::start(Options::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (here, platform) = (directory.path().to_owned(), emulator.url());
    // The commands block, and the emulator answers them from this very runtime.
    let outputs = tokio::task::spawn_blocking(move || {
        populate(&here, &platform);
        let command = |arguments: &[&str], input: &str| run(&here, &platform, arguments, input);
        let check = |name: &str| command(&["environment", "check", name, "--team", "Retail data"], "");
        let bad = [
            "environment",
            "add",
            "Broken",
            "--team",
            "Retail data",
            "--organization",
            "0123456789ABCDEF01234567@AdobeOrg",
            "--sandbox",
            "dev",
            "--client-id",
            "headgate-demo",
        ];
        [
            check("Retail dev"),
            command(&bad, "canary-wrong-secret-5d1e\n"),
            check("Nothing"),
            command(&["environment", "list"], ""),
        ]
    });
    let [good, bad, unknown, list] = outputs.await.unwrap();
    assert!(good.status.success(), "{}", said(&good));
    assert_eq!(said(&good).matches("passed").count(), 4, "{}", said(&good));
    assert_eq!(bad.status.code(), Some(69), "{}", said(&bad));
    assert!(
        said(&bad).contains("FAILED") && said(&bad).contains("not tried"),
        "{}",
        said(&bad)
    );
    assert!(!said(&bad).contains("canary-wrong-secret-5d1e"));
    assert_eq!(unknown.status.code(), Some(64), "{}", said(&unknown));
    let listed = said(&list);
    assert!(
        listed.contains("Retail data\tRetail dev\t0123456789ABCDEF01234567@AdobeOrg\tdev\tchecked"),
        "{listed}"
    );
    assert!(
        listed.contains("Broken"),
        "a credential that does not work is kept: {listed}"
    );
    let expected = [
        "user.added",
        "environment.added",
        "environment.checked",
        "environment.checked",
        "environment.added",
        "environment.checked",
    ];
    assert_eq!(events(directory.path()).await, expected);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(
            !found("headgate-demo-secret") && !found("canary-wrong-secret-5d1e"),
            "a secret in plain text"
        );
    }
    emulator.shutdown().await;
}
