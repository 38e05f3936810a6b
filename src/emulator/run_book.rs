//! The runs of all flows: compact rows, made from the timetables when somebody looks.

mod tampering;

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

use uuid::Uuid;

use super::ids::{number_of, uuid_from};
use super::run_generator::{Outcome, Profile, RunKey, Verdict, outcome};
use super::schedule::{Slot, Timetable};

pub use tampering::{RunChange, Tampering};

/// Runs made per look at most, so that a long sleep cannot stall one answer; the rest follows at the next look.
const MOST_RUNS_PER_LOOK: usize = 20_000;

/// One run. Times are the clock's, epoch milliseconds UTC.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: Uuid,
    pub lane: u32,
    /// Can be seen from here on; also its `createdAt`.
    pub visible_at: i64,
    pub started_at: i64,
    pub copied_at: i64,
    pub completed_at: i64,
    pub window_start: i64,
    pub window_end: i64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub records: u32,
    pub rejected: u32,
    pub files: u32,
    pub verdict: Verdict,
    /// Asked for by `POST /runs` or by a retry.
    pub on_demand: bool,
}

/// Where a run stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    Scheduled,
    InProgress,
    Success,
    Failed,
}

impl RunState {
    /// As Adobe spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "inProgress",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }
}

impl Run {
    pub fn state(&self, now_ms: i64) -> RunState {
        if now_ms < self.started_at {
            RunState::Scheduled
        } else if now_ms < self.completed_at {
            RunState::InProgress
        } else if self.verdict.is_failure() {
            RunState::Failed
        } else {
            RunState::Success
        }
    }

    /// The last of its changes that has happened by now.
    pub fn updated_at(&self, now_ms: i64) -> i64 {
        [self.started_at, self.copied_at, self.completed_at]
            .into_iter()
            .filter(|change| *change <= now_ms)
            .fold(self.visible_at, i64::max)
    }
}

/// What the book keeps of a flow.
#[derive(Debug)]
pub struct Lane {
    pub flow_id: String,
    pub sandbox: String,
    pub source_connection: String,
    pub target_connection: String,
    pub dataset: String,
    pub timetable: Timetable,
    pub profile: Profile,
    /// Simulated milliseconds per millisecond of the clock for durations.
    pub speed: u32,
    /// Positions of its runs, in the order of their making.
    pub runs: Vec<u32>,
    flow_number: u64,
    attempts: u32,
}

/// All runs.
#[derive(Debug, Default)]
pub struct RunBook {
    seed: u64,
    runs: Vec<Run>,
    lanes: Vec<Lane>,
    lane_of_flow: HashMap<String, u32>,
    by_id: HashMap<Uuid, u32>,
    by_start: HashMap<String, BTreeSet<(i64, u32)>>,
    due: BTreeSet<(i64, u32)>,
}

/// What a new lane is made from.
#[derive(Debug)]
pub struct NewLane {
    pub flow_id: String,
    pub sandbox: String,
    pub source_connection: String,
    pub target_connection: String,
    pub dataset: String,
    pub timetable: Timetable,
    pub profile: Option<Profile>,
    pub speed: u32,
}

impl RunBook {
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Begins to make runs for a flow.
    pub fn open(&mut self, new: NewLane) {
        let lane = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let flow_number = number_of(&new.flow_id);
        if let Some(due) = new.timetable.due_ms() {
            self.due.insert((due, lane));
        }
        self.lane_of_flow.insert(new.flow_id.clone(), lane);
        self.lanes.push(Lane {
            profile: new.profile.unwrap_or_else(|| Profile::of_flow(flow_number)),
            flow_id: new.flow_id,
            sandbox: new.sandbox,
            source_connection: new.source_connection,
            target_connection: new.target_connection,
            dataset: new.dataset,
            timetable: new.timetable,
            speed: new.speed,
            runs: Vec::new(),
            flow_number,
            attempts: 0,
        });
    }

    /// Makes every run whose slot has come.
    pub fn catch_up(&mut self, now_ms: i64) {
        for _ in 0..MOST_RUNS_PER_LOOK {
            let Some(&(due, lane)) = self.due.first() else {
                return;
            };
            if due > now_ms {
                return;
            }
            self.due.pop_first();
            let Some(slot) = self.lanes[lane as usize].timetable.take() else {
                continue;
            };
            if let Some(next) = self.lanes[lane as usize].timetable.due_ms() {
                self.due.insert((next, lane));
            }
            self.make(lane, slot, 0, None);
        }
    }

    /// Whether runs are still to be made up to a time.
    pub fn is_behind(&self, now_ms: i64) -> bool {
        self.due.first().is_some_and(|(due, _)| *due <= now_ms)
    }

    /// Changes a flow's timetable, after the runs of the old one have been made.
    pub fn retime(&mut self, flow_id: &str, now_ms: i64, change: impl FnOnce(&mut Timetable)) {
        while self.is_behind(now_ms) {
            self.catch_up(now_ms);
        }
        let Some(lane) = self.lane_of_flow.get(flow_id).copied() else {
            return;
        };
        let table = &mut self.lanes[lane as usize].timetable;
        if let Some(due) = table.due_ms() {
            self.due.remove(&(due, lane));
        }
        change(table);
        if let Some(due) = table.due_ms() {
            self.due.insert((due, lane));
        }
    }

    /// Sets the speed of a flow's later runs.
    pub fn set_speed(&mut self, flow_id: &str, speed: u32) {
        if let Some(lane) = self.lane_of_flow.get(flow_id) {
            self.lanes[*lane as usize].speed = speed;
        }
    }

    /// Makes a run that somebody asked for, seen at once and started at `start_ms`.
    pub fn make_on_demand(
        &mut self,
        flow_id: &str,
        now_ms: i64,
        start_ms: i64,
        window: (i64, i64),
    ) -> Option<&Run> {
        let lane = *self.lane_of_flow.get(flow_id)?;
        self.lanes[lane as usize].attempts += 1;
        let attempt = self.lanes[lane as usize].attempts;
        let slot = Slot {
            simulated_ms: window.1,
            at_ms: start_ms,
            previous_at_ms: window.0,
            is_backfill: false,
        };
        let position = self.make(lane, slot, attempt, Some((now_ms, window)));
        self.runs.get(position as usize)
    }

    fn make(&mut self, lane: u32, slot: Slot, attempt: u32, asked: Option<(i64, (i64, i64))>) -> u32 {
        let position = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        let flow = &mut self.lanes[lane as usize];
        let key = RunKey {
            seed: self.seed,
            flow_number: flow.flow_number,
            slot_ms: slot.simulated_ms,
            attempt,
        };
        let result = outcome(&key, &flow.profile, slot.is_backfill);
        let run = row(
            uuid_from(&mut key.rng(2)),
            lane,
            slot,
            &result,
            i64::from(flow.speed.max(1)),
            asked,
        );
        flow.runs.push(position);
        self.by_id.insert(run.id, position);
        match self.by_start.get_mut(&flow.sandbox) {
            Some(starts) => {
                starts.insert((run.started_at, position));
            }
            None => {
                self.by_start
                    .insert(flow.sandbox.clone(), BTreeSet::from([(run.started_at, position)]));
            }
        }
        self.runs.push(run);
        position
    }

    /// A run of a sandbox that can be seen by now.
    pub fn find(&self, sandbox: &str, id: Uuid, now_ms: i64) -> Option<&Run> {
        let run = self.runs.get(*self.by_id.get(&id)? as usize)?;
        (self.lane(run).sandbox == sandbox && run.visible_at <= now_ms).then_some(run)
    }

    /// The flow of a run.
    pub fn lane(&self, run: &Run) -> &Lane {
        &self.lanes[run.lane as usize]
    }

    /// A flow's lane.
    pub fn lane_of(&self, flow_id: &str) -> Option<&Lane> {
        self.lane_of_flow
            .get(flow_id)
            .map(|lane| &self.lanes[*lane as usize])
    }

    /// The runs of one flow that can be seen by now, with their positions.
    pub fn of_flow<'a>(
        &'a self,
        sandbox: &str,
        flow_id: &str,
        now_ms: i64,
    ) -> impl DoubleEndedIterator<Item = (u32, &'a Run)> {
        let lane = self.lane_of(flow_id).filter(|lane| lane.sandbox == sandbox);
        lane.map_or(&[][..], |lane| &lane.runs[..])
            .iter()
            .map(|position| (*position, &self.runs[*position as usize]))
            .filter(move |(_, run)| run.visible_at <= now_ms)
    }

    /// The runs of a sandbox that started within a time and can be seen by now, the first started first, with their
    /// positions.
    pub fn of_sandbox<'a>(
        &'a self,
        sandbox: &str,
        started: RangeInclusive<i64>,
        now_ms: i64,
    ) -> impl Iterator<Item = (u32, &'a Run)> {
        let (from, to) = started.into_inner();
        self.by_start
            .get(sandbox)
            .filter(|_| from <= to)
            .into_iter()
            .flat_map(move |starts| starts.range((from, 0)..=(to, u32::MAX)))
            .map(|(_, position)| (*position, &self.runs[*position as usize]))
            .filter(move |(_, run)| run.visible_at <= now_ms)
    }
}

fn row(
    id: Uuid,
    lane: u32,
    slot: Slot,
    result: &Outcome,
    speed: i64,
    asked: Option<(i64, (i64, i64))>,
) -> Run {
    let at = |after_ms: i64| slot.at_ms.saturating_add(after_ms / speed);
    let (visible_at, (window_start, window_end)) =
        asked.unwrap_or((at(result.visible_after_ms), (slot.previous_at_ms, slot.at_ms)));
    Run {
        id,
        lane,
        visible_at,
        started_at: at(result.start_after_ms),
        copied_at: at(result.copied_after_ms),
        completed_at: at(result.completed_after_ms),
        window_start,
        window_end,
        bytes_in: result.bytes_in,
        bytes_out: result.bytes_out,
        records: result.records,
        rejected: result.rejected,
        files: result.files,
        verdict: result.verdict,
        on_demand: asked.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schedule::Schedule;
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn book(speed: u32) -> RunBook {
        let schedule = Schedule {
            start_ms: HOUR,
            every_ms: Some(HOUR),
            backfill: true,
        };
        let mut book = RunBook::new(9);
        book.open(NewLane {
            flow_id: "flow".to_owned(),
            sandbox: "prod".to_owned(),
            source_connection: "s".to_owned(),
            target_connection: "t".to_owned(),
            dataset: "d".to_owned(),
            timetable: Timetable::new(schedule, 0, speed),
            profile: None,
            speed,
        });
        book
    }

    #[test]
    fn a_run_appears_minutes_after_its_slot_and_then_ends() {
        let mut book = book(1);
        book.catch_up(HOUR);
        assert_eq!(book.of_flow("prod", "flow", HOUR).count(), 0);
        let later = HOUR + 180_000;
        let (_, run) = book.of_flow("prod", "flow", later).next().unwrap();
        assert_eq!(run.state(later), RunState::InProgress);
        assert!(run.visible_at > run.started_at && run.updated_at(later) <= later);
        assert!(matches!(
            run.state(run.completed_at),
            RunState::Success | RunState::Failed
        ));
        assert_eq!(run.updated_at(run.completed_at), run.completed_at);
        assert_eq!(book.of_flow("dev", "flow", later).count(), 0);
    }

    #[test]
    fn speed_shrinks_durations_too() {
        let (mut slow, mut fast) = (book(1), book(60));
        slow.catch_up(HOUR);
        fast.catch_up(HOUR / 60);
        let length = |book: &RunBook| book.runs[0].completed_at - book.runs[0].started_at;
        assert!((length(&slow) / 60 - length(&fast)).abs() <= 1);
    }

    #[test]
    fn work_per_look_is_bounded_and_nothing_is_lost() {
        let mut book = book(1);
        let far = 30_000 * HOUR;
        book.catch_up(far);
        assert_eq!(book.runs.len(), MOST_RUNS_PER_LOOK);
        assert!(book.is_behind(far));
        book.catch_up(far);
        assert_eq!(book.runs.len(), 30_000);
    }

    #[test]
    fn a_paused_flow_makes_no_runs() {
        let mut book = book(1);
        book.retime("flow", 2 * HOUR, Timetable::pause);
        book.catch_up(50 * HOUR);
        assert_eq!(book.runs.len(), 2);
        book.retime("flow", 50 * HOUR, |table| table.resume(50 * HOUR));
        book.catch_up(51 * HOUR);
        assert_eq!(book.runs.len(), 3);
    }

    #[test]
    fn a_run_on_demand_is_seen_at_once_and_waits_for_its_start() {
        let mut book = book(1);
        let run = book.make_on_demand("flow", 100, 5_000, (10, 90)).unwrap().clone();
        assert_eq!((run.visible_at, run.window_start, run.window_end), (100, 10, 90));
        assert_eq!(run.state(100), RunState::Scheduled);
        let again = book.make_on_demand("flow", 100, 5_000, (10, 90)).unwrap();
        assert_ne!(again.id, run.id);
    }
}
