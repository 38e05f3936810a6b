//! Reading dataflows and the connections that they use.

use futures_util::Stream;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::pages::{PAGE_SIZE, Page};
use super::wire;

/// A dataflow, as Adobe's page on updating dataflows shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Its id.
    pub id: String,
    /// As people gave it.
    pub name: String,
    /// As people gave it.
    pub description: String,
    /// `enabled`, `disabled`, or another word of Adobe's.
    pub state: String,
    /// With its inner quotes.
    pub etag: Option<String>,
    /// UTC epoch milliseconds.
    pub created_at: Option<i64>,
    /// UTC epoch milliseconds.
    pub updated_at: Option<i64>,
    /// Adobe's id of who made it.
    pub created_by: Option<String>,
    /// Of how it is run.
    pub flow_spec_id: Option<String>,
    /// One in all documents.
    pub source_connection_ids: Vec<String>,
    /// One in all documents.
    pub target_connection_ids: Vec<String>,
    /// From the inherited attributes of the source connection.
    pub base_connection_id: Option<String>,
    /// From the inherited attributes of the source connection.
    pub source_spec_id: Option<String>,
    /// When it runs.
    pub schedule: Option<ScheduleParams>,
    /// Everything, as answered.
    pub raw: Value,
}

/// `scheduleParams`; Adobe's answers give the numbers as strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleParams {
    /// UTC epoch milliseconds.
    pub start_at: Option<i64>,
    /// `once`, `minute`, `hour`, `day`, `week`.
    pub frequency: String,
    /// Units between two runs.
    pub interval: Option<i64>,
    /// Whether the first run takes all files.
    pub backfill: Option<bool>,
}

impl PlatformClient {
    /// All dataflows of the sandbox, page by page.
    pub fn flows(&self) -> impl Stream<Item = Result<Page<Flow>, PlatformError>> + Send + use<> {
        let read = Read::at(ObjectKind::Flow.collection()).with("limit", PAGE_SIZE.to_string());
        self.pages(Service::FlowService, read, Flow::read)
    }

    /// One dataflow.
    ///
    /// # Errors
    /// [`PlatformError::is_not_found`] when there is none.
    pub async fn flow(&self, id: &str) -> Result<Flow, PlatformError> {
        Flow::read(&self.flow_service_object(ObjectKind::Flow, id).await?)
    }

    /// One source connection, as answered.
    pub async fn source_connection(&self, id: &str) -> Result<Value, PlatformError> {
        self.flow_service_object(ObjectKind::SourceConnection, id).await
    }

    /// One target connection, as answered.
    pub async fn target_connection(&self, id: &str) -> Result<Value, PlatformError> {
        self.flow_service_object(ObjectKind::TargetConnection, id).await
    }

    /// A look-up by id answers a list of one.
    pub(super) async fn flow_service_object(
        &self,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Value, PlatformError> {
        let body = self.get(&Read::at(kind.path_of(id))).await?;
        only_item(&body)
    }
}

/// The one item of an answer; an object without `items` stands for itself.
pub(super) fn only_item(body: &Value) -> Result<Value, PlatformError> {
    match (wire::elements(body, "/items"), body.get("items")) {
        ([item], _) => Ok(item.clone()),
        (_, None) if body.get("id").is_some() => Ok(body.clone()),
        _ => Err(PlatformError::unreadable(
            Service::FlowService,
            "a look-up by id did not answer one item",
        )),
    }
}

impl Flow {
    fn read(item: &Value) -> Result<Self, PlatformError> {
        let text = |pointer: &str| wire::text(item, pointer);
        let id = text("/id").ok_or_else(|| {
            PlatformError::unreadable(Service::FlowService, "a dataflow of the list has no id")
        })?;
        let inherited = "/inheritedAttributes/sourceConnections/0";
        Ok(Self {
            id,
            name: text("/name").unwrap_or_default(),
            description: text("/description").unwrap_or_default(),
            state: text("/state").unwrap_or_default(),
            etag: wire::etag(item),
            created_at: wire::moment(item, "/createdAt"),
            updated_at: wire::moment(item, "/updatedAt"),
            created_by: text("/createdBy"),
            flow_spec_id: text("/flowSpec/id").or_else(|| text("/flowSpec")),
            source_connection_ids: wire::texts(item, "/sourceConnectionIds"),
            target_connection_ids: wire::texts(item, "/targetConnectionIds"),
            base_connection_id: text(&format!("{inherited}/baseConnection/id")),
            source_spec_id: text(&format!("{inherited}/connectionSpec/id")),
            schedule: text("/scheduleParams/frequency").map(|frequency| ScheduleParams {
                start_at: wire::moment(item, "/scheduleParams/startTime"),
                frequency,
                interval: wire::number(item, "/scheduleParams/interval"),
                backfill: wire::boolean(item, "/scheduleParams/backfill"),
            }),
            raw: item.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_a_schedule_come_as_strings() {
        let flow = Flow::read(&json!({
            "id": "f-1", "name": "Loyalty", "state": "enabled", "etag": "\"e\"",
            "createdAt": 1_584_675_844_000_i64,
            "sourceConnectionIds": ["s-1"], "targetConnectionIds": ["t-1"],
            "inheritedAttributes": {"sourceConnections": [{"id": "s-1", "connectionSpec": {"id": "spec"},
                "baseConnection": {"id": "b-1"}}]},
            "scheduleParams": {"startTime": "1584675000", "frequency": "minute", "interval": "1000", "backfill": "true"},
        }))
        .unwrap();
        let schedule = flow.schedule.unwrap();
        assert_eq!(schedule.start_at, Some(1_584_675_000_000));
        assert_eq!((schedule.interval, schedule.backfill), (Some(1000), Some(true)));
        assert_eq!(flow.base_connection_id.as_deref(), Some("b-1"));
        assert_eq!(flow.etag.as_deref(), Some("\"e\""));
    }

    #[test]
    fn a_look_up_answers_a_list_of_one() {
        assert!(only_item(&json!({"items": [{"id": "a"}]})).is_ok());
        assert!(only_item(&json!({"id": "a"})).is_ok());
        for odd in [json!({}), json!({"items": []}), json!({"items": [1, 2]})] {
            assert!(only_item(&odd).is_err(), "{odd}");
        }
    }
}
