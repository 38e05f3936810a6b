//! Numbers as people read them.

use std::fmt::{self, Write};

use super::written::{Written, written};

/// Digits in groups of three: `10204` is `10,204`.
pub fn count(number: i64) -> impl Written {
    written(move |out| {
        if number < 0 {
            out.write_char('−')?;
        }
        groups(out, number.unsigned_abs())
    })
}

fn groups(out: &mut dyn Write, number: u64) -> fmt::Result {
    if number < 1000 {
        return write!(out, "{number}");
    }
    groups(out, number / 1000)?;
    write!(out, ",{:03}", number % 1000)
}

/// A size given in bytes, in decimal units with three figures at most: `1_234_567` is `1.23 MB`.
pub fn bytes(bytes: u64) -> impl Written {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    written(move |out| {
        if bytes < 1000 {
            return write!(out, "{bytes} B");
        }
        let bytes = u128::from(bytes);
        let (mut one, mut unit) = (1000, UNITS[0]);
        for next in &UNITS[1..] {
            // 999.5 of a unit would be written as 1000: it is 1 of the next.
            if bytes * 2 < one * 1999 {
                break;
            }
            one *= 1000;
            unit = next;
        }
        let rounded = |parts: u128| (bytes * parts + one / 2) / one;
        let (whole, tenths, hundredths) = (rounded(1), rounded(10), rounded(100));
        if hundredths < 1000 {
            write!(out, "{}.{:02} {unit}", hundredths / 100, hundredths % 100)
        } else if tenths < 1000 {
            write!(out, "{}.{} {unit}", tenths / 10, tenths % 10)
        } else {
            write!(out, "{whole} {unit}")
        }
    })
}

/// A length of time given in milliseconds, in its two largest units: `200_000` is `3 min 20 s`.
pub fn duration(ms: i64) -> impl Written {
    let ms = ms.max(0);
    let seconds = ms / 1000;
    written(move |out| {
        let (large, small) = match seconds {
            ..1 => return write!(out, "{ms} ms"),
            1..10 => return write!(out, "{seconds}.{} s", ms % 1000 / 100),
            10..60 => return write!(out, "{seconds} s"),
            60..3600 => ((seconds / 60, "min"), (seconds % 60, "s")),
            3600..86_400 => ((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
            _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")),
        };
        match small.0 {
            0 => write!(out, "{} {}", large.0, large.1),
            _ => write!(out, "{} {} {} {}", large.0, large.1, small.0, small.1),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (10_204, "10,204"),
            (1_234_567, "1,234,567"),
            (-1000, "−1,000"),
            (i64::MIN, "−9,223,372,036,854,775,808"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number).to_string(), text);
        }
    }

    #[test]
    fn sizes_have_three_figures_at_most() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (1_234_567, "1.23 MB"),
            (9_994_000, "9.99 MB"),
            (9_996_000, "10.0 MB"),
            (99_960_000, "100 MB"),
            (999_400, "999 kB"),
            (999_600, "1.00 MB"),
            (u64::MAX, "18447 PB"),
        ];
        for (number, text) in cases {
            assert_eq!(bytes(number).to_string(), text);
        }
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let cases = [
            (-5, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (9999, "9.9 s"),
            (10_000, "10 s"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (200_000, "3 min 20 s"),
            (3_600_000, "1 h"),
            (3_660_000, "1 h 1 min"),
            (86_400_000, "1 d"),
            (90_000_000, "1 d 1 h"),
        ];
        for (ms, text) in cases {
            assert_eq!(duration(ms).to_string(), text);
        }
    }
}
