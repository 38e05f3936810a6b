//! When a flow's slots fall due.
//!
//! Slots lie on a grid of simulated time; with a speed of N, N simulated seconds pass per second of the clock.
//! What is reported is always the clock's own time at which a slot happens, so nothing is dated in the future.

use serde_json::{Map, Value};

/// A flow's schedule. Adobe's flow specification counts `startTime` in seconds; here everything is milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub start_ms: i64,
    /// Distance of two slots; `None` runs once.
    pub every_ms: Option<i64>,
    /// The first run takes every file that is already there.
    pub backfill: bool,
}

impl Schedule {
    /// Reads `scheduleParams` that the flow specification's JSON Schema has accepted.
    pub fn of_params(params: &Map<String, Value>) -> Option<Self> {
        let start_ms = params.get("startTime")?.as_i64()?.checked_mul(1000)?;
        let unit_ms: i64 = match params.get("frequency")?.as_str()? {
            "once" => {
                return Some(Self {
                    start_ms,
                    every_ms: None,
                    backfill: true,
                });
            }
            "minute" => 60_000,
            "hour" => 3_600_000,
            "day" => 86_400_000,
            "week" => 604_800_000,
            _ => return None,
        };
        let every_ms = params
            .get("interval")?
            .as_i64()?
            .checked_mul(unit_ms)
            .filter(|every| *every > 0)?;
        let backfill = params.get("backfill").and_then(Value::as_bool).unwrap_or(true);
        Some(Self {
            start_ms,
            every_ms: Some(every_ms),
            backfill,
        })
    }

    /// The first slot later than a simulated time.
    fn first_after(&self, simulated_ms: i64) -> Option<i64> {
        if simulated_ms < self.start_ms {
            return Some(self.start_ms);
        }
        let every = self.every_ms?;
        let passed = (simulated_ms - self.start_ms) / every;
        self.start_ms.checked_add(every.checked_mul(passed + 1)?)
    }
}

/// A schedule laid over the clock.
#[derive(Debug, Clone)]
pub struct Timetable {
    schedule: Schedule,
    speed: i64,
    /// Simulated time at `anchor_ms` of the clock.
    anchor_simulated_ms: i64,
    anchor_ms: i64,
    next: Option<i64>,
}

/// One slot of a timetable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Simulated time; names the slot.
    pub simulated_ms: i64,
    /// Time of the clock at which it happens.
    pub at_ms: i64,
    /// Time of the clock at which the slot before it happened.
    pub previous_at_ms: i64,
    /// The first slot of the schedule, with backfill.
    pub is_backfill: bool,
}

impl Timetable {
    /// A timetable whose simulated time equals the clock's at `now_ms`.
    pub fn new(schedule: Schedule, now_ms: i64, speed: u32) -> Self {
        let speed = i64::from(speed.max(1));
        Self {
            schedule,
            speed,
            anchor_simulated_ms: now_ms,
            anchor_ms: now_ms,
            next: Some(schedule.start_ms),
        }
    }

    /// Clock time of the next slot.
    pub fn due_ms(&self) -> Option<i64> {
        self.next.map(|slot| self.clock_of(slot))
    }

    /// Takes the next slot off.
    pub fn take(&mut self) -> Option<Slot> {
        let simulated_ms = self.next?;
        self.next = self.schedule.first_after(simulated_ms);
        let before = self.schedule.every_ms.unwrap_or(3_600_000);
        Some(Slot {
            simulated_ms,
            at_ms: self.clock_of(simulated_ms),
            previous_at_ms: self.clock_of(simulated_ms.saturating_sub(before)),
            is_backfill: self.schedule.backfill && simulated_ms == self.schedule.start_ms,
        })
    }

    /// No more slots until [`Timetable::resume`].
    pub fn pause(&mut self) {
        self.next = None;
    }

    /// Whether there will be no more slots.
    pub fn is_paused(&self) -> bool {
        self.next.is_none()
    }

    /// Goes on with the first slot after now; slots that were missed stay missed.
    pub fn resume(&mut self, now_ms: i64) {
        self.next = self.schedule.first_after(self.simulated_of(now_ms));
    }

    /// Another schedule from now on, and from now on at this speed.
    pub fn change(&mut self, schedule: Schedule, now_ms: i64, speed: u32) {
        let simulated_now = self.simulated_of(now_ms);
        self.schedule = schedule;
        self.speed = i64::from(speed.max(1));
        self.anchor_simulated_ms = simulated_now;
        self.anchor_ms = now_ms;
        self.next = schedule.first_after(simulated_now);
    }

    /// The schedule in force.
    pub fn schedule(&self) -> Schedule {
        self.schedule
    }

    /// Whether the schedule's start lies behind.
    pub fn has_started(&self, now_ms: i64) -> bool {
        self.simulated_of(now_ms) >= self.schedule.start_ms
    }

    /// Clock time of a simulated time.
    pub fn clock_of(&self, simulated_ms: i64) -> i64 {
        self.anchor_ms
            .saturating_add(simulated_ms.saturating_sub(self.anchor_simulated_ms) / self.speed)
    }

    fn simulated_of(&self, clock_ms: i64) -> i64 {
        self.anchor_simulated_ms
            .saturating_add(clock_ms.saturating_sub(self.anchor_ms).saturating_mul(self.speed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HOUR: i64 = 3_600_000;

    fn hourly(start_ms: i64) -> Schedule {
        Schedule {
            start_ms,
            every_ms: Some(HOUR),
            backfill: true,
        }
    }

    fn due(table: &mut Timetable, until_ms: i64) -> Vec<i64> {
        let mut slots = Vec::new();
        while table.due_ms().is_some_and(|due| due <= until_ms) {
            slots.push(table.take().unwrap().at_ms);
        }
        slots
    }

    #[test]
    fn slots_lie_on_the_grid_of_the_start_time() {
        let mut table = Timetable::new(hourly(HOUR), 0, 1);
        assert_eq!(due(&mut table, 3 * HOUR), [HOUR, 2 * HOUR, 3 * HOUR]);
        assert_eq!(due(&mut table, 4 * HOUR - 1), [0_i64; 0]);
    }

    #[test]
    fn a_speed_of_sixty_makes_an_hour_a_minute() {
        let mut table = Timetable::new(hourly(HOUR), 0, 60);
        assert_eq!(due(&mut table, 180_000), [60_000, 120_000, 180_000]);
    }

    #[test]
    fn the_first_slot_carries_the_backfill_and_the_window_before_it() {
        let mut table = Timetable::new(hourly(2 * HOUR), 0, 1);
        let first = table.take().unwrap();
        assert!(first.is_backfill);
        assert_eq!(first.previous_at_ms, HOUR);
        assert!(!table.take().unwrap().is_backfill);
    }

    #[test]
    fn once_is_once() {
        let mut table = Timetable::new(
            Schedule {
                start_ms: 10,
                every_ms: None,
                backfill: true,
            },
            0,
            1,
        );
        assert_eq!(due(&mut table, i64::MAX), [10]);
        table.resume(20);
        assert_eq!(table.due_ms(), None);
    }

    #[test]
    fn a_pause_skips_the_slots_in_between() {
        let mut table = Timetable::new(hourly(0), 0, 1);
        assert_eq!(due(&mut table, 0), [0]);
        table.pause();
        assert_eq!(table.due_ms(), None);
        table.resume(5 * HOUR + 1);
        assert_eq!(due(&mut table, 7 * HOUR), [6 * HOUR, 7 * HOUR]);
    }

    #[test]
    fn a_new_interval_counts_from_the_old_start() {
        let mut table = Timetable::new(hourly(0), 0, 1);
        due(&mut table, 90 * 60_000);
        table.change(
            Schedule {
                every_ms: Some(2 * HOUR),
                ..hourly(0)
            },
            90 * 60_000,
            1,
        );
        assert_eq!(due(&mut table, 6 * HOUR), [2 * HOUR, 4 * HOUR, 6 * HOUR]);
    }

    #[test]
    fn params_are_read_in_their_units() {
        let params = json!({ "startTime": 7, "frequency": "minute", "interval": 15, "backfill": false });
        let schedule = Schedule::of_params(params.as_object().unwrap()).unwrap();
        assert_eq!(
            schedule,
            Schedule {
                start_ms: 7000,
                every_ms: Some(900_000),
                backfill: false
            }
        );
        let huge = json!({ "startTime": i64::MAX, "frequency": "week", "interval": i64::MAX });
        assert_eq!(Schedule::of_params(huge.as_object().unwrap()), None);
    }

    #[test]
    fn far_away_starts_do_not_overflow() {
        let mut table = Timetable::new(hourly(i64::MAX - 5), 0, 1000);
        assert!(table.take().is_some());
        assert_eq!(table.take(), None);
    }
}
