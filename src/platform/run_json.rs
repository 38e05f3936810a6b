//! A run's JSON: what we take from it, and its text as it may be kept.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use super::endpoints::is_one_segment;
use super::error::{PlatformError, Service};
use super::loose::{self, Form, Loose, of_members};
use super::reply::clean;
use super::runs::{Run, RunError};
use super::wire;
use crate::vault::{is_harmless_json, mask};

/// The most of a word such as an error's code or a status, in bytes.
const WORD_LIMIT: usize = 100;
/// The most of an error text of a run, in bytes.
const ERROR_LIMIT: usize = 2048;
/// The most of any text in a run's JSON, in bytes.
const TEXT_LIMIT: usize = 8192;

type Text = Loose<Option<String>>;
type Whole = Loose<Option<i64>>;

/// An id is a text and not empty.
#[derive(Debug, Default)]
struct Id(Option<String>);

impl Form for Id {
    fn of_text(text: &str) -> Self {
        Self((!text.is_empty()).then(|| fit(text, TEXT_LIMIT).into_owned()))
    }
}

/// The parts of a run that we read (facts of Adobe's pages "Retrieve flow runs" and the API file).
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Document {
    id: Loose<Id>,
    flow_id: Loose<Id>,
    etag: Text,
    /// The run model of the older page and scheduled runs carry their status at the top.
    status: Text,
    state: Text,
    created_at: Whole,
    updated_at: Whole,
    metrics: Loose<Metrics>,
    activities: Loose<Vec<Loose<Activity>>>,
    /// One schema of the API file spells it so.
    activites: Loose<Vec<Loose<Activity>>>,
    params: Loose<Params>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metrics {
    duration_summary: Loose<DurationSummary>,
    record_summary: Loose<RecordSummary>,
    file_summary: Loose<FileSummary>,
    size_summary: Loose<SizeSummary>,
    status_summary: Loose<StatusSummary>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DurationSummary {
    #[serde(rename = "startedAtUTC")]
    started_at: Whole,
    #[serde(rename = "completedAtUTC")]
    completed_at: Whole,
    extensions: Loose<Window>,
}

/// What an activity took.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Window {
    window_start: Whole,
    window_end: Whole,
}

/// What an on-demand run was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Params {
    window_start_time: Whole,
    window_end_time: Whole,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RecordSummary {
    input_record_count: Whole,
    output_record_count: Whole,
    failed_record_count: Whole,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FileSummary {
    input_file_count: Whole,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SizeSummary {
    input_bytes: Whole,
    output_bytes: Whole,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusSummary {
    status: Text,
    errors: Loose<Vec<Loose<Problem>>>,
    extensions: Loose<MoreProblems>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MoreProblems {
    errors: Loose<Vec<Loose<Problem>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: Text,
    message: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Activity {
    duration_summary: Loose<DurationSummary>,
    status_summary: Loose<StatusSummary>,
}

of_members!(
    Document,
    Metrics,
    DurationSummary,
    Window,
    Params,
    RecordSummary,
    FileSummary,
    SizeSummary,
    StatusSummary,
    MoreProblems,
    Problem,
    Activity
);

impl Run {
    /// Reads a run leniently; only its id and its flow's id have to be there.
    ///
    /// # Errors
    /// [`PlatformError::Unreadable`] without them.
    pub fn from_json(json: &str) -> Result<Self, PlatformError> {
        let unreadable = |detail: &str| PlatformError::unreadable(Service::FlowService, detail);
        let Loose(read) = loose::read::<Loose<Document>>(json)
            .map_err(|_| unreadable("a run is no JSON that can be read"))?;
        let without = |key| unreadable(&format!("a run has no `{key}` that can be one"));
        let activities = if read.activities.is_empty() {
            &read.activites
        } else {
            &read.activities
        };
        let windows = || {
            activities
                .iter()
                .map(|activity| &activity.duration_summary.extensions)
        };
        let metrics = &read.metrics;
        let status = [&metrics.status_summary.status, &read.status, &read.state];
        let status = status.into_iter().find_map(|text| text.as_deref());
        let moment = |value: &Whole| value.and_then(wire::as_moment);
        let count = |value: &Whole| value.and_then(wire::as_count);
        Ok(Self {
            status: status
                .map(|text| fit(text, WORD_LIMIT).into_owned())
                .unwrap_or_default(),
            started_at: moment(&metrics.duration_summary.started_at),
            completed_at: moment(&metrics.duration_summary.completed_at),
            created_at: moment(&read.created_at),
            updated_at: moment(&read.updated_at),
            records_in: count(&metrics.record_summary.input_record_count),
            records_out: count(&metrics.record_summary.output_record_count),
            records_failed: count(&metrics.record_summary.failed_record_count),
            files_in: count(&metrics.file_summary.input_file_count),
            bytes_in: count(&metrics.size_summary.input_bytes),
            bytes_out: count(&metrics.size_summary.output_bytes),
            errors: errors(&metrics.status_summary, activities),
            window_start: windows()
                .find_map(|window| moment(&window.window_start))
                .or_else(|| moment(&read.params.window_start_time)),
            window_end: windows()
                .find_map(|window| moment(&window.window_end))
                .or_else(|| moment(&read.params.window_end_time)),
            id: read
                .id
                .0
                .0
                .filter(|id| is_one_segment(id))
                .ok_or_else(|| without("id"))?,
            flow_id: read.flow_id.0.0.ok_or_else(|| without("flowId"))?,
            etag: read.etag.0,
            raw: kept(json).into_owned(),
        })
    }
}

/// What a run says that went wrong, and what its activities say; the run repeats some of it.
fn errors(of_run: &StatusSummary, activities: &[Loose<Activity>]) -> Vec<RunError> {
    let mut found = Vec::new();
    let of_activities = activities.iter().map(|activity| &*activity.status_summary);
    for summary in std::iter::once(of_run).chain(of_activities) {
        for problem in summary.errors.iter().chain(summary.extensions.errors.iter()) {
            let fit_to_show = |text: &str, limit| clean(&mask(text), limit);
            let error = RunError {
                code: problem.code.as_deref().map(|code| fit_to_show(code, WORD_LIMIT)),
                message: fit_to_show(problem.message.as_deref().unwrap_or_default(), ERROR_LIMIT),
            };
            if !found.contains(&error) {
                found.push(error);
            }
        }
    }
    found
}

/// What may be kept of a run's JSON. Its messages come from the source's own service, which may name the connection
/// string that it was given.
fn kept(json: &str) -> Cow<'_, str> {
    if json.len() <= TEXT_LIMIT && is_harmless_json(json) {
        return Cow::Borrowed(json);
    }
    let Ok(mut document) = serde_json::from_str::<Value>(json) else {
        // Nested too deeply, half a character, too large a number: what cannot be looked through is not kept.
        return Cow::Borrowed("null");
    };
    wire::each_text(&mut document, &mut |text| {
        if let Cow::Owned(changed) = fit(text, TEXT_LIMIT) {
            *text = changed;
        }
    });
    Cow::Owned(document.to_string())
}

/// A text without credentials, cut where it is longer than `limit` bytes.
fn fit(text: &str, limit: usize) -> Cow<'_, str> {
    match mask(text) {
        long if long.len() > limit => Cow::Owned(clean(&long, limit)),
        short => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Value) -> Result<Run, PlatformError> {
        Run::from_json(&json.to_string())
    }

    fn partly_refused() -> Value {
        json!({
            "id": "r-1", "flowId": "f-1", "createdAt": 1_596_656_079_576_i64, "updatedAt": 1_596_656_113_526_i64,
            "metrics": {
                "durationSummary": {"startedAtUTC": 1_596_656_058_198_i64, "completedAtUTC": 1_596_656_113_306_i64},
                "sizeSummary": {"inputBytes": 24012, "outputBytes": -1},
                "recordSummary": {"inputRecordCount": 100, "outputRecordCount": "99", "failedRecordCount": 1},
                "fileSummary": {"inputFileCount": 1, "outputFileCount": 1},
                "statusSummary": {"status": "success", "errors": [{"code": "CONNECTOR-2001-500", "message": "at promotion"}]}
            },
            "activities": [
                {"id": "copyActivity", "durationSummary": {"extensions":
                    {"windowStart": 1_596_653_708_000_i64, "windowEnd": 1_596_655_508_000_i64}}},
                {"id": "promotionActivity",
                    "statusSummary": {"errors": [{"code": "CONNECTOR-2001-500", "message": "at promotion"}],
                        "extensions": {"errors": [{"code": "MAPPER-3700-400", "recordCount": 1, "message": "mapper"}]}},
                    "targetInfo": [{"reference": {"type": "Batch", "ids": ["01EF"]}}]}
            ]
        })
    }

    #[test]
    fn a_success_may_carry_errors() {
        let json = partly_refused().to_string();
        let run = Run::from_json(&json).unwrap();
        assert_eq!(run.status, "success");
        assert_eq!(
            (run.records_in, run.records_out, run.records_failed),
            (Some(100), Some(99), Some(1))
        );
        assert_eq!((run.bytes_in, run.bytes_out), (Some(24012), None));
        let codes: Vec<_> = run
            .errors
            .iter()
            .filter_map(|error| error.code.as_deref())
            .collect();
        assert_eq!(codes, ["CONNECTOR-2001-500", "MAPPER-3700-400"]);
        assert_eq!(run.window_start, Some(1_596_653_708_000));
        assert_eq!(run.raw, json);
    }

    #[test]
    fn hostile_messages_are_masked_and_cut() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        let message = format!(
            "<script>\u{202e} AccountKey=Zm9vYmFy; {token} {}",
            "é".repeat(50_000)
        );
        let error = json!({"code": "CONNECTOR-1001-500", "message": message});
        let run = read(&json!({
            "id": "r", "flowId": "f", "metrics": {"statusSummary": {"status": "failed", "errors": [error]}},
            "activities": [{"statusSummary": {"errors": [error]}}]
        }))
        .unwrap();
        let [told] = &run.errors[..] else {
            panic!("one error")
        };
        assert!(
            told.message.len() <= ERROR_LIMIT
                && told.message.starts_with("<script>  AccountKey=[redacted]; ")
        );
        let kept = run.raw;
        assert!(kept.len() < 2 * TEXT_LIMIT + 500, "{}", kept.len());
        for secret in ["Zm9vYmFy", token] {
            assert!(!kept.contains(secret) && !told.message.contains(secret));
        }
    }

    #[test]
    fn other_spellings_are_understood() {
        let run = read(&json!({
            "id": "r", "flowId": "f", "state": "inProgress", "params": {"windowStartTime": "1670455537"},
            "activites": [{"durationSummary": {"extensions": {"windowEnd": 1_670_455_999}}}]
        }))
        .unwrap();
        assert_eq!(run.status, "inProgress");
        assert_eq!(run.window_start, Some(1_670_455_537_000));
        assert_eq!(run.window_end, Some(1_670_455_999_000));
    }

    #[test]
    fn ids_and_words_are_masked_and_cut_too() {
        let long = "s".repeat(10_000);
        let run = read(&json!({"id": long, "flowId": "sig=abc", "status": long})).unwrap();
        assert_eq!(
            (run.id.len(), run.flow_id.as_str()),
            (TEXT_LIMIT, "sig=[redacted]")
        );
        assert_eq!(run.status.len(), WORD_LIMIT);
        assert!(run.raw.contains("sig=[redacted]") && run.raw.len() < 3 * TEXT_LIMIT);
    }

    #[test]
    fn a_member_that_stands_twice_is_no_reason_to_refuse_a_run() {
        let json = r#"{"id":"r","flowId":"f","status":"failed","status":"success","status":"failed"}"#;
        let run = Run::from_json(json).unwrap();
        assert_eq!((run.status.as_str(), run.raw.as_str()), ("failed", json));
    }

    #[test]
    fn what_cannot_be_looked_through_is_kept_only_where_it_is_harmless() {
        let half = r#"{"id":"r","flowId":"f","other":"\ud800"}"#;
        assert_eq!(Run::from_json(half).unwrap().raw, "null");
        let large = r#"{"id":"r","flowId":"f","other":1e999}"#;
        assert_eq!(Run::from_json(large).unwrap().raw, large);
        let nested = format!(
            r#"{{"id":"r","flowId":"f","other":{}{},"sig=a":"sig=a"}}"#,
            "[".repeat(500),
            "]".repeat(500)
        );
        assert_eq!(Run::from_json(&nested).unwrap().raw, "null");
    }

    #[test]
    fn a_run_without_its_flow_is_unreadable() {
        for odd in [
            json!({"id": "r"}),
            json!({"flowId": "f"}),
            json!({"id": 1, "flowId": "f"}),
            json!("r"),
            json!(["r", "f"]),
            json!({"id": "", "flowId": "f"}),
        ] {
            assert!(
                matches!(read(&odd), Err(PlatformError::Unreadable { .. })),
                "{odd}"
            );
        }
    }
}
