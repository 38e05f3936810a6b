//! Many setups in one real process that is killed again and again while calls fail at random: what a kill finds is
//! not a first send but look-ups, waits and second sends.

use std::time::Duration;

use headgate::emulator::Options;

use super::figures::{Row, side_by_side};
use super::kills::Stand;
use super::ledger::{Tally, account};
use super::random::arm;
use super::steps::brief;
use crate::support::forwarder::Forwarder;
use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{TEAM, Works};

/// How long all setups may take once nobody kills any more.
const PATIENCE: Duration = Duration::from_secs(300);

/// As many as one person may have in the queue.
const SETUPS: usize = 5;

async fn storm((seed, kills): (u64, usize)) -> Tally {
    let mut tally = Tally::default();
    let options = Options {
        random_seed: Some(seed),
        ..Options::default()
    };
    let mut works = Works::idle(options).await;
    let wire = Forwarder::start(&works.emulator.url()).await;
    works.through(wire.url());
    let mut ids = Vec::new();
    for number in 0..SETUPS {
        let recipe = if number % 2 == 0 {
            s3_parquet
        } else {
            sftp_delimited
        };
        ids.push(works.set_up(&recipe(&format!("Dataflow {number}"))).await);
    }
    let id = ids[0].clone();
    let mut stand = Stand { works, wire, id };
    let control = stand.works.emulator.control().clone();
    arm(&control);
    stand.works.close_store().await;
    let mut moments = fastrand::Rng::with_seed(seed);
    for _ in 0..kills {
        let mut server = stand.serve(Vec::new());
        // It takes some of this until it works at all.
        tokio::time::sleep(Duration::from_millis(moments.u64(150..1_500))).await;
        server.kill();
    }
    let server = stand.serve(Vec::new());
    stand.works.reopen_store().await;
    for id in &ids {
        let setup = stand.works.rested_within(PATIENCE, id).await;
        let asks = setup.question.is_some() && setup.question_detail.is_some();
        tally.expect(setup.state.is_final() || asks, || {
            format!("it rests as {}", brief(&setup, &[]))
        });
    }
    drop(server);
    tally.add(account(&control, &stand.works.store, TEAM, &ids).await);
    tally.named(&format!("seed {seed}"))
}

async fn storms(seeds: std::ops::Range<u64>, kills: usize, row: Row) {
    let cases: Vec<_> = seeds.map(|seed| (seed, kills)).collect();
    let count = cases.len() * kills;
    row.end(count, &side_by_side(4, cases, storm).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_a_server_killed_again_and_again_in_a_storm_loses_and_doubles_nothing() {
    storms(
        0..2,
        5,
        Row::begin("P11", "kill -9 in storms, 2 x 5 setups, 2 x 5 kills"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p11_a_server_killed_two_hundred_times_in_storms_loses_and_doubles_nothing() {
    storms(
        0..20,
        10,
        Row::begin("P11", "kill -9 in storms, 20 x 5 setups, 20 x 10 kills"),
    )
    .await;
}
