//! Looking whether the object of a step exists, by its marker.
//!
//! Only a complete look-up proves anything. What carries our marker is adopted only when it also is what was sent:
//! the same specification, the same parents. If it is not, it is neither adopted nor called absent: a person is asked.

use serde_json::Value;

use super::journal::{Note, Taken};
use crate::domain::setup::{Event, StepKind};
use crate::platform::{Found, Lookup, PlatformClient, Selector};

/// What to look for, and what must agree in what is found.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) kind: StepKind,
    selector: Selector,
    marker: String,
    /// The object as it was sent.
    sent: Value,
}

/// How to find the object of a step that was sent before. `None`: what was sent cannot be read.
pub(super) fn search(taken: &Taken, kind: StepKind) -> Option<Search> {
    let row = taken.row(kind)?;
    let sent: Value = serde_json::from_str(row.sent_body.as_deref().unwrap_or(&row.body)).ok()?;
    let marker = row.marker.clone();
    let selector = Selector::of_step(kind, &marker, &sent)?;
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
    match client.find(kind.into(), &search.selector).await {
        Lookup::Incomplete(error) => (Event::CouldNotLook(kind), Note::saying(error.to_string())),
        Lookup::Complete(found) => search.judge(found),
    }
}

impl Search {
    fn judge(&self, found: Vec<Found>) -> (Event, Note) {
        let kind = self.kind;
        let on_our_parents = found.len();
        let mut ours: Vec<Found> = found
            .into_iter()
            .filter(|object| object.is_marked(kind, &self.marker))
            .collect();
        // One data lake connection is as good as another: the first stands for all.
        if kind == StepKind::DataLakeConnection {
            ours.truncate(1);
        }
        match &ours[..] {
            // Only this setup knows the source connection, so nobody else's dataflow can stand on it.
            [] if kind == StepKind::Flow && on_our_parents > 0 => {
                let detail = "A dataflow stands on this setup's source connection, but carries no marker.";
                (Event::FoundUnlike(kind), Note::saying(detail))
            }
            [] => (Event::FoundNothing(kind), Note::default()),
            [only] => match self.first_difference(only) {
                None => adopt(kind, only),
                Some(member) => {
                    let detail = format!(
                        "{} carries the marker, but its {member} is not what was sent.",
                        only.id
                    );
                    (Event::FoundUnlike(kind), Note::saying(detail))
                }
            },
            several => {
                let ids: Vec<&str> = several.iter().map(|o| o.id.as_str()).collect();
                let detail = format!("{} objects carry the same marker: {}.", ids.len(), ids.join(", "));
                let note = Note {
                    found: several.to_vec(),
                    ..Note::saying(detail)
                };
                (Event::FoundSeveral(kind), note)
            }
        }
    }

    /// The first of the members that tell the object from others in which it is not what was sent.
    fn first_difference(&self, found: &Found) -> Option<&'static str> {
        let telling: &[(&str, &str)] = match self.kind {
            StepKind::DataLakeConnection | StepKind::Schema | StepKind::MappingSet => &[],
            StepKind::BaseConnection => &[("/connectionSpec/id", "connection specification")],
            StepKind::Dataset => &[("/schemaRef/id", "schema")],
            StepKind::SourceConnection => &[
                ("/connectionSpec/id", "connection specification"),
                ("/baseConnectionId", "base connection"),
            ],
            StepKind::TargetConnection => &[("/params/dataSetId", "dataset")],
            StepKind::Flow => &[
                ("/sourceConnectionIds", "source connection"),
                ("/targetConnectionIds", "target connection"),
            ],
        };
        telling
            .iter()
            .find(|(pointer, _)| {
                let sent = self.sent.pointer(pointer);
                sent.is_some() && shown(&found.body, pointer) != sent
            })
            .map(|(_, member)| *member)
    }
}

/// A member of an object; a base connection may also be told as inherited.
fn shown<'a>(body: &'a Value, pointer: &str) -> Option<&'a Value> {
    let inherited = || body.pointer("/inheritedAttributes/baseConnection/id");
    body.pointer(pointer)
        .or_else(|| (pointer == "/baseConnectionId").then(inherited).flatten())
}

fn adopt(kind: StepKind, found: &Found) -> (Event, Note) {
    let event = Event::Confirmed {
        step: kind,
        id: found.id.clone(),
        adopted: true,
    };
    let note = Note {
        etag: found.etag.clone(),
        ..Note::default()
    };
    (event, note)
}
