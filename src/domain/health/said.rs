//! What a flow's last runs say together.

use super::{Health, RecentRun, volume};
use crate::domain::RunOutcome;

/// What the last runs say together.
pub(super) struct Said {
    /// Without what comes with time.
    pub(super) health: Health,
    /// The start of the first of the runs that say so.
    pub(super) since_at: Option<i64>,
    /// How many in a row say the same.
    pub(super) in_a_row: usize,
    /// How many in a row brought nothing.
    pub(super) without_data: usize,
}

impl Said {
    /// What the last run says, since when, and how many in a row say the same.
    pub(super) fn of(runs: &[RecentRun], ended: &[RecentRun]) -> Self {
        if let Some(last) = runs.last().filter(|run| run.outcome == RunOutcome::Unknown) {
            return Self::once(Health::Unknown, Some(last.started_at));
        }
        let last = said_of(ended, ended.len());
        if let Some(health) = last.filter(|health| health.needs_a_person()) {
            let row = |is_in: &dyn Fn(Health) -> bool| {
                let counts = (1..=ended.len()).rev();
                counts
                    .take_while(|count| said_of(ended, *count).is_some_and(is_in))
                    .count()
            };
            let in_a_row = row(&|one| one == health);
            // People ask since when nothing comes, whatever keeps it away.
            let without_data = row(&|one| one.is_without_data());
            return Self {
                health,
                since_at: Some(ended[ended.len() - in_a_row.max(without_data)].started_at),
                in_a_row,
                without_data,
            };
        }
        if let Some(run) = runs.iter().find(|run| run.outcome.is_going_on()) {
            return Self::once(Health::Running, Some(run.started_at));
        }
        match last {
            Some(_) => Self::once(Health::Well, ended.last().map(|run| run.started_at)),
            None => Self::once(Health::Waiting, None),
        }
    }

    /// Not said of ended runs.
    pub(super) fn once(health: Health, since_at: Option<i64>) -> Self {
        Self {
            health,
            since_at,
            in_a_row: 0,
            without_data: 0,
        }
    }
}

/// What the last of the first `count` ended runs says, in the light of those before it.
fn said_of(ended: &[RecentRun], count: usize) -> Option<Health> {
    let (last, before) = ended[..count].split_last()?;
    Some(match last.outcome {
        RunOutcome::Failed => Health::Failed,
        RunOutcome::Partial => Health::Partial,
        _ if volume::is_empty(last, before) => Health::Empty,
        _ if volume::is_odd(last, before) => Health::Odd,
        _ => Health::Well,
    })
}
