//! A disk that runs full at the n-th write of a setup.
//!
//! The server is stopped right at that write, the file system filled to the last byte, and the server let go: from
//! then on the system itself refuses. Room is made later, and everything must go on without help.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::support::case::Case;
use crate::support::mount::Mount;
use crate::support::server::Server;
use crate::support::strace::{Strace, database_files, is_stopped};
use crate::support::table::{Outcome, each};
use crate::support::visitor::{browser, post};

/// D7: everything goes on so soon after there is room.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long a server may take to find that the disk is full, or to finish the setup.
const PATIENCE: Duration = Duration::from_secs(30);

async fn full_at(write: u32) -> Outcome {
    let disk = Mount::in_memory(16);
    let case = Case::on(disk.path()).await;
    let mut server = case.serve().await;
    let pause = format!("pwrite64:signal=SIGSTOP:when={write}");
    let strace = Strace::attach(server.pid(), &database_files(&case.data), &[&pause]);
    let setup = case.set_up().await;
    if !stopped_before_done(&case, &server, &setup).await {
        strace.detach();
        // The history, which writes after that, may have been the one that was stopped.
        server.go_on();
        return finish(&case, &mut server, &setup, "done before", None).await;
    }
    let filler = disk.fill();
    strace.detach();
    server.go_on();
    let what = if finds_it_full(&case, &server, &setup).await {
        refuses_changes(&server).await;
        // At least one try to write again must fail.
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert!(!server.is_ready().await, "{}", case.log());
        "full, recovered"
    } else {
        "nothing was left to write"
    };
    case.nothing_was_sent_unrecorded(std::slice::from_ref(&setup))
        .await;
    drop(filler);
    let recovery = case.done(&setup, RECOVERY).await;
    tells_it_once(&case);
    finish(&case, &mut server, &setup, what, Some(recovery)).await
}

async fn stopped_before_done(case: &Case, server: &Server, setup: &str) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if is_stopped(server.pid()) {
            return true;
        }
        if case.setup(setup).await.finished_at.is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("neither stopped nor done: {}", case.log());
}

/// False: the setup was finished without another byte.
async fn finds_it_full(case: &Case, server: &Server, setup: &str) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if !server.is_ready().await {
            return true;
        }
        if case.setup(setup).await.finished_at.is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("neither full nor done: {}", case.log());
}

async fn refuses_changes(server: &Server) {
    let form = "login=ana&password=x&next=".to_owned();
    let answer = post(&browser(), &server.url, "/sign-in", form, "").await.unwrap();
    assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("The server cannot save") && page.contains("Nothing was changed or sent."),
        "{page}"
    );
    let page = reqwest::get(format!("{}/sign-in", server.url)).await.unwrap();
    assert_eq!(page.status(), StatusCode::OK, "reading goes on");
    let page = page.text().await.unwrap();
    assert!(page.contains("its disk is full"), "every page says so: {page}");
    let alive = reqwest::get(format!("{}/healthz", server.url)).await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK);
}

/// Once on the way in and once on the way out, and no flood of other lines.
fn tells_it_once(case: &Case) {
    let log = case.log();
    for words in ["the database takes no writes", "the database takes writes again"] {
        assert!(log.matches(words).count() <= 1, "{words}: {log}");
    }
    let complaints = log
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("WARN"));
    assert!(complaints.count() <= 12, "{log}");
}

async fn finish(
    case: &Case,
    server: &mut Server,
    setup: &str,
    what: &str,
    recovery: Option<Duration>,
) -> Outcome {
    assert!(server.stop().await.success());
    case.all_is_well(&[setup.to_owned()]).await;
    Outcome {
        what: what.to_owned(),
        recovery,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d7_a_disk_that_runs_full_during_a_setup_loses_and_doubles_nothing() {
    let outcomes = each(
        "disk full at a write",
        [1, 30, 75, 140, 220, 300, 400, 520],
        full_at,
    )
    .await;
    let full = outcomes
        .iter()
        .filter(|outcome| outcome.what == "full, recovered");
    assert!(full.count() >= 4, "{outcomes:?}");
}

/// Every write of the setup, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes"]
async fn faults_disk_full_at_every_write_of_a_setup() {
    let outcomes = each("disk full at every write", 1..=MOST_WRITES, full_at).await;
    assert!(
        outcomes.iter().any(|outcome| outcome.what == "done before"),
        "the setup writes more than {MOST_WRITES} times: raise it"
    );
}

/// More than a setup needs.
const MOST_WRITES: u32 = 540;
