//! Instants as people read them: in their own zone, with UTC beside it.

use std::fmt::{self, Write};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone, TimeZoneOffsetInfo};

use super::written::{Written, written};

/// The viewer's zone and the present, from which a page makes all its [`TimeView`]s.
#[derive(Clone, Debug)]
pub struct Times {
    zone: TimeZone,
    now_ms: i64,
}

impl Times {
    /// `zone` is an IANA name such as `Europe/Paris`; an unknown one means UTC. `now_ms` is UTC epoch milliseconds.
    pub fn new(zone: &str, now_ms: i64) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            now_ms,
        }
    }

    /// The same present for somebody in UTC.
    pub fn in_utc(&self) -> Self {
        Self {
            zone: TimeZone::UTC,
            now_ms: self.now_ms,
        }
    }

    /// Whether the viewer's own zone is UTC.
    pub fn are_utc(&self) -> bool {
        self.zone.iana_name() == Some("UTC")
    }

    /// When a day such as `2026-03-21` begins for this viewer, in UTC epoch milliseconds; none if it is no day.
    pub fn day_starts(&self, day: &str) -> Option<i64> {
        self.midnight(day.trim().parse().ok()?)
    }

    /// When such a day is over.
    pub fn day_ends(&self, day: &str) -> Option<i64> {
        self.midnight(day.trim().parse::<Date>().ok()?.tomorrow().ok()?)
    }

    /// The instant of a local day and time such as `2026-03-21T08:00`, in UTC epoch milliseconds; none if it is no
    /// such text. Where the clocks change, the earlier one of two and the one after a gap count.
    pub fn instant(&self, local: &str) -> Option<i64> {
        let local: DateTime = local.trim().parse().ok()?;
        let zoned = local.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(zoned.timestamp().as_millisecond())
    }

    fn midnight(&self, day: Date) -> Option<i64> {
        let midnight = day.to_zoned_datetime(self.zone.clone()).ok()?;
        Some(midnight.timestamp().as_millisecond())
    }

    /// The instant `at_ms` (UTC epoch milliseconds) as this viewer sees it.
    pub fn at(&self, at_ms: i64) -> TimeView {
        TimeView {
            at: instant(at_ms),
            zone: self.zone.clone(),
            now_ms: self.now_ms,
        }
    }
}

/// One instant, ready to be shown; the macros of `components/time.html` take it.
#[derive(Clone, Debug)]
pub struct TimeView {
    at: Timestamp,
    zone: TimeZone,
    now_ms: i64,
}

impl TimeView {
    /// `21 Mar 2026, 08:00 CET`.
    pub fn local(&self) -> impl Written {
        written(|out| {
            let (at, there) = self.civil();
            write_day(out, at)?;
            write!(out, " {}", at.year())?;
            write_time(out, at, &there)
        })
    }

    /// `21 Mar, 08:00 CET`: for columns of recent times; the year stands in the title.
    pub fn short(&self) -> impl Written {
        written(|out| {
            let (at, there) = self.civil();
            write_day(out, at)?;
            write_time(out, at, &there)
        })
    }

    /// Whether the viewer's own zone is UTC, so that UTC need not be said twice.
    pub fn is_utc(&self) -> bool {
        self.zone.iana_name() == Some("UTC")
    }

    /// `21 Mar`: for axes and narrow columns, beside a full date elsewhere.
    pub fn day(&self) -> impl Written {
        written(|out| write_day(out, self.civil().0))
    }

    /// `08:12:04`: for what is read many times a minute.
    pub fn clock(&self) -> impl Written {
        written(|out| write_clock(out, self.civil().0))
    }

    /// `2026-03-21 07:00:00 UTC`.
    pub fn utc(&self) -> impl Written {
        written(|out| self.write_utc(out, " ", " UTC"))
    }

    /// `2026-03-21T07:00:00Z`, for the `datetime` attribute.
    pub fn iso(&self) -> impl Written {
        written(|out| self.write_utc(out, "T", "Z"))
    }

    fn write_utc(&self, out: &mut dyn Write, between: &str, end: &str) -> fmt::Result {
        let at = Offset::UTC.to_datetime(self.at);
        write_date(out, at.date())?;
        out.write_str(between)?;
        write_clock(out, at)?;
        out.write_str(end)
    }

    /// `2026-03-21T08:00` in the viewer's zone: what a field for day and time holds.
    pub fn for_input(&self) -> String {
        self.civil().0.strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// `8 s ago`, or `in 48 min` for what is still to come.
    pub fn relative(&self) -> impl Written {
        let seconds = self.now_ms.saturating_sub(self.at.as_millisecond()) / 1000;
        let (size, unit) = match seconds.unsigned_abs() {
            0..60 => (1, "s"),
            60..3600 => (60, "min"),
            3600..86_400 => (3600, "h"),
            _ => (86_400, "d"),
        };
        let number = seconds.unsigned_abs() / size;
        written(move |out| {
            if seconds < 0 {
                write!(out, "in {number} {unit}")
            } else {
                write!(out, "{number} {unit} ago")
            }
        })
    }

    /// Day and time in the viewer's zone, and what its name is then.
    fn civil(&self) -> (DateTime, TimeZoneOffsetInfo<'_>) {
        let there = self.zone.to_offset_info(self.at);
        (there.offset().to_datetime(self.at), there)
    }

    /// Whether it lies before the viewer's present.
    pub fn is_past(&self) -> bool {
        self.at.as_millisecond() <= self.now_ms
    }
}

/// `21 Mar`. A page has a hundred of them, and a pattern would be read for each.
fn write_day(out: &mut dyn Write, at: DateTime) -> fmt::Result {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = usize::try_from(at.month()).unwrap_or(1);
    write!(out, "{} {}", at.day(), MONTHS[(month - 1) % 12])
}

/// `2026-03-21`.
fn write_date(out: &mut dyn Write, day: Date) -> fmt::Result {
    let (Ok(century @ 0..), Ok(year @ 0..)) =
        (i8::try_from(day.year() / 100), i8::try_from(day.year() % 100))
    else {
        return write!(out, "{day}");
    };
    two_digits(out, century)?;
    two_digits(out, year)?;
    out.write_char('-')?;
    two_digits(out, day.month())?;
    out.write_char('-')?;
    two_digits(out, day.day())
}

/// `, 08:00 CET`.
fn write_time(out: &mut dyn Write, at: DateTime, there: &TimeZoneOffsetInfo<'_>) -> fmt::Result {
    out.write_str(", ")?;
    two_digits(out, at.hour())?;
    out.write_char(':')?;
    two_digits(out, at.minute())?;
    out.write_char(' ')?;
    out.write_str(there.abbreviation())
}

/// `08:12:04`.
fn write_clock(out: &mut dyn Write, at: DateTime) -> fmt::Result {
    two_digits(out, at.hour())?;
    out.write_char(':')?;
    two_digits(out, at.minute())?;
    out.write_char(':')?;
    two_digits(out, at.second())
}

/// Of a part of a day or a date. The general way takes several times as long.
fn two_digits(out: &mut dyn Write, number: i8) -> fmt::Result {
    let digit = |value: u8| char::from(b'0' + value % 10);
    let number = number.unsigned_abs();
    out.write_char(digit(number / 10))?;
    out.write_char(digit(number))
}

/// Values outside the calendar (±9999 years) show its ends.
fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARCH_21: i64 = 1_774_076_400_000; // 2026-03-21T07:00:00Z

    #[test]
    fn shows_local_time_with_its_zone_and_utc_beside_it() {
        let paris = Times::new("Europe/Paris", MARCH_21).at(MARCH_21);
        assert_eq!(paris.local().to_string(), "21 Mar 2026, 08:00 CET");
        assert_eq!(paris.utc().to_string(), "2026-03-21 07:00:00 UTC");
        assert_eq!(paris.iso().to_string(), "2026-03-21T07:00:00Z");
        assert_eq!(paris.short().to_string(), "21 Mar, 08:00 CET");
        assert!(!paris.is_utc() && Times::new("UTC", MARCH_21).at(MARCH_21).is_utc());
        assert_eq!(paris.day().to_string(), "21 Mar");
        assert_eq!(paris.clock().to_string(), "08:00:00");
        let summer = Times::new("Europe/Paris", 0).at(MARCH_21 + 30 * 86_400_000);
        assert_eq!(summer.local().to_string(), "20 Apr 2026, 09:00 CEST");
        assert_eq!(
            Times::new("Europe/Pariss", 0).at(MARCH_21).local().to_string(),
            "21 Mar 2026, 07:00 UTC"
        );
    }

    #[test]
    fn says_how_long_ago() {
        let cases = [
            (0, "0 s ago"),
            (8_000, "8 s ago"),
            (59_999, "59 s ago"),
            (60_000, "1 min ago"),
            (3_600_000, "1 h ago"),
            (50 * 3_600_000, "2 d ago"),
            (-48 * 60_000, "in 48 min"),
            (-999, "0 s ago"),
        ];
        for (past_ms, text) in cases {
            assert_eq!(
                Times::new("UTC", MARCH_21 + past_ms)
                    .at(MARCH_21)
                    .relative()
                    .to_string(),
                text
            );
        }
        assert!(!Times::new("UTC", MARCH_21 - 1).at(MARCH_21).is_past());
    }

    #[test]
    fn days_are_the_viewers() {
        let paris = Times::new("Europe/Paris", 0);
        assert_eq!(paris.day_starts("2026-03-21"), Some(MARCH_21 - 8 * 3_600_000));
        let (starts, ends) = (
            paris.day_starts("2026-03-29").unwrap(),
            paris.day_ends("2026-03-29").unwrap(),
        );
        assert_eq!(
            ends - starts,
            23 * 3_600_000,
            "the day on which the clocks go forward"
        );
        for nonsense in ["", "21.3.2026", "2026-02-30", "x"] {
            assert_eq!(paris.day_starts(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn survives_times_outside_the_calendar() {
        assert_eq!(
            Times::new("UTC", 0).at(i64::MAX).iso().to_string(),
            "9999-12-30T22:00:00Z"
        );
        let first = Times::new("UTC", i64::MAX).at(i64::MIN);
        assert_eq!(first.iso().to_string(), "-009999-01-02T01:59:59Z");
        let _ = first.relative().to_string();
    }
}
