//! What Adobe's JSON of a run says, ready to be shown: stages on a common axis, errors by code, files.

use serde_json::Value;

use super::view::{self, Badge};
use crate::history::run_errors::{self, ErrorGroup};
use crate::history::stages::{self, Stage};
use crate::store::runs::Run;
use crate::web::explained::Explained;
use crate::web::numbers;
use crate::web::times::{TimeView, Times};

/// Bytes of the JSON that stand folded on the run's page; all of it has a page of its own.
const RAW_BYTES: usize = 16 * 1024;
/// Width of the axis of the stages, in units of the drawing.
const AXIS: f64 = 1000.0;
/// A stage is never invisible.
const LEAST_WIDTH: f64 = 4.0;

/// What the document of one run says.
pub(super) struct RunDocument {
    pub(super) stages: Vec<StageView>,
    /// Both ends of the axis of the stages; none: no stage tells its times.
    pub(super) axis: Option<(TimeView, TimeView)>,
    pub(super) errors: Vec<ErrorView>,
    pub(super) files: Vec<(String, String)>,
    pub(super) more_files: String,
    /// What is there, and the address at the platform.
    pub(super) addresses: Vec<(&'static str, String)>,
    pub(super) raw: String,
    pub(super) raw_is_cut: bool,
}

/// One stage.
pub(super) struct StageView {
    pub(super) name: String,
    pub(super) badge: Badge,
    pub(super) started: Option<TimeView>,
    pub(super) ended: Option<TimeView>,
    pub(super) duration: String,
    /// Left edge and width of its bar.
    pub(super) bar: Option<(f64, f64)>,
    pub(super) is_going_on: bool,
    /// "2 files read", "1.2 MB read", "100 records stored".
    pub(super) counts: Vec<String>,
    pub(super) batch_ids: Vec<String>,
}

/// All errors with one code.
pub(super) struct ErrorView {
    pub(super) group: ErrorGroup,
    /// What we know about the code.
    pub(super) title: Option<&'static str>,
    /// The page about it.
    pub(super) href: String,
    /// "3 times, 12 records, in Load into the dataset".
    pub(super) facts: String,
}

impl RunDocument {
    /// `raw` is the platform's JSON; whatever it is, this is bounded.
    pub(super) fn new(raw: &str, run: &Run, times: &Times, now_ms: i64) -> Self {
        let document: Value = serde_json::from_str(raw).unwrap_or_default();
        let stages = stages::stages(&document);
        let axis = Axis::new(&stages, run, now_ms);
        let files = stages::files(&document);
        let (raw, raw_is_cut) = view::pretty_beginning(raw, RAW_BYTES);
        Self {
            stages: stages
                .into_iter()
                .map(|stage| StageView::new(stage, axis.as_ref(), times))
                .collect(),
            axis: axis.map(|axis| (times.at(axis.from_at), times.at(axis.to_at))),
            errors: run_errors::errors_by_code(&document)
                .into_iter()
                .map(ErrorView::new)
                .collect(),
            files: files
                .named
                .into_iter()
                .map(|(path, size)| {
                    (
                        path,
                        size.map_or_else(String::new, |size| view::bytes(Some(size)).to_string()),
                    )
                })
                .collect(),
            more_files: match files.more {
                0 => String::new(),
                more => count(more),
            },
            addresses: files.addresses,
            raw,
            raw_is_cut,
        }
    }
}

fn count(number: usize) -> String {
    numbers::count(i64::try_from(number).unwrap_or(i64::MAX)).to_string()
}

/// The time that all stages together take (UTC epoch milliseconds).
struct Axis {
    from_at: i64,
    to_at: i64,
    is_going_on: bool,
}

impl Axis {
    fn new(stages: &[Stage], run: &Run, now_ms: i64) -> Option<Self> {
        let is_going_on = !run.outcome.is_final();
        let now = is_going_on.then_some(now_ms);
        let starts = stages.iter().filter_map(|stage| stage.started_at);
        let from_at = starts.clone().chain([run.started_at]).min()?;
        let ends = stages.iter().filter_map(|stage| stage.completed_at);
        let to_at = ends
            .chain(starts.clone())
            .chain(run.completed_at)
            .chain(now)
            .max()?;
        (starts.count() > 0 && to_at > from_at).then_some(Self {
            from_at,
            to_at,
            is_going_on,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing of a thousand units")]
    fn place(&self, at: i64) -> f64 {
        let share = at.saturating_sub(self.from_at) as f64 / self.to_at.saturating_sub(self.from_at) as f64;
        (share.clamp(0.0, 1.0) * AXIS).round()
    }

    /// A stage without an end goes on; where the run has ended, nobody knows until when it did.
    fn bar(&self, stage: &Stage) -> Option<(f64, f64)> {
        let from = self.place(stage.started_at?);
        let ended_at = stage.completed_at.or(self.is_going_on.then_some(self.to_at));
        let to = ended_at.map_or(from, |at| self.place(at));
        let width = (to - from).max(LEAST_WIDTH);
        Some((from.min(AXIS - width), width))
    }
}

impl StageView {
    fn new(stage: Stage, axis: Option<&Axis>, times: &Times) -> Self {
        let lasted = stage
            .started_at
            .zip(stage.completed_at)
            .map(|(from, to)| to.saturating_sub(from).max(0));
        Self {
            badge: view::outcome_badge(stage.outcome, &stage.status),
            started: stage.started_at.map(|at| times.at(at)),
            ended: stage.completed_at.map(|at| times.at(at)),
            duration: lasted.map_or_else(String::new, |ms| numbers::duration(ms).to_string()),
            bar: axis.and_then(|axis| axis.bar(&stage)),
            is_going_on: stage.completed_at.is_none() && !stage.outcome.is_final(),
            counts: counts(&stage),
            name: stage.name,
            batch_ids: stage.batch_ids,
        }
    }
}

fn counts(stage: &Stage) -> Vec<String> {
    let number = |told: Option<i64>, one: &str, many: &str| {
        told.map(|count| {
            let noun = if count == 1 { one } else { many };
            format!("{} {noun}", numbers::count(count))
        })
    };
    let size = |told: Option<i64>, did: &str| told.map(|bytes| format!("{} {did}", view::bytes(Some(bytes))));
    [
        number(stage.files_in, "file read", "files read"),
        size(stage.bytes_in, "read"),
        number(stage.records_in, "record read", "records read"),
        number(stage.records_out, "record stored", "records stored"),
        number(stage.records_failed, "record rejected", "records rejected"),
        number(stage.records_skipped, "record left out", "records left out"),
        number(stage.files_out, "file written", "files written"),
        size(stage.bytes_out, "written"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl ErrorView {
    fn new(group: ErrorGroup) -> Self {
        let times = match group.times {
            1 => "Told once".to_owned(),
            many => format!("Told {} times", count(many)),
        };
        let records = match group.records {
            None => String::new(),
            Some(1) => ", 1 record".to_owned(),
            Some(many) => format!(", {} records", numbers::count(many)),
        };
        let stages: Vec<&str> = group.stages.iter().map(String::as_str).collect();
        let stages = match stages.join(", ") {
            names if names.is_empty() => String::new(),
            names => format!(", by the stage \u{201c}{names}\u{201d}"),
        };
        let explained = Explained::new(&group.code, "");
        Self {
            href: explained.href(),
            title: explained.failure.map(|failure| failure.title.as_str()),
            facts: format!("{times}{records}{stages}."),
            group,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunOutcome;
    use askama::Template;
    use proptest::prelude::*;
    use serde_json::json;

    /// Most bytes of markup that one document may become.
    const MARKUP_BYTES: usize = 400_000;

    #[derive(Template)]
    #[template(source = r#"{% include "flows/run_document.html" %}"#, ext = "html")]
    struct Part {
        document: RunDocument,
        is_final: bool,
    }

    fn run(outcome: RunOutcome) -> Run {
        Run {
            environment_id: "e".into(),
            id: "r".into(),
            flow_id: "f".into(),
            status: "success".into(),
            outcome,
            started_at: 1_772_323_200_000,
            completed_at: None,
            duration_ms: None,
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

    fn document(raw: &str, outcome: RunOutcome) -> RunDocument {
        let now = 1_772_323_800_000;
        RunDocument::new(raw, &run(outcome), &Times::new("Europe/Paris", now), now)
    }

    fn markup(raw: &str, outcome: RunOutcome) -> String {
        let part = Part {
            document: document(raw, outcome),
            is_final: outcome.is_final(),
        };
        part.render().expect("markup")
    }

    fn two_stages(second: &Value) -> String {
        let at = |minutes: i64| 1_772_323_200_000 + minutes * 60_000;
        json!({"activities": [
            {"id": "copyActivity", "durationSummary": {"startedAtUTC": at(0), "completedAtUTC": at(2)}},
            {"id": "promotionActivity", "durationSummary": {"startedAtUTC": at(2), "completedAtUTC": second}},
        ]})
        .to_string()
    }

    #[test]
    fn stages_stand_on_one_axis() {
        let bars = |raw: &str, outcome| -> Vec<_> {
            let stages = document(raw, outcome).stages;
            stages.iter().map(|stage| stage.bar).collect()
        };
        let ended = two_stages(&json!(1_772_323_200_000_i64 + 8 * 60_000));
        assert_eq!(
            bars(&ended, RunOutcome::Succeeded),
            [Some((0.0, 250.0)), Some((250.0, 750.0))]
        );
        let going_on = two_stages(&Value::Null);
        assert_eq!(
            bars(&going_on, RunOutcome::Running),
            [Some((0.0, 200.0)), Some((200.0, 800.0))],
            "until now, ten minutes after the start"
        );
        assert_eq!(
            bars(&going_on, RunOutcome::Failed),
            [Some((0.0, 1000.0)), Some((996.0, 4.0))],
            "nobody knows how long the second one took"
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let keys = [
            "activities",
            "activites",
            "metrics",
            "id",
            "name",
            "statusSummary",
            "status",
            "errors",
            "extensions",
            "code",
            "message",
            "recordCount",
            "durationSummary",
            "startedAtUTC",
            "completedAtUTC",
            "fileSummary",
            "manifest",
            "fileInfo",
            "path",
            "pathPrefix",
            "outputBytes",
            "recordSummary",
            "failedRecordCount",
            "sizeSummary",
            "inputBytes",
            "targetInfo",
            "reference",
            "type",
            "ids",
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::sample::select(vec![-1_i64, 0, 1, 1_772_323_200, 1_772_323_200_000]).prop_map(Value::from),
            ".{0,30}".prop_map(Value::from),
            Just(Value::from("<script>alert(1)</script>")),
            Just(Value::from("x".repeat(1_000))),
        ];
        leaf.prop_recursive(6, 96, 8, move |inner| {
            let key = prop::sample::select(keys.to_vec()).prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        // Each case parses and renders in a build without optimisation.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_adobe_says_is_shown_escaped_and_bounded(raw in any_json(), outcome in prop::sample::select(RunOutcome::ALL)) {
            let markup = markup(&raw.to_string(), outcome);
            prop_assert!(markup.len() < MARKUP_BYTES, "{}", markup.len());
            prop_assert!(!markup.contains("<script"), "{}", markup);
        }

        #[test]
        fn whatever_is_stored_is_shown(raw in ".{0,400}") {
            prop_assert!(markup(&raw, RunOutcome::Unknown).len() < MARKUP_BYTES);
        }
    }

    #[test]
    fn a_huge_document_is_bounded() {
        let long = "<&\u{1f600}".repeat(500);
        let error = json!({"code": long, "message": long});
        let activity = json!({"name": long, "statusSummary": {"status": long, "errors": vec![error; 20]},
            "targetInfo": [{"reference": {"type": "Batch", "ids": vec![long.as_str(); 50]}}]});
        let files = vec![json!({"path": long}); 300];
        let huge = json!({"activities": vec![activity; 50], "metrics": {"fileSummary": {"manifest": {"fileInfo": files}}}});
        let markup = markup(&huge.to_string(), RunOutcome::Failed);
        assert!(markup.len() < 2 * MARKUP_BYTES, "{}", markup.len());
    }
}
