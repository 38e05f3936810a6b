//! When a flow runs.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::words::words;
use super::{DAY_MS, Problem};

/// How long before its first run a flow is made at the earliest, in seconds.
///
/// A second flow left behind by a late commit can be found and removed before it moves any data.
pub const START_GUARD_S: i64 = 300;
/// Least interval of a schedule by the minute: the rule of Adobe's flow specification.
pub const MINUTES_MIN: i64 = 15;

words! {
    /// Adobe's `scheduleParams.frequency`.
    pub enum Frequency {
        /// A single run.
        Once = "once",
        /// Every so many minutes, at least [`MINUTES_MIN`].
        Minute = "minute",
        /// Every so many hours.
        Hour = "hour",
        /// Every so many days.
        Day = "day",
        /// Every so many weeks.
        Week = "week",
    }
}

impl Frequency {
    /// Length of one unit in milliseconds; 0 for a single run.
    pub const fn unit_ms(self) -> i64 {
        match self {
            Self::Once => 0,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => DAY_MS,
            Self::Week => 7 * DAY_MS,
        }
    }

    /// From one run to the next in milliseconds; 0 for a single run. Less than one unit is taken for one.
    pub fn period_ms(self, interval: i64) -> i64 {
        self.unit_ms().saturating_mul(interval.max(1))
    }
}

/// When the first run is due.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Start {
    /// As soon as the flow exists, but not before [`START_GUARD_S`].
    Soon,
    /// At the next such time of day.
    TimeOfDay {
        /// `HH:MM`.
        time: String,
        /// IANA name.
        zone: String,
    },
    /// At a fixed moment.
    At {
        /// UTC epoch milliseconds.
        at_ms: i64,
    },
}

/// A fixed start lies in the past, or too close to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the start time has passed")]
pub struct StartPassed;

impl Start {
    /// Adobe's `startTime` (epoch seconds) for a flow that is sent at `now_ms`.
    ///
    /// A fixed start is never shifted silently: one that has passed is an error.
    pub fn seconds_when_sent(&self, now_ms: i64) -> Result<i64, StartPassed> {
        let earliest = now_ms.div_euclid(1000) + START_GUARD_S;
        match self {
            Self::Soon => Ok(earliest),
            Self::At { at_ms } if *at_ms <= now_ms => Err(StartPassed),
            Self::At { at_ms } => Ok(at_ms.div_euclid(1000)),
            Self::TimeOfDay { time, zone } => next_time_of_day(time, zone, earliest).ok_or(StartPassed),
        }
    }
}

/// The first moment (epoch seconds) at or after `earliest_s` when the clocks of `zone` show `time`.
///
/// `None` when either cannot be read. Where clocks skip the time, the moment just after the gap counts.
fn next_time_of_day(time: &str, zone: &str, earliest_s: i64) -> Option<i64> {
    let time: Time = time.parse().ok()?;
    let zone = TimeZone::get(zone).ok()?;
    let earliest = Timestamp::from_second(earliest_s).ok()?;
    let today = earliest.to_zoned_datetime(zone.clone()).date();
    (0..3).find_map(|days| {
        let day = today.checked_add(days.days()).ok()?;
        let moment = day
            .to_datetime(time)
            .to_zoned_datetime(zone.clone())
            .ok()?
            .timestamp();
        (moment >= earliest).then(|| moment.as_second())
    })
}

/// When a flow runs: Adobe's `scheduleParams` before the start is fixed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Schedule {
    /// Unit of the interval.
    pub frequency: Frequency,
    /// Units between two runs; none for a single run.
    pub interval: Option<i64>,
    /// First run.
    pub start: Start,
    /// Whether the first run takes every file that is there already; none for a single run.
    pub backfill: Option<bool>,
}

impl Schedule {
    /// What Adobe's flow specification would refuse, in words for the person who chose it.
    ///
    /// `now_ms` decides whether a fixed start is too early.
    pub fn problems(&self, now_ms: i64) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |field: &str, code, message: String| problems.push(Problem::new(field, code, message));
        match (self.frequency, self.interval) {
            (Frequency::Once, Some(_)) => {
                add(
                    "interval",
                    "schedule.once",
                    "A one-time run has no interval.".into(),
                );
            }
            (Frequency::Once, None) => {}
            (_, None) => add("interval", "input.missing", "Interval is needed.".into()),
            (Frequency::Minute, Some(n)) if n < MINUTES_MIN => add(
                "interval",
                "schedule.interval_min",
                format!("Minute schedules need an interval of at least {MINUTES_MIN}."),
            ),
            (_, Some(n)) if n < 1 => {
                add(
                    "interval",
                    "schedule.interval_min",
                    "Interval must be at least 1.".into(),
                );
            }
            (_, Some(n)) if n > 1000 => {
                add(
                    "interval",
                    "schedule.interval_max",
                    "Interval: at most 1000.".into(),
                );
            }
            _ => {}
        }
        if self.frequency == Frequency::Once && self.backfill.is_some() {
            add(
                "backfill",
                "schedule.once",
                "A one-time run has no backfill.".into(),
            );
        }
        match &self.start {
            Start::At { at_ms } if *at_ms < now_ms + START_GUARD_S * 1000 => {
                add(
                    "start_at",
                    "schedule.past",
                    "Start must be at least 5 minutes from now.".into(),
                );
            }
            Start::TimeOfDay { time, .. } if time.parse::<Time>().is_err() => {
                add(
                    "start_time",
                    "schedule.time",
                    "Write the time of day as HH:MM, such as 06:00.".into(),
                );
            }
            Start::TimeOfDay { zone, .. } if TimeZone::get(zone).is_err() => {
                add(
                    "start_zone",
                    "schedule.zone",
                    format!("The time zone \u{201c}{zone}\u{201d} is not known."),
                );
            }
            _ => {}
        }
        problems
    }

    /// One line for people: "every 15 minutes", "once".
    pub fn sentence(&self) -> String {
        cadence(self.frequency.as_str(), self.interval)
    }
}

/// How often something runs, in words: "once", "every day", "every 2 hours".
pub fn cadence(frequency: &str, interval: Option<i64>) -> String {
    match (frequency, interval.unwrap_or(1)) {
        ("once", _) => "once".to_owned(),
        (unit, 1) => format!("every {unit}"),
        (unit, n) => format!("every {n} {unit}s"),
    }
}

/// The next `count` moments (UTC epoch milliseconds) after `now_ms` when a flow is due.
///
/// Slot n is start + n × interval × unit; what Adobe does about clock changes and missed slots is documented
/// nowhere, so none is assumed.
pub fn next_slots(frequency: Frequency, interval: i64, start_ms: i64, now_ms: i64, count: usize) -> Vec<i64> {
    let period = frequency.period_ms(interval);
    if period == 0 {
        return (start_ms > now_ms).then_some(start_ms).into_iter().collect();
    }
    let first = if start_ms > now_ms {
        0
    } else {
        now_ms.saturating_sub(start_ms) / period + 1
    };
    (first..)
        .take(count)
        .map(|n| start_ms.saturating_add(n.saturating_mul(period)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn codes(schedule: &Schedule, now_ms: i64) -> Vec<&'static str> {
        schedule.problems(now_ms).iter().map(|p| p.code).collect()
    }

    fn every(frequency: Frequency, interval: Option<i64>, backfill: Option<bool>) -> Schedule {
        Schedule {
            frequency,
            interval,
            start: Start::Soon,
            backfill,
        }
    }

    #[test]
    fn e7_e8_e9_rules_of_the_flow_specification() {
        assert_eq!(
            codes(&every(Frequency::Minute, Some(14), None), 0),
            ["schedule.interval_min"]
        );
        assert_eq!(
            codes(&every(Frequency::Minute, Some(15), Some(true)), 0),
            [] as [&str; 0]
        );
        assert_eq!(
            codes(&every(Frequency::Hour, Some(1), Some(true)), 0),
            [] as [&str; 0]
        );
        assert_eq!(
            codes(&every(Frequency::Once, Some(1), None), 0),
            ["schedule.once"]
        );
        assert_eq!(
            codes(&every(Frequency::Once, None, Some(false)), 0),
            ["schedule.once"]
        );
        assert_eq!(codes(&every(Frequency::Day, None, None), 0), ["input.missing"]);
        let past = Schedule {
            start: Start::At { at_ms: 299_999 },
            ..every(Frequency::Day, Some(1), None)
        };
        assert_eq!(codes(&past, 0), ["schedule.past"]);
    }

    #[test]
    fn a_fixed_start_is_never_shifted() {
        assert_eq!(
            Start::At { at_ms: 5_000 }.seconds_when_sent(5_000),
            Err(StartPassed)
        );
        assert_eq!(Start::At { at_ms: 6_000 }.seconds_when_sent(5_000), Ok(6));
        assert_eq!(Start::Soon.seconds_when_sent(5_000), Ok(305));
    }

    #[test]
    fn time_of_day_follows_the_zone_over_clock_changes() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let paris = Start::TimeOfDay {
            time: "06:00".into(),
            zone: "Europe/Paris".into(),
        };
        let sent = |now: &str| {
            Timestamp::from_second(paris.seconds_when_sent(at(now)).unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(sent("2026-03-28T12:00:00Z"), "2026-03-29T04:00:00Z");
        assert_eq!(sent("2026-10-24T12:00:00Z"), "2026-10-25T05:00:00Z");
        assert_eq!(
            sent("2026-01-10T04:56:00Z"),
            "2026-01-11T05:00:00Z",
            "four minutes are too short"
        );
        let gap = Start::TimeOfDay {
            time: "02:30".into(),
            zone: "Europe/Paris".into(),
        };
        assert!(gap.seconds_when_sent(at("2026-03-28T12:00:00Z")).is_ok());
    }

    #[test]
    fn slots() {
        assert_eq!(next_slots(Frequency::Minute, 15, 0, 0, 2), [900_000, 1_800_000]);
        assert_eq!(next_slots(Frequency::Minute, 15, 10, 0, 2), [10, 900_010]);
        assert_eq!(next_slots(Frequency::Once, 1, 10, 0, 3), [10]);
        assert!(next_slots(Frequency::Once, 1, 10, 11, 3).is_empty());
    }

    /// Adobe's own JSON Schema of `scheduleParams`, as the flow specification declares it.
    fn flow_spec_schema() -> jsonschema::Validator {
        let schema = json!({
            "type": "object",
            "properties": {
                "startTime": {"type": "integer"},
                "frequency": {"type": "string", "enum": ["once", "minute", "hour", "day", "week"]},
                "interval": {"type": "integer"},
                "backfill": {"type": "boolean"}
            },
            "required": ["startTime", "frequency"],
            "if": {"properties": {"frequency": {"const": "once"}}},
            "then": {"allOf": [{"not": {"required": ["interval"]}}, {"not": {"required": ["backfill"]}}]},
            "else": {
                "required": ["interval"],
                "if": {"properties": {"frequency": {"const": "minute"}}},
                "then": {"properties": {"interval": {"minimum": 15}}},
                "else": {"properties": {"interval": {"minimum": 1}}}
            }
        });
        jsonschema::validator_for(&schema).unwrap()
    }

    proptest! {
        #[test]
        fn our_rules_equal_the_flow_specification(
            frequency in proptest::sample::select(Frequency::ALL),
            interval in proptest::option::of(-20i64..=1000),
            backfill in proptest::option::of(any::<bool>()),
        ) {
            let schedule = every(frequency, interval, backfill);
            let mut params = json!({"startTime": 300, "frequency": frequency.as_str()});
            if let Some(n) = interval { params["interval"] = json!(n); }
            if let Some(b) = backfill { params["backfill"] = json!(b); }
            prop_assert_eq!(schedule.problems(0).is_empty(), flow_spec_schema().is_valid(&params));
        }

        #[test]
        fn slots_are_in_the_future_and_a_period_apart(interval in 1i64..100, start in 0i64..10_000_000, now in 0i64..20_000_000) {
            let slots = next_slots(Frequency::Minute, interval, start, now, 4);
            prop_assert_eq!(slots.len(), 4);
            prop_assert!(slots[0] > now && slots.windows(2).all(|w| w[1] - w[0] == interval * 60_000));
        }
    }
}
