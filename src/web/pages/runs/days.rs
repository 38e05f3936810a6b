//! The histogram above the list of runs.

use std::collections::BTreeMap;

use super::filter::RunsFilter;
use crate::domain::{DAY_MS, RunOutcome};
use crate::store::run_lists::{self, RunSelection};
use crate::store::{Store, StoreError, runs};
use crate::web::charts::day_histogram::{Day, DayHistogram};
use crate::web::pages::flows::view;
use crate::web::status::Status;
use crate::web::visit::Visit;

/// Days that are drawn without a filter for them, and at most.
const DAYS: i64 = 30;
const MOST_DAYS: i64 = 92;

/// Runs by UTC day, those that failed or lost records by the day of their end; nothing when a text is searched for:
/// days are counted for all flows together.
pub(super) async fn histogram(
    store: &Store,
    visit: &Visit,
    filter: &RunsFilter,
    selection: &RunSelection,
) -> Result<Option<DayHistogram>, StoreError> {
    if selection.text.is_some() {
        return Ok(None);
    }
    let day_of = |at: i64| at.div_euclid(DAY_MS);
    let last = selection.to_at.map_or(day_of(visit.now_ms), |to| day_of(to - 1));
    let first = selection.from_at.map_or(last - (DAYS - 1), day_of);
    let first = first.max(last - (MOST_DAYS - 1)).min(last);
    let counts = match selection.outcome {
        Some(outcome) if selection.is_by_end() => by_end(store, visit, filter, outcome, first).await?,
        outcome => by_start(store, visit, filter, outcome, first).await?,
    };
    let utc = visit.times().in_utc();
    let days: Vec<Day> = (first..=last)
        .map(|day| Day {
            href: filter.of_utc_day(&utc.at(day * DAY_MS).iso().to_string()[..10]),
            day: utc.at(day * DAY_MS).day().to_string(),
            counts: counts.get(&day).cloned().unwrap_or_default(),
        })
        .collect();
    let (first, last) = (utc.at(first * DAY_MS), utc.at(last * DAY_MS));
    let what = if selection.is_by_end() { "end" } else { "start" };
    let whole_days = if filter.has_own_days() {
        "; each bar counts a whole day"
    } else {
        ""
    };
    let title = format!(
        "Runs by UTC day of their {what}, {} to {}{whole_days}",
        first.day(),
        last.day()
    );
    Ok(Some(DayHistogram::new(title, days)))
}

type Counts = BTreeMap<i64, Vec<(Status, i64)>>;

async fn by_start(
    store: &Store,
    visit: &Visit,
    filter: &RunsFilter,
    outcome: Option<RunOutcome>,
    first: i64,
) -> Result<Counts, StoreError> {
    let environment = Some(filter.environment.trim()).filter(|id| !id.is_empty());
    let sums = runs::team_day_sums(store, &visit.session.team_id, environment, first).await?;
    let shown = |status: Status| outcome.is_none_or(|outcome| is_counted_as(outcome, status));
    Ok(sums
        .into_iter()
        .map(|sums| {
            let counts = [
                (Status::Succeeded, sums.succeeded),
                (Status::Partial, sums.partial),
                (Status::Failed, sums.failed),
                (Status::Running, sums.unfinished),
            ];
            let counts = counts.into_iter().filter(|(status, _)| shown(*status));
            (sums.day, counts.collect())
        })
        .collect())
}

/// The day sums do not tell the unfinished ones apart.
fn is_counted_as(outcome: RunOutcome, status: Status) -> bool {
    match outcome {
        RunOutcome::Waiting | RunOutcome::Running | RunOutcome::Unknown => status == Status::Running,
        ended => view::outcome_status(ended) == status,
    }
}

async fn by_end(
    store: &Store,
    visit: &Visit,
    filter: &RunsFilter,
    outcome: RunOutcome,
    first: i64,
) -> Result<Counts, StoreError> {
    let wanted = filter.environment.trim();
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for environment in visit.environments.iter() {
        if wanted.is_empty() || environment.id == wanted {
            let days = run_lists::troubled_days(store, &environment.id, outcome, first * DAY_MS).await?;
            for day in days {
                *counts.entry(day.day).or_default() += day.runs;
            }
        }
    }
    let status = view::outcome_status(outcome);
    Ok(counts
        .into_iter()
        .map(|(day, runs)| (day, vec![(status, runs)]))
        .collect())
}
