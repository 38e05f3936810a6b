//! Many moments, several at once, and their figures.

use std::fmt::Debug;
use std::time::Duration;

use futures_util::{StreamExt, stream};

/// Servers at once: more would only wait for the two cores.
const AT_ONCE: usize = 4;

/// What came of one moment.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happened, such as `exit 74`; the same words are counted together.
    pub what: String,
    /// How long it took until all was well again.
    pub recovery: Option<Duration>,
}

/// Tries each moment and prints how often what came of it. All must have passed.
pub async fn each<T: Copy + Debug, F>(
    title: &str,
    moments: impl IntoIterator<Item = T>,
    attempt: impl Fn(T) -> F,
) -> Vec<Outcome>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let attempts = moments.into_iter().map(|moment| {
        let attempt = tokio::spawn(attempt(moment));
        async move { (moment, attempt.await) }
    });
    // The iterator is lazy, so only so many are started at once.
    let outcomes: Vec<_> = stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    let outcome = |(moment, outcome): (T, Result<Outcome, _>)| match outcome {
        Ok(outcome) => outcome,
        Err(_) => Outcome {
            what: format!("FAILED at {moment:?}"),
            recovery: None,
        },
    };
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(outcome).collect();
    let mut words: Vec<&str> = outcomes.iter().map(|outcome| outcome.what.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    println!("| {title} | moments | longest recovery |\n| --- | --- | --- |");
    for word in words {
        let alike: Vec<_> = outcomes.iter().filter(|outcome| outcome.what == word).collect();
        let longest = alike.iter().filter_map(|outcome| outcome.recovery).max();
        let longest = longest.map_or("–".to_owned(), |longest| {
            format!("{:.1} s", longest.as_secs_f64())
        });
        println!("| {word} | {} | {longest} |", alike.len());
    }
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.what.starts_with("FAILED"));
    assert_eq!(failed.count(), 0, "see above");
    outcomes
}
