//! The last runs of a flow, as a chart and as a table.

use std::fmt::Write;
use std::mem;

use serde::Deserialize;

use super::loaded::Loaded;
use super::status::fingerprint;
use super::view::{self, Badge, RunRow};
use crate::domain::health::{Expected, Missed, Placed, Usual, with_missed};
use crate::store::runs::RunLine;
use crate::web::charts::ABSENT_IN_A_ROW;
use crate::web::charts::run_chart::{Bar, RunChart, WIDE_RUNS};
use crate::web::numbers;
use crate::web::status::Status;
use crate::web::times::Times;
use crate::web::visit::Visit;

/// Longest durations below which the axis counts seconds, in milliseconds.
const SECONDS_BELOW_MS: i64 = 120_000;

/// What the height of a bar says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// How long the run took.
    #[default]
    Duration,
    /// How many records it stored.
    Records,
}

/// The last runs, as a chart and as a table.
pub(super) struct RunsView {
    pub(super) flow_id: String,
    pub(super) chart: Option<ChartView>,
    pub(super) rows: Vec<RunRow>,
    /// Where the older runs are.
    pub(super) older: Option<String>,
    /// Older runs are shown.
    pub(super) is_paged: bool,
    /// Whether there can be no runs, because none were ever read.
    pub(super) are_known: bool,
    /// Changes whenever anything here does.
    pub(super) version: String,
}

pub(super) struct ChartView {
    pub(super) drawn: RunChart,
    pub(super) heading: String,
    pub(super) measure: Measure,
    /// "Minutes", "Records stored".
    pub(super) unit: &'static str,
    /// How many of the drawn runs ended how, and how many are missing.
    pub(super) counts: Vec<Badge>,
    /// What is usual, in words; none: there is not enough history.
    pub(super) usual: Option<String>,
}

impl RunsView {
    /// Takes the runs out of `loaded`.
    pub(super) fn new(loaded: &mut Loaded, visit: &Visit) -> Self {
        let times = visit.times();
        let expected = expected(loaded);
        let absent = (expected.late.map(|late| late.count), expected.until_at);
        Self {
            flow_id: loaded.flow().record.id.clone(),
            chart: (!loaded.is_paged && !loaded.runs.is_empty())
                .then(|| ChartView::new(loaded, &times, visit.now_ms)),
            version: fingerprint((&loaded.runs, loaded.runs_are_known(), absent)),
            rows: mem::take(&mut loaded.runs)
                .into_iter()
                .map(|run| RunRow::new(run, &times))
                .collect(),
            older: loaded.older.clone(),
            is_paged: loaded.is_paged,
            are_known: loaded.runs_are_known(),
        }
    }
}

impl RunsView {
    /// The page whose chart shows this.
    pub(super) fn page_with(&self, measure: &Measure) -> String {
        format!("/flows/{}?chart={}", self.flow_id, measure.word())
    }
}

impl Measure {
    pub(super) const ALL: [(Self, &'static str); 2] =
        [(Self::Duration, "Duration"), (Self::Records, "Records")];

    /// As it stands in the query of the page.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Records => "records",
        }
    }
}

/// What one axis counts.
struct Axis {
    measure: Measure,
    unit: &'static str,
    /// Of the stored values, one of the axis.
    one: i64,
    usual: Option<Usual>,
}

impl Axis {
    fn new(loaded: &Loaded, runs: &[RunLine]) -> Self {
        let measure = loaded.measure;
        let judgement = loaded.head.judgement.as_ref();
        match measure {
            Measure::Duration => {
                let longest = runs.iter().filter_map(|run| run.duration_ms).max();
                let (unit, one) = if longest.unwrap_or(0) < SECONDS_BELOW_MS {
                    ("seconds", 1_000)
                } else {
                    ("minutes", 60_000)
                };
                let usual = judgement.and_then(|judged| judged.usual_duration_ms);
                Self {
                    measure,
                    unit,
                    one,
                    usual,
                }
            }
            Measure::Records => Self {
                measure,
                unit: "records stored",
                one: 1,
                usual: judgement.and_then(|judged| judged.usual_records),
            },
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a tenth of a pixel is all that is left of it"
    )]
    fn place(&self, value: i64) -> f64 {
        value.max(0) as f64 / self.one as f64
    }

    fn words(&self, value: i64) -> String {
        match self.measure {
            Measure::Duration => numbers::duration(value).to_string(),
            Measure::Records => numbers::count(value).to_string(),
        }
    }
}

impl ChartView {
    fn new(loaded: &Loaded, times: &Times, now_ms: i64) -> Self {
        let newest = &loaded.runs[..loaded.runs.len().min(WIDE_RUNS)];
        let axis = Axis::new(loaded, newest);
        let (bars, missing): (Vec<Bar>, Vec<i64>) =
            bars(loaded, newest, &axis, times, now_ms).into_iter().unzip();
        let first = bars.len().saturating_sub(WIDE_RUNS);
        let drawn = &bars[first..];
        let missing = missing[first..].iter().copied().fold(0, i64::saturating_add);
        let runs = drawn.iter().filter(|bar| bar.href.is_some()).count();
        let heading = match runs {
            1 => "The last run".to_owned(),
            many => format!("Last {many} runs"),
        };
        let description = format!(
            "{heading}, {} of each, the newest at the right. The table below holds the same runs.",
            axis.unit
        );
        let band = axis
            .usual
            .map(|usual| (axis.place(usual.low), axis.place(usual.high)));
        let title = format!("{heading}, {}", axis.unit);
        Self {
            counts: counts(drawn, missing),
            usual: axis.usual.map(|usual| {
                let (low, high) = (axis.words(usual.low), axis.words(usual.high));
                format!("Usual: {low} to {high} ({} runs)", usual.runs)
            }),
            measure: axis.measure,
            unit: axis.unit,
            drawn: RunChart::new("runs", title, description, &bars, band),
            heading,
        }
    }
}

fn counts(bars: &[Bar], missing: i64) -> Vec<Badge> {
    let count = |status: Status| {
        bars.iter()
            .filter(|bar| bar.href.is_some() && bar.status == status)
            .count()
    };
    let mut counted: Vec<Badge> = Status::ALL
        .into_iter()
        .map(|status| (status, count(status)))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| Badge {
            status,
            word: format!("{count} {}", status.word().to_lowercase()).into(),
        })
        .collect();
    if missing > 0 {
        counted.push(Badge {
            status: Status::Waiting,
            word: format!("{} not there", numbers::count(missing)).into(),
        });
    }
    counted
}

/// The runs with those between them that should have been there, the oldest first. Beside each bar the number of
/// missing runs that it stands for.
fn bars(loaded: &Loaded, newest: &[RunLine], axis: &Axis, times: &Times, now_ms: i64) -> Vec<(Bar, i64)> {
    let mut bars = Vec::with_capacity(WIDE_RUNS);
    let flow_id = &loaded.flow().record.id;
    let runs = newest.iter().rev().map(|run| (run.started_at, run));
    for placed in with_missed(runs, &expected(loaded)) {
        match placed {
            Placed::Run(run) => bars.push((bar(flow_id, run, axis, times, now_ms), 0)),
            Placed::Missed(missed) => bars.extend(absent(missed, Status::Waiting, times)),
            Placed::Late(late) => bars.extend(absent(late, Status::Late, times)),
        }
    }
    bars
}

fn expected(loaded: &Loaded) -> Expected<'_> {
    let rhythm = loaded.rhythm();
    match &loaded.head.judgement {
        Some(judgement) => Expected::of(rhythm, judgement, loaded.judged_at),
        None => Expected {
            rhythm,
            ..Expected::default()
        },
    }
}

fn absent(missed: Missed, status: Status, times: &Times) -> impl Iterator<Item = (Bar, i64)> {
    let drawn = missed.count.min(ABSENT_IN_A_ROW);
    missed.moments(ABSENT_IN_A_ROW).zip(1..).map(move |(at, nth)| {
        let at = times.at(at);
        let more = if nth == drawn { missed.count - drawn } else { 0 };
        let others = match more {
            0 => String::new(),
            more => format!("; {} more after it", numbers::count(more)),
        };
        let bar = Bar {
            href: None,
            label: format!("no run at {}, when one was expected{others}", at.local()),
            day: at.day().to_string(),
            value: 0.0,
            status,
        };
        (bar, more + 1)
    })
}

fn bar(flow_id: &str, run: &RunLine, axis: &Axis, times: &Times, now_ms: i64) -> Bar {
    let started = times.at(run.started_at);
    let word = view::outcome_badge(run.outcome, &run.status).word.to_lowercase();
    let so_far = run
        .outcome
        .is_going_on()
        .then(|| now_ms.saturating_sub(run.started_at));
    let lasted = run.duration_ms.or(so_far);
    let mut label = format!("{}, {word}", started.local());
    // Writing to a string cannot fail.
    if let Some(lasted) = lasted {
        let _ = write!(label, ", {}", numbers::duration(lasted));
    }
    if let Some(records) = run.records_out.filter(|_| axis.measure == Measure::Records) {
        let _ = write!(label, ", {} records", numbers::count(records));
    }
    let value = match axis.measure {
        Measure::Duration => lasted,
        Measure::Records => run.records_out,
    };
    Bar {
        href: Some(format!("/flows/{}/runs/{}", flow_id, run.id)),
        label,
        day: started.day().to_string(),
        value: axis.place(value.unwrap_or(0)),
        status: view::outcome_status(run.outcome),
    }
}
