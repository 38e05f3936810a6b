//! Runs by day as stacked bars, for `charts/day_histogram.html`.

use super::{super::status::Status, Px};

/// One day, oldest first.
#[derive(Clone, Debug)]
pub struct Day {
    /// Where the day's runs are listed, a route of ours.
    pub href: String,
    /// The day in words: `9 Mar`.
    pub day: String,
    /// How many runs in which state; the first stands at the bottom.
    pub counts: Vec<(Status, i64)>,
}

/// The drawing, in SVG units; y grows downwards.
#[derive(Clone, Debug, PartialEq)]
pub struct DayHistogram {
    /// What is shown: `Runs by day, 20 Feb to 21 Mar`.
    pub title: String,
    /// Width of the view box.
    pub width: Px,
    /// Height of the view box.
    pub height: Px,
    /// The highest day's number, which its bar reaches.
    pub most: i64,
    /// One for each day, also for days without runs.
    pub columns: Vec<Column>,
    /// Some of the days along the bottom, at so many hundredths of the width: their names are not stretched with the
    /// bars. The first one begins there, the others have their middle there.
    pub days: Vec<(Px, String)>,
}

/// One day's bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Where the day's runs are listed.
    pub href: String,
    /// The day in words: `9 Mar: 120 succeeded, 3 failed`.
    pub label: String,
    /// Left edge and width of the answering area.
    pub slot: (Px, Px),
    /// State, top edge and height of each part.
    pub parts: Vec<(Status, Px, Px)>,
    /// Left edge and width of the bar.
    pub bar: (Px, Px),
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 76.0;
const TOP: f64 = 8.0;
const BASE: f64 = 74.0;
/// A bar takes this much of its slot.
const BAR_SHARE: f64 = 0.7;
/// Something that was is never invisible.
const LEAST_HEIGHT: f64 = 2.0;
/// Days that are named along the bottom, at most.
const NAMED_DAYS: usize = 5;

impl DayHistogram {
    /// Draws `days`, the oldest first.
    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of days and runs are far below 2^52"
    )]
    pub fn new(title: impl Into<String>, days: Vec<Day>) -> Self {
        let total = |day: &Day| day.counts.iter().map(|(_, count)| count).sum::<i64>();
        let most = days.iter().map(total).max().unwrap_or(0);
        let slot = WIDTH / days.len().max(1) as f64;
        let every = days.len().div_ceil(NAMED_DAYS).max(1);
        let named = days.iter().enumerate().step_by(every).map(|(index, day)| {
            let place = if index == 0 { 0.0 } else { index as f64 + 0.5 };
            (Px::of(slot * place / WIDTH * 100.0), day.day.clone())
        });
        Self {
            title: title.into(),
            width: Px::of(WIDTH),
            height: Px::of(HEIGHT),
            most,
            days: named.collect(),
            columns: days
                .into_iter()
                .enumerate()
                .map(|(index, day)| {
                    let left = slot * index as f64;
                    Column {
                        label: in_words(&day),
                        slot: (Px::of(left), Px::of(slot)),
                        parts: parts(&day, most),
                        bar: (
                            Px::of(left + slot * (1.0 - BAR_SHARE) / 2.0),
                            Px::of(slot * BAR_SHARE),
                        ),
                        href: day.href,
                    }
                })
                .collect(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of runs are far below 2^52")]
fn parts(day: &Day, most: i64) -> Vec<(Status, Px, Px)> {
    let mut top = BASE;
    let there = day.counts.iter().filter(|(_, count)| *count > 0);
    there
        .map(|(status, count)| {
            let share = *count as f64 / most.max(1) as f64;
            let height = ((BASE - TOP) * share).max(LEAST_HEIGHT);
            top -= height;
            (*status, Px::of(top), Px::of(height))
        })
        .collect()
}

fn in_words(day: &Day) -> String {
    let counts: Vec<String> = day
        .counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} {}", status.word().to_lowercase()))
        .collect();
    if counts.is_empty() {
        format!("{}: no runs", day.day)
    } else {
        format!("{}: {}", day.day, counts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64, counts: &[(Status, i64)]) -> Day {
        Day {
            href: format!("/runs?from={number}"),
            day: format!("{number} Mar"),
            counts: counts.to_vec(),
        }
    }

    #[test]
    fn days_stand_side_by_side_and_parts_on_each_other() {
        let chart = DayHistogram::new(
            "Runs",
            vec![
                day(1, &[(Status::Succeeded, 90), (Status::Failed, 10)]),
                day(2, &[]),
                day(3, &[(Status::Succeeded, 50), (Status::Partial, 0)]),
                day(4, &[(Status::Succeeded, 1)]),
            ],
        );
        assert_eq!(chart.most, 100);
        let first = &chart.columns[0];
        assert_eq!(
            first.parts,
            [
                (Status::Succeeded, Px::of(14.6), Px::of(59.4)),
                (Status::Failed, Px::of(8.0), Px::of(6.6))
            ]
        );
        let pair = |left, width| (Px::of(left), Px::of(width));
        assert_eq!((first.slot, first.bar), (pair(0.0, 190.0), pair(28.5, 133.0)));
        assert_eq!(first.label, "1 Mar: 90 succeeded, 10 failed");
        assert_eq!(chart.columns[1].label, "2 Mar: no runs");
        assert!(chart.columns[1].parts.is_empty());
        assert_eq!(
            chart.columns[2].parts,
            [(Status::Succeeded, Px::of(41.0), Px::of(33.0))]
        );
        assert_eq!(
            chart.columns[3].parts,
            [(Status::Succeeded, Px::of(72.0), Px::of(2.0))],
            "one run among a hundred is seen"
        );
        assert_eq!(chart.days.len(), 4);
    }

    #[test]
    fn many_days_are_named_sparsely_and_none_draw_nothing() {
        let days = (0..31).map(|n| day(n, &[(Status::Succeeded, n)]));
        let named = DayHistogram::new("Runs", days.collect()).days;
        assert_eq!(named.len(), 5);
        assert_eq!(named[0].0, Px::of(0.0), "the first name is not cut off");
        assert_eq!(named[4].0, Px::of(28.5 / 31.0 * 100.0));
        let empty = DayHistogram::new("Runs", Vec::new());
        assert!(empty.columns.is_empty() && empty.days.is_empty());
    }
}
