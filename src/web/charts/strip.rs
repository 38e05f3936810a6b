//! The last runs as a strip of small cells, for lists; drawn by `charts/strip.html`.

use super::super::status::Status;

/// How many runs a strip has room for.
pub const STRIP_RUNS: usize = 30;
const CELL: usize = 6;
const PITCH: usize = 7;

/// A strip: full cells are good, and each other state has a cut-out of its own beside its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// The same in words: `30 runs: 28 succeeded, 2 failed`.
    pub label: String,
    /// The newest at the right edge.
    pub cells: Vec<Cell>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Left edge; each cell is 6 wide and 16 high.
    pub x: usize,
    /// How the run ended.
    pub status: Status,
}

impl Strip {
    /// Width of the view box, the same for every strip, so that they line up in a list.
    pub fn width(&self) -> usize {
        STRIP_RUNS * PITCH - (PITCH - CELL)
    }

    /// Draws the newest of `runs`, which come oldest first, and counts them in words.
    pub fn new(runs: &[Status]) -> Self {
        let runs = &runs[runs.len().saturating_sub(STRIP_RUNS)..];
        let first = STRIP_RUNS - runs.len();
        let cells = runs.iter().enumerate().map(|(index, &status)| Cell {
            x: (first + index) * PITCH,
            status,
        });
        Self {
            label: in_words(runs),
            cells: cells.collect(),
        }
    }
}

fn in_words(runs: &[Status]) -> String {
    let counts = Status::ALL.iter().filter_map(|status| {
        let count = runs.iter().filter(|run| *run == status).count();
        (count > 0).then(|| format!("{count} {}", status.word().to_lowercase()))
    });
    match runs.len() {
        0 => "No runs yet".into(),
        1 => format!("1 run: {}", runs[0].word().to_lowercase()),
        many => format!("{many} runs: {}", counts.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_thirty_end_at_the_right_edge() {
        let mut runs = vec![Status::Succeeded; 38];
        runs.extend([Status::Failed, Status::Partial]);
        let strip = Strip::new(&runs);
        assert_eq!(strip.cells.len(), 30);
        assert_eq!(strip.label, "30 runs: 28 succeeded, 1 failed, 1 partial");
        assert_eq!(strip.cells[0].x, 0);
        assert_eq!(
            strip.cells[29],
            Cell {
                x: 203,
                status: Status::Partial
            }
        );
        assert_eq!(strip.width(), 203 + 6);
    }

    #[test]
    fn few_runs_leave_the_left_empty() {
        assert_eq!(
            Strip::new(&[Status::Running]).cells,
            [Cell {
                x: 203,
                status: Status::Running
            }]
        );
        assert_eq!(Strip::new(&[Status::Running]).label, "1 run: running");
        assert_eq!(Strip::new(&[]).label, "No runs yet");
    }
}
