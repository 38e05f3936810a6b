//! The objects that setups make: their kinds, where they carry their marker, and the filters that find them again.

use serde_json::Value;

use super::calls::ObjectKind;
use super::lookups::{Found, Selector};
use super::wire;
use crate::domain::connector::DATA_LAKE_SPEC_ID;
use crate::domain::setup::{DATA_LAKE_NAME, MARKER_TAG, StepKind};

impl From<StepKind> for ObjectKind {
    fn from(step: StepKind) -> Self {
        match step {
            StepKind::BaseConnection | StepKind::DataLakeConnection => Self::Connection,
            StepKind::Schema => Self::Schema,
            StepKind::Dataset => Self::Dataset,
            StepKind::MappingSet => Self::MappingSet,
            StepKind::SourceConnection => Self::SourceConnection,
            StepKind::TargetConnection => Self::TargetConnection,
            StepKind::Flow => Self::Flow,
        }
    }
}

impl Selector {
    /// A filter that Adobe documents and that brings all objects with the marker of a step, among others. `sent`: the
    /// object as it was sent. None: what was sent does not say enough.
    pub fn of_step(step: StepKind, marker: &str, sent: &Value) -> Option<Self> {
        let text = |pointer: &str| wire::at(sent, pointer).and_then(Value::as_str).map(str::to_owned);
        Some(match step {
            StepKind::BaseConnection => Self::ByDescription(marker.to_owned()),
            // It is shared by many setups and carries no marker.
            StepKind::DataLakeConnection => Self::ByName(DATA_LAKE_NAME.to_owned()),
            StepKind::Schema => Self::ByTitle(text("/title")?),
            StepKind::Dataset => Self::ByTag {
                key: MARKER_TAG.to_owned(),
                value: marker.to_owned(),
            },
            StepKind::MappingSet => Self::ByName(marker.to_owned()),
            StepKind::SourceConnection => match text("/baseConnectionId") {
                Some(id) => Self::ByBaseConnection(id),
                None => Self::ByConnectionSpec(text("/connectionSpec/id")?),
            },
            StepKind::TargetConnection => Self::ByDataset(text("/params/dataSetId")?),
            StepKind::Flow => Self::BySourceConnection(text("/sourceConnectionIds/0")?),
        })
    }
}

impl Found {
    /// Whether it is the object of a step, or one that stands for it: by its marker, and the shared data lake
    /// connection by its specification.
    pub fn is_marked(&self, step: StepKind, marker: &str) -> bool {
        match step {
            StepKind::DataLakeConnection => self.is_data_lake(),
            StepKind::Dataset => self.tag(MARKER_TAG).iter().any(|tag| tag == marker),
            StepKind::MappingSet => self.name.as_deref() == Some(marker),
            _ => self
                .description
                .as_deref()
                .is_some_and(|text| text.contains(marker)),
        }
    }

    /// Whether it is a connection of the data lake.
    pub fn is_data_lake(&self) -> bool {
        let spec = wire::at(&self.body, "/connectionSpec/id");
        spec.and_then(Value::as_str) == Some(DATA_LAKE_SPEC_ID)
    }
}
