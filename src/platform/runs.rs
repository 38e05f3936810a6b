//! Reading runs: Adobe's page on monitoring dataflows, and the tolerance that its samples ask for.

use futures_util::Stream;
use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::flows::only_item;
use super::pages::{PAGE_SIZE, Page};
use super::wire;

const RUNS: &str = "/flowservice/runs";
const STARTED: &str = "metrics.durationSummary.startedAtUTC";

/// A run of a dataflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Of which dataflow.
    pub flow_id: String,
    /// Adobe's word, whatever it is; empty when there is none.
    pub status: String,
    /// UTC epoch milliseconds.
    pub started_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub completed_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub created_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub updated_at: Option<i64>,
    /// Rows read.
    pub records_in: Option<i64>,
    /// Rows stored.
    pub records_out: Option<i64>,
    /// Rows refused.
    pub records_failed: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Bytes stored.
    pub bytes_out: Option<i64>,
    /// What went wrong, the summary's first, then each activity's own.
    pub errors: Vec<RunError>,
    /// Start of the window of files that were taken (UTC epoch milliseconds).
    pub window_start_at: Option<i64>,
    /// End of that window (UTC epoch milliseconds).
    pub window_end_at: Option<i64>,
    /// Batches that it made in Catalog.
    pub batch_ids: Vec<String>,
    /// Everything, as answered.
    pub raw: Value,
}

/// One error of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// Such as `CONNECTOR-2001-500` or `INGEST-1212-400`.
    pub code: String,
    /// Adobe's words.
    pub message: String,
}

/// Which runs a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter<'a> {
    /// Only those of one dataflow.
    pub flow_id: Option<&'a str>,
    /// Only those that started after this moment (UTC epoch milliseconds).
    pub started_after: Option<i64>,
    /// Only those that started before this moment (UTC epoch milliseconds).
    pub started_before: Option<i64>,
}

impl PlatformClient {
    /// Runs of the sandbox or of one dataflow, page by page, the oldest start first.
    pub fn runs(
        &self,
        filter: RunFilter<'_>,
    ) -> impl Stream<Item = Result<Page<Run>, PlatformError>> + Send + use<> {
        let mut read = Read::at(RUNS)
            .with("limit", PAGE_SIZE.to_string())
            .with("orderby", STARTED);
        if let Some(flow_id) = filter.flow_id {
            read = read.with("property", format!("flowId=={flow_id}"));
        }
        if let Some(at) = filter.started_after {
            read = read.with("property", format!("{STARTED}>{at}"));
        }
        if let Some(at) = filter.started_before {
            read = read.with("property", format!("{STARTED}<{at}"));
        }
        self.pages(Service::FlowService, read, Run::read)
    }

    /// One run.
    ///
    /// # Errors
    /// [`PlatformError::is_not_found`] when the platform has forgotten it.
    pub async fn run(&self, id: &str) -> Result<Run, PlatformError> {
        let body = self.get(&Read::at(format!("{RUNS}/{}", segment(id)))).await?;
        Run::read(&only_item(&body)?)
    }
}

impl Run {
    fn read(item: &Value) -> Result<Self, PlatformError> {
        let text = |pointer: &str| wire::text(item, pointer);
        let missing = || PlatformError::unreadable(Service::FlowService, "a run has no id or no dataflow");
        let (id, flow_id) = text("/id").zip(text("/flowId")).ok_or_else(missing)?;
        let metric = |name: &str| wire::count(item, &format!("/metrics/{name}"));
        let activities = activities(item);
        let window = |end: &str| {
            let pointer = format!("/durationSummary/extensions/{end}");
            activities
                .iter()
                .find_map(|activity| wire::moment(activity, &pointer))
        };
        Ok(Self {
            id,
            flow_id,
            status: text("/metrics/statusSummary/status")
                .or_else(|| text("/state"))
                .unwrap_or_default(),
            started_at: wire::moment(item, "/metrics/durationSummary/startedAtUTC"),
            completed_at: wire::moment(item, "/metrics/durationSummary/completedAtUTC"),
            created_at: wire::moment(item, "/createdAt"),
            updated_at: wire::moment(item, "/updatedAt"),
            records_in: metric("recordSummary/inputRecordCount"),
            records_out: metric("recordSummary/outputRecordCount"),
            records_failed: metric("recordSummary/failedRecordCount"),
            files_in: metric("fileSummary/inputFileCount"),
            bytes_in: metric("sizeSummary/inputBytes"),
            bytes_out: metric("sizeSummary/outputBytes"),
            errors: errors(item, activities),
            window_start_at: window("windowStart"),
            window_end_at: window("windowEnd"),
            batch_ids: activities.iter().flat_map(batch_ids).collect(),
            raw: item.clone(),
        })
    }
}

/// The stages of a run. Adobe's API file spells the key in two ways.
fn activities(run: &Value) -> &[Value] {
    match wire::elements(run, "/activities") {
        [] => wire::elements(run, "/activites"),
        some => some,
    }
}

fn errors(run: &Value, activities: &[Value]) -> Vec<RunError> {
    let mut errors: Vec<RunError> = Vec::new();
    let summaries = std::iter::once(run.pointer("/metrics/statusSummary")).chain(
        activities
            .iter()
            .map(|activity| activity.pointer("/statusSummary")),
    );
    for summary in summaries.flatten() {
        let listed = wire::elements(summary, "/errors")
            .iter()
            .chain(wire::elements(summary, "/extensions/errors"));
        for error in listed {
            let error = RunError {
                code: wire::text(error, "/code").unwrap_or_default(),
                message: wire::text(error, "/message").unwrap_or_default(),
            };
            // The summary repeats what an activity says.
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
    }
    errors
}

fn batch_ids(activity: &Value) -> Vec<String> {
    let targets = wire::elements(activity, "/targetInfo").iter();
    targets
        .filter(|target| wire::text(target, "/reference/type").as_deref() == Some("Batch"))
        .flat_map(|target| wire::texts(target, "/reference/ids"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_failed_run_with_unknown_counts() {
        let run = Run::read(&json!({
            "id": "r-1", "flowId": "f-1",
            "metrics": {
                "durationSummary": {"startedAtUTC": 1_597_434_147_190_i64},
                "sizeSummary": {"inputBytes": -1},
                "fileSummary": {"inputFileCount": -1},
                "statusSummary": {"status": "failed", "errors": [{"code": "CONNECTOR-2001-500", "message": "no"}]},
            },
            "activites": [{
                "id": "promotionActivity",
                "durationSummary": {"extensions": {"windowStart": 1_597_430_000_000_i64}},
                "statusSummary": {"errors": [{"code": "CONNECTOR-2001-500", "message": "no"}],
                    "extensions": {"errors": [{"code": 133, "message": "no files"}]}},
                "targetInfo": [{"reference": {"type": "Batch", "ids": ["b-1"]}}],
            }],
        }))
        .unwrap();
        assert_eq!((run.bytes_in, run.files_in, run.completed_at), (None, None, None));
        let codes: Vec<&str> = run.errors.iter().map(|e| e.code.as_str()).collect();
        assert_eq!(codes, ["CONNECTOR-2001-500", "133"]);
        assert_eq!(run.batch_ids, ["b-1"]);
        assert_eq!(run.window_start_at, Some(1_597_430_000_000));
    }

    #[test]
    fn a_run_without_metrics_is_still_a_run() {
        let run = Run::read(&json!({"id": "r", "flowId": "f", "state": "inProgress"})).unwrap();
        assert_eq!(run.status, "inProgress");
        assert!(Run::read(&json!({"id": "r"})).is_err());
    }
}
