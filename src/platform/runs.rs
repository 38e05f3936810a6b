//! Flow runs as the platform shows them.

use std::borrow::Cow;
use std::sync::atomic::Ordering;

use futures_util::{Stream, TryStreamExt, stream};
use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::pages::{PAGE_SIZE, Page};
use super::reply::clean;
use super::wire;
use crate::vault::mask;

const COLLECTION: &str = "/flowservice/runs";
const STARTED: &str = "metrics.durationSummary.startedAtUTC";
/// The numbers of Adobe's Flow Service error page for an order that is not supported.
const CANNOT_ORDER: [&str; 3] = ["1424", "1432", "1433"];
/// The most of an error text of a run, in bytes.
const ERROR_LIMIT: usize = 2048;
/// The most of any text in a run's JSON, in bytes.
const TEXT_LIMIT: usize = 8192;

/// A run. Counts and sizes that the platform does not know (absent or -1) are `None`; times are UTC epoch
/// milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The flow it belongs to.
    pub flow_id: String,
    /// The status as the platform spells it; pages and API file disagree on case and underscores.
    pub status: String,
    /// When it started.
    pub started_at: Option<i64>,
    /// When it ended; absent while it runs and for some failures.
    pub completed_at: Option<i64>,
    /// When its record was made.
    pub created_at: Option<i64>,
    /// When its record last changed.
    pub updated_at: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records written.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Records left out.
    pub records_skipped: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Files written.
    pub files_out: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Bytes written.
    pub bytes_out: Option<i64>,
    /// What went wrong, most general first; may be there although the status says success.
    pub errors: Vec<RunError>,
    /// Files changed from this moment on were taken.
    pub window_start: Option<i64>,
    /// Files changed up to this moment were taken.
    pub window_end: Option<i64>,
    /// The batches it wrote at Catalog.
    pub batch_ids: Vec<String>,
    /// The platform's own JSON, with credentials masked and very long texts cut.
    pub raw: Value,
}

/// One thing that went wrong in a run. Both texts are untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// For example `CONNECTOR-2001-500` or `INGEST-1212-400`.
    pub code: Option<String>,
    /// At most 2 KiB, without control characters.
    pub message: String,
}

/// Which runs to list. Both bounds are on the start of the run, exclusive, UTC epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this flow only.
    pub flow_id: Option<String>,
    /// Started later than this.
    pub started_after: Option<i64>,
    /// Started earlier than this.
    pub started_before: Option<i64>,
    /// Of these ids only; empty: any. A few dozen, because they stand in the address.
    pub ids: Vec<String>,
    /// In which order, where the platform keeps one.
    pub order: RunOrder,
}

/// The order of a list of runs by their start. Adobe documents the parameter and not which fields it takes, so a
/// caller looks at what comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunOrder {
    /// What started first comes first.
    #[default]
    OldestFirst,
    /// What started last comes first.
    NewestFirst,
}

impl Run {
    /// Reads a run leniently; only its id and its flow's id have to be there.
    ///
    /// # Errors
    /// [`PlatformError::Unreadable`] without them.
    pub fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        Self::read(raw.clone())
    }

    fn read(mut document: Value) -> Result<Self, PlatformError> {
        tidy(&mut document);
        let raw = &document;
        let id = |key| {
            let id = raw
                .get(key)
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty())
                .map(str::to_owned);
            id.ok_or_else(|| PlatformError::unreadable(Service::FlowService, format!("a run has no `{key}`")))
        };
        let activities = activities(raw);
        let metrics = raw.get("metrics").unwrap_or(&Value::Null);
        let count = |pointer: &str| wire::count(metrics, pointer);
        let run = Self {
            id: id("id")?,
            flow_id: id("flowId")?,
            // The run model of the older page and scheduled runs carry it at the top.
            status: ["/metrics/statusSummary/status", "/status", "/state"]
                .into_iter()
                .find_map(|pointer| wire::text(raw, pointer))
                .unwrap_or_default(),
            started_at: wire::moment(raw, "/metrics/durationSummary/startedAtUTC"),
            completed_at: wire::moment(raw, "/metrics/durationSummary/completedAtUTC"),
            created_at: wire::moment(raw, "/createdAt"),
            updated_at: wire::moment(raw, "/updatedAt"),
            records_in: count("/recordSummary/inputRecordCount"),
            records_out: count("/recordSummary/outputRecordCount"),
            records_failed: count("/recordSummary/failedRecordCount"),
            records_skipped: count("/recordSummary/skippedRecordCount"),
            files_in: count("/fileSummary/inputFileCount"),
            files_out: count("/fileSummary/outputFileCount"),
            bytes_in: count("/sizeSummary/inputBytes"),
            bytes_out: count("/sizeSummary/outputBytes"),
            errors: errors(raw, activities),
            window_start: window(raw, activities, "windowStart"),
            window_end: window(raw, activities, "windowEnd"),
            batch_ids: batch_ids(activities),
            raw: Value::Null,
        };
        Ok(Self { raw: document, ..run })
    }
}

/// Makes of a run's JSON what may be kept. Its messages come from the source's own service, which may name the
/// connection string that it was given.
fn tidy(document: &mut Value) {
    wire::each_text(document, &mut |text| {
        if let Cow::Owned(masked) = mask(text) {
            *text = masked;
        }
        if text.len() > TEXT_LIMIT {
            *text = clean(text, TEXT_LIMIT);
        }
    });
}

fn refuses_order(error: &PlatformError) -> bool {
    let number = |code: &str| code.split('-').any(|part| CANNOT_ORDER.contains(&part));
    error.status() == Some(400) && error.code().is_some_and(number)
}

/// The activities of a run; one schema of the API file spells the key in its own way.
fn activities(raw: &Value) -> &[Value] {
    match wire::elements(raw, "/activities") {
        [] => wire::elements(raw, "/activites"),
        found => found,
    }
}

fn errors(raw: &Value, activities: &[Value]) -> Vec<RunError> {
    let mut found = Vec::new();
    let mut add = |listed: &[Value]| {
        for error in listed {
            let code = wire::text(error, "/code").map(|code| clean(&code, 100));
            let message = clean(&wire::text(error, "/message").unwrap_or_default(), ERROR_LIMIT);
            let error = RunError { code, message };
            // The run repeats what its activities say.
            if !found.contains(&error) {
                found.push(error);
            }
        }
    };
    add(wire::elements(raw, "/metrics/statusSummary/errors"));
    add(wire::elements(raw, "/metrics/statusSummary/extensions/errors"));
    for activity in activities {
        add(wire::elements(activity, "/statusSummary/errors"));
        add(wire::elements(activity, "/statusSummary/extensions/errors"));
    }
    found
}

/// The window of an activity, or the one an on-demand run was asked for.
fn window(raw: &Value, activities: &[Value], edge: &str) -> Option<i64> {
    activities
        .iter()
        .filter_map(|activity| wire::at(activity, "/durationSummary/extensions"))
        .find_map(|extensions| wire::moment(extensions, &format!("/{edge}")))
        .or_else(|| wire::moment(raw, &format!("/params/{edge}Time")))
}

fn batch_ids(activities: &[Value]) -> Vec<String> {
    let mut ids = Vec::new();
    for target in activities
        .iter()
        .flat_map(|activity| wire::elements(activity, "/targetInfo"))
    {
        let kind = wire::text(target, "/reference/type").unwrap_or_default();
        if kind.eq_ignore_ascii_case("batch") {
            ids.extend(wire::texts(target, "/reference/ids"));
        }
    }
    ids.dedup();
    ids
}

impl PlatformClient {
    /// Runs of the sandbox, page by page. Where the platform refuses the order, without one.
    pub fn runs(
        &self,
        filter: &RunFilter,
    ) -> impl Stream<Item = Result<Page<Run>, PlatformError>> + Send + use<> {
        let is_ordered = !self.inner.refuses_run_order.load(Ordering::Relaxed);
        let pages = Box::pin(self.list_runs(filter, is_ordered));
        let start = (self.clone(), filter.clone(), pages, is_ordered);
        stream::try_unfold(start, async |(client, filter, mut pages, is_ordered)| {
            let page = match pages.try_next().await {
                Err(error) if is_ordered && refuses_order(&error) => {
                    client.inner.refuses_run_order.store(true, Ordering::Relaxed);
                    pages = Box::pin(client.list_runs(&filter, false));
                    pages.try_next().await
                }
                answer => answer,
            };
            Ok(page?.map(|page| (page, (client, filter, pages, is_ordered))))
        })
    }

    fn list_runs(
        &self,
        filter: &RunFilter,
        is_ordered: bool,
    ) -> impl Stream<Item = Result<Page<Run>, PlatformError>> + Send + use<> {
        let mut read = Read::at(COLLECTION).with("limit", PAGE_SIZE.to_string());
        if is_ordered {
            read = match filter.order {
                RunOrder::OldestFirst => read.with("orderby", STARTED),
                RunOrder::NewestFirst => read.with("orderby", format!("-{STARTED}")),
            };
        }
        if let Some(id) = &filter.flow_id {
            read = read.with("property", format!("flowId=={id}"));
        }
        if !filter.ids.is_empty() {
            read = read.with("property", format!("id=={}", filter.ids.join(",")));
        }
        if let Some(after) = filter.started_after {
            read = read.with("property", format!("{STARTED}>{after}"));
        }
        if let Some(before) = filter.started_before {
            read = read.with("property", format!("{STARTED}<{before}"));
        }
        let wanted = filter.flow_id.clone();
        self.pages(Service::FlowService, read, move |item| {
            let run = Run::read(item)?;
            // An id that means something to the filter language brings runs of others.
            if wanted.as_ref().is_none_or(|wanted| *wanted == run.flow_id) {
                Ok(run)
            } else {
                Err(PlatformError::unreadable(
                    Service::FlowService,
                    "the list shows runs of another flow",
                ))
            }
        })
    }

    /// One run.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn run(&self, id: &str) -> Result<Run, PlatformError> {
        Run::from_json(&self.single(&format!("{COLLECTION}/{}", segment(id))).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        let run = Run::from_json(&partly_refused()).unwrap();
        assert_eq!(run.status, "success");
        assert_eq!(
            (run.records_in, run.records_out, run.records_failed),
            (Some(100), Some(99), Some(1))
        );
        assert_eq!(
            (run.records_skipped, run.bytes_in, run.bytes_out),
            (None, Some(24012), None)
        );
        let codes: Vec<_> = run
            .errors
            .iter()
            .filter_map(|error| error.code.as_deref())
            .collect();
        assert_eq!(codes, ["CONNECTOR-2001-500", "MAPPER-3700-400"]);
        assert_eq!(run.window_start, Some(1_596_653_708_000));
        assert_eq!(run.batch_ids, ["01EF"]);
        assert_eq!(run.raw, partly_refused());
    }

    #[test]
    fn hostile_messages_are_masked_and_cut() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
        let message = format!(
            "<script>\u{202e} AccountKey=Zm9vYmFy; {token} {}",
            "é".repeat(50_000)
        );
        let error = json!({"code": "CONNECTOR-1001-500", "message": message});
        let run = Run::from_json(&json!({
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
        let kept = run.raw.to_string();
        assert!(kept.len() < 2 * TEXT_LIMIT + 500, "{}", kept.len());
        for secret in ["Zm9vYmFy", token] {
            assert!(!kept.contains(secret) && !told.message.contains(secret));
        }
    }

    #[test]
    fn other_spellings_are_understood() {
        let run = Run::from_json(&json!({
            "id": "r", "flowId": "f", "state": "inProgress", "params": {"windowStartTime": "1670455537"},
            "activites": [{"targetInfo": [{"reference": {"type": "batch", "ids": ["b"]}}]}]
        }))
        .unwrap();
        assert_eq!(run.status, "inProgress");
        assert_eq!(run.window_start, Some(1_670_455_537_000));
        assert_eq!(run.batch_ids, ["b"]);
    }

    #[test]
    fn a_run_without_its_flow_is_unreadable() {
        for odd in [
            json!({"id": "r"}),
            json!({"flowId": "f"}),
            json!({"id": 1, "flowId": "f"}),
            json!("r"),
        ] {
            assert!(
                matches!(Run::from_json(&odd), Err(PlatformError::Unreadable { .. })),
                "{odd}"
            );
        }
    }
}
