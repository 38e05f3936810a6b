//! The stages of a run, out of its JSON: what Adobe calls activities.

use serde_json::Value;

use crate::domain::RunOutcome;
use crate::platform::clean;
use crate::vault::mask;

/// The most of one text of an error, in bytes.
const ERROR_LIMIT: usize = 2048;

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What it does, in words where its id is one that Adobe documents.
    pub name: String,
    /// As Adobe says it.
    pub status: String,
    /// Our reading of it.
    pub outcome: RunOutcome,
    /// UTC epoch milliseconds.
    pub started_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub completed_at: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records stored.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// What went wrong, the most general first: code and message.
    pub errors: Vec<(String, String)>,
    /// Batches that it made in Catalog.
    pub batch_ids: Vec<String>,
}

/// The stages of a run in the platform's order. A run that failed early has only some of them.
pub fn stages(run: &Value) -> Vec<Stage> {
    // Adobe's API file spells the key in two ways.
    let activities = run.get("activities").or_else(|| run.get("activites"));
    activities
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(stage)
        .collect()
}

/// The files that a run took, where the platform names them.
pub fn files(run: &Value) -> Vec<String> {
    let listed = run
        .pointer("/metrics/fileSummary/manifest/fileInfo")
        .and_then(Value::as_array);
    let path = |file: &Value| file.get("pathPrefix").and_then(Value::as_str).map(str::to_owned);
    listed.into_iter().flatten().filter_map(path).collect()
}

fn stage(activity: &Value) -> Stage {
    let text = |pointer: &str| {
        activity
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let count = |pointer: &str| {
        activity
            .pointer(pointer)
            .and_then(Value::as_i64)
            .filter(|count| *count >= 0)
    };
    let errors = errors(activity);
    let status = text("/statusSummary/status").unwrap_or_default();
    let records_failed = count("/recordSummary/failedRecordCount");
    Stage {
        name: text("/name").unwrap_or_else(|| name_of(text("/id"))),
        outcome: RunOutcome::read(&status, records_failed, !errors.is_empty()),
        status,
        started_at: count("/durationSummary/startedAtUTC"),
        completed_at: count("/durationSummary/completedAtUTC"),
        records_in: count("/recordSummary/inputRecordCount"),
        records_out: count("/recordSummary/outputRecordCount"),
        records_failed,
        files_in: count("/fileSummary/inputFileCount"),
        bytes_in: count("/sizeSummary/inputBytes"),
        errors,
        batch_ids: batch_ids(activity),
    }
}

fn name_of(id: Option<String>) -> String {
    match id.as_deref() {
        Some("copyActivity") => "Copy from the source".to_owned(),
        Some("promotionActivity") => "Load into the dataset".to_owned(),
        Some(id) => id.to_owned(),
        None => "Stage without a name".to_owned(),
    }
}

fn errors(activity: &Value) -> Vec<(String, String)> {
    // Rows of before runs were tidied may hold anything.
    let text = |error: &Value, key: &str| match error.get(key) {
        Some(Value::String(text)) => clean(&mask(text), ERROR_LIMIT),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    ["/statusSummary/errors", "/statusSummary/extensions/errors"]
        .iter()
        .filter_map(|pointer| activity.pointer(pointer)?.as_array())
        .flatten()
        .map(|error| (text(error, "code"), text(error, "message")))
        .collect()
}

fn batch_ids(activity: &Value) -> Vec<String> {
    let targets = activity
        .get("targetInfo")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    targets
        .filter_map(|target| target.get("reference"))
        .filter(|reference| reference.get("type").and_then(Value::as_str) == Some("Batch"))
        .filter_map(|reference| reference.get("ids")?.as_array())
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_partial_run_tells_where_rows_were_lost() {
        let run = json!({"activities": [
            {"id": "copyActivity", "durationSummary": {"startedAtUTC": 10, "completedAtUTC": 20},
                "fileSummary": {"inputFileCount": 1}, "statusSummary": {"status": "success"}},
            {"id": "promotionActivity", "recordSummary": {"inputRecordCount": 9, "outputRecordCount": 7,
                "failedRecordCount": 2}, "sizeSummary": {"inputBytes": -1},
                "statusSummary": {"status": "success", "errors": [{"code": "CONNECTOR-2001-500", "message": "rows"}],
                    "extensions": {"errors": [{"code": 133, "message": "why"}]}},
                "targetInfo": [{"reference": {"type": "Batch", "ids": ["b1"]}}, {"reference": {"type": "Other"}}]},
        ]});
        let [copy, load] = &stages(&run)[..] else {
            panic!("two stages")
        };
        assert_eq!(
            (copy.name.as_str(), copy.outcome),
            ("Copy from the source", RunOutcome::Succeeded)
        );
        assert_eq!(
            (copy.started_at, copy.completed_at, copy.files_in),
            (Some(10), Some(20), Some(1))
        );
        assert_eq!(
            (load.outcome, load.bytes_in, load.records_failed),
            (RunOutcome::Partial, None, Some(2))
        );
        let codes: Vec<&str> = load.errors.iter().map(|(code, _)| code.as_str()).collect();
        assert_eq!(codes, ["CONNECTOR-2001-500", "133"]);
        assert_eq!(load.batch_ids, ["b1"]);
    }

    #[test]
    fn texts_of_errors_are_masked_and_cut() {
        let message = format!("sig=abcdef&x\u{202e}\n{}", "x".repeat(100_000));
        let run = json!({"activities": [{"statusSummary": {"errors": [{"code": "x", "message": message}]}}]});
        let (_, told) = &stages(&run)[0].errors[0];
        assert!(
            told.len() <= ERROR_LIMIT && told.starts_with("sig=[redacted]&x  xx"),
            "{told:.80}"
        );
    }

    #[test]
    fn odd_documents_have_no_stages() {
        for odd in [
            json!(null),
            json!([]),
            json!({"activities": {}}),
            json!({"activities": "x"}),
        ] {
            assert!(stages(&odd).is_empty(), "{odd}");
            assert!(files(&odd).is_empty(), "{odd}");
        }
        let named = json!({"activites": [{"name": "Copy", "statusSummary": 4}, 7]});
        let names: Vec<String> = stages(&named).into_iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["Copy", "Stage without a name"]);
    }

    #[test]
    fn files_are_named_where_the_manifest_names_them() {
        let manifest = |info: Value| json!({"metrics": {"fileSummary": {"manifest": {"fileInfo": info}}}});
        assert_eq!(
            files(&manifest(
                json!([{"path": "https://x", "pathPrefix": "/in/a.csv"}])
            )),
            ["/in/a.csv"]
        );
        assert!(files(&manifest(json!("https://x"))).is_empty());
    }
}
