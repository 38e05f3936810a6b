//! From the platform's objects to rows.

use serde_json::Value;

use super::connections::Ends;
use crate::domain::RunOutcome;
use crate::domain::connector::connector_by_spec;
use crate::domain::failures::most_telling;
use crate::platform::{Flow, Run, RunError, clean};
use crate::store::flows::FlowRecord;
use crate::store::runs::Run as RunRow;
use crate::store::{Document, Mirrored, MirroredRun};

/// Messages of one code that are kept beside a run, and bytes of all of them.
const MESSAGES: usize = 3;
const MESSAGE_BYTES: usize = 2_000;

/// Whether a flow brings data in. Flows to destinations are listed beside them and are not ours to watch.
pub(super) fn is_source_flow(flow: &Flow) -> bool {
    flow.raw
        .pointer("/inheritedAttributes/properties/isDestinationFlow")
        .and_then(Value::as_bool)
        != Some(true)
}

/// The row of a flow read at `read_at` (UTC epoch milliseconds).
pub fn flow_row(environment_id: &str, flow: &Flow, ends: Ends, read_at: i64) -> Mirrored<FlowRecord> {
    let specification = flow.source_spec_id.as_deref();
    let schedule = flow.schedule.as_ref();
    let row = FlowRecord {
        environment_id: environment_id.to_owned(),
        id: flow.id.clone(),
        name: flow.name.clone(),
        description: flow.description.clone().unwrap_or_default(),
        state: flow.state.clone(),
        connector: specification
            .and_then(connector_by_spec)
            .map(|connector| connector.slug.clone()),
        source_connection_id: flow.source_connection_ids.first().cloned(),
        target_connection_id: flow.target_connection_ids.first().cloned(),
        base_connection_id: flow.base_connection_id.clone(),
        dataset_id: ends.dataset_id,
        source_path: ends.source_path,
        frequency: schedule.and_then(|s| s.frequency.clone()),
        interval_count: schedule.and_then(|s| s.interval),
        start_at: schedule
            .and_then(|s| s.start_time_s)
            .map(|seconds| seconds.saturating_mul(1000)),
        backfill: schedule.and_then(|s| s.backfill),
        etag: flow.etag.clone(),
        platform_created_at: flow.created_at,
        platform_updated_at: flow.updated_at,
        platform_created_by: flow.created_by.clone(),
        read_at,
    };
    Mirrored {
        row,
        raw: flow.raw.to_string(),
    }
}

/// The row of a run read at `read_at` (UTC epoch milliseconds).
pub fn run_row(environment_id: &str, run: &Run, read_at: i64) -> MirroredRun {
    let started_at = run.started_at.or(run.created_at).unwrap_or(read_at);
    let codes = run.errors.iter().map(|error| error.code.as_deref());
    let error = most_telling(codes).map(|place| &run.errors[place]);
    let error_message = error.map(|error| messages_of(&run.errors, error.code.as_deref()));
    let outcome = RunOutcome::read(&run.status, run.records_failed, !run.errors.is_empty());
    let changed_at = run.updated_at.or(run.completed_at).unwrap_or(started_at);
    let row = RunRow {
        environment_id: environment_id.to_owned(),
        id: run.id.clone(),
        flow_id: run.flow_id.clone(),
        status: run.status.clone(),
        outcome,
        started_at,
        completed_at: run.completed_at,
        duration_ms: run
            .completed_at
            .map(|completed_at| (completed_at - started_at).max(0)),
        records_in: run.records_in,
        records_out: run.records_out,
        records_failed: run.records_failed,
        files_in: run.files_in,
        bytes_in: run.bytes_in,
        bytes_out: run.bytes_out,
        error_code: error.and_then(|error| error.code.clone()),
        error_message,
        window_start_at: run.window_start,
        window_end_at: run.window_end,
        platform_updated_at: changed_at,
        read_at,
        ended_at: outcome.is_final().then(|| run.completed_at.unwrap_or(changed_at)),
        gone_at: None,
    };
    MirroredRun {
        row,
        raw: Document::from(run.raw.as_str()),
    }
}

/// What is said about one code, in the run and in its stages: the first words often only repeat what the code says.
fn messages_of(errors: &[RunError], code: Option<&str>) -> String {
    let of_code = errors.iter().filter(|error| error.code.as_deref() == code);
    let told = of_code
        .map(|error| error.message.trim())
        .filter(|message| !message.is_empty());
    let messages: Vec<&str> = told.take(MESSAGES).collect();
    clean(&messages.join(" "), MESSAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: &str) -> Run {
        Run {
            id: "r".into(),
            flow_id: "f".into(),
            status: status.into(),
            started_at: Some(1_000),
            completed_at: Some(4_000),
            created_at: Some(900),
            updated_at: Some(5_000),
            records_in: Some(100),
            records_out: Some(100),
            records_failed: None,
            files_in: None,
            bytes_in: None,
            bytes_out: None,
            errors: vec![],
            window_start: None,
            window_end: None,
            etag: None,
            raw: "{}".into(),
        }
    }

    fn row(run: &Run) -> RunRow {
        run_row("e", run, 9_000).row
    }

    #[test]
    fn a_success_with_rejected_rows_or_errors_is_partial() {
        assert_eq!(row(&run("success")).outcome, RunOutcome::Succeeded);
        let rejected = Run {
            records_failed: Some(1),
            ..run("success")
        };
        assert_eq!(row(&rejected).outcome, RunOutcome::Partial);
        let error = |code: &str| RunError {
            code: Some(code.into()),
            message: "rows were lost".into(),
        };
        let told = row(&Run {
            errors: vec![error("CONNECTOR-2001-500"), error("133")],
            ..run("success")
        });
        assert_eq!(
            (told.outcome, told.error_code.as_deref()),
            (RunOutcome::Partial, Some("133"))
        );
        assert_eq!(told.error_message.as_deref(), Some("rows were lost"));
        let twice = row(&Run {
            errors: vec![
                error("133"),
                RunError {
                    message: "no files".into(),
                    ..error("133")
                },
            ],
            ..run("failed")
        });
        assert_eq!(twice.error_message.as_deref(), Some("rows were lost no files"));
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let early = Run {
            started_at: None,
            completed_at: None,
            updated_at: None,
            ..run("scheduled")
        };
        let told = row(&early);
        assert_eq!(
            (told.outcome, told.started_at, told.duration_ms),
            (RunOutcome::Waiting, 900, None)
        );
        assert_eq!(
            (told.files_in, told.bytes_in, told.error_code),
            (None, None, None)
        );
        let bare = Run {
            created_at: None,
            ..early
        };
        assert_eq!(
            row(&bare).started_at,
            9_000,
            "the time of reading stands for a start that nobody tells"
        );
        let odd = row(&run("teleported"));
        assert_eq!(
            (odd.outcome, odd.status.as_str()),
            (RunOutcome::Unknown, "teleported")
        );
        let backwards = Run {
            completed_at: Some(500),
            ..run("failed")
        };
        assert_eq!(row(&backwards).duration_ms, Some(0));
    }
}
