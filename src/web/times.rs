//! Instants as people read them: in their own zone, with UTC beside it.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneOffsetInfo};

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
    pub fn local(&self) -> String {
        let (at, there) = self.civil();
        let zone = there.abbreviation();
        format!(
            "{} {}, {:02}:{:02} {zone}",
            day_of(at),
            at.year(),
            at.hour(),
            at.minute()
        )
    }

    /// `21 Mar, 08:00 CET`: for columns of recent times; the year stands in the title.
    pub fn short(&self) -> String {
        let (at, there) = self.civil();
        let zone = there.abbreviation();
        format!("{}, {:02}:{:02} {zone}", day_of(at), at.hour(), at.minute())
    }

    /// Whether the viewer's own zone is UTC, so that UTC need not be said twice.
    pub fn is_utc(&self) -> bool {
        self.zone.iana_name() == Some("UTC")
    }

    /// `21 Mar`: for axes and narrow columns, beside a full date elsewhere.
    pub fn day(&self) -> String {
        day_of(self.civil().0)
    }

    /// `08:12:04`: for what is read many times a minute.
    pub fn clock(&self) -> String {
        let (at, _) = self.civil();
        format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second())
    }

    /// `2026-03-21 07:00:00 UTC`.
    pub fn utc(&self) -> String {
        self.iso().replacen('T', " ", 1).replacen('Z', " UTC", 1)
    }

    /// `2026-03-21T07:00:00Z`, for the `datetime` attribute.
    pub fn iso(&self) -> String {
        // jiff's own form is several times as quick as a pattern, and a page has hundreds of them.
        let seconds = self.at.as_millisecond().div_euclid(1_000);
        Timestamp::from_second(seconds).unwrap_or(self.at).to_string()
    }

    /// `2026-03-21T08:00` in the viewer's zone: what a field for day and time holds.
    pub fn for_input(&self) -> String {
        self.civil().0.strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// `8 s ago`, or `in 48 min` for what is still to come.
    pub fn relative(&self) -> String {
        let seconds = self.now_ms.saturating_sub(self.at.as_millisecond()) / 1000;
        let (size, unit) = match seconds.unsigned_abs() {
            0..60 => (1, "s"),
            60..3600 => (60, "min"),
            3600..86_400 => (3600, "h"),
            _ => (86_400, "d"),
        };
        let number = seconds.unsigned_abs() / size;
        if seconds < 0 {
            format!("in {number} {unit}")
        } else {
            format!("{number} {unit} ago")
        }
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
fn day_of(at: DateTime) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = usize::try_from(at.month()).unwrap_or(1);
    format!("{} {}", at.day(), MONTHS[(month - 1) % 12])
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
        assert_eq!(paris.local(), "21 Mar 2026, 08:00 CET");
        assert_eq!(paris.utc(), "2026-03-21 07:00:00 UTC");
        assert_eq!(paris.iso(), "2026-03-21T07:00:00Z");
        assert_eq!(paris.short(), "21 Mar, 08:00 CET");
        assert!(!paris.is_utc() && Times::new("UTC", MARCH_21).at(MARCH_21).is_utc());
        assert_eq!(paris.day(), "21 Mar");
        assert_eq!(paris.clock(), "08:00:00");
        let summer = Times::new("Europe/Paris", 0).at(MARCH_21 + 30 * 86_400_000);
        assert_eq!(summer.local(), "20 Apr 2026, 09:00 CEST");
        assert_eq!(
            Times::new("Europe/Pariss", 0).at(MARCH_21).local(),
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
                Times::new("UTC", MARCH_21 + past_ms).at(MARCH_21).relative(),
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
        assert_eq!(Times::new("UTC", 0).at(i64::MAX).iso(), "9999-12-30T22:00:00Z");
        let _ = Times::new("UTC", i64::MAX).at(i64::MIN).relative();
    }
}
