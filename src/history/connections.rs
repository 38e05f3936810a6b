//! What a flow's connections say about it: the path it reads and the dataset it fills.
//!
//! The flow itself names its connections only. They never change (a flow with other connections is another flow),
//! so each is read once and then known.

use std::collections::HashMap;

use serde_json::Value;

use super::ReadError;
use crate::platform::{Flow, PlatformClient, PlatformError};
use crate::store::environments::Environment;
use crate::store::{Store, StoreError, flows};

/// Connections that one reading asks for at most, so that a large environment fills up over several.
const ASKED_PER_READING: u32 = 40;

/// The two ends of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ends {
    /// The folder or file it reads.
    pub(super) source_path: Option<String>,
    /// Adobe's id of the dataset it fills.
    pub(super) dataset_id: Option<String>,
}

/// What is known by now about the connections of an environment.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By connection id: the path of a source connection or the dataset of a target connection; none: it has none.
    known: HashMap<String, Option<String>>,
    may_ask: u32,
}

impl Connections {
    /// What the stored flows of an environment tell.
    pub(super) async fn stored(store: &Store, environment: &Environment) -> Result<Self, StoreError> {
        let mut connections = Self::default();
        for flow in flows::ends(store, &environment.id).await? {
            connections.know(flow.source_connection_id, flow.source_path);
            connections.know(flow.target_connection_id, flow.dataset_id);
        }
        Ok(connections)
    }

    fn know(&mut self, id: Option<String>, value: Option<String>) {
        if let (Some(id), Some(value)) = (id, value) {
            self.known.insert(id, Some(value));
        }
    }

    /// Allows a reading its share of calls.
    pub(super) fn begin_reading(&mut self) {
        self.may_ask = ASKED_PER_READING;
    }

    /// The ends of a flow, asking the platform for what is not known yet.
    pub(super) async fn ends_of(&mut self, client: &PlatformClient, flow: &Flow) -> Result<Ends, ReadError> {
        let source = flow.source_connection_ids.first();
        let target = flow.target_connection_ids.first();
        let source_path = self
            .ask(source, "/params/path", |id| client.source_connection(id))
            .await?;
        let dataset_id = self
            .ask(target, "/params/dataSetId", |id| client.target_connection(id))
            .await?;
        Ok(Ends {
            source_path,
            dataset_id,
        })
    }

    async fn ask<'a, F>(
        &mut self,
        id: Option<&'a String>,
        pointer: &str,
        read: impl FnOnce(&'a str) -> F,
    ) -> Result<Option<String>, PlatformError>
    where
        F: Future<Output = Result<Value, PlatformError>>,
    {
        let Some(id) = id else { return Ok(None) };
        if let Some(value) = self.known.get(id) {
            return Ok(value.clone());
        }
        if self.may_ask == 0 {
            return Ok(None);
        }
        self.may_ask -= 1;
        let value = match read(id).await {
            Ok(body) => body.pointer(pointer).and_then(Value::as_str).map(str::to_owned),
            // Deleted, or not for this credential: that will not be otherwise in the next reading.
            Err(error) if error.is_not_found() || error.status() == Some(403) => None,
            Err(error) => return Err(error),
        };
        self.known.insert(id.clone(), value.clone());
        Ok(value)
    }
}
