//! What the benchmarks of history have in common.

#![allow(dead_code, reason = "each benchmark uses its part")]
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on fails by panicking"
)]

pub mod installation;
pub mod load;
pub mod mirror;
pub mod process;

use std::str::FromStr;

/// The value that follows `--name` on the command line of the benchmark; cargo's own flags are passed over.
pub fn argument<T: FromStr>(name: &str, usual: T) -> T {
    let mut arguments = std::env::args().skip_while(|argument| argument != &format!("--{name}"));
    let Some(text) = arguments.nth(1) else {
        return usual;
    };
    let read = text.parse();
    read.unwrap_or_else(|_| panic!("--{name} {text} is not understood"))
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A runtime for the parts that are measured: as many threads as there are cores, like the server's own.
pub fn server_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// A runtime for the side that measures: the calling thread only, so that its processor time is known.
pub fn client_runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}
