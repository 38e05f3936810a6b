//! `GET /flows/{id}/status`: the part of a flow's page that follows it.

use std::hash::{BuildHasher, Hash};

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use foldhash::fast::FixedState;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::asking::{self, Ask};
use super::changes::ChangeView;
use super::loaded::{Loaded, load};
use super::runs_view::{Measure, RunsView};
use super::show::AWAITED;
use super::view::{self, Badge, RunRow};
use crate::domain::Role;
use crate::domain::RunOutcome;
use crate::domain::health::Health;
use crate::store::flows::Flow;
use crate::store::runs::RunLine;
use crate::web::error::PageError;
use crate::web::health_view::{self, HealthView};
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::state::AppState;
use crate::web::times::{TimeView, Times};
use crate::web::visit::Visit;

/// Seconds between two looks while something is going on.
const LIVELY_SECONDS: u32 = 15;
/// Seconds between two looks else.
const QUIET_SECONDS: u32 = 60;

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
    chart: Measure,
}

/// How a flow stands now.
pub(super) struct Live {
    pub(super) flow_id: String,
    pub(super) state: Badge,
    pub(super) gone: Option<TimeView>,
    pub(super) health: Option<HealthView>,
    pub(super) freshness: Freshness,
    /// No run has been seen yet.
    pub(super) has_no_run: bool,
    pub(super) running: Option<Running>,
    pub(super) trouble: Option<Trouble>,
    /// Failed runs whose files have not come.
    pub(super) missing: Option<Missing>,
    /// The operation that the person may ask for, as in the route, with the words of its button.
    pub(super) switch: Option<(&'static str, &'static str)>,
    measure: Measure,
    pub(super) poll_seconds: u32,
    /// Changes whenever anything here does.
    pub(super) version: String,
}

/// A run is going on.
pub(super) struct Running {
    pub(super) run_id: String,
    pub(super) since: TimeView,
}

/// The last run that ended did not bring everything.
pub(super) struct Trouble {
    /// Which run it is: see [`HealthView::of_run`].
    pub(super) of_run: &'static str,
    pub(super) run: RunRow,
    pub(super) change: Option<ChangeView>,
    /// To how many of the last runs that applies, and the code of the one before them, where it is another.
    pub(super) only_the_last: Option<(usize, String)>,
    /// Running it again.
    pub(super) again: Option<Ask>,
}

/// Failed runs whose files no later run has brought.
pub(super) struct Missing {
    /// How many of how many.
    pub(super) heading: String,
    pub(super) count: usize,
    /// The newest of them: the end of the address, and the start.
    pub(super) newest: Vec<(String, TimeView)>,
    /// How many others there are.
    pub(super) more: usize,
    /// How many more runs failed of which Adobe does not tell the files.
    pub(super) untold: usize,
    pub(super) may_repeat: bool,
}

/// The part that follows the flow, for htmx; 204 when the page shows it already.
pub async fn status(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(query): Query<StatusQuery>,
) -> Result<Response, PageError> {
    let Some(mut loaded) = load(&state, &visit, &id, None, query.chart).await? else {
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
    let (live, runs) = (Live::new(&loaded, &visit), RunsView::new(&mut loaded, &visit));
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
    pub(super) fn new(loaded: &Loaded, visit: &Visit) -> Self {
        let (flow, times) = (loaded.flow(), visit.times());
        // Without a reading nobody knows that there was no run.
        let is_known = loaded.runs_are_known() || !loaded.runs.is_empty();
        let judgement = loaded.head.judgement.as_ref().filter(|_| is_known);
        let health = judgement.map(|judged| {
            let view = HealthView::new(judged, &times, loaded.judged_at);
            let version = loaded.head.version.as_ref();
            let off_since = version.and_then(|version| version.wanted.off_since_at());
            let off_since = off_since.map(|at| times.at(at));
            view.of_flow(&flow.record.state, flow.gone_at.is_some(), off_since)
        });
        let running = loaded.runs.iter().find(|run| run.outcome == RunOutcome::Running);
        let is_first_awaited = health
            .as_ref()
            .is_some_and(|health| health.health == Health::Waiting);
        let is_lively = is_first_awaited || loaded.runs.iter().any(|run| run.outcome.is_going_on());
        let mut live = Self {
            flow_id: flow.record.id.clone(),
            state: view::state_badge(flow),
            gone: flow.gone_at.map(|at| times.at(at)),
            freshness: loaded.freshness.clone(),
            has_no_run: loaded.runs.is_empty(),
            running: running.map(|run| Running::new(run, &times)),
            trouble: Trouble::of(loaded, visit, &times),
            missing: Missing::of(loaded, visit, &times),
            switch: switch(flow).filter(|_| visit.may(Role::Editor)),
            measure: loaded.measure,
            poll_seconds: if is_lively { LIVELY_SECONDS } else { QUIET_SECONDS },
            version: String::new(),
            health,
        };
        live.version = live.fingerprint(loaded);
        live
    }

    /// Where the page asks whether anything differs from what it shows.
    pub(super) fn next_look(&self, runs: &RunsView) -> String {
        format!(
            "/flows/{}/status?version={}&runs={}&chart={}",
            self.flow_id,
            self.version,
            runs.version,
            self.measure.word()
        )
    }

    /// The state that a note explains, instead of the line beside the badges.
    pub(super) fn noted(&self) -> Option<&HealthView> {
        self.health.as_ref().filter(|health| {
            let on_its_own = matches!(health.health, Health::Well | Health::Off | Health::Running);
            !on_its_own
        })
    }

    /// Whether that is how the flow does; else, being off or late says more about it.
    pub(super) fn is_in_trouble(&self) -> bool {
        let health = self.health.as_ref().map(|health| health.health);
        matches!(health, Some(Health::Failed | Health::Partial))
    }

    fn fingerprint(&self, loaded: &Loaded) -> String {
        let failing = self.freshness.failing.iter().map(|failing| &failing.problem);
        let filling = self
            .freshness
            .being_filled
            .iter()
            .filter_map(|filling| filling.problem.as_ref());
        let problems = failing.chain(filling).map(|problem| {
            let next_try = problem.next_try.as_ref().map(|at| at.iso().to_string());
            (&problem.words, next_try)
        });
        fingerprint((
            (&self.state.word, self.poll_seconds, self.gone.is_some()),
            loaded.runs.first(),
            self.freshness.read_at.as_ref().map(|at| at.iso().to_string()),
            problems.collect::<Vec<_>>(),
            self.health.as_ref().map(|health| (health.word, &health.reason)),
            self.running.as_ref().map(|running| &running.run_id),
            (
                loaded.head.version.as_ref().map(|version| version.number),
                self.missing
                    .as_ref()
                    .map(|missing| (missing.count, missing.untold)),
                loaded
                    .head
                    .judgement
                    .as_ref()
                    .map(|judged| &judged.lost.newest_at),
            ),
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

impl Running {
    fn new(run: &RunLine, times: &Times) -> Self {
        Self {
            run_id: run.id.clone(),
            since: times.at(run.started_at),
        }
    }
}

impl Trouble {
    fn of(loaded: &Loaded, visit: &Visit, times: &Times) -> Option<Self> {
        let ended: Vec<&RunLine> = loaded.ended_by_schedule().collect();
        let run = *ended.first()?;
        if !matches!(run.outcome, RunOutcome::Failed | RunOutcome::Partial) {
            return None;
        }
        let alike = ended.iter().take_while(|one| one.error_code == run.error_code);
        let alike = alike.count();
        let another = ended.get(alike);
        let is_failed = run.outcome == RunOutcome::Failed;
        let is_running = loaded.runs.iter().any(|run| run.outcome.is_going_on());
        let again = || asking::run_again_at_a_glance(visit, loaded.flow(), is_running, run);
        let judgement = loaded.head.judgement.as_ref();
        Some(Self {
            of_run: health_view::of_run(judgement.is_some_and(|judged| judged.ends_with_old_files)),
            run: RunRow::new(run.clone(), times),
            change: loaded
                .change_before_trouble
                .as_ref()
                .map(|[new, old]| ChangeView::new(new, Some(old), times)),
            only_the_last: another
                .filter(|another| another.outcome == run.outcome)
                .map(|another| (alike, another.error_code.clone().unwrap_or_default())),
            again: is_failed.then(again),
        })
    }

    /// To which of the last runs the explanation applies, where the one before them has another.
    pub(super) fn only_the_last(&self) -> Option<String> {
        let (count, code) = self.only_the_last.as_ref()?;
        let these = match count {
            1 => "Only the last run says so".to_owned(),
            many => format!("Only the last {many} runs say so"),
        };
        Some(match code.as_str() {
            "" => format!("{these}: the one before gives no code."),
            code => format!("{these}: the one before gives {code}."),
        })
    }
}

impl Missing {
    fn of(loaded: &Loaded, visit: &Visit, times: &Times) -> Option<Self> {
        let lost = &loaded.head.judgement.as_ref()?.lost;
        // Their ids are at hand only of those that the page shows anyway.
        let shown = |at: i64| {
            let mut runs = loaded.runs.iter();
            runs.find(|run| run.outcome == RunOutcome::Failed && run.started_at == at)
        };
        let place = |at: i64| shown(at).map_or_else(|| format!("at/{at}"), |run| run.id.clone());
        let newest = lost.newest_at.iter();
        (lost.windows > 0).then(|| Self {
            heading: health_view::lost(lost, times),
            count: lost.windows,
            more: lost.windows.saturating_sub(lost.newest_at.len()),
            newest: newest.map(|at| (place(*at), times.at(*at))).collect(),
            untold: lost.untold,
            may_repeat: visit.may(Role::Editor),
        })
    }
}

/// A short text that is another when the value is.
pub(super) fn fingerprint(value: impl Hash) -> String {
    format!("{:016x}", FixedState::default().hash_one(value))
}
