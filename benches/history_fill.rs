//! How long the first reading of a large history takes, against what its pages cost at least.
//!
//! Emulator and server are processes of their own. Every answer takes 50 ms, and a page has 100 runs, so that eight
//! pages side by side need pages / 8 × 50 ms. `cargo bench --bench history_fill -- --flows 200 --days 30
//! --runs-per-day 17 --latency-ms 50`.

mod support;

use support::mirror::{Mirror, Upstream};
use support::{argument, client_runtime};

/// Most of the time that the pages cost at least.
const BUDGET: f64 = 1.3;
/// Pages side by side.
const AT_ONCE: f64 = 8.0;
const RUNS_PER_PAGE: f64 = 100.0;

fn main() {
    let upstream = Upstream {
        flows: argument("flows", 200),
        days: argument("days", 30),
        runs_per_day: argument("runs-per-day", 17),
        latency_ms: argument("latency-ms", 50),
    };
    let latency_ms = upstream.latency_ms;
    let mirror = Mirror::start(upstream, &[]);
    let runtime = client_runtime();
    let filled = runtime.block_on(mirror.filled());
    let calls = runtime.block_on(mirror.calls());
    let pages = (filled.runs as f64 / RUNS_PER_PAGE).ceil();
    let bound = pages / AT_ONCE * latency_ms as f64 / 1_000.0;
    println!(
        "{} flows and {} runs: {:.2} s, {calls} calls",
        filled.flows, filled.runs, filled.seconds
    );
    println!("bound: {pages} full pages / {AT_ONCE} x {latency_ms} ms = {bound:.2} s");
    println!("ratio: {:.3} (at most {BUDGET})", filled.seconds / bound);
}
