//! Asking for single runs: the unfinished ones until they end, and those that a list should have shown.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};

use super::ReadError;
use super::reading::{Note, Reading};
use super::run_list::RunList;
use crate::platform::{Run, RunFilter};
use crate::store::runs;

/// Ids in one call: they stand in its address.
const IDS_PER_CALL: usize = 40;
/// Runs asked for one by one, side by side and in one go.
const SIDE_BY_SIDE: usize = 4;
const ONE_BY_ONE: usize = 100;
/// Runs that somebody may be looking at which are asked for in a reading before their time: three calls, or as many as
/// this where Adobe does not take many ids in a call.
const EARLY: usize = 100;
const EARLY_ONE_BY_ONE: usize = 8;
/// Unfinished runs looked through.
const LOOKED_THROUGH: i64 = 2_000;
/// The longest time between two looks at an unfinished run, in milliseconds.
const LONGEST_PAUSE_MS: i64 = 900_000;

/// What the platform knows of some runs.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) found: Vec<Run>,
    /// Ids that it says it does not know.
    pub(super) gone: Vec<String>,
}

impl Reading {
    /// Asks for runs by their ids: many in a call where the platform allows it, and those that do not come so one
    /// by one, a hundred at most. Only the answer to a call for one run proves that it is gone.
    pub(super) async fn ask(&self, ids: &[String]) -> Result<Asked, ReadError> {
        let (mut asked, mut single) = (Asked::default(), Vec::new());
        for ids in ids.chunks(IDS_PER_CALL) {
            match self.many(ids).await {
                Err(error) if error.refuses_the_filter() => {
                    self.place.by_ids.begin(self.now());
                    single.extend_from_slice(ids);
                }
                Err(error) => return Err(error),
                Ok(found) => {
                    let known: HashSet<&String> = found.iter().map(|run| &run.id).collect();
                    single.extend(ids.iter().filter(|id| !known.contains(id)).cloned());
                    asked.found.extend(found);
                }
            }
        }
        single.truncate(ONE_BY_ONE);
        let mut failed = None;
        let answers = stream::iter(single).map(async |id| {
            let answer = self.call(self.client.run(&id)).await;
            (id, answer)
        });
        let mut answers = answers.buffer_unordered(SIDE_BY_SIDE);
        while let Some((id, answer)) = answers.next().await {
            match answer {
                Ok(run) => asked.found.push(run),
                Err(ReadError::Platform(error)) if error.is_not_found() => asked.gone.push(id),
                // Those that answer must not wait for one that does not; after two there may be no others.
                Err(ReadError::Platform(error)) => {
                    if failed.replace(error).is_some() {
                        break;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        match failed {
            Some(error) if asked.found.is_empty() && asked.gone.is_empty() => Err(error.into()),
            Some(error) => {
                tracing::warn!(%error, "runs cannot be read one by one");
                Ok(asked)
            }
            None => Ok(asked),
        }
    }

    async fn many(&self, ids: &[String]) -> Result<Vec<Run>, ReadError> {
        if ids.len() < 2 || self.place.by_ids.holds(self.now()) {
            return Ok(Vec::new());
        }
        let filter = RunFilter {
            ids: ids.to_vec(),
            ..RunFilter::default()
        };
        let (mut list, mut found) = (RunList::new(self, filter), Vec::new());
        while let Some(page) = list.next().await? {
            let (known, shown) = (found.len(), page.items.len());
            found.extend(page.items.into_iter().filter(|run| ids.contains(&run.id)));
            if found.len() - known < shown {
                // It passes over the filter: the list would show all runs that there are.
                self.place.by_ids.begin(self.now());
                break;
            }
            if page.is_last {
                break;
            }
        }
        Ok(found)
    }

    /// Asks for runs and stores what came of it.
    pub(super) async fn look_after(&self, ids: &[String]) -> Result<Asked, ReadError> {
        let asked = self.ask(ids).await?;
        if !asked.found.is_empty() {
            self.keep(&self.rows(&asked.found), Note::Nothing).await?;
        }
        self.keep_gone(&asked.gone).await?;
        Ok(asked)
    }
}

/// When each unfinished run was asked for last.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    asked_at: HashMap<String, i64>,
}

impl Unfinished {
    /// Reads the unfinished runs that no list of this reading showed: young ones each time, older ones less often,
    /// unless somebody looks.
    pub(super) async fn follow(
        &mut self,
        reading: &Reading,
        was_listed: impl Fn(&str) -> bool,
    ) -> Result<(), ReadError> {
        let (id, now, place) = (&reading.environment.id, reading.now(), &reading.place);
        let mut stored = runs::unfinished(reading.store(), id, LOOKED_THROUGH).await?;
        let ids: HashSet<&String> = stored.iter().map(|run| &run.id).collect();
        self.asked_at.retain(|id, _| ids.contains(id));
        stored.retain(|run| !was_listed(&run.id));
        let early = match place.attention.is_watched() {
            false => 0,
            true if place.by_ids.holds(now) => EARLY_ONE_BY_ONE,
            true => EARLY,
        };
        let due = self.due(stored, &place.attention.watched_flows(), early, now);
        if due.is_empty() {
            return Ok(());
        }
        reading.look_after(&due).await?;
        self.asked_at.extend(due.into_iter().map(|id| (id, now)));
        Ok(())
    }

    /// The runs whose pause is over, and others until there are `early`. First those of flows at which somebody looks,
    /// then those that were asked for longest ago.
    fn due(
        &self,
        mut runs: Vec<runs::Unfinished>,
        watched_flows: &HashSet<String>,
        early: usize,
        now: i64,
    ) -> Vec<String> {
        let asked_at = |run: &runs::Unfinished| self.asked_at.get(&run.id).copied().unwrap_or(0);
        let waits =
            |run: &runs::Unfinished| asked_at(run).saturating_add(pause_ms(now - run.started_at)) > now;
        runs.sort_by_cached_key(|run| (!watched_flows.contains(&run.flow_id), waits(run), asked_at(run)));
        let due = runs.into_iter().enumerate();
        due.filter(|(place, run)| *place < early || !waits(run))
            .map(|(_, run)| run.id)
            .take(ONE_BY_ONE)
            .collect()
    }
}

/// A run that began an hour ago is looked at each minute.
fn pause_ms(age_ms: i64) -> i64 {
    (age_ms / 60).clamp(0, LONGEST_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_a_run_the_less_often_it_is_asked_for() {
        let pauses = [-5, 60_000, 3_600_000, 86_400_000].map(pause_ms);
        assert_eq!(pauses, [0, 1_000, 60_000, LONGEST_PAUSE_MS]);
    }

    #[test]
    fn where_somebody_looks_those_asked_longest_ago_come_before_their_time() {
        let hour = |id: &str| runs::Unfinished {
            id: id.into(),
            flow_id: format!("flow of {id}"),
            started_at: 0,
        };
        let now = 3_600_000;
        let asked = [("a", now - 4_000), ("b", now - 12_000), ("c", now - 8_000)];
        let unfinished = Unfinished {
            asked_at: asked.map(|(id, at)| (id.to_owned(), at)).into(),
        };
        let due = |early, watched: &[&str]| {
            let watched = watched.iter().map(|id| format!("flow of {id}")).collect();
            unfinished.due(["a", "b", "c", "d"].map(hour).into(), &watched, early, now)
        };
        assert_eq!(due(0, &[]), ["d"], "never asked for");
        assert_eq!(due(3, &[]), ["d", "b", "c"]);
        assert_eq!(due(40, &[]), ["d", "b", "c", "a"]);
        assert_eq!(due(1, &["a"]), ["a", "d"], "somebody looks at it, and one is due");
        assert_eq!(due(3, &["c", "a"]), ["c", "a", "d"]);
    }
}
