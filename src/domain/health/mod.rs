//! How a flow does: what its schedule and its last runs say together.
//!
//! [`judge`] looks at the facts and needs no clock; what comes with time alone is told as a moment, so that a
//! judgement stays right until the facts change. [`Judgement::health_at`] reads it at a moment.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `usual` | what is usual for a flow: durations, volumes, delays |
//! | `wanted` | since when it is on with its schedule |
//! | `lateness` | which run is expected next, from when on it is late, and which were missed |
//! | `volume` | empty and odd runs |
//! | `lost` | failed runs whose files did not come, also those before the last runs |
//! | `said` | what the last runs say together |
//! | `sequence` | runs in their order, with those that were missed or are late |

mod lateness;
mod lost;
mod said;
mod sequence;
#[cfg(test)]
mod tests;
mod usual;
mod volume;
mod wanted;
#[cfg(test)]
mod window_tests;

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{RunOutcome, schedule::Frequency};
pub use lateness::{Missed, Rhythm};
pub use lost::{KEPT_MS, Left, Lost};
use said::Said;
pub use sequence::{Expected, Placed, with_missed};
pub use usual::Usual;
pub use wanted::Wanted;

/// How many of a flow's last runs a judgement looks at, and of how many what is usual is told.
pub const RECENT_RUNS: usize = 30;
/// How many it looks at where those are not enough: see [`Judgement::asks_for_more`].
pub const MOST_RUNS: usize = 500;
/// A run that takes so many times as long as usual may be stuck.
const STUCK_FACTOR: i64 = 3;
/// It is not called stuck earlier, in milliseconds: the platform tells of changes two to three minutes late.
const STUCK_NEVER_BEFORE_MS: i64 = 10 * 60_000;
/// Where there is no usual duration, a run that takes so long may be stuck, in milliseconds.
const STUCK_WITHOUT_HISTORY_MS: i64 = 24 * 3_600_000;

words! {
    /// How a flow does, the most urgent first.
    pub enum Health {
        /// The last run failed.
        Failed = "failed",
        /// A run is going on for much longer than usual.
        Stuck = "stuck",
        /// A run that should have been there was not.
        Late = "late",
        /// The last run succeeded and brought no records, which is not usual.
        Empty = "empty",
        /// The last run brought many more or fewer records than usual.
        Odd = "odd",
        /// The last run lost some records.
        Partial = "partial",
        /// The last run has a status that no document names.
        Unknown = "unknown",
        /// A run is going on.
        Running = "running",
        /// There was no run yet.
        Waiting = "waiting",
        /// The last run brought what it should.
        Well = "well",
        /// It does not run: switched off, or no longer at the platform.
        Off = "off",
    }
}

impl Health {
    /// Whether a person should look at the flow.
    pub const fn needs_a_person(self) -> bool {
        matches!(
            self,
            Self::Failed | Self::Stuck | Self::Late | Self::Empty | Self::Odd | Self::Partial | Self::Unknown
        )
    }

    /// Whether the last run brought nothing.
    pub const fn is_without_data(self) -> bool {
        matches!(self, Self::Failed | Self::Empty)
    }
}

/// What a judgement needs of a run. Stored as an array, since there are many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RecentParts", into = "RecentParts")]
pub struct RecentRun {
    /// What became of it.
    pub outcome: RunOutcome,
    /// UTC epoch milliseconds.
    pub started_at: i64,
    /// How long it took, milliseconds; none while it is going on.
    pub duration_ms: Option<i64>,
    /// Records stored, if the platform told.
    pub records_out: Option<i64>,
    /// Files changed since then were read (UTC epoch milliseconds). Not stored: only [`judge`] needs it.
    pub window_start_at: Option<i64>,
    /// Files changed until then were read (UTC epoch milliseconds). Not stored either.
    pub window_end_at: Option<i64>,
}

type RecentParts = (RunOutcome, i64, Option<i64>, Option<i64>);

impl From<RecentParts> for RecentRun {
    fn from((outcome, started_at, duration_ms, records_out): RecentParts) -> Self {
        Self {
            outcome,
            started_at,
            duration_ms,
            records_out,
            window_start_at: None,
            window_end_at: None,
        }
    }
}

impl From<RecentRun> for RecentParts {
    fn from(run: RecentRun) -> Self {
        (run.outcome, run.started_at, run.duration_ms, run.records_out)
    }
}

/// What a judgement needs of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances {
    /// It is enabled and listed by the platform.
    pub is_on: bool,
    /// The schedule's unit; none: not known.
    pub frequency: Option<Frequency>,
    /// The schedule's number of units.
    pub interval: i64,
    /// When the schedule starts (UTC epoch milliseconds).
    pub start_at: Option<i64>,
    /// Runs are expected only after this moment: when the flow was made or switched on.
    pub on_since_at: Option<i64>,
    /// Of the runs before this moment not all are known (UTC epoch milliseconds); none: all are.
    pub known_since_at: Option<i64>,
}

/// The number of the rules by which flows are judged. Those judged by other ones are judged anew at the next start.
pub const RULES: u32 = 2;

/// How a flow does, as far as its facts say, with the figures that explain it. Times are UTC epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// [`RULES`] when it was judged.
    #[serde(default)]
    pub rules: u32,
    /// Without what comes with time.
    pub base: Health,
    /// The start of the first of the runs in a row that say so; of a failed or an empty one, of those that brought
    /// nothing.
    pub base_since_at: Option<i64>,
    /// How many runs in a row say so; 0 where it is not about ended runs.
    pub in_a_row: usize,
    /// How many of the last ended runs brought nothing, be it that they failed or were empty; 0 where the last one did.
    #[serde(default)]
    pub without_data: usize,
    /// All that were looked at say so: those before them may, too.
    #[serde(default)]
    pub perhaps_longer: bool,
    /// Of the runs before this moment not all are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_since_at: Option<i64>,
    /// The starts of those of the last runs that were no runs of the schedule: their files had been read before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made_again_at: Vec<i64>,
    /// The starts of those of the last runs that read older files only: nothing is said about them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub of_old_files_at: Vec<i64>,
    /// One of those is the last of all.
    #[serde(default)]
    pub ends_with_old_files: bool,
    /// Failed runs whose files did not come.
    #[serde(default)]
    pub lost: Lost,
    /// The view begins with runs that read older files, as it seems: what was before it is to be seen, too.
    #[serde(skip)]
    pub begins_late: bool,
    /// The start of the last run that brought records of new files.
    #[serde(default)]
    pub brought_last_at: Option<i64>,
    /// The next run by the schedule, counted from the last one: it may have passed.
    pub expected_at: Option<i64>,
    /// From when on that run is late.
    pub late_at: Option<i64>,
    /// The start of the run that is going on.
    pub running_since_at: Option<i64>,
    /// From when on that run is stuck.
    pub stuck_at: Option<i64>,
    /// Records of the last run that ended.
    pub last_records: Option<i64>,
    /// Usual durations in milliseconds; none: not enough history.
    pub usual_duration_ms: Option<Usual>,
    /// Usual numbers of records, of runs that brought some; none: not enough history.
    pub usual_records: Option<Usual>,
    /// No run so far has brought a record.
    pub never_brought_any: bool,
}

/// The moment at which flows are judged whose runs were never read.
pub const NEVER_READ: i64 = i64::MIN;

/// The moment at which flows are judged at `now_ms`, when their environment's runs were last read at `read_at` (all UTC
/// epoch milliseconds): nothing is called late or stuck because of what could not be seen.
pub fn judged_at(now_ms: i64, read_at: Option<i64>) -> i64 {
    read_at.map_or(NEVER_READ, |read_at| read_at.min(now_ms))
}

impl Judgement {
    /// Whether more runs, if there are any, could say since when it does so, or what is usual.
    pub fn asks_for_more(&self) -> bool {
        let has_no_figures = match self.last_records {
            Some(_) => self.usual_records.is_none() || self.usual_duration_ms.is_none(),
            None => self.usual_duration_ms.is_none(),
        };
        self.perhaps_longer || self.begins_late || has_no_figures
    }

    /// How the flow does at a moment (UTC epoch milliseconds).
    ///
    /// The store says the same in SQL for its lists; a test compares the two.
    pub fn health_at(&self, now_ms: i64) -> Health {
        let reached = |moment: Option<i64>| moment.is_some_and(|at| at <= now_ms);
        match self.base {
            Health::Off | Health::Failed => self.base,
            _ if reached(self.stuck_at) => Health::Stuck,
            _ if reached(self.late_at) => Health::Late,
            base => base,
        }
    }

    /// Whether a run that should have been there by a moment was not, whatever else there is to say.
    pub fn is_late_at(&self, now_ms: i64) -> bool {
        self.base != Health::Off && self.late_at.is_some_and(|at| at <= now_ms)
    }

    /// Since when it does so (UTC epoch milliseconds), where that is known.
    pub fn since(&self, now_ms: i64) -> Option<i64> {
        match self.health_at(now_ms) {
            Health::Stuck => self.running_since_at,
            Health::Late => self.expected_at,
            _ => self.base_since_at,
        }
    }
}

/// Judges a flow by its last runs, the oldest first. `is_whole`: there are no others. `left` has looked at
/// them already.
///
/// A run that was made again counts for the files that it read, not for the moment at which it was made again: it
/// says nothing of what has come since.
pub fn judge(flow: &Circumstances, runs: &[RecentRun], is_whole: bool, left: &Left) -> Judgement {
    let going_on = runs.iter().find(|run| run.outcome.is_going_on());
    let lost = left.lost();
    let begins_late = lateness::begins_late(flow, runs);
    let last_at = runs.last().map(|run| run.started_at);
    let ((runs, of_old_files), (slots, made_again)) = match flow.frequency {
        // Whoever runs a window of a single flow means just that one.
        None | Some(Frequency::Once) => ((runs.to_vec(), Vec::new()), (runs.to_vec(), Vec::new())),
        Some(_) => (
            apart(runs, |end, newest| end < newest),
            apart(runs, |end, newest| end <= newest),
        ),
    };
    let ended: Vec<RecentRun> = runs
        .iter()
        .filter(|run| run.outcome.is_final())
        .copied()
        .collect();
    let brought_last = runs
        .iter()
        .rfind(|run| run.outcome.brought_records(run.records_out));
    let usual_duration_ms = usual::durations(&ended);
    let said = match flow.is_on {
        true => Said::of(&runs, &ended),
        false => Said::once(Health::Off, None),
    };
    let longest = said.in_a_row.max(said.without_data);
    let expected_at = lateness::expected_at(flow, &slots);
    let is_awaited = flow.is_on && !slots.iter().any(|run| run.outcome.is_going_on());
    Judgement {
        rules: RULES,
        base: said.health,
        base_since_at: said.since_at,
        in_a_row: said.in_a_row,
        without_data: said.without_data,
        perhaps_longer: longest > 0 && longest == ended.len() && !is_whole,
        known_since_at: flow.known_since_at,
        made_again_at: made_again.iter().map(|run| run.started_at).collect(),
        of_old_files_at: of_old_files.iter().map(|run| run.started_at).collect(),
        ends_with_old_files: of_old_files
            .last()
            .is_some_and(|run| Some(run.started_at) == last_at),
        lost,
        begins_late,
        brought_last_at: brought_last.map(|run| run.started_at),
        expected_at,
        late_at: expected_at
            .filter(|_| is_awaited)
            .map(|at| lateness::late_at(at, flow, &slots)),
        running_since_at: going_on.map(|run| run.started_at),
        stuck_at: going_on
            .filter(|_| flow.is_on)
            .map(|run| stuck_at(run, usual_duration_ms)),
        last_records: ended.last().and_then(|run| run.records_out),
        usual_duration_ms,
        usual_records: usual::records(&ended[..ended.len().saturating_sub(1)]),
        never_brought_any: !ended.iter().any(|run| run.records_out.unwrap_or(0) > 0),
    }
}

/// Sets apart the runs that read files of a window which, by its end and the newest end of the runs before them, was
/// read already. Where that would be most of them, the windows mean something else, and all count.
fn apart(runs: &[RecentRun], was_read: impl Fn(i64, i64) -> bool) -> (Vec<RecentRun>, Vec<RecentRun>) {
    let mut newest: Option<i64> = None;
    let is_new = |run: &RecentRun| {
        let again = run
            .window_end_at
            .zip(newest)
            .is_some_and(|(end, newest)| was_read(end, newest));
        newest = newest.max(run.window_end_at);
        !again
    };
    let (new, again): (Vec<RecentRun>, Vec<RecentRun>) = runs.iter().copied().partition(is_new);
    if new.len() < again.len() {
        return (runs.to_vec(), Vec::new());
    }
    (new, again)
}

fn stuck_at(run: &RecentRun, usual_duration_ms: Option<Usual>) -> i64 {
    let patience = usual_duration_ms.map_or(STUCK_WITHOUT_HISTORY_MS, |usual| {
        usual
            .median
            .saturating_mul(STUCK_FACTOR)
            .max(STUCK_NEVER_BEFORE_MS)
    });
    run.started_at.saturating_add(patience)
}
