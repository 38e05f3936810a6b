//! `kill -9` at the n-th write: what the server has promised is there after the next start.

use std::time::Duration;

use headgate::store;

use crate::support::case::{Case, PASSWORD, WATCHER};
use crate::support::strace::{Strace, database_files};
use crate::support::table::{Outcome, each};
use crate::support::visitor::Visitor;

/// Longest wait for the setup after the restart: an unanswered call is settled first.
const SETTLED: Duration = Duration::from_secs(30);
/// More changes than a server that is to be killed answers.
const CHANGES: usize = 2_000;
const ZONES: [&str; 3] = ["Europe/Berlin", "Asia/Tokyo", "America/Lima"];

async fn killed_at(write: u32) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let case = Case::on(home.path()).await;
    case.add_watcher().await;
    let mut server = case.serve().await;
    let visitor = Visitor::sign_in(&server.url, WATCHER, PASSWORD).await;
    let kill = format!("pwrite64:signal=KILL:when={write}");
    let strace = Strace::attach(server.pid(), &database_files(&case.data), &[&kill]);
    let setup = case.set_up().await;
    let mut promised = 0;
    for change in 0..CHANGES {
        match visitor.save_zone(ZONES[change % ZONES.len()]).await {
            Some(saved) => {
                assert!(saved, "{}", case.log());
                promised += 1;
            }
            None => break,
        }
    }
    let status = server.end(Duration::from_secs(10)).await;
    drop(strace);
    assert_eq!(status.code(), None, "it was killed: {status} {}", case.log());
    let mut server = case.serve().await;
    case.done(&setup, SETTLED).await;
    assert!(server.stop().await.success());
    let found = changes_found(&case).await;
    // The one that was on its way may have been saved without an answer.
    assert!(
        found == promised || found == promised + 1,
        "{promised} promised, {found} found"
    );
    case.all_is_well(&[setup]).await;
    Outcome {
        what: "killed, nothing lost".to_owned(),
        recovery: None,
    }
}

async fn changes_found(case: &Case) -> usize {
    let mut events = Vec::new();
    loop {
        let after = events
            .last()
            .map_or(0, |event: &store::audit::AuditEvent| event.seq);
        let page = case
            .read(async |store| store::audit::after(&store, after, 500).await.unwrap())
            .await;
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    let changes = events
        .iter()
        .filter(|event| event.facts.event == "user.time_zone_changed");
    changes.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d6_a_kill_at_a_write_loses_nothing_that_was_promised() {
    each("kill -9 at a write", [1, 26, 90, 201, 350], killed_at).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes"]
async fn faults_kill_at_each_of_the_first_500_writes() {
    each("kill -9 at each write", 1..=500, killed_at).await;
}
