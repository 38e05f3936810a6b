//! What it costs to watch many flows when nothing is new: calls at the platform, and our share of one core.
//!
//! Emulator and server are processes of their own, so that the emulator's processor time is not counted. A flow of
//! the emulator runs once a day. `cargo bench --bench history_steady -- --flows 2000 --minutes 5`.

mod support;

use std::time::{Duration, Instant};

use support::mirror::{Mirror, Upstream};
use support::process::processor_seconds;
use support::{argument, client_runtime};

/// Most calls in a second, and most percent of one core.
const CALLS_PER_SECOND: f64 = 2.0;
const PERCENT: f64 = 2.0;

fn main() {
    let minutes: f64 = argument("minutes", 3.0);
    let upstream = Upstream {
        flows: argument("flows", 2_000),
        days: 2,
        runs_per_day: 1,
        latency_ms: 0,
    };
    let mirror = Mirror::start(upstream, &[]);
    let runtime = client_runtime();
    let filled = runtime.block_on(mirror.filled());
    println!(
        "{} flows and {} runs were read in {:.1} s; now {minutes} minutes are watched",
        filled.flows, filled.runs, filled.seconds
    );
    // What belongs to the first reading, such as the connections of the flows, ends meanwhile.
    std::thread::sleep(Duration::from_secs(argument("settle-seconds", 60)));
    let place = format!("/proc/{}", mirror.server.id());
    let calls_before = runtime.block_on(mirror.calls());
    let (before, started) = (processor_seconds(&place), Instant::now());
    std::thread::sleep(Duration::from_secs_f64(minutes * 60.0));
    let seconds = started.elapsed().as_secs_f64();
    let used = processor_seconds(&place) - before;
    let calls = runtime.block_on(mirror.calls()) - calls_before;
    println!(
        "{calls} calls: {:.2} a second (at most {CALLS_PER_SECOND})",
        calls as f64 / seconds
    );
    println!(
        "{used:.2} s of processor time: {:.2} % of one core (at most {PERCENT} %)",
        used / seconds * 100.0
    );
}
