//! What a flow's connections say about it: the path it reads and the dataset it fills.
//!
//! The flow itself names its connections only. They never change (a flow with other connections is another flow),
//! so each is read once and then known.

use std::collections::HashMap;
use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::ReadError;
use super::reading::{Purpose, Reading};
use crate::platform::{Flow, ObjectKind, PlatformError};
use crate::store::environments::Environment;
use crate::store::{Store, StoreError, flows};

/// Connections that one reading asks for one by one at most, so that what cannot be listed fills up over several.
const ASKED_PER_READING: u32 = 40;
/// With more unknown ones on a page of flows, all connections are listed.
const FEW: usize = 10;
/// Where a source connection has its folder or file, and a target connection its dataset.
const PATH: &str = "/params/path";
const DATASET: &str = "/params/dataSetId";

/// The two ends of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The folder or file it reads.
    pub source_path: Option<String>,
    /// Adobe's id of the dataset it fills.
    pub dataset_id: Option<String>,
}

/// What is known by now about the connections of an environment.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By connection id: the path of a source connection or the dataset of a target connection; none: it has none.
    known: HashMap<String, Option<String>>,
    may_ask: u32,
    all_were_listed: bool,
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

    /// Learns the connections of many flows at once, where that is cheaper than asking for each.
    pub(super) async fn learn(&mut self, reading: &Reading, flows: &[Flow]) -> Result<(), ReadError> {
        let named = flows.iter().flat_map(|flow| {
            flow.source_connection_ids
                .iter()
                .chain(&flow.target_connection_ids)
        });
        if self.all_were_listed || named.filter(|id| !self.known.contains_key(*id)).count() <= FEW {
            return Ok(());
        }
        let reading = &reading.with_purpose(Purpose::Filling);
        let (sources, targets) = tokio::try_join!(
            list(reading, ObjectKind::SourceConnection, PATH),
            list(reading, ObjectKind::TargetConnection, DATASET),
        )?;
        self.known.extend(sources.into_iter().chain(targets));
        self.all_were_listed = true;
        Ok(())
    }

    /// The ends of a flow, asking the platform for what is not known yet.
    pub(super) async fn ends_of(&mut self, reading: &Reading, flow: &Flow) -> Result<Ends, ReadError> {
        let reading = &reading.with_purpose(Purpose::Filling);
        let source = flow.source_connection_ids.first();
        let target = flow.target_connection_ids.first();
        Ok(Ends {
            source_path: self
                .ask(reading, source, PATH, |id| reading.client.source_connection(id))
                .await?,
            dataset_id: self
                .ask(reading, target, DATASET, |id| {
                    reading.client.target_connection(id)
                })
                .await?,
        })
    }

    async fn ask<'a, F>(
        &mut self,
        reading: &Reading,
        id: Option<&'a String>,
        pointer: &str,
        read: impl FnOnce(&'a str) -> F,
    ) -> Result<Option<String>, ReadError>
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
        let value = match reading.call(read(id)).await {
            Ok(body) => wanted(&body, pointer),
            // Deleted, or not for this credential: that will not be otherwise in the next reading.
            Err(ReadError::Platform(error)) if error.is_not_found() || error.status() == Some(403) => None,
            Err(error) => return Err(error),
        };
        self.known.insert(id.clone(), value.clone());
        Ok(value)
    }
}

fn wanted(connection: &Value, pointer: &str) -> Option<String> {
    connection
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// All connections of a kind; none if they cannot be listed, which is then found out one by one.
async fn list(
    reading: &Reading,
    kind: ObjectKind,
    pointer: &str,
) -> Result<HashMap<String, Option<String>>, ReadError> {
    let mut found = HashMap::new();
    let mut pages = pin!(reading.client.inventory(kind));
    loop {
        match reading.call(pages.try_next()).await {
            Ok(Some(page)) => {
                let connections = page.items.into_iter();
                found.extend(connections.map(|object| (object.id, wanted(&object.body, pointer))));
                if page.is_last {
                    return Ok(found);
                }
            }
            Ok(None) => return Ok(found),
            Err(ReadError::Platform(error)) if !error.is_transient() => return Ok(found),
            Err(error) => return Err(error),
        }
    }
}
