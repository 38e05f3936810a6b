//! What the audit trail tells of a setup: people's decisions, and each call at the platform before and after.

use serde_json::json;

use super::journal::Note;
use crate::audit::{Change, Phase};
use crate::domain::setup::{Event, SetupState, StepState};
use crate::store::setups::{Setup, Step};

/// The audit event that belongs to an event, if it is one of a person or a call.
pub(super) fn audited<'a>(
    event: &Event,
    note: &Note,
    rows: &'a [Step],
    setup: &'a Setup,
) -> Option<Change<'a>> {
    if let Some(word) = note.audited_as {
        let change = Change::new(word, "setup", &setup.id, &setup.flow_name);
        return Some(match &note.audited_after {
            Some(after) => change.after(after.clone()),
            None => change,
        });
    }
    let row = rows.iter().find(|row| Some(row.kind) == event.step())?;
    let (word, phase) = match event {
        Event::Sending(_) => ("platform.create", Phase::Intent),
        // A deletion that is to be sent again leaves the object confirmed.
        Event::NotActed { .. } if row.state == StepState::Confirmed => ("platform.delete", Phase::Outcome),
        Event::Confirmed { .. } | Event::Rejected(..) | Event::NotActed { .. } | Event::Unclear(_) => {
            ("platform.create", Phase::Outcome)
        }
        Event::Deleting(_) => ("platform.delete", Phase::Intent),
        Event::Deleted(_) | Event::DeleteFailed(_) | Event::Kept(_) => ("platform.delete", Phase::Outcome),
        _ => return None,
    };
    let after = json!({
        "step": row.kind,
        "marker": row.marker,
        "result": event.word(),
        "id": row.object_id,
        "status": note.status,
        "request_hash": row.request_hash,
    });
    Some(
        Change::new(word, "setup", &setup.id, &setup.flow_name)
            .phase(phase)
            .after(after),
    )
}

/// The audit event of the end of a setup.
pub(super) fn ended(setup: &Setup) -> Change<'_> {
    let word = match setup.state {
        SetupState::Done => "setup.done",
        SetupState::Left => "setup.left",
        _ => "setup.undone",
    };
    Change::new(word, "setup", &setup.id, &setup.flow_name).after(json!({ "flow_id": setup.flow_id }))
}
