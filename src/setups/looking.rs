//! Looking whether the object of a step exists, by its marker.
//!
//! Only a complete look-up proves anything. What is found counts as ours only when marker and parents agree.

use serde_json::Value;

use super::journal::{Note, Taken};
use crate::domain::connector::DATA_LAKE_SPEC_ID;
use crate::domain::setup::{DATA_LAKE_NAME, Event, MARKER_TAG, StepKind};
use crate::platform::{Found, Lookup, ObjectKind, PlatformClient, Selector};

/// The kind of object that a step makes.
pub(super) const fn object_kind(kind: StepKind) -> ObjectKind {
    match kind {
        StepKind::BaseConnection | StepKind::DataLakeConnection => ObjectKind::Connection,
        StepKind::Schema => ObjectKind::Schema,
        StepKind::Dataset => ObjectKind::Dataset,
        StepKind::MappingSet => ObjectKind::MappingSet,
        StepKind::SourceConnection => ObjectKind::SourceConnection,
        StepKind::TargetConnection => ObjectKind::TargetConnection,
        StepKind::Flow => ObjectKind::Flow,
    }
}

/// What to look for, and what must agree in what is found.
#[derive(Debug)]
pub(super) struct Search {
    kind: StepKind,
    selector: Selector,
    marker: String,
    /// The object as it was sent.
    sent: Value,
}

/// How to find the object of a step that was sent before. `None`: what was sent cannot be read.
pub(super) fn search(taken: &Taken, kind: StepKind) -> Option<Search> {
    let row = taken.row(kind)?;
    let sent: Value = serde_json::from_str(row.sent_body.as_deref().unwrap_or(&row.body)).ok()?;
    let text = |pointer: &str| sent.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let marker = row.marker.clone();
    let selector = match kind {
        StepKind::BaseConnection => Selector::ByDescription(marker.clone()),
        StepKind::DataLakeConnection => Selector::ByName(DATA_LAKE_NAME.to_owned()),
        StepKind::Schema => Selector::ByTitle(text("/title")?),
        StepKind::Dataset => Selector::ByTag {
            key: MARKER_TAG.to_owned(),
            value: marker.clone(),
        },
        StepKind::MappingSet => Selector::ByName(marker.clone()),
        StepKind::SourceConnection => match text("/baseConnectionId") {
            Some(id) => Selector::ByBaseConnection(id),
            None => Selector::ByConnectionSpec(text("/connectionSpec/id")?),
        },
        StepKind::TargetConnection => Selector::ByDataset(text("/params/dataSetId")?),
        StepKind::Flow => Selector::BySourceConnection(text("/sourceConnectionIds/0")?),
    };
    Some(Search {
        kind,
        selector,
        marker,
        sent,
    })
}

/// Looks, and says what that means for the state machine.
pub(super) async fn look(client: &PlatformClient, search: &Search) -> (Event, Note) {
    let kind = search.kind;
    match client.find(object_kind(kind), &search.selector).await {
        Lookup::Incomplete(error) => {
            let note = Note {
                detail: Some(error.to_string()),
                ..Note::default()
            };
            (Event::CouldNotLook(kind), note)
        }
        Lookup::Complete(found) => {
            let ours: Vec<Found> = found
                .into_iter()
                .filter(|object| search.is_ours(object))
                .collect();
            judge(kind, ours)
        }
    }
}

fn judge(kind: StepKind, mut ours: Vec<Found>) -> (Event, Note) {
    // One data lake connection is as good as another: the first stands for all.
    if kind == StepKind::DataLakeConnection {
        ours.truncate(1);
    }
    match &ours[..] {
        [] => (Event::FoundNothing(kind), Note::default()),
        [only] => {
            let event = Event::Confirmed {
                step: kind,
                id: only.id.clone(),
                adopted: true,
            };
            (
                event,
                Note {
                    etag: only.etag.clone(),
                    ..Note::default()
                },
            )
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|o| o.id.as_str()).collect();
            let detail = format!("{} objects carry the same marker: {}.", ids.len(), ids.join(", "));
            (
                Event::FoundSeveral(kind),
                Note {
                    detail: Some(detail),
                    ..Note::default()
                },
            )
        }
    }
}

impl Search {
    fn is_ours(&self, found: &Found) -> bool {
        let body = &found.body;
        let same = |pointer: &str| {
            self.sent
                .pointer(pointer)
                .is_none_or(|sent| body.pointer(pointer) == Some(sent))
        };
        let described = found
            .description
            .as_deref()
            .is_some_and(|text| text.contains(&self.marker));
        match self.kind {
            StepKind::DataLakeConnection => {
                body.pointer("/connectionSpec/id").and_then(Value::as_str) == Some(DATA_LAKE_SPEC_ID)
            }
            StepKind::BaseConnection => described && same("/connectionSpec/id"),
            StepKind::Schema => described,
            // The list was filtered by the tag and each item was compared again.
            StepKind::Dataset => same("/schemaRef/id"),
            StepKind::MappingSet => true,
            StepKind::SourceConnection => {
                described && same("/baseConnectionId") && same("/connectionSpec/id")
            }
            StepKind::TargetConnection => described && same("/params/dataSetId"),
            StepKind::Flow => described && same("/sourceConnectionIds") && same("/targetConnectionIds"),
        }
    }
}
