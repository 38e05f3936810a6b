//! The figures of the suite, one line per row, and running many cases side by side.

use std::io::Write;
use std::sync::Once;
use std::time::Instant;

use futures_util::{StreamExt, stream};

use super::ledger::Tally;

static HEADING: Once = Once::new();

/// A row of the table in the making.
pub struct Row {
    promise: &'static str,
    what: &'static str,
    begun: Instant,
}

impl Row {
    pub fn begin(promise: &'static str, what: &'static str) -> Self {
        Self {
            promise,
            what,
            begun: Instant::now(),
        }
    }

    /// Prints the row past the capture of the test runner, and fails when anything is wrong.
    pub fn end(self, cases: usize, tally: &Tally) {
        let mut out = std::io::stderr().lock();
        HEADING.call_once(|| {
            let titles = ("row", "cases", "calls", "intents missing", "duplicates", "orphans", "rows lost", "s");
            let (row, cases, calls, intents, duplicates, orphans, lost, seconds) = titles;
            let _ = writeln!(
                out,
                "\n| {row:<58} | {cases:>6} | {calls:>6} | {intents:>15} | {duplicates:>10} | {orphans:>7} | {lost:>9} | {seconds:>5} |"
            );
        });
        let _ = writeln!(
            out,
            "\n| {:<58} | {cases:>6} | {:>6} | {:>15} | {:>10} | {:>7} | {:>9} | {:>5} |",
            format!("{} {}", self.promise, self.what),
            tally.unsafe_calls,
            tally.without_intent.len(),
            tally.duplicates.len(),
            tally.orphans.len(),
            tally.lost_rows.len(),
            self.begun.elapsed().as_secs(),
        );
        drop(out);
        tally.assert_clean();
    }
}

/// Runs the cases side by side, at most `width` at once, and adds up what they found.
pub async fn side_by_side<C, F>(width: usize, cases: Vec<C>, run: impl Fn(C) -> F) -> Tally
where
    F: Future<Output = Tally> + Send + 'static,
{
    let mut running = stream::iter(cases)
        .map(|case| {
            let case = run(case);
            // A case that panics does not hide what the others find.
            async move {
                let ended = tokio::spawn(case).await;
                ended.unwrap_or_else(|panic| Tally {
                    wrong: vec![format!("{panic:?}")],
                    ..Tally::default()
                })
            }
        })
        .buffer_unordered(width);
    let mut sum = Tally::default();
    while let Some(tally) = running.next().await {
        sum.add(tally);
    }
    sum
}
