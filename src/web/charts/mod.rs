//! Charts: geometry in Rust, drawn as SVG by the macros in `templates/charts/`.
//!
//! Colours come from classes, so one drawing serves both themes and print. The numbers stand in a table beside
//! each chart, which is the page's business.

pub mod day_histogram;
pub mod run_chart;
pub mod strip;

/// Coordinates with one decimal: a tenth of a pixel is enough, and pages stay small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
