//! Reading when the flow runs.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Typed;
use crate::domain::schedule::{Frequency, Schedule, Start};

pub(super) fn read_schedule(typed: &mut Typed, now_ms: i64) -> Schedule {
    let preset = typed.text("repeat");
    let own_frequency = typed.choice("frequency", "Frequency", Frequency::Hour);
    let own_interval = if matches!(preset.as_str(), "" | "custom") {
        typed.number("interval", "Interval")
    } else {
        None
    };
    typed.ignore(&["interval"]);
    let (frequency, interval) = match preset.as_str() {
        "" | "custom" => (own_frequency, own_interval),
        "once" => (Frequency::Once, None),
        "15min" => (Frequency::Minute, Some(15)),
        "hour" => (Frequency::Hour, Some(1)),
        "day" => (Frequency::Day, Some(1)),
        "week" => (Frequency::Week, Some(1)),
        _ => {
            typed.add("repeat", "input.choice", "Repeat: choose one of the options.");
            (Frequency::Hour, Some(1))
        }
    };
    let wants_backfill = typed.ticked("backfill");
    let once_by_hand = preset == "custom" && frequency == Frequency::Once;
    let backfill = match frequency {
        Frequency::Once => (once_by_hand && wants_backfill).then_some(true),
        _ => Some(wants_backfill),
    };
    let schedule = Schedule {
        frequency,
        interval,
        start: read_start(typed),
        backfill,
    };
    let unread_number = typed.problems.iter().any(|p| p.field == "interval");
    typed.problems.extend(
        schedule
            .problems(now_ms)
            .into_iter()
            .filter(|p| !(unread_number && p.field == "interval")),
    );
    schedule
}

fn read_start(typed: &mut Typed) -> Start {
    let kind = typed.text("start");
    let time = typed.text("start_time");
    let at = typed.text("start_at");
    let zone = typed.text("start_zone");
    let zone = if zone.is_empty() { "UTC".to_owned() } else { zone };
    match kind.as_str() {
        "time" => Start::TimeOfDay { time, zone },
        "at" => read_moment(typed, &at, &zone).map_or(Start::Soon, |at_ms| Start::At { at_ms }),
        _ => Start::Soon,
    }
}

/// Reads a local date and time; one that the clocks of the zone skip or show twice is a question back (E11).
fn read_moment(typed: &mut Typed, text: &str, zone: &str) -> Option<i64> {
    let Ok(zone_data) = TimeZone::get(zone) else {
        typed.add(
            "start_zone",
            "schedule.zone",
            format!("The time zone {zone:?} is not known."),
        );
        return None;
    };
    let Ok(local) = text.parse::<DateTime>() else {
        typed.add(
            "start_at",
            "schedule.time",
            "Start: write day and time, such as 2026-03-01T06:00.",
        );
        return None;
    };
    match zone_data.to_ambiguous_zoned_datetime(local).unambiguous() {
        Ok(moment) => Some(moment.timestamp().as_millisecond()),
        Err(_) => {
            let message =
                format!("In {zone} the clocks change at that time: choose a time an hour earlier or later.");
            typed.add("start_at", "schedule.zone", message);
            None
        }
    }
}
