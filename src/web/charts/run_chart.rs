//! The bar chart of a flow's last runs, for `charts/run_chart.html`.

use super::{super::status::Status, Px};

/// How many runs the chart shows where there is room.
pub const WIDE_RUNS: usize = 30;
/// How many it shows on a narrow screen, so that its labels stay readable.
pub const NARROW_RUNS: usize = 14;

/// One run, oldest first.
#[derive(Clone, Debug)]
pub struct Bar {
    /// The run's page, a route of ours; none: a run that should have been there and was not.
    pub href: Option<String>,
    /// The whole story in words: `9 Mar 2026, 08:00 CET, failed, 14 min`.
    pub label: String,
    /// The day on the axis: `9 Mar`.
    pub day: String,
    /// Its height in the chart's unit; ignored for runs that have not been there or say nothing.
    pub value: f64,
    /// How it ended.
    pub status: Status,
}

/// The chart in its two sizes; style sheets show the one that fits.
#[derive(Clone, Debug)]
pub struct RunChart {
    /// An id that is unique on the page and safe in an attribute.
    pub id: String,
    /// What is shown, with the unit: `Last 30 runs, duration in minutes`.
    pub title: String,
    /// The same in words, for those who don't see it.
    pub description: String,
    /// For wide places: [`WIDE_RUNS`].
    pub wide: Drawing,
    /// For narrow ones: [`NARROW_RUNS`].
    pub narrow: Drawing,
}

impl RunChart {
    /// Draws `bars` (oldest first; the newest are kept) and the range that is `usual`, if there is history enough.
    pub fn new(
        id: impl Into<String>,
        title: impl Into<String>,
        description: impl Into<String>,
        bars: &[Bar],
        usual: Option<(f64, f64)>,
    ) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            description: description.into(),
            wide: Drawing::new(WIDE, bars, usual),
            narrow: Drawing::new(NARROW, bars, usual),
        }
    }
}

/// What differs between the two sizes; labels are larger on narrow screens, so their margins are wider.
#[derive(Clone, Copy)]
struct Size {
    width: f64,
    left: f64,
    right: f64,
    runs: usize,
}

const WIDE: Size = Size {
    width: 760.0,
    left: 38.0,
    right: 42.0,
    runs: WIDE_RUNS,
};
const NARROW: Size = Size {
    width: 320.0,
    left: 46.0,
    right: 46.0,
    runs: NARROW_RUNS,
};
const HEIGHT: f64 = 150.0;
const TOP: f64 = 26.0;
const BASE: f64 = 120.0;
/// A bar takes this much of its slot.
const BAR_SHARE: f64 = 0.64;
/// Something that ran is never invisible.
const LEAST_HEIGHT: f64 = 2.0;

/// One size of the chart, in SVG units; y grows downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Width of the view box.
    pub width: Px,
    /// Height of the view box.
    pub height: Px,
    /// Left end of grid lines and band.
    pub left: Px,
    /// Right end of grid lines and band.
    pub right: Px,
    /// Three horizontal lines with their numbers.
    pub grid: Vec<Label>,
    /// Four days along the bottom at most.
    pub days: Vec<Label>,
    /// Top and height of the usual range.
    pub band: Option<(Px, Px)>,
    /// The bars.
    pub marks: Vec<Mark>,
}

/// A text at a place: `at` is y for grid lines and x for days.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where.
    pub at: Px,
    /// What.
    pub text: String,
}

/// One bar with the area that answers to pointer and focus.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The run's page, if there is a run.
    pub href: Option<String>,
    /// The run in words.
    pub label: String,
    /// How it ended, which decides colour, outline and cap.
    pub status: Status,
    /// Left edge and width of the answering area.
    pub slot: (Px, Px),
    /// Left edge of the bar.
    pub x: Px,
    /// Top edge of the bar.
    pub y: Px,
    /// Width of the bar.
    pub width: Px,
    /// Height of the bar.
    pub height: Px,
    /// Middle of the bar.
    pub middle: Px,
    /// Where the cap glyph stands: the middle of it.
    pub cap: Px,
}

impl Drawing {
    fn new(size: Size, bars: &[Bar], usual: Option<(f64, f64)>) -> Self {
        let (width, most, left_end) = (size.width, size.runs, size.left);
        let bars = &bars[bars.len().saturating_sub(most)..];
        let highest = bars.iter().filter(|bar| ran(bar.status)).map(|bar| bar.value);
        let highest = highest.chain(usual.map(|(_, to)| to)).fold(0.0, f64::max);
        let axis = neat_end(highest);
        let y = |value: f64| BASE - (BASE - TOP) * (value / axis).clamp(0.0, 1.0);

        let right = width - size.right;
        let slot = (right - left_end) / most as f64;
        // The newest run stands at the right edge, however few there are.
        let first = right - slot * bars.len() as f64;
        let absent = usual.map_or(axis / 2.0, |(from, to)| (from + to) / 2.0);

        let marks: Vec<_> = bars
            .iter()
            .enumerate()
            .map(|(index, bar)| {
                let left = first + slot * index as f64;
                let value = if ran(bar.status) { bar.value } else { absent };
                let top = y(value).min(BASE - LEAST_HEIGHT);
                Mark {
                    href: bar.href.clone(),
                    label: bar.label.clone(),
                    status: bar.status,
                    slot: (Px::of(left), Px::of(slot)),
                    x: Px::of(left + slot * (1.0 - BAR_SHARE) / 2.0),
                    y: Px::of(top),
                    width: Px::of(slot * BAR_SHARE),
                    height: Px::of(BASE - top),
                    middle: Px::of(left + slot / 2.0),
                    cap: Px::of(top - 9.0),
                }
            })
            .collect();

        let every = bars.len().div_ceil(4).max(1);
        let mut days: Vec<Label> = Vec::new();
        for (bar, mark) in bars.iter().zip(&marks).step_by(every) {
            if days.last().is_none_or(|last| last.text != bar.day) {
                days.push(Label {
                    at: mark.middle,
                    text: bar.day.clone(),
                });
            }
        }

        Self {
            width: Px::of(width),
            height: Px::of(HEIGHT),
            left: Px::of(left_end),
            right: Px::of(right),
            grid: [0.0, axis / 2.0, axis]
                .map(|value| Label {
                    at: Px::of(y(value)),
                    text: axis_text(value),
                })
                .into(),
            days,
            band: usual.map(|(from, to)| (Px::of(y(to)), Px::of(y(from) - y(to)))),
            marks,
        }
    }
}

/// Whether there was a run whose value counts.
fn ran(status: Status) -> bool {
    !matches!(status, Status::Waiting | Status::Late | Status::Unknown)
}

/// The end of the axis: the smallest of 1, 2, 4, 6, 8 × 10ⁿ that holds `highest`, so that its half is neat too.
fn neat_end(highest: f64) -> f64 {
    if !highest.is_finite() || highest <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(highest.log10().floor());
    let step = [1.0, 2.0, 4.0, 6.0, 8.0]
        .into_iter()
        .find(|step| step * power >= highest);
    step.unwrap_or(10.0) * power
}

/// Numbers of the axis, short enough for its margin: `30`, `0.5`, `10 k`, `2 M`.
fn axis_text(value: f64) -> String {
    let (value, unit) = match value {
        1e9.. => (value / 1e9, " G"),
        1e6.. => (value / 1e6, " M"),
        1e4.. => (value / 1e3, " k"),
        _ => (value, ""),
    };
    format!("{}{unit}", (value * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use askama::Template;

    fn px<const N: usize>(pixels: [f64; N]) -> [Px; N] {
        pixels.map(Px::of)
    }

    fn bar(index: usize, value: f64, status: Status) -> Bar {
        Bar {
            href: Some(format!("/runs/{index}")),
            label: format!("run {index}"),
            day: format!("{} Mar", index / 2 + 1),
            value,
            status,
        }
    }

    #[test]
    fn thirty_bars_have_these_places() {
        let mut bars: Vec<_> = (0..30).map(|index| bar(index, 45.0, Status::Succeeded)).collect();
        bars[16] = bar(16, 15.0, Status::Failed);
        bars[23] = bar(23, 0.0, Status::Waiting);
        let chart = RunChart::new("c", "t", "d", &bars, Some((38.0, 56.0)));

        let wide = &chart.wide;
        assert_eq!([wide.left, wide.right], px([38.0, 718.0]));
        let grid: Vec<_> = wide
            .grid
            .iter()
            .map(|line| (line.at, line.text.as_str()))
            .collect();
        let [zero, half, whole] = px([120.0, 73.0, 26.0]);
        assert_eq!(grid, [(zero, "0"), (half, "30"), (whole, "60")]);
        assert_eq!(wide.band, Some((Px::of(32.3), Px::of(28.2))));
        assert_eq!(wide.marks.len(), 30);
        let first = &wide.marks[0];
        assert_eq!(
            [first.x, first.y, first.width, first.height],
            px([42.1, 49.5, 14.5, 70.5])
        );
        assert_eq!(first.slot, (Px::of(38.0), Px::of(22.7)));
        let failed = &wide.marks[16];
        assert_eq!(
            [failed.y, failed.height, failed.cap, failed.middle],
            px([96.5, 23.5, 87.5, 412.0])
        );
        let missing = &wide.marks[23];
        assert_eq!(
            [missing.y, missing.height],
            px([46.4, 73.6]),
            "a missing run stands at the middle of the usual range"
        );
        let last = &wide.marks[29];
        assert_eq!(last.slot.0 + last.slot.1, Px::of(718.0));
        let days: Vec<_> = wide.days.iter().map(|day| (day.at, day.text.as_str())).collect();
        assert_eq!(
            days,
            [
                (Px::of(49.3), "1 Mar"),
                (Px::of(230.7), "5 Mar"),
                (Px::of(412.0), "9 Mar"),
                (Px::of(593.3), "13 Mar")
            ]
        );

        assert_eq!(chart.narrow.marks.len(), 14);
        assert_eq!(
            chart.narrow.marks[0].href.as_deref(),
            Some("/runs/16"),
            "the newest are kept"
        );
        assert_eq!(chart.narrow.days.len(), 4);
        assert_eq!(chart.narrow.width, Px::of(320.0));
    }

    #[derive(Template)]
    #[template(
        source = r#"{% import "charts/run_chart.html" as charts %}{% call charts::run_chart(chart) %}{% endcall %}"#,
        ext = "html"
    )]
    struct Drawn {
        chart: RunChart,
    }

    fn drawn(bars: &[Bar], usual: Option<(f64, f64)>) -> String {
        let chart = RunChart::new("c", "Last runs, minutes", "In words.", bars, usual);
        let markup = Drawn { chart }.render().expect("a drawing");
        // A mark a line, so that a difference is seen at a glance.
        markup.replace("<a ", "\n<a ").replace("<g ", "\n<g ")
    }

    /// Compares with the drawing that was looked at. `HEADGATE_SNAPSHOTS=write` takes the new one, to be looked at.
    fn is_as_looked_at(name: &str, markup: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("src/web/charts/snapshots/{name}.html"));
        if std::env::var_os("HEADGATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, markup).expect("a snapshot is written");
        }
        let seen = std::fs::read_to_string(&path).unwrap_or_default();
        for (number, (line, expected)) in markup.lines().zip(seen.lines()).enumerate() {
            assert_eq!(line, expected, "{name}, line {}", number + 1);
        }
        assert_eq!(markup.len(), seen.len(), "{name} differs at its end");
    }

    #[test]
    fn the_drawings_are_as_looked_at() {
        let mut bars: Vec<_> = (0..32)
            .map(|index| bar(index, 40.0 + (index % 5) as f64 * 4.0, Status::Succeeded))
            .collect();
        bars[18] = bar(18, 15.0, Status::Failed);
        bars[20] = bar(20, 44.0, Status::Partial);
        bars[21] = Bar {
            href: None,
            ..bar(21, 0.0, Status::Waiting)
        };
        bars[22] = bar(22, 3.0, Status::Unknown);
        bars[29] = Bar {
            href: None,
            ..bar(29, 0.0, Status::Late)
        };
        bars[31] = bar(31, 21.0, Status::Running);
        is_as_looked_at("every_state", &drawn(&bars, Some((44.0, 52.0))));
        is_as_looked_at("few_runs", &drawn(&bars[..3], None));
        is_as_looked_at("no_runs", &drawn(&[], None));
    }

    /// The smallest places in which each size is drawn, by the style sheet as it is served, at 16 px a rem.
    #[test]
    fn labels_are_never_smaller_than_11_px() {
        let css = crate::web::assets::text("headgate.css");
        let number = |before: &str| -> f64 {
            let (_, rest) = css
                .split_once(before)
                .unwrap_or_else(|| panic!("{before} is not there"));
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                .unwrap_or(rest.len());
            rest[..end].parse().expect("a number")
        };
        let wide_from = number("@container (min-width: ") * 16.0;
        let wide_label = number(".chart text { font: ");
        let narrow_label = number(".chart-narrow text { font-size: ");
        // 320 px of a screen without the padding of page and card and its borders.
        let narrow_from = 320.0 - 2.0 * 12.0 - 2.0 * 16.0 - 2.0;
        assert!(wide_label * wide_from / WIDE.width >= 11.0);
        assert!(narrow_label * narrow_from / NARROW.width >= 11.0);
    }

    #[test]
    fn few_runs_stand_at_the_right() {
        let drawing = RunChart::new("c", "t", "d", &[bar(0, 5.0, Status::Succeeded)], None).wide;
        assert_eq!(drawing.marks[0].slot, (Px::of(695.3), Px::of(22.7)));
        assert_eq!(drawing.days.len(), 1);
        assert_eq!(drawing.band, None);
    }

    #[test]
    fn no_runs_and_odd_values_draw_something_finite() {
        let empty = RunChart::new("c", "t", "d", &[], None);
        assert!(empty.wide.marks.is_empty() && empty.wide.days.is_empty());
        assert_eq!(empty.wide.grid.len(), 3);
        for value in [0.0, -3.0, f64::NAN, f64::INFINITY, 1e300] {
            let drawing = RunChart::new("c", "t", "d", &[bar(0, value, Status::Failed)], None).wide;
            let mark = &drawing.marks[0];
            assert!(
                mark.height >= Px::of(LEAST_HEIGHT) && mark.height <= Px::of(BASE - TOP),
                "{value}: {mark:?}"
            );
        }
    }

    #[test]
    fn a_day_is_named_once() {
        let bars = (0..30).map(|index| Bar {
            day: "1 Mar".into(),
            ..bar(index, 1.0, Status::Succeeded)
        });
        assert_eq!(
            RunChart::new("c", "t", "d", &bars.collect::<Vec<_>>(), None)
                .wide
                .days
                .len(),
            1
        );
    }

    #[test]
    fn axes_end_at_neat_numbers() {
        let cases = [
            (0.0, 1.0),
            (0.3, 0.4),
            (1.0, 1.0),
            (2.5, 4.0),
            (56.0, 60.0),
            (81.0, 100.0),
            (10_204.0, 20_000.0),
        ];
        for (highest, end) in cases {
            assert!(
                (neat_end(highest) - end).abs() < end * 1e-9,
                "{highest}: {}",
                neat_end(highest)
            );
        }
        let texts = [0.0, 0.2, 30.0, 8000.0, 10_000.0, 500_000.0, 2e6, 4e9].map(axis_text);
        assert_eq!(texts, ["0", "0.2", "30", "8000", "10 k", "500 k", "2 M", "4 G"]);
    }
}
