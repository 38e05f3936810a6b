//! A file system that turns read-only under a running server.
//!
//! Nobody can remount one read-only while a program writes to it; the kernel itself does so when it finds damage.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::support::case::{Case, PASSWORD, WATCHER};
use crate::support::mount::Mount;
use crate::support::server::Server;
use crate::support::strace::{Strace, database_files};
use crate::support::visitor::{Visitor, browser, post};

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
    case.add_watcher().await;
    let mut server = case.serve().await;
    let vera = Visitor::sign_in(&server.url, WATCHER, PASSWORD).await;
    let mut files = database_files(&case.data);
    files.push(case.data.join("headgate.probe"));
    // The server's own small write, by which it tells this from a broken disk, goes by `write`.
    let refusals = ["pwrite64:error=EROFS:when=60+", "write:error=EROFS"];
    let strace = Strace::attach(server.pid(), &files, &refusals);
    let setup = case.set_up().await;
    turns_unready(&case, &server).await;
    refuses_changes(&server).await;
    let page = vera.get("/account").await;
    assert!(page.contains("its disk is read-only"), "people are told: {page}");
    assert_eq!(vera.save_zone("Asia/Tokyo").await, Some(false));
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    case.nothing_was_sent_unrecorded(std::slice::from_ref(&setup))
        .await;
    assert!(server.ended().is_none(), "{}", case.log());
    strace.detach();
    case.done(&setup, RECOVERY).await;
    assert_eq!(vera.save_zone("Asia/Tokyo").await, Some(true));
    let page = vera.get("/account").await;
    assert!(!page.contains("cannot save"), "{page}");
    assert!(server.stop().await.success());
    case.all_is_well(&[setup]).await;
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
    case.all_is_well(&[setup]).await;
}

/// What `headgate` says, as somebody, when it is told to do this on a data directory.
fn told(as_user: Option<u32>, program: &Path, data: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("HEADGATE_DATA_DIR", data);
    if let Some(user) = as_user {
        command.uid(user);
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d11_a_read_only_data_directory_refuses_a_start_and_can_still_be_examined() {
    let disk = Mount::in_memory(16);
    let case = Case::on(disk.path()).await;
    disk.remount("ro");
    let program = Path::new(env!("CARGO_BIN_EXE_headgate"));
    let (exit, text) = told(None, program, &case.data, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(exit, Some(77), "{text}");
    for words in [
        "data directory",
        disk.path().to_str().unwrap(),
        "user id 0",
        "mounted read-only",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (exit, text) = told(None, program, &case.data, &["doctor", "--offline"]);
    assert_eq!(exit, Some(77), "{text}");
    for words in [
        "PROBLEM  free space",
        "Every page, row and index is sound",
        "1 were not tried",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    disk.remount("rw");
    let mut server = case.serve().await;
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d11_a_missing_right_is_named_with_the_user_that_lacks_it() {
    const NOBODY: u32 = 65_534;
    let home = tempfile::tempdir().unwrap();
    // Where this user may come: the binary may lie where only root may.
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let program = home.path().join("headgate");
    std::fs::copy(env!("CARGO_BIN_EXE_headgate"), &program).unwrap();
    let data = home.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for (mode, path) in [(0o755, data.clone()), (0o700, data.join("below"))] {
        std::fs::set_permissions(&data, Permissions::from_mode(mode)).unwrap();
        let (exit, text) = told(
            Some(NOBODY),
            &program,
            &path,
            &["serve", "--listen", "127.0.0.1:0"],
        );
        assert_eq!(exit, Some(77), "{text}");
        for words in [
            "data directory",
            path.to_str().unwrap(),
            "user id 65534",
            "the right to read, write",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let (exit, text) = told(Some(NOBODY), &program, &path, &["doctor", "--offline"]);
        assert_eq!(exit, Some(77), "{text}");
        assert!(text.contains("user id 65534"), "{text}");
    }
}
