//! A run as `GET /runs` shows it; shapes from Adobe's "Monitor dataflows" page.

use serde_json::{Map, Value, json};

use super::flow_service::specs::FLOW_SPEC_ID;
use super::ids::{batch_of_run, rng_of, uuid_from};
use super::run_book::{Lane, Run, RunState};
use super::run_generator::Verdict;
use super::state::{App, object};

/// Host of the links inside run documents, as in Adobe's samples. They lead nowhere.
const EXPORT: &str = "https://platform.adobe.io/data/foundation/export/batches";

/// The whole document of a run by now.
pub fn render(app: &App, run: &Run, lane: &Lane, now_ms: i64) -> Value {
    let mut document = app.provenance(&lane.sandbox);
    let updated_at = run.updated_at(now_ms);
    document.extend(object(json!({
        "id": run.id, "flowId": lane.flow_id, "createdAt": run.visible_at, "updatedAt": updated_at,
        "flowSpec": { "id": FLOW_SPEC_ID, "version": "1.0" },
        "providerRefId": format!("M-{}-incremental-0:{}", lane.flow_id, reference(run)),
        "etag": etag(run, updated_at),
    })));
    // What stands in such a macro is copied, which is much for a large part of a document of which there are many.
    document.insert("metrics".to_owned(), metrics(run, now_ms));
    document.insert("activities".to_owned(), activities(run, lane, now_ms).into());
    if run.on_demand {
        document.insert(
            "params".to_owned(),
            json!({ "windowStartTime": (run.window_start / 1000).to_string(), "windowEndTime": (run.window_end / 1000).to_string() }),
        );
    }
    Value::Object(document)
}

/// The etag of a run at its last change, with inner quotes.
pub fn etag(run: &Run, updated_at: i64) -> String {
    let (high, _) = run.id.as_u64_pair();
    format!(
        "\"{:08x}-0000-0200-0000-{:08x}0000\"",
        (high >> 32) ^ (updated_at.cast_unsigned() & 0xffff_ffff),
        updated_at / 1000
    )
}

/// The id that the copying machinery would give the run.
fn reference(run: &Run) -> String {
    let (high, low) = run.id.as_u64_pair();
    uuid_from(&mut rng_of(&[high, low])).to_string()
}

fn metrics(run: &Run, now_ms: i64) -> Value {
    let state = run.state(now_ms);
    let mut status = object(json!({ "status": state.as_str() }));
    let mut metrics = Map::new();
    if state != RunState::Scheduled {
        let mut duration = object(json!({ "startedAtUTC": run.started_at }));
        if matches!(state, RunState::Success | RunState::Failed) && run.verdict != Verdict::BatchWithoutFiles
        {
            duration.insert("completedAtUTC".to_owned(), json!(run.completed_at));
        }
        metrics.insert("durationSummary".to_owned(), Value::Object(duration));
    }
    match state {
        RunState::Success => {
            metrics.insert(
                "sizeSummary".to_owned(),
                json!({ "inputBytes": run.bytes_in, "outputBytes": run.bytes_out }),
            );
            metrics.insert("recordSummary".to_owned(), records(run));
            let written = i32::from(run.records > 0);
            metrics.insert(
                "fileSummary".to_owned(),
                json!({ "inputFileCount": run.files, "outputFileCount": written, "activityRefs": ["promotionActivity"] }),
            );
            if run.verdict == Verdict::RowsRejected {
                status.insert("errors".to_owned(), json!([error(run.verdict)]));
                status.insert("activityRefs".to_owned(), json!(["promotionActivity"]));
            }
        }
        RunState::Failed => {
            let counted = run.verdict == Verdict::PromotionFailed;
            let (bytes, files) = if counted {
                (json!(run.bytes_in), json!(run.files))
            } else {
                (json!(-1), json!(-1))
            };
            metrics.insert("sizeSummary".to_owned(), json!({ "inputBytes": bytes }));
            if counted {
                metrics.insert("recordSummary".to_owned(), records(run));
            }
            metrics.insert("fileSummary".to_owned(), json!({ "inputFileCount": files }));
            status.insert("errors".to_owned(), json!([error(run.verdict)]));
        }
        RunState::Scheduled | RunState::InProgress => {}
    }
    metrics.insert("statusSummary".to_owned(), Value::Object(status));
    Value::Object(metrics)
}

fn records(run: &Run) -> Value {
    let kept = run.records - run.rejected;
    json!({ "inputRecordCount": run.records, "outputRecordCount": kept, "createdRecordCount": kept, "failedRecordCount": run.rejected })
}

fn error(verdict: Verdict) -> Value {
    match verdict {
        Verdict::CopyFailed => {
            json!({ "code": "CONNECTOR-1001-500", "message": "Error in copying data from the source." })
        }
        Verdict::RowsRejected => {
            json!({ "code": "CONNECTOR-2001-500", "message": "Error occurred at promotion activity." })
        }
        _ => json!({
            "code": "CONNECTOR-2001-500",
            "message": "Error in processing (parsing, validation or transformation) the copied data.",
        }),
    }
}

fn activities(run: &Run, lane: &Lane, now_ms: i64) -> Vec<Value> {
    if now_ms < run.started_at {
        return Vec::new();
    }
    let copied = now_ms >= run.copied_at;
    match run.verdict {
        Verdict::BatchWithoutFiles if now_ms >= run.completed_at => vec![promotion(run, lane, now_ms)],
        Verdict::CopyFailed | Verdict::BatchWithoutFiles => vec![copy(run, lane, now_ms)],
        _ if copied => vec![copy(run, lane, now_ms), promotion(run, lane, now_ms)],
        _ => vec![copy(run, lane, now_ms)],
    }
}

fn copy(run: &Run, lane: &Lane, now_ms: i64) -> Value {
    let fails = run.verdict == Verdict::CopyFailed;
    let ends_at = if fails { run.completed_at } else { run.copied_at };
    let done = now_ms >= ends_at;
    let mut duration = object(json!({
        "startedAtUTC": run.started_at,
        "extensions": { "windowStart": run.window_start, "windowEnd": run.window_end },
    }));
    let (mut size, mut files) = (Map::new(), Map::new());
    let status = match (done, fails) {
        (false, _) => json!({ "status": "inProgress", "extensions": { "type": "one-time" } }),
        (true, true) => {
            size = object(json!({ "inputBytes": -1 }));
            files = object(json!({ "inputFileCount": -1 }));
            json!({ "status": "failed", "errors": [error(run.verdict)], "extensions": { "type": "one-time", "errors": [
                { "code": "CONNECTOR-1001-500", "message": "The source refused to be read: the credential or the network path was not accepted." }] } })
        }
        (true, false) => {
            size = object(json!({ "inputBytes": run.bytes_in, "outputBytes": run.bytes_in }));
            files = object(json!({ "inputFileCount": run.files, "outputFileCount": run.files }));
            json!({ "status": "success", "extensions": { "type": "one-time" } })
        }
    };
    if done {
        duration.insert("completedAtUTC".to_owned(), json!(ends_at));
    }
    activity(
        json!({
            "id": "copyActivity", "updatedAtUTC": if done { ends_at } else { run.started_at },
            "sourceInfo": [{ "id": lane.source_connection, "type": "SourceConnection",
                "reference": { "type": "AdfRunId", "ids": [reference(run)] } }],
        }),
        [duration, size, Map::new(), files, object(status)],
    )
}

/// An activity with its summaries: duration, size, records, files, status.
fn activity(head: Value, summaries: [Map<String, Value>; 5]) -> Value {
    let names = ["duration", "size", "record", "file", "status"];
    let mut activity = object(head);
    for (name, summary) in names.into_iter().zip(summaries) {
        activity.insert(format!("{name}Summary"), Value::Object(summary));
    }
    Value::Object(activity)
}

fn promotion(run: &Run, lane: &Lane, now_ms: i64) -> Value {
    let done = now_ms >= run.completed_at;
    let begins_at = if run.verdict == Verdict::BatchWithoutFiles {
        run.started_at
    } else {
        run.copied_at
    };
    let batch = batch_of_run(run.id);
    let mut duration = object(json!({ "startedAtUTC": begins_at }));
    let (mut size, mut record, mut files) = (Map::new(), Map::new(), Map::new());
    let mut status = object(json!({ "status": "inProgress" }));
    if done {
        duration.insert("completedAtUTC".to_owned(), json!(run.completed_at));
        files = object(
            json!({ "inputFileCount": run.files, "outputFileCount": i32::from(run.records > run.rejected),
            "extensions": { "manifest": { "fileInfo": format!("{EXPORT}/{batch}/meta?path=input_files") } } }),
        );
        size = object(json!({ "inputBytes": run.bytes_in, "outputBytes": run.bytes_out }));
        record = object(records(run));
        status = match run.verdict {
            Verdict::RowsRejected => object(json!({ "status": "success", "errors": [error(run.verdict)],
                "extensions": { "manifest": manifest(&batch), "errors": [
                    { "code": "INGEST-1212-400", "message": format!("{} rows of the data could not be taken. {} rows were ingested. The diagnostic files say more.", run.rejected, run.records - run.rejected) },
                    { "code": "MAPPER-3700-400", "recordCount": run.rejected, "message": "Mapper Transform Error" }] } })),
            Verdict::PromotionFailed => object(json!({ "status": "failed", "errors": [error(run.verdict)],
                "extensions": { "manifest": manifest(&batch), "errors": [
                    { "code": "MAPPER-3700-400", "recordCount": run.rejected, "message": "Mapper Transform Error" }] } })),
            Verdict::BatchWithoutFiles => {
                size = object(json!({ "inputBytes": -1 }));
                record = Map::new();
                files.insert("inputFileCount".to_owned(), json!(-1));
                files.remove("outputFileCount");
                object(
                    json!({ "status": "failed", "errors": [error(run.verdict)], "extensions": { "errors": [
                    { "code": "133", "message": "No files of this batch were found. Upload files to ingest." }] } }),
                )
            }
            _ => object(json!({ "status": "success", "extensions": {} })),
        };
    }
    activity(
        json!({
            "id": "promotionActivity", "updatedAtUTC": if done { run.completed_at } else { begins_at },
            "targetInfo": [{ "id": lane.target_connection, "type": "TargetConnection",
                "reference": { "type": "Batch", "ids": [batch] } }],
        }),
        [duration, size, record, files, status],
    )
}

fn manifest(batch: &str) -> Value {
    json!({
        "failedRecords": format!("{EXPORT}/{batch}/meta?path=row_errors"),
        "sampleErrors": format!("{EXPORT}/{batch}/meta?path=row_error_samples.json"),
    })
}
