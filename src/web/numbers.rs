//! Numbers as people read them.

/// Digits in groups of three: `10204` is `10,204`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size given in bytes, in decimal units with three figures at most: `1_234_567` is `1.23 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
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
        format!("{}.{:02} {unit}", hundredths / 100, hundredths % 100)
    } else if tenths < 1000 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{whole} {unit}")
    }
}

/// A length of time given in milliseconds, in its two largest units: `200_000` is `3 min 20 s`.
pub fn duration(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < 1000 {
        return format!("{ms} ms");
    }
    if ms < 10_000 {
        return format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    }
    let seconds = ms / 1000;
    let (large, small) = match seconds {
        ..60 => return format!("{seconds} s"),
        60..3600 => ((seconds / 60, "min"), (seconds % 60, "s")),
        3600..86_400 => ((seconds / 3600, "h"), (seconds % 3600 / 60, "min")),
        _ => ((seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h")),
    };
    match small.0 {
        0 => format!("{} {}", large.0, large.1),
        _ => format!("{} {} {} {}", large.0, large.1, small.0, small.1),
    }
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
            assert_eq!(count(number), text);
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
            assert_eq!(bytes(number), text);
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
            assert_eq!(duration(ms), text);
        }
    }
}
