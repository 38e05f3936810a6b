//! The last runs as a strip of small cells, for lists; drawn by `charts/strip.html`.
//!
//! A list shows hundreds of strips, so a strip is one path for each look and not one shape for each run.

use std::fmt::Write;

use super::ABSENT_IN_A_ROW;
use crate::domain::RunOutcome;
use crate::domain::health::{Expected, Placed, RecentRun, with_missed};
use crate::web::numbers;

/// How many cells a strip has room for.
pub const STRIP_CELLS: usize = 30;
/// Distance between the left edges of two cells, which are 6 wide, in pixels. The style sheet has the whole width.
const PITCH: usize = 7;
/// Height of a strip, in pixels.
const HEIGHT: usize = 16;
/// Heights of a cell, in pixels: for what is at most so many quarters of the median of the strip, and beyond.
const HEIGHTS: [(i64, usize); 4] = [(1, 4), (3, 8), (5, 11), (8, 14)];
const USUAL_HEIGHT: usize = 11;
/// A run that brought nothing is a mere base line.
const EMPTY_HEIGHT: usize = 2;

/// A strip: each state has a shape of its own beside its colour, and the height of a cell tells how much the run
/// brought, or how long it took where no run tells how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// The same in words: `30 runs: 28 succeeded, 2 failed`.
    pub label: String,
    /// What is drawn: CSS class and path.
    pub marks: Vec<(&'static str, String)>,
}

/// One place of a strip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Run(RunOutcome, usize),
    /// Stands for so many.
    Missing(i64),
    /// Stands for so many.
    Late(i64),
}

impl Strip {
    /// Draws the newest of `runs`, which come oldest first, and what is missing between and after them.
    pub fn new(runs: &[RecentRun], expected: &Expected<'_>) -> Self {
        let cells = cells(runs, expected);
        let shown = &cells[cells.len().saturating_sub(STRIP_CELLS)..];
        Self {
            label: in_words(shown),
            marks: marks(shown),
        }
    }
}

fn cells(runs: &[RecentRun], expected: &Expected<'_>) -> Vec<Cell> {
    let drawn = runs.iter().zip(heights(runs));
    let drawn = drawn.map(|(run, height)| (run.started_at, Cell::Run(run.outcome, height)));
    let mut cells = Vec::with_capacity(STRIP_CELLS);
    for placed in with_missed(drawn, expected) {
        match placed {
            Placed::Run(cell) => cells.push(cell),
            Placed::Missed(missed) => add(&mut cells, Cell::Missing, missed.count),
            Placed::Late(late) => add(&mut cells, Cell::Late, late.count),
        }
    }
    cells
}

/// Some that are not there.
fn add(cells: &mut Vec<Cell>, cell: fn(i64) -> Cell, count: i64) {
    let drawn = count.min(ABSENT_IN_A_ROW);
    let stands_for = |nth| if nth == drawn { count - drawn + 1 } else { 1 };
    cells.extend((1..=drawn).map(|nth| cell(stands_for(nth))));
}

/// In few steps, which keeps a page with hundreds of strips small.
fn heights(runs: &[RecentRun]) -> Vec<usize> {
    let by_records = runs.iter().any(|run| run.records_out.is_some());
    let measure = |run: &RecentRun| {
        if by_records {
            run.records_out
        } else {
            run.duration_ms
        }
    };
    let mut sizes: Vec<i64> = runs.iter().filter_map(measure).filter(|size| *size > 0).collect();
    sizes.sort_unstable();
    let median = sizes.get(sizes.len() / 2).copied().unwrap_or(1);
    let height = |run: &RecentRun| match measure(run) {
        None => USUAL_HEIGHT,
        Some(size) if size <= 0 => EMPTY_HEIGHT,
        Some(size) => HEIGHTS
            .iter()
            .find(|(quarters, _)| size.saturating_mul(4) <= median.saturating_mul(*quarters))
            .map_or(HEIGHT, |(_, height)| *height),
    };
    runs.iter().map(height).collect()
}

/// One path for each look that occurs.
fn marks(cells: &[Cell]) -> Vec<(&'static str, String)> {
    let first = STRIP_CELLS - cells.len();
    let mut marks: Vec<(&'static str, String)> = Vec::new();
    let mut add = |class: &'static str, shape: String| match marks.iter_mut().find(|mark| mark.0 == class) {
        Some((_, path)) => path.push_str(&shape),
        None => marks.push((class, shape)),
    };
    for (index, cell) in cells.iter().enumerate() {
        let x = (first + index) * PITCH;
        match *cell {
            Cell::Run(RunOutcome::Succeeded, height) => {
                let follows = index > 0 && matches!(cells[index - 1], Cell::Run(RunOutcome::Succeeded, _));
                add("m-ok", bar(x, height, follows));
            }
            Cell::Run(RunOutcome::Failed, _) => {
                add("m-fail", format!("M{x} 0h6v16h-6z"));
                add("cut", format!("M{x} 5l6 6m0-6l-6 6"));
            }
            Cell::Run(RunOutcome::Partial, _) => {
                add("m-warn", format!("M{x} 8h6v8h-6z"));
                add("o-warn", format!("M{x} .5h6"));
            }
            Cell::Run(RunOutcome::Running, _) => {
                add("o-run", format!("M{x}.5 .5h5v15h-5z"));
                add("m-run", format!("M{} 7h2v2h-2z", x + 2));
            }
            Cell::Run(RunOutcome::Waiting, _) => add("o-idle", format!("M{x}.5 9.5h5v6h-5z")),
            Cell::Run(RunOutcome::Unknown, _) => add("o-idle", format!("M{x}.5 .5h5v15h-5zM{x} 8h6")),
            Cell::Missing(_) => add("o-idle dash", format!("M{x}.5 .5h5v15h-5z")),
            Cell::Late(_) => {
                add("m-late", format!("M{x} 0h6v16h-6z"));
                add("cut", format!("M{} 3v5h3", x + 3));
            }
        }
    }
    // The cuts go over what they cut.
    marks.sort_by_key(|(class, _)| *class == "cut");
    marks
}

/// A bar of one outline with those before it: so a row of equal bars is a row of equal texts, which compress well.
fn bar(x: usize, height: usize, follows: bool) -> String {
    let mut path = String::with_capacity(16);
    let begun = if follows {
        write!(path, "h1")
    } else {
        write!(path, "M{x} 16")
    };
    let drawn = begun.and_then(|()| write!(path, "V{}h6V16", HEIGHT - height));
    debug_assert!(drawn.is_ok(), "a text takes everything");
    path
}

fn in_words(cells: &[Cell]) -> String {
    let outcome = |outcome: RunOutcome| {
        let all = cells.iter();
        all.filter(|cell| matches!(cell, Cell::Run(own, _) if *own == outcome))
            .count()
    };
    let runs = cells.iter().filter(|cell| matches!(cell, Cell::Run(..))).count();
    let told = RunOutcome::ALL.iter().filter_map(|kind| match outcome(*kind) {
        0 => None,
        n if n == runs && n == 1 => Some(kind.to_string()),
        n => Some(format!("{n} {kind}")),
    });
    let told: Vec<String> = told.collect();
    let mut words = match runs {
        0 => "No runs yet".to_owned(),
        1 => format!("1 run: {}", told.join(", ")),
        n => format!("{n} runs: {}", told.join(", ")),
    };
    let (mut missing, mut late) = (0_i64, 0_i64);
    for cell in cells {
        match cell {
            Cell::Run(..) => {}
            Cell::Missing(count) => missing = missing.saturating_add(*count),
            Cell::Late(count) => late = late.saturating_add(*count),
        }
    }
    for (count, word) in [(missing, "missing"), (late, "late now")] {
        if count > 0 {
            words.push_str(&format!("; {} {word}", numbers::count(count)));
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::health::{Missed, Rhythm, Wanted};
    use RunOutcome::{Failed, Partial, Running, Succeeded, Unknown, Waiting};

    const HOUR: i64 = 3_600_000;

    fn run(slot: i64, outcome: RunOutcome, records: i64) -> RecentRun {
        RecentRun {
            outcome,
            started_at: slot * HOUR,
            duration_ms: outcome.is_final().then_some(60_000),
            records_out: outcome.is_final().then_some(records),
            window_start_at: None,
            window_end_at: None,
        }
    }

    fn hourly(late: i64) -> Expected<'static> {
        Expected {
            rhythm: Rhythm::of(Some("hour"), None, Some(0), Wanted::of_first(true), None),
            late: (late > 0).then_some(Missed {
                first_at: 4 * HOUR,
                period_ms: HOUR,
                count: late,
            }),
            until_at: None,
            made_again_at: &[],
        }
    }

    fn drawn(strip: &Strip) -> Vec<String> {
        let marks = strip.marks.iter();
        marks.map(|(class, path)| format!("{class}: {path}")).collect()
    }

    #[test]
    fn each_state_has_its_shape() {
        let states = [
            Succeeded, Succeeded, Failed, Partial, Running, Waiting, Unknown, Succeeded,
        ];
        let runs: Vec<_> = (0..)
            .zip(states)
            .map(|(slot, state)| run(slot, state, 100))
            .collect();
        let strip = Strip::new(&runs, &hourly(0));
        assert_eq!(
            drawn(&strip),
            [
                "m-ok: M154 16V5h6V16h1V5h6V16M203 16V5h6V16",
                "m-fail: M168 0h6v16h-6z",
                "m-warn: M175 8h6v8h-6z",
                "o-warn: M175 .5h6",
                "o-run: M182.5 .5h5v15h-5z",
                "m-run: M184 7h2v2h-2z",
                "o-idle: M189.5 9.5h5v6h-5zM196.5 .5h5v15h-5zM196 8h6",
                "cut: M168 5l6 6m0-6l-6 6",
            ]
        );
        assert_eq!(
            strip.label,
            "8 runs: 1 waiting, 1 running, 3 succeeded, 1 partial, 1 failed, 1 unknown"
        );
        let width = format!("inline-size: {}px", STRIP_CELLS * PITCH - 1);
        assert!(
            crate::web::assets::text("headgate.css").contains(&width),
            "{width}"
        );
    }

    #[test]
    fn heights_tell_how_much_came() {
        let records = [0, 20, 50, 100, 100, 110, 180, 900];
        let runs: Vec<_> = (0..)
            .zip(records)
            .map(|(slot, n)| run(slot, Succeeded, n))
            .collect();
        assert_eq!(heights(&runs), [2, 4, 8, 11, 11, 11, 14, 16]);
        let untold: Vec<_> = [60_000, 60_000, 600_000]
            .map(|duration| RecentRun {
                records_out: None,
                duration_ms: Some(duration),
                ..run(0, Succeeded, 0)
            })
            .into();
        assert_eq!(heights(&untold), [11, 11, 16], "else how long it took");
    }

    #[test]
    fn missing_and_late_runs_are_seen() {
        let runs = [run(0, Succeeded, 5), run(1, Succeeded, 5), run(4, Failed, 0)];
        let strip = Strip::new(&runs, &hourly(3));
        assert_eq!(
            drawn(&strip),
            [
                "m-ok: M154 16V5h6V16h1V5h6V16",
                "o-idle dash: M168.5 .5h5v15h-5zM175.5 .5h5v15h-5z",
                "m-fail: M182 0h6v16h-6z",
                "m-late: M189 0h6v16h-6zM196 0h6v16h-6zM203 0h6v16h-6z",
                "cut: M182 5l6 6m0-6l-6 6M192 3v5h3M199 3v5h3M206 3v5h3",
            ]
        );
        assert_eq!(
            strip.label,
            "3 runs: 2 succeeded, 1 failed; 2 missing; 3 late now"
        );
    }

    #[test]
    fn a_run_made_again_fills_no_moment_of_the_schedule() {
        let runs = [
            run(0, Succeeded, 5),
            run(1, Failed, 0),
            run(3, Succeeded, 5),
            run(5, Succeeded, 5),
        ];
        let expected = Expected {
            made_again_at: &[runs[2].started_at],
            ..hourly(0)
        };
        let strip = Strip::new(&runs, &expected);
        assert_eq!(strip.label, "4 runs: 3 succeeded, 1 failed; 3 missing");
        let strip = Strip::new(&runs, &hourly(0));
        assert_eq!(strip.label, "4 runs: 3 succeeded, 1 failed; 2 missing");
        // The flow was switched off when three had not come.
        let expected = Expected {
            until_at: Some(8 * HOUR + HOUR / 2),
            ..hourly(0)
        };
        let strip = Strip::new(&runs, &expected);
        assert_eq!(strip.label, "4 runs: 3 succeeded, 1 failed; 5 missing");
        // While others are late, one that was made again since then stands after them.
        let expected = Expected {
            made_again_at: &[runs[3].started_at],
            ..hourly(2)
        };
        let cells = cells(&runs, &expected);
        assert!(matches!(
            cells[cells.len() - 3..],
            [Cell::Late(_), Cell::Late(_), Cell::Run(..)]
        ));
    }

    #[test]
    fn a_long_silence_leaves_room_for_runs_and_delays_are_no_gaps() {
        let runs = [run(0, Succeeded, 5), run(500, Succeeded, 5)];
        let strip = Strip::new(&runs, &hourly(0));
        assert_eq!(strip.label, "2 runs: 2 succeeded; 499 missing");
        let mut late = run(1, Succeeded, 5);
        late.started_at += HOUR / 3;
        let strip = Strip::new(&[run(0, Succeeded, 5), late, run(2, Succeeded, 5)], &hourly(0));
        assert_eq!(strip.label, "3 runs: 3 succeeded");
        let no_rhythm = Expected::default();
        assert_eq!(Strip::new(&runs, &no_rhythm).label, "2 runs: 2 succeeded");
    }

    #[test]
    fn the_newest_thirty_end_at_the_right_edge() {
        let runs: Vec<_> = (0..40).map(|slot| run(slot, Succeeded, 5)).collect();
        let strip = Strip::new(&runs, &hourly(0));
        assert_eq!(strip.label, "30 runs: 30 succeeded");
        assert!(strip.marks[0].1.starts_with("M0 16V5h6V16h1V5"));
        assert_eq!(Strip::new(&[], &Expected::default()).label, "No runs yet");
        assert_eq!(Strip::new(&runs[..1], &hourly(0)).label, "1 run: succeeded");
        let silent = Strip::new(&[], &hourly(1_000));
        assert_eq!(silent.label, "No runs yet; 1,000 late now");
    }
}
