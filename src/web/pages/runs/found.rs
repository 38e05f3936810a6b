//! One page of runs out of several environments, each of which is read in batches.

use super::filter::RunsFilter;
use crate::store::run_lists::{self, ListedRun, RunBatch, RunPlace, RunSelection};
use crate::store::{Store, StoreError};
use crate::web::error::PageError;
use crate::web::visit::Visit;

/// Runs on one page.
const PAGE_SIZE: usize = 50;
/// Batches that one page reads of each environment: a rare text in a long history is searched page by page.
const MOST_BATCHES: usize = 10;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// With the name of their environment, newest first.
    pub(super) runs: Vec<(String, ListedRun)>,
    /// Where the next page begins.
    pub(super) next: Option<RunPlace>,
    /// The search was broken off here, with room left on the page (UTC epoch milliseconds).
    pub(super) searched_to: Option<i64>,
}

/// Ids and names of the environments that a filter shows.
///
/// # Errors
/// It names one that the person does not see.
pub(super) fn environments(visit: &Visit, filter: &RunsFilter) -> Result<Vec<(String, String)>, PageError> {
    let wanted = filter.environment.trim();
    let shown: Vec<(String, String)> = visit
        .environments
        .iter()
        .filter(|environment| wanted.is_empty() || environment.id == wanted)
        .map(|environment| (environment.id.clone(), environment.name.clone()))
        .collect();
    if shown.is_empty() && !wanted.is_empty() {
        return Err(PageError::not_found());
    }
    Ok(shown)
}

/// The page behind a place.
pub(super) async fn page(
    store: &Store,
    environments: &[(String, String)],
    selection: &RunSelection,
    after: Option<RunPlace>,
) -> Result<Found, StoreError> {
    let by_end = selection.is_by_end();
    let (mut runs, mut place) = (Vec::new(), after);
    for _ in 0..MOST_BATCHES {
        let mut batches: Vec<(&str, RunBatch)> = Vec::with_capacity(environments.len());
        for (id, name) in environments {
            let batch = run_lists::batch(store, id, None, selection, place.as_ref()).await?;
            batches.push((name, batch));
        }
        // So far back all environments are known; what lies further back may lack runs of some.
        let known_to = batches.iter().filter_map(|(_, batch)| batch.next.clone()).max();
        let mut found: Vec<(RunPlace, String, ListedRun)> = batches
            .into_iter()
            .flat_map(|(name, batch)| batch.runs.into_iter().map(move |run| (name, run)))
            .map(|(name, run)| (run.place(by_end), name.to_owned(), run))
            .filter(|(place, ..)| known_to.as_ref().is_none_or(|known_to| place >= known_to))
            .collect();
        found.sort_by(|(one, ..), (other, ..)| other.cmp(one));
        runs.extend(found);
        if runs.len() > PAGE_SIZE {
            runs.truncate(PAGE_SIZE);
            let next = runs.last().map(|(place, ..)| place.clone());
            return Ok(Found::new(runs, next, None));
        }
        place = known_to;
        if place.is_none() {
            return Ok(Found::new(runs, None, None));
        }
    }
    let searched_to = place.as_ref().map(|place| place.at);
    Ok(Found::new(runs, place, searched_to))
}

impl Found {
    fn new(
        runs: Vec<(RunPlace, String, ListedRun)>,
        next: Option<RunPlace>,
        searched_to: Option<i64>,
    ) -> Self {
        Self {
            runs: runs.into_iter().map(|(_, name, run)| (name, run)).collect(),
            next,
            searched_to,
        }
    }
}
