//! Runs that behave as the platform's do on a bad day: they turn up late, take long, begin together, are forgotten.

use serde::Deserialize;

use super::RunBook;

/// A change of runs that were made already. Times are the clock's, epoch milliseconds UTC.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tampering {
    /// Runs that started from here on …
    pub from_ms: i64,
    /// … and before this.
    pub to_ms: i64,
    /// One in so many of them, the first started first.
    #[serde(default = "each")]
    pub one_in: usize,
    /// What becomes of them.
    pub then: RunChange,
}

/// What becomes of a run.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RunChange {
    /// It cannot be seen before.
    SeenFrom {
        /// When.
        at_ms: i64,
    },
    /// It ends then; until then it is in progress.
    EndsAt {
        /// When.
        at_ms: i64,
    },
    /// It began at the last multiple of so many milliseconds, together with others.
    BeganTogether {
        /// How many.
        every_ms: i64,
    },
    /// It cannot be seen any more.
    Forgotten,
}

fn each() -> usize {
    1
}

impl RunBook {
    /// Changes runs; says how many.
    pub fn tamper(&mut self, tampering: &Tampering) -> usize {
        let Tampering {
            from_ms,
            to_ms,
            one_in,
            then,
        } = *tampering;
        let (runs, mut changed) = (&mut self.runs, 0);
        for starts in self.by_start.values_mut() {
            let hit: Vec<(i64, u32)> = starts
                .range((from_ms, 0)..(to_ms, 0))
                .step_by(one_in.max(1))
                .copied()
                .collect();
            changed += hit.len();
            for (started_at, position) in hit {
                let run = &mut runs[position as usize];
                match then {
                    RunChange::SeenFrom { at_ms } => run.visible_at = at_ms,
                    RunChange::EndsAt { at_ms } => run.completed_at = at_ms.max(run.started_at),
                    RunChange::Forgotten => run.visible_at = i64::MAX,
                    RunChange::BeganTogether { every_ms } => {
                        run.started_at -= run.started_at.rem_euclid(every_ms.max(1));
                        starts.remove(&(started_at, position));
                        starts.insert((run.started_at, position));
                    }
                }
            }
        }
        changed
    }
}
