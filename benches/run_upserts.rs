//! How many runs the store takes in a second, new ones and ones that it has already, by the size of a transaction.
//!
//! The rows are those that a mirror makes of an emulator's runs, the first started first. `cargo bench --bench
//! run_upserts -- --flows 200 --runs-per-flow 500`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on fails by panicking"
)]

mod support;

use std::time::Instant;

use headgate::emulator::seeded::{SeededFlow, SeededHistory};
use headgate::emulator::{Options, SeedOptions};
use headgate::history::{Ends, records};
use headgate::platform::{Flow, Run};
use headgate::store::environments::Environment;
use headgate::store::flows::FlowRecord;
use headgate::store::people::Team;
use headgate::store::{self, Mirrored, MirroredRun, Store};
use serde_json::Value;
use support::{argument, median};

/// Least rows in a second.
const ROWS_PER_SECOND: f64 = 40_000.0;
const ENVIRONMENT: &str = "environment-1";
const SANDBOX: &str = "prod";
const NOW_MS: i64 = 1_774_076_400_000;

struct History {
    flows: Vec<Mirrored<FlowRecord>>,
    runs: Vec<MirroredRun>,
}

fn main() {
    let flows: u32 = argument("flows", 200);
    let runs_per_flow: usize = argument("runs-per-flow", 500);
    let history = history(flows, runs_per_flow);
    let rounds: usize = argument("rounds", 5);
    let sizes = [1_000, 10_000, history.runs.len()];
    println!(
        "{} runs of {flows} flows, into an empty database; at least {ROWS_PER_SECOND} rows/s are wanted",
        history.runs.len()
    );
    println!(
        "{:<24}{:>14}{:>20}   all rounds of new rows",
        "rows per transaction", "new rows/s", "unchanged rows/s"
    );
    let runtime = support::server_runtime();
    let mut figures: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); sizes.len()];
    // The machine is quicker at one time than at another: each round has all sizes.
    for _ in 0..rounds {
        for ((new, unchanged), size) in figures.iter_mut().zip(sizes) {
            let (of_new, of_unchanged) = runtime.block_on(upsert_twice(&history, size));
            new.push(of_new);
            unchanged.push(of_unchanged);
        }
    }
    for ((new, unchanged), size) in figures.into_iter().zip(sizes) {
        let all: Vec<String> = new.iter().map(|rows| format!("{rows:.0}")).collect();
        println!(
            "{size:<24}{:>14.0}{:>20.0}   {}",
            median(new),
            median(unchanged),
            all.join(" ")
        );
    }
}

fn history(flows: u32, runs_per_flow: usize) -> History {
    let days = u32::try_from(runs_per_flow.div_ceil(17)).unwrap();
    let seeded = SeededHistory::new(Options {
        sandboxes: vec![SANDBOX.to_owned()],
        manual_time: true,
        manual_start_ms: Some(NOW_MS),
        random_seed: Some(1),
        seed: Some(SeedOptions {
            flows,
            days: days + 5,
            runs_per_day: Some(17),
        }),
        ..Options::default()
    })
    .unwrap();
    let flow = |flow: &SeededFlow| {
        let flow = Flow::from_json(&flow.flow).unwrap();
        records::flow_row(ENVIRONMENT, &flow, Ends::default(), NOW_MS)
    };
    let flows: Vec<_> = seeded.flows(SANDBOX).iter().map(flow).collect();
    let of_flow = |flow: &Mirrored<FlowRecord>| seeded.runs(SANDBOX, &flow.row.id, runs_per_flow);
    let run = |run: Value| records::run_row(ENVIRONMENT, &Run::from_json(&run.to_string()).unwrap(), NOW_MS);
    let mut runs: Vec<_> = flows.iter().flat_map(of_flow).map(run).collect();
    runs.sort_by_key(|run| run.row.started_at);
    History { flows, runs }
}

/// Rows in a second, of new rows and of the same ones once more.
async fn upsert_twice(history: &History, per_transaction: usize) -> (f64, f64) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let team = Team {
        id: "team-1".to_owned(),
        name: "Retail data".to_owned(),
        created_at: 1,
    };
    store::people::insert_team(&mut tx, &team).await.unwrap();
    store::environments::insert(&mut tx, &environment())
        .await
        .unwrap();
    store::flows::upsert_many(&mut tx, &history.flows).await.unwrap();
    tx.commit().await.unwrap();
    let new = upsert(&store, &history.runs, per_transaction).await;
    let unchanged = upsert(&store, &history.runs, per_transaction).await;
    store.close().await;
    (new, unchanged)
}

async fn upsert(store: &Store, runs: &[MirroredRun], per_transaction: usize) -> f64 {
    let started = Instant::now();
    for rows in runs.chunks(per_transaction) {
        let mut tx = store.begin().await.unwrap();
        store::runs::upsert_many(&mut tx, rows).await.unwrap();
        tx.commit().await.unwrap();
    }
    runs.len() as f64 / started.elapsed().as_secs_f64()
}

fn environment() -> Environment {
    Environment {
        id: ENVIRONMENT.to_owned(),
        team_id: "team-1".to_owned(),
        name: "Retail prod".to_owned(),
        platform_origin: "http://127.0.0.1:9".to_owned(),
        organization: "0123456789ABCDEF01234567@AdobeOrg".to_owned(),
        sandbox: SANDBOX.to_owned(),
        production: true,
        client_id: "headgate-demo".to_owned(),
        client_secret: "sealed".to_owned(),
        client_secret_fingerprint: "fingerprint".to_owned(),
        scopes: String::new(),
        data_lake_connection_id: None,
        check_steps: None,
        checked_at: None,
        created_by: "operator".to_owned(),
        created_at: 1,
        updated_at: 1,
        archived_at: None,
    }
}
