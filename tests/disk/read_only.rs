//! A file system that turns read-only under a running server.
//!
//! Nobody can remount one read-only while a program writes to it; the kernel itself does so when it finds damage.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::support::case::Case;
use crate::support::mount::Mount;
use crate::support::server::Server;
use crate::support::strace::{Strace, database_files};
use crate::support::visitor::{browser, post};

const PATIENCE: Duration = Duration::from_secs(20);
const RECOVERY: Duration = Duration::from_secs(10);
/// Longest wait for a setup after a restart: an unanswered call is settled first.
const SETTLED: Duration = Duration::from_secs(30);

async fn turns_unready(case: &Case, server: &Server) {
    let begun = Instant::now();
    while server.is_ready().await {
        assert!(begun.elapsed() < PATIENCE, "it stays ready: {}", case.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn refuses_changes(server: &Server) {
    let form = "login=ana&password=x&next=".to_owned();
    let answer = post(&browser(), &server.url, "/sign-in", form, "").await.unwrap();
    assert_eq!(answer.status(), StatusCode::INSUFFICIENT_STORAGE);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("its disk is read-only") || page.contains("Its disk is read-only"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d11_writes_refused_as_read_only_stop_sending_until_they_are_taken_again() {
    let home = tempfile::tempdir().unwrap();
    let case = Case::on(home.path()).await;
    let mut server = case.serve().await;
    let mut files = database_files(&case.data);
    files.push(case.data.join("headgate.probe"));
    // The server's own small write, by which it tells this from a broken disk, goes by `write`.
    let refusals = ["pwrite64:error=EROFS:when=60+", "write:error=EROFS"];
    let strace = Strace::attach(server.pid(), &files, &refusals);
    let setup = case.set_up().await;
    turns_unready(&case, &server).await;
    refuses_changes(&server).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    case.nothing_was_sent_unrecorded(&setup).await;
    assert!(server.ended().is_none(), "{}", case.log());
    strace.detach();
    case.done(&setup, RECOVERY).await;
    assert!(server.stop().await.success());
    case.all_is_well(&setup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d11_a_file_system_that_the_kernel_stops_loses_nothing() {
    let disk = Mount::ext4();
    let case = Case::on(disk.path()).await;
    let mut server = case.serve().await;
    disk.stop_writes();
    // Ana's sign-in fails, and yet it is the write by which the server finds out.
    let form = "login=ana&password=x&next=".to_owned();
    let _ = post(&browser(), &server.url, "/sign-in", form, "").await;
    if server.ended().is_none() {
        turns_unready(&case, &server).await;
        refuses_changes(&server).await;
    }
    drop(server);
    disk.unmount();
    disk.mount_image();
    let mut server = case.serve().await;
    let setup = case.set_up().await;
    case.done(&setup, SETTLED).await;
    assert!(server.stop().await.success());
    case.all_is_well(&setup).await;
}
