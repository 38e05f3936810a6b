//! The real binary, killed in the middle of a setup and started again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use headgate::emulator::{Emulator, Options};

use crate::support::app::Visitor;
use crate::support::process::{Server, populate};
use crate::support::works::CANARY;

/// Longest wait for a setup after the restart.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fills in the blank form for S3 and creates the dataflow; gives the page of the setup.
async fn create(visitor: &mut Visitor) -> String {
    let form = visitor.get("/flows/new/amazon-s3").await;
    let answers = [
        ("flow_name", "Loyalty members"),
        ("auth.s3AccessKey", "AKIAEXAMPLE000000001"),
        ("auth.s3SecretKey", CANARY),
        ("path", "partners-demo/samples"),
    ];
    let answer = visitor.submit(&form, "/flows/new/amazon-s3", &answers).await;
    let review = visitor.follow(&answer).await;
    assert!(!review.body.contains(CANARY));
    let answer = visitor
        .submit(&review, &format!("{}/create", answer.location()), &[])
        .await;
    answer.location()
}

async fn killed_after(pause_ms: u64) {
    let emulator = Emulator::start(Options {
        latency_ms: 60,
        ..Options::default()
    })
    .await
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (path, url) = (directory.path().to_owned(), emulator.url());
    // The emulator must go on answering meanwhile.
    tokio::task::spawn_blocking(move || populate(&path, &url))
        .await
        .unwrap();
    let mut server = Server::start(directory.path(), &emulator.url()).await;
    let mut ana = Visitor::of(&server.url);
    ana.sign_in("ana").await;
    let setup = create(&mut ana).await;
    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    server.kill();

    let server = Server::start(directory.path(), &emulator.url()).await;
    let mut ana = Visitor::of(&server.url);
    ana.sign_in("ana").await;
    let begun = Instant::now();
    loop {
        let page = ana.get(&setup).await;
        if page.text().contains("The dataflow exists") {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "killed after {pause_ms} ms: {}",
            page.text()
        );
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for entry in emulator.control().ledger() {
        if entry.method == "POST" && entry.object_id.is_some() {
            *made.entry(entry.target).or_default() += 1;
        }
    }
    assert_eq!(
        made.values().sum::<usize>(),
        7,
        "killed after {pause_ms} ms: {made:?}"
    );
    drop(server);
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            !bytes.windows(CANARY.len()).any(|w| w == CANARY.as_bytes()),
            "the secret is in {path:?}"
        );
    }
}

/// All moments at once: a call that was on its way must settle, whoever waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_a_killed_server_finishes_its_setup_and_doubles_nothing() {
    let kills = [0, 40, 100, 160, 230, 300].map(|pause_ms| tokio::spawn(killed_after(pause_ms)));
    for kill in kills {
        kill.await.unwrap();
    }
}
