//! Charts: geometry in Rust, drawn as SVG by the macros in `templates/charts/`.
//!
//! Colours come from classes, so one drawing serves both themes and print. The numbers stand in a table beside
//! each chart, which is the page's business.

pub mod day_histogram;
pub mod run_chart;
pub mod strip;

use std::fmt;
use std::ops::{Add, Div, Sub};

use askama::FastWritable;
use askama::filters::HtmlSafe;

/// Runs missing in a row that are drawn; the last one stands for those that are not.
pub const ABSENT_IN_A_ROW: i64 = 7;

/// A coordinate or a length in pixels, to a tenth: finer is not seen, and pages stay small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Px {
    tenths: i32,
}

impl Px {
    /// The nearest to a number of pixels.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "drawings are a few hundred pixels wide, and what is not ends at the edge of the type"
    )]
    pub fn of(pixels: f64) -> Self {
        Self {
            tenths: (pixels * 10.0).round() as i32,
        }
    }
}

impl Add for Px {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            tenths: self.tenths + other.tenths,
        }
    }
}

impl Sub for Px {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            tenths: self.tenths - other.tenths,
        }
    }
}

impl Add<f64> for Px {
    type Output = Self;

    fn add(self, pixels: f64) -> Self {
        self + Self::of(pixels)
    }
}

impl Sub<f64> for Px {
    type Output = Self;

    fn sub(self, pixels: f64) -> Self {
        self - Self::of(pixels)
    }
}

impl Div<i32> for Px {
    type Output = Self;

    fn div(self, parts: i32) -> Self {
        Self {
            tenths: self.tenths / parts,
        }
    }
}

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.tenths.unsigned_abs() / 10, self.tenths.unsigned_abs() % 10);
        let sign = if self.tenths < 0 { "-" } else { "" };
        match rest {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{rest}"),
        }
    }
}

impl HtmlSafe for Px {}

/// A page has hundreds of them.
impl FastWritable for Px {
    fn write_into(&self, dest: &mut dyn fmt::Write, values: &dyn askama::Values) -> askama::Result<()> {
        if self.tenths < 0 {
            dest.write_char('-')?;
        }
        (self.tenths.unsigned_abs() / 10).write_into(dest, values)?;
        match self.tenths.unsigned_abs() % 10 {
            0 => Ok(()),
            rest => {
                dest.write_char('.')?;
                rest.write_into(dest, values)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenths_are_written_shortly() {
        for (pixels, text) in [
            (0.0, "0"),
            (38.04, "38"),
            (42.05, "42.1"),
            (-0.5, "-0.5"),
            (-12.0, "-12"),
            (718.0, "718"),
        ] {
            let place = Px::of(pixels);
            let mut fast = String::new();
            place.write_into(&mut fast, askama::NO_VALUES).unwrap();
            assert_eq!((place.to_string(), fast), (text.to_owned(), text.to_owned()));
        }
        assert_eq!((Px::of(10.1) + 4.0 - Px::of(3.1)) / 2, Px::of(5.5));
        assert_eq!(Px::of(f64::NAN), Px::of(0.0));
    }
}
