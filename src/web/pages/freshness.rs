//! How fresh the mirrored data on a page is, and why it is not fresher.

use crate::store::environments::Environment;
use crate::store::sync_state::{SyncState, SyncTopic};
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// The age of what a page shows.
#[derive(Debug, Clone, Default)]
pub(in crate::web::pages) struct Freshness {
    /// Everything shown was read at this time or later; none: it was never read to the end.
    pub(in crate::web::pages) read_at: Option<TimeView>,
    /// The environments that cannot be read at present.
    pub(in crate::web::pages) failing: Vec<Failing>,
    /// The environments that were never read to the end and do not fail either.
    pub(in crate::web::pages) being_read: Vec<String>,
    /// The environments whose older history is still coming in.
    pub(in crate::web::pages) being_filled: Vec<Filling>,
}

/// An environment whose older history is still coming in.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct Filling {
    pub(in crate::web::pages) environment: String,
    /// Everything since then is here.
    pub(in crate::web::pages) filled_from: Option<TimeView>,
    /// That far back it is read.
    pub(in crate::web::pages) goal: Option<TimeView>,
    /// Why it cannot be read at present.
    pub(in crate::web::pages) problem: Option<Problem>,
}

/// Why something cannot be read at present.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct Problem {
    pub(in crate::web::pages) since: TimeView,
    /// What the platform or the network said.
    pub(in crate::web::pages) words: String,
    pub(in crate::web::pages) next_try: Option<TimeView>,
}

/// An environment that cannot be read at present.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct Failing {
    pub(in crate::web::pages) environment_id: String,
    pub(in crate::web::pages) environment: String,
    pub(in crate::web::pages) problem: Problem,
    /// The last figures are from then.
    pub(in crate::web::pages) read_at: Option<TimeView>,
}

impl Problem {
    fn new(since: i64, words: Option<&String>, next_try_at: Option<i64>, times: &Times) -> Self {
        Self {
            since: times.at(since),
            words: words.cloned().unwrap_or_default(),
            next_try: next_try_at.map(|at| times.at(at)),
        }
    }
}

impl Filling {
    fn of(runs: &SyncState, environment: &Environment, times: &Times) -> Option<Self> {
        let (words, next_try_at) = (runs.fill_problem.as_ref(), runs.fill_next_try_at);
        let since = runs.fill_failing_since_at;
        let problem = since.map(|since| Problem::new(since, words, next_try_at, times));
        (runs.fill_goal_at.is_some() || problem.is_some()).then(|| Self {
            environment: environment.name.clone(),
            filled_from: runs.filled_from_at.map(|at| times.at(at)),
            goal: runs.fill_goal_at.map(|at| times.at(at)),
            problem,
        })
    }
}

impl Freshness {
    /// For a page that shows all environments of a team.
    pub(in crate::web::pages) fn of_team(states: &[SyncState], visit: &Visit) -> Self {
        Self::of(states, visit.environments.iter(), &visit.times())
    }

    /// For a page that shows one environment.
    pub(in crate::web::pages) fn of_environment(
        states: &[SyncState],
        environment: &Environment,
        visit: &Visit,
    ) -> Self {
        Self::of(states, [environment], &visit.times())
    }

    /// For a page that shows these environments.
    pub(in crate::web::pages) fn of<'a>(
        states: &[SyncState],
        shown: impl IntoIterator<Item = &'a Environment>,
        times: &Times,
    ) -> Self {
        let mut freshness = Self::default();
        let mut oldest: Option<i64> = None;
        for environment in shown {
            let of = |topic| {
                states
                    .iter()
                    .find(|s| s.environment_id == environment.id && s.topic == topic)
            };
            let topics = [of(SyncTopic::Flows), of(SyncTopic::Runs)];
            let read_at = match topics.map(|state| state.and_then(|state| state.succeeded_at)) {
                [Some(flows), Some(runs)] => Some(flows.min(runs)),
                _ => None,
            };
            let failing = topics
                .into_iter()
                .flatten()
                .filter_map(|state| Some((state.failing_since_at?, state)));
            if let Some((since, state)) = failing.min_by_key(|(since, _)| *since) {
                freshness.failing.push(Failing {
                    environment_id: environment.id.clone(),
                    environment: environment.name.clone(),
                    problem: Problem::new(since, state.problem.as_ref(), state.next_try_at, times),
                    read_at: read_at.map(|at| times.at(at)),
                });
            } else if read_at.is_none() {
                freshness.being_read.push(environment.name.clone());
            }
            let filling = topics[1].and_then(|runs| Filling::of(runs, environment, times));
            freshness.being_filled.extend(filling);
            if let Some(read_at) = read_at {
                oldest = Some(oldest.map_or(read_at, |oldest| oldest.min(read_at)));
            }
        }
        freshness.read_at = oldest.map(|at| times.at(at));
        freshness
    }
}
