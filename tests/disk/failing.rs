//! A disk that fails: a write or a sync answers with EIO, once. The server must end without another write, and a
//! new one go on from what is there.

use std::time::{Duration, Instant};

use crate::support::case::Case;
use crate::support::strace::{Strace, database_files};
use crate::support::table::{Outcome, each};

/// Exit code of a process whose disk failed (EX_IOERR).
const INPUT_OUTPUT: i32 = 74;
/// How long the server may take until it writes for the n-th time, and then to end.
const PATIENCE: Duration = Duration::from_secs(40);
/// Longest wait for the setup after the restart: an unanswered call is settled first.
const SETTLED: Duration = Duration::from_secs(30);

async fn fails_at((call, nth): (&'static str, u32)) -> Outcome {
    let home = tempfile::tempdir().unwrap();
    let case = Case::on(home.path()).await;
    let mut server = case.serve().await;
    let failure = format!("{call}:error=EIO:when={nth}");
    let strace = Strace::attach(server.pid(), &database_files(&case.data), &[&failure]);
    let mut setups = vec![case.set_up().await];
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = server.ended() {
            break status;
        }
        // One setup commits fewer times than some of the moments need.
        let last = setups.last().unwrap();
        if case.setup(last).await.finished_at.is_some() {
            setups.push(case.set_up().await);
        }
        assert!(begun.elapsed() < PATIENCE, "{}", case.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    drop(strace);
    assert_eq!(
        status.code(),
        Some(INPUT_OUTPUT),
        "{call} {nth}: {status} {}",
        case.log()
    );
    assert!(
        case.log().contains("the disk failed under the database"),
        "{}",
        case.log()
    );
    case.nothing_was_sent_unrecorded(&setups).await;
    let begun = Instant::now();
    let mut server = case.serve().await;
    for setup in &setups {
        case.done(setup, SETTLED).await;
    }
    let recovery = begun.elapsed();
    assert!(server.stop().await.success());
    case.all_is_well(&setups).await;
    Outcome {
        what: format!("{call}: exit {INPUT_OUTPUT}"),
        recovery: Some(recovery),
    }
}

fn moments(nths: impl IntoIterator<Item = u32> + Clone) -> impl Iterator<Item = (&'static str, u32)> {
    let of = |call: &'static str| nths.clone().into_iter().map(move |nth| (call, nth));
    of("fsync,fdatasync")
        .chain(of("pwrite64"))
        .collect::<Vec<_>>()
        .into_iter()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d9_a_failed_sync_or_write_ends_the_process_and_the_next_one_goes_on() {
    each("EIO at the n-th call", moments([1, 4, 11]), fails_at).await;
}

/// SQLite keeps it to itself when it cannot sync the database after a commit; it must come out all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d9_a_failed_sync_of_the_database_itself_comes_out_within_half_a_minute() {
    let home = tempfile::tempdir().unwrap();
    let case = Case::on(home.path()).await;
    let mut server = case.serve().await;
    let strace = Strace::attach(server.pid(), &[case.database()], &["fsync,fdatasync:error=EIO"]);
    let setup = case.set_up().await;
    case.done(&setup, PATIENCE).await;
    let status = server.end(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(INPUT_OUTPUT), "{}", case.log());
    drop(strace);
    let mut server = case.serve().await;
    assert!(server.stop().await.success());
    case.all_is_well(&[setup]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes many minutes"]
async fn faults_eio_at_each_of_the_first_fifty_syncs_and_writes() {
    each("EIO at each of the first 50 calls", moments(1..=50), fails_at).await;
}
