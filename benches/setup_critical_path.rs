//! How long a full setup takes against a platform that answers each call after 150 ms.
//!
//! Steps without mutual needs run side by side, so that of seven calls only four are waited for one after another
//! (schema, dataset, target connection, flow). The budget is 1.15 times those four, from the arrival of the first
//! create at the platform to the dataflow's id in the database. `cargo bench --bench setup_critical_path` prints the
//! figures and fails over the budget; the number of runs can be given as an argument.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot start fails by panicking"
)]

#[path = "../tests/integration/support/recipes.rs"]
mod recipes;
#[expect(dead_code, reason = "shared with the integration tests, which use the rest")]
#[path = "../tests/integration/support/works.rs"]
mod works;

use std::process::ExitCode;

use headgate::domain::recipe::Recipe;
use headgate::emulator::Options;
use works::Works;

const LATENCY_MS: u64 = 150;
/// Calls that have to be waited for one after another.
const ROUND_TRIPS: f64 = 4.0;
const BUDGET: f64 = 1.15;
const RUNS: usize = 15;

/// One way to set up a dataflow, with all steps it can have.
struct Kind {
    name: &'static str,
    recipe: fn(&str) -> Recipe,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "Parquet from S3, with a data lake connection",
        recipe: recipes::s3_parquet,
    },
    Kind {
        name: "CSV over SFTP, with a mapping",
        recipe: recipes::sftp_delimited,
    },
];

fn main() -> ExitCode {
    let runs = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(RUNS);
    let runtime = tokio::runtime::Runtime::new().expect("the system lets us start threads");
    let ideal_ms = ROUND_TRIPS * LATENCY_MS as f64;
    println!(
        "{runs} setups of each kind; every call is answered after {LATENCY_MS} ms; four calls: {ideal_ms} ms"
    );
    println!(
        "{:<46}{:>8}{:>9}{:>8}{:>16}",
        "", "min ms", "median", "max", "median / calls"
    );
    let mut within = true;
    for kind in KINDS {
        let mut times: Vec<f64> = (0..runs)
            .map(|run| runtime.block_on(one_setup(&kind, run)))
            .collect();
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        let ratio = median / ideal_ms;
        within &= ratio <= BUDGET;
        println!(
            "{:<46}{:>8}{:>9}{:>8}{:>16.3}",
            kind.name,
            times[0],
            median,
            times[times.len() - 1],
            ratio
        );
    }
    println!("budget: {BUDGET}, {}", if within { "kept" } else { "BROKEN" });
    if within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Milliseconds from the first create's arrival to the dataflow's id, in an organization that has nothing yet.
async fn one_setup(kind: &Kind, run: usize) -> f64 {
    let works = Works::with(Options {
        latency_ms: LATENCY_MS,
        ..Options::default()
    })
    .await;
    let id = works.set_up(&(kind.recipe)(&format!("Benchmark {run}"))).await;
    let setup = works.done(&id).await;
    assert!(
        works.steps(&id).await.iter().all(|step| step.attempt == 1),
        "every step is sent, and once"
    );
    let ledger = works.emulator.control().ledger();
    let creates = ledger
        .iter()
        .filter(|entry| entry.method == "POST" && entry.target.starts_with("/data/"));
    let first = creates
        .map(|entry| entry.arrived_at_ms)
        .min()
        .expect("a setup creates something");
    let end = setup.finished_at.expect("a setup that is done has finished");
    (end - first) as f64
}
