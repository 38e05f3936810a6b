//! Flows as the platform shows them.

use futures_util::Stream;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::pages::{PAGE_SIZE, Page};
use super::wire;

/// A flow. Field names follow Adobe's Flow Service API file; times are UTC epoch milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its id.
    pub id: String,
    /// The name people gave it; empty when there is none.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// `enabled`, `disabled`, `draft` or a state in between, as the platform spells it.
    pub state: String,
    /// Its version with inner quotes, needed to change it.
    pub etag: Option<String>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: Option<i64>,
    /// Who made it: an IMS user or client.
    pub created_by: Option<String>,
    /// Who changed it last.
    pub updated_by: Option<String>,
    /// The flow specification it follows.
    pub flow_spec_id: Option<String>,
    /// Where it reads.
    pub source_connection_ids: Vec<String>,
    /// Where it writes.
    pub target_connection_ids: Vec<String>,
    /// The base connection below its source.
    pub base_connection_id: Option<String>,
    /// The connection specification of its source, which tells the connector.
    pub source_spec_id: Option<String>,
    /// When it runs; absent for flows that are not scheduled.
    pub schedule: Option<ScheduleParams>,
    /// Its last run, as far as the platform shows it here.
    pub last_run: Option<LastRun>,
    /// The platform's own JSON.
    pub raw: Value,
}

/// When a flow runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleParams {
    /// First start, UTC epoch **seconds**.
    pub start_time_s: Option<i64>,
    /// `once`, `minute`, `hour`, `day` or `week`.
    pub frequency: Option<String>,
    /// How many units of `frequency` between two starts.
    pub interval: Option<i64>,
    /// Whether the first run takes the files that were there before.
    pub backfill: Option<bool>,
}

/// The last run in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// Its id.
    pub id: Option<String>,
    /// `success` or `failed`, as the platform spells it.
    pub state: Option<String>,
    /// When it started, UTC epoch milliseconds.
    pub started_at: Option<i64>,
    /// When it ended, UTC epoch milliseconds.
    pub completed_at: Option<i64>,
}

impl Flow {
    /// Reads a flow leniently; only the id has to be there.
    ///
    /// # Errors
    /// [`PlatformError::Unreadable`] without an id.
    pub fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let id = raw.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| PlatformError::unreadable(Service::FlowService, "a flow has no id"))?;
        let source = |key| wire::text(raw, &format!("/inheritedAttributes/sourceConnections/0/{key}"));
        Ok(Self {
            id: id.to_owned(),
            name: wire::text(raw, "/name").unwrap_or_default(),
            description: wire::text(raw, "/description").filter(|text| !text.is_empty()),
            state: wire::text(raw, "/state").unwrap_or_default(),
            etag: wire::etag(raw),
            created_at: wire::moment(raw, "/createdAt"),
            updated_at: wire::moment(raw, "/updatedAt"),
            created_by: wire::text(raw, "/createdBy"),
            updated_by: wire::text(raw, "/updatedBy"),
            // An object on the pages, a bare id in a description of the API file.
            flow_spec_id: wire::text(raw, "/flowSpec/id").or_else(|| wire::text(raw, "/flowSpec")),
            source_connection_ids: wire::texts(raw, "/sourceConnectionIds"),
            target_connection_ids: wire::texts(raw, "/targetConnectionIds"),
            base_connection_id: source("baseConnection/id"),
            source_spec_id: source("connectionSpec/id"),
            schedule: raw
                .get("scheduleParams")
                .filter(|it| it.is_object())
                .map(ScheduleParams::from_json),
            last_run: raw
                .get("lastRunDetails")
                .filter(|it| it.is_object())
                .map(LastRun::from_json),
            raw: raw.clone(),
        })
    }
}

impl ScheduleParams {
    fn from_json(raw: &Value) -> Self {
        Self {
            start_time_s: wire::moment(raw, "/startTime").map(|ms| ms / 1000),
            frequency: wire::text(raw, "/frequency"),
            interval: wire::number(raw, "/interval"),
            backfill: wire::boolean(raw, "/backfill"),
        }
    }
}

impl LastRun {
    fn from_json(raw: &Value) -> Self {
        Self {
            id: wire::text(raw, "/id"),
            state: wire::text(raw, "/state"),
            started_at: wire::moment(raw, "/startedAtUTC"),
            completed_at: wire::moment(raw, "/completedAtUTC"),
        }
    }
}

impl PlatformClient {
    /// All flows of the sandbox, page by page.
    pub fn flows(&self) -> impl Stream<Item = Result<Page<Flow>, PlatformError>> + Send + use<> {
        self.pages(
            Service::FlowService,
            Read::at(ObjectKind::Flow.collection()).with("limit", PAGE_SIZE.to_string()),
            |item| Flow::from_json(&item),
        )
    }

    /// One flow.
    ///
    /// # Errors
    /// `is_not_found()` when there is none (any more).
    pub async fn flow(&self, id: &str) -> Result<Flow, PlatformError> {
        Flow::from_json(&self.single(&ObjectKind::Flow.path_of(id)).await?)
    }

    /// One source connection, as answered.
    ///
    /// # Errors
    /// `is_not_found()` when there is none (any more).
    pub async fn source_connection(&self, id: &str) -> Result<Value, PlatformError> {
        self.single(&ObjectKind::SourceConnection.path_of(id)).await
    }

    /// One target connection, as answered.
    ///
    /// # Errors
    /// `is_not_found()` when there is none (any more).
    pub async fn target_connection(&self, id: &str) -> Result<Value, PlatformError> {
        self.single(&ObjectKind::TargetConnection.path_of(id)).await
    }

    /// One entity of Flow Service, which answers a look-up by id with a list of one.
    pub(super) async fn single(&self, path: &str) -> Result<Value, PlatformError> {
        let mut body: Value = self.get(&Read::at(path)).await?;
        if let Some([item]) = body
            .get_mut("items")
            .and_then(Value::as_array_mut)
            .map(Vec::as_mut_slice)
        {
            return Ok(item.take());
        }
        if body.get("id").is_some() {
            return Ok(body);
        }
        Err(PlatformError::unreadable(
            Service::FlowService,
            "a look-up by id brought not exactly one item",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_flow_is_read_with_its_texts_for_numbers() {
        let raw = json!({
            "id": "f-1", "name": "Leads", "description": "", "state": "enabled", "etag": "\"e-1\"",
            "createdAt": 1_612_310_475_905_i64, "updatedAt": 1_614_122_324_830_i64, "createdBy": "someone",
            "flowSpec": {"id": "spec", "version": "1.0"},
            "sourceConnectionIds": ["s-1"], "targetConnectionIds": ["t-1"],
            "inheritedAttributes": {"sourceConnections": [{"id": "s-1", "connectionSpec": {"id": "s3", "version": "1.0"},
                "baseConnection": {"id": "b-1"}}]},
            "scheduleParams": {"startTime": "1612310466", "frequency": "minute", "interval": "15", "backfill": "true"},
            "lastRunDetails": {"id": "r-1", "state": "success", "startedAtUTC": 1_613_079_975_512_i64},
            "surprise": {"of": "tomorrow"}
        });
        let flow = Flow::from_json(&raw).unwrap();
        assert_eq!(
            (flow.id.as_str(), flow.name.as_str(), flow.description),
            ("f-1", "Leads", None)
        );
        assert_eq!(flow.etag.as_deref(), Some("\"e-1\""));
        assert_eq!(flow.flow_spec_id.as_deref(), Some("spec"));
        assert_eq!(flow.base_connection_id.as_deref(), Some("b-1"));
        assert_eq!(flow.source_spec_id.as_deref(), Some("s3"));
        let schedule = flow.schedule.unwrap();
        assert_eq!(
            (schedule.start_time_s, schedule.interval),
            (Some(1_612_310_466), Some(15))
        );
        assert_eq!(schedule.backfill, Some(true));
        let last = flow.last_run.unwrap();
        assert_eq!(
            (last.started_at, last.completed_at),
            (Some(1_613_079_975_512), None)
        );
        assert_eq!(flow.raw, raw);
    }

    #[test]
    fn only_the_id_is_needed() {
        let flow = Flow::from_json(&json!({"id": "f-1"})).unwrap();
        assert!(flow.schedule.is_none() && flow.source_connection_ids.is_empty());
        for odd in [
            json!({}),
            json!({"id": 5}),
            json!({"id": ""}),
            json!([]),
            json!(null),
        ] {
            assert!(
                matches!(Flow::from_json(&odd), Err(PlatformError::Unreadable { .. })),
                "{odd}"
            );
        }
    }
}
