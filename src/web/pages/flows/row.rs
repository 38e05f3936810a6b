//! A flow in a list.

use super::view::{Badge, badge_of_state, count, outcome_badge, source_name};
use crate::domain::health::{Expected, NEVER_READ, Wanted, judged_at};
use crate::domain::schedule::cadence;
use crate::store::StoreError;
use crate::store::flow_lists::ListedFlow;
use crate::web::charts::strip::Strip;
use crate::web::health_view::HealthView;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// A flow with how it does and its last runs, for the macros of `components/flow_table.html`.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct FlowRow {
    pub(in crate::web::pages) id: String,
    pub(in crate::web::pages) name: String,
    pub(in crate::web::pages) environment: String,
    pub(in crate::web::pages) connector: &'static str,
    /// Only where it is another one than enabled.
    pub(in crate::web::pages) state: Option<Badge>,
    pub(in crate::web::pages) status: Status,
    /// How it does, in a word.
    pub(in crate::web::pages) word: &'static str,
    /// And why, in a sentence.
    pub(in crate::web::pages) reason: String,
    pub(in crate::web::pages) schedule: String,
    pub(in crate::web::pages) last_run: Option<(Badge, TimeView)>,
    /// Records of the last run.
    pub(in crate::web::pages) records: String,
    pub(in crate::web::pages) strip: Strip,
    pub(in crate::web::pages) next_run: Option<TimeView>,
    /// Its page, and what people call it.
    pub(in crate::web::pages) template: Option<(String, String)>,
    pub(in crate::web::pages) owner: Option<String>,
}

impl FlowRow {
    /// At `now_ms` (UTC epoch milliseconds).
    ///
    /// # Errors
    /// What is stored of its health cannot be read.
    pub(in crate::web::pages) fn new(
        flow: ListedFlow,
        times: &Times,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let (health, wanted) = (flow.health()?, flow.wanted()?);
        let moment = judged_at(now_ms, flow.runs_read_at);
        let off_since = wanted
            .as_ref()
            .and_then(Wanted::off_since_at)
            .map(|at| times.at(at));
        let (status, word, reason) = health.as_ref().map_or_else(
            || {
                let reason = "It is judged as soon as something about it changes.".to_owned();
                (Status::Unknown, "Not judged yet", reason)
            },
            |health| {
                let view = HealthView::new(&health.judgement, times, moment);
                let view = view.of_flow(&flow.state, flow.gone_at.is_some(), off_since);
                (view.status, view.word, view.in_a_list())
            },
        );
        let last = flow.last_run_outcome.zip(flow.last_run_at);
        let last_run = health.as_ref().and_then(|health| health.recent.last());
        let records = last_run
            .filter(|run| Some(run.started_at) == flow.last_run_at)
            .and_then(|run| run.records_out);
        let rhythm = wanted.and_then(|wanted| flow.rhythm(wanted));
        let mut strip = health.as_ref().map_or_else(
            || Strip::new(&[], &Expected::default()),
            |health| Strip::new(&health.recent, &Expected::of(rhythm, &health.judgement, moment)),
        );
        if moment == NEVER_READ && flow.last_run_at.is_none() {
            strip.label = "Runs not read yet".to_owned();
        }
        let template = flow.template_id.zip(flow.template_name).map(|(id, name)| {
            let version = flow.template_version.unwrap_or(1);
            (
                format!("/templates/{id}/versions/{version}"),
                format!("{name}, version {version}"),
            )
        });
        Ok(Self {
            state: (flow.gone_at.is_some() || flow.state != "enabled")
                .then(|| badge_of_state(&flow.state, flow.gone_at.is_some())),
            connector: source_name(flow.connector.as_deref()),
            schedule: flow.frequency.as_deref().map_or_else(
                || "not known".to_owned(),
                |unit| cadence(unit, flow.interval_count),
            ),
            last_run: last.map(|(outcome, at)| (outcome_badge(outcome, ""), times.at(at))),
            records: count(records).to_string(),
            next_run: flow.next_run_at.map(|at| times.at(at)),
            id: flow.id,
            name: flow.name,
            environment: flow.environment_name,
            status,
            word,
            reason,
            strip,
            template,
            owner: flow.owner_name,
        })
    }
}
