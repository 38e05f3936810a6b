//! `GET /flows/{id}/status`: the part of a flow's page that follows it.

use std::hash::{DefaultHasher, Hash, Hasher};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::show::{AWAITED, Shown, load};
use super::view::{self, Badge, RunRow};
use crate::domain::{Role, RunOutcome};
use crate::store::flows::Flow;
use crate::store::runs::Run;
use crate::web::charts::run_chart::{Bar, RunChart, WIDE_RUNS};
use crate::web::error::PageError;
use crate::web::numbers;
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Seconds between two looks while something is going on.
const LIVELY_SECONDS: u32 = 3;
/// Seconds between two looks else.
const QUIET_SECONDS: u32 = 15;
/// A first run that is not seen so long after it was due is late, in milliseconds. Adobe shows runs two to three
/// minutes after they began.
const FIRST_RUN_GRACE_MS: i64 = 15 * 60_000;
/// A run that takes so many times as long as usual may be stuck.
const STUCK_FACTOR: i64 = 3;
/// Finished runs from which on there is something usual.
const USUAL_FROM_RUNS: usize = 5;

#[derive(Template)]
#[template(path = "flows/status.html")]
struct FlowStatusFragment {
    csrf: String,
    live: Live,
    runs: RunsView,
    runs_changed: bool,
    swap_other_places: bool,
}

/// What the page showed when it asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusQuery {
    version: String,
    runs: String,
}

/// How a flow stands now.
pub(super) struct Live {
    pub(super) flow_id: String,
    pub(super) state: Badge,
    pub(super) last_run: Option<Badge>,
    pub(super) freshness: Freshness,
    pub(super) waiting: Option<Waiting>,
    pub(super) running: Option<Running>,
    pub(super) trouble: Option<RunRow>,
    /// The operation that the person may ask for, as in the route, with the words of its button.
    pub(super) switch: Option<(&'static str, &'static str)>,
    pub(super) poll_seconds: u32,
    /// Changes whenever anything here does.
    pub(super) version: String,
}

/// No run has been seen yet.
pub(super) struct Waiting {
    pub(super) expected: Option<TimeView>,
    pub(super) is_late: bool,
}

/// A run is going on.
pub(super) struct Running {
    pub(super) run_id: String,
    pub(super) since: TimeView,
    /// How long runs usually take, when this one takes much longer.
    pub(super) usually: Option<String>,
}

/// The last runs, as a chart and as a table.
pub(super) struct RunsView {
    pub(super) flow_id: String,
    pub(super) chart: Option<RunChart>,
    /// How many of the drawn runs ended how.
    pub(super) counts: Vec<Badge>,
    pub(super) unit: &'static str,
    pub(super) rows: Vec<RunRow>,
    /// Where the older runs are.
    pub(super) older: Option<String>,
    /// Whether there can be no runs, because none were ever read.
    pub(super) are_known: bool,
    /// Changes whenever anything here does.
    pub(super) version: String,
}

/// The part that follows the flow, for htmx; 204 when the page shows it already.
pub async fn status(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<StatusQuery>,
) -> Result<Response, PageError> {
    let Some(shown) = load(&state, &visit, &id, None).await? else {
        // The page of a flow that was made a moment ago waits for it.
        let awaited = query.version == AWAITED;
        return if awaited {
            Ok(StatusCode::NO_CONTENT.into_response())
        } else {
            Err(PageError::not_found())
        };
    };
    if query.version == AWAITED {
        return Ok((StatusCode::NO_CONTENT, [("HX-Refresh", "true")]).into_response());
    }
    let (live, runs) = (Live::new(&shown, &visit), RunsView::new(&shown, &visit));
    if live.version == query.version && runs.version == query.runs {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    page(&FlowStatusFragment {
        csrf: visit.session.csrf.expose_secret().to_owned(),
        runs_changed: runs.version != query.runs,
        live,
        runs,
        swap_other_places: true,
    })
}

impl Live {
    pub(super) fn new(shown: &Shown, visit: &Visit) -> Self {
        let (flow, times, now) = (&shown.flow, visit.times(), visit.now_ms);
        let last = shown.runs.first();
        let waiting = waiting(shown, &times, now);
        let running = shown.runs.iter().find(|run| run.outcome == RunOutcome::Running);
        let is_lively = waiting.is_some() || shown.runs.iter().any(|run| !run.outcome.is_final());
        let troubled = |run: &&Run| matches!(run.outcome, RunOutcome::Failed | RunOutcome::Partial);
        let mut live = Self {
            flow_id: flow.record.id.clone(),
            state: view::state_badge(flow),
            last_run: last.map(|run| view::outcome_badge(run.outcome, &run.status)),
            freshness: shown.freshness.clone(),
            running: running.map(|run| Running::new(run, &shown.runs, &times, now)),
            trouble: last.filter(troubled).map(|run| RunRow::new(run, &times)),
            switch: switch(flow).filter(|_| visit.may(Role::Editor)),
            poll_seconds: if is_lively { LIVELY_SECONDS } else { QUIET_SECONDS },
            version: String::new(),
            waiting,
        };
        live.version = live.fingerprint(shown);
        live
    }

    /// Where the page asks whether anything differs from what it shows.
    pub(super) fn next_look(&self, runs: &RunsView) -> String {
        format!(
            "/flows/{}/status?version={}&runs={}",
            self.flow_id, self.version, runs.version
        )
    }

    fn fingerprint(&self, shown: &Shown) -> String {
        let failing = self.freshness.failing.iter().map(|failing| &failing.problem);
        fingerprint((
            (
                &self.state.word,
                self.poll_seconds,
                shown.runs.first().map(run_key),
            ),
            (
                self.freshness.read_at.as_ref().map(TimeView::iso),
                failing.collect::<Vec<_>>(),
            ),
            self.waiting.as_ref().map(|waiting| waiting.is_late),
            self.running
                .as_ref()
                .map(|running| (&running.run_id, running.usually.is_some())),
        ))
    }
}

/// What a person can do to the flow as it stands.
fn switch(flow: &Flow) -> Option<(&'static str, &'static str)> {
    match flow.record.state.as_str() {
        _ if flow.gone_at.is_some() => None,
        "enabled" => Some(("disable", "Disable flow")),
        "disabled" => Some(("enable", "Enable flow")),
        _ => None,
    }
}

fn waiting(shown: &Shown, times: &Times, now_ms: i64) -> Option<Waiting> {
    if !shown.runs.is_empty() || !shown.runs_are_known() || !view::is_on(&shown.flow) {
        return None;
    }
    let start_at = shown.flow.record.start_at;
    Some(Waiting {
        expected: start_at.map(|at| times.at(at)),
        is_late: start_at.is_some_and(|at| at + FIRST_RUN_GRACE_MS < now_ms),
    })
}

impl Running {
    fn new(run: &Run, runs: &[Run], times: &Times, now_ms: i64) -> Self {
        let usual = usual(runs).map(|(_, median, _)| median);
        let is_stuck = |median: &i64| now_ms - run.started_at > median.saturating_mul(STUCK_FACTOR);
        Self {
            run_id: run.id.clone(),
            since: times.at(run.started_at),
            usually: usual.filter(is_stuck).map(numbers::duration),
        }
    }
}

impl RunsView {
    pub(super) fn new(shown: &Shown, visit: &Visit) -> Self {
        let times = visit.times();
        let drawn = &shown.runs[..shown.runs.len().min(WIDE_RUNS)];
        let longest = drawn.iter().filter_map(|run| run.duration_ms).max().unwrap_or(0);
        let (unit, unit_ms) = if longest < 120_000 {
            ("seconds", 1_000.0)
        } else {
            ("minutes", 60_000.0)
        };
        let count = |status: Status| {
            drawn
                .iter()
                .filter(|run| view::outcome_status(run.outcome) == status)
                .count()
        };
        let counted = Status::ALL.into_iter().map(|status| (status, count(status)));
        let badge = |(status, count): (Status, usize)| Badge {
            status,
            word: format!("{count} {}", status.word().to_lowercase()),
        };
        let keys: Vec<_> = shown.runs.iter().map(run_key).collect();
        Self {
            flow_id: shown.flow.record.id.clone(),
            chart: (!drawn.is_empty()).then(|| chart(drawn, unit, unit_ms, &times, visit.now_ms)),
            counts: counted.filter(|(_, count)| *count > 0).map(badge).collect(),
            unit,
            rows: shown.runs.iter().map(|run| RunRow::new(run, &times)).collect(),
            older: shown.older.clone(),
            are_known: shown.runs_are_known(),
            version: fingerprint((keys, shown.runs_are_known())),
        }
    }
}

fn run_key(run: &Run) -> (&str, &str, i64, i64) {
    (&run.id, &run.status, run.platform_updated_at, run.read_at)
}

fn fingerprint(value: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Lower quartile, median and upper quartile of the durations of good runs, if there are enough of them.
fn usual(runs: &[Run]) -> Option<(i64, i64, i64)> {
    let good = runs.iter().filter(|run| run.outcome == RunOutcome::Succeeded);
    let mut durations: Vec<i64> = good.filter_map(|run| run.duration_ms).collect();
    durations.sort_unstable();
    let at = |quarters: usize| durations[(durations.len() - 1) * quarters / 4];
    (durations.len() >= USUAL_FROM_RUNS).then(|| (at(1), at(2), at(3)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations are far below 2^52 milliseconds"
)]
fn chart(newest_first: &[Run], unit: &str, unit_ms: f64, times: &Times, now_ms: i64) -> RunChart {
    let bars: Vec<Bar> = newest_first
        .iter()
        .rev()
        .map(|run| {
            let started = times.at(run.started_at);
            let lasted = run.duration_ms.unwrap_or(if run.outcome.is_final() {
                0
            } else {
                now_ms - run.started_at
            });
            let word = view::outcome_badge(run.outcome, &run.status).word.to_lowercase();
            Bar {
                href: format!("/flows/{}/runs/{}", run.flow_id, run.id),
                label: format!("{}, {word}, {}", started.local(), view::duration(run)),
                day: started.day(),
                value: lasted.max(0) as f64 / unit_ms,
                status: view::outcome_status(run.outcome),
            }
        })
        .collect();
    let usual = usual(newest_first).map(|(from, _, to)| (from as f64 / unit_ms, to as f64 / unit_ms));
    let title = format!("Last {} runs, duration in {unit}", bars.len());
    let description = format!("{title}, the newest at the right. The table below holds the same runs.");
    RunChart::new("runs", title, description, &bars, usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(outcome: RunOutcome, duration_ms: Option<i64>) -> Run {
        Run {
            environment_id: "e".into(),
            id: "r".into(),
            flow_id: "f".into(),
            status: "success".into(),
            outcome,
            started_at: 1_000_000,
            completed_at: None,
            duration_ms,
            records_in: None,
            records_out: None,
            records_failed: None,
            files_in: None,
            bytes_in: None,
            bytes_out: None,
            error_code: None,
            error_message: None,
            window_start_at: None,
            window_end_at: None,
            platform_updated_at: 0,
            read_at: 0,
            ended_at: None,
            gone_at: None,
        }
    }

    #[test]
    fn the_usual_is_told_from_good_runs_only_and_from_enough() {
        let mut runs: Vec<Run> = [50, 10, 40, 20]
            .map(|ms| run(RunOutcome::Succeeded, Some(ms)))
            .into();
        runs.push(run(RunOutcome::Failed, Some(9_999)));
        assert_eq!(usual(&runs), None);
        runs.push(run(RunOutcome::Succeeded, Some(30)));
        assert_eq!(usual(&runs), Some((20, 30, 40)));
    }

    #[test]
    fn a_run_is_stuck_after_three_times_the_usual() {
        let mut runs = vec![run(RunOutcome::Succeeded, Some(60_000)); 5];
        runs.insert(0, run(RunOutcome::Running, None));
        let times = Times::new("UTC", 0);
        let at = |now_ms| Running::new(&runs[0], &runs, &times, now_ms).usually;
        assert_eq!(at(1_000_000 + 180_000), None);
        assert_eq!(at(1_000_000 + 180_001).as_deref(), Some("1 min"));
    }
}
