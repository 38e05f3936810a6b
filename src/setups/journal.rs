//! Recording events: the state machine's step, the rows, the journal and the audit trail change together or not
//! at all, and only under the lease that is in force.

use serde_json::json;

use super::{Setups, lease_name};
use crate::audit::{self, Actor, Change, Phase};
use crate::domain::setup::{
    Effect, Event, Illegal, Machine, Rules, SetupState, Step as MachineStep, StepKind,
};
use crate::store::secrets::SecretOwner;
use crate::store::setups::{Setup, Step};
use crate::store::{self, Store, StoreError, setup_journal::NewSetupEvent};

/// Why an event could not be recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error("a stored row of the setup cannot be read: {0}")]
    Damaged(String),
}

/// What else is stored with an event about a step.
#[derive(Debug, Default, Clone)]
pub(super) struct Note {
    /// Sentence for people, when the setup stops because of this.
    pub(super) detail: Option<String>,
    pub(super) etag: Option<String>,
    /// What is sent, references filled in but for secrets.
    pub(super) sent_body: Option<String>,
    pub(super) request_hash: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) answer: Option<String>,
    /// JSON: code, message, the platform's request id.
    pub(super) problem: Option<String>,
    pub(super) upstream_request_id: Option<String>,
    /// A person's decision, as it stands in the audit trail.
    pub(super) audited_as: Option<&'static str>,
}

/// A setup in the hands of a worker.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) setup: Setup,
    pub(super) rows: Vec<Step>,
    pub(super) machine: Machine,
    pub(super) epoch: i64,
    /// In whose name its calls stand in the audit trail.
    pub(super) actor: Actor,
}

impl Taken {
    /// Reads a setup whose lease is held at `epoch`.
    pub(super) async fn read(
        store: &Store,
        setup_id: &str,
        epoch: i64,
        rules: Rules,
    ) -> Result<Option<Self>, RecordError> {
        let Some(setup) = store::setups::any_by_id(store, setup_id).await? else {
            return Ok(None);
        };
        let rows = store::setups::steps(store, setup_id).await?;
        let machine = restore(&setup, &rows, rules)?;
        let starter = store::people::user_by_id(store, &setup.started_by).await?;
        let name = starter.map_or_else(|| "somebody who was removed".to_owned(), |user| user.name);
        let actor = Actor::on_behalf(&setup.started_by, &name, &setup.id);
        Ok(Some(Self {
            setup,
            rows,
            machine,
            epoch,
            actor,
        }))
    }

    pub(super) fn row(&self, kind: StepKind) -> Option<&Step> {
        self.rows.iter().find(|row| row.kind == kind)
    }

    /// Records events in one transaction and then takes them over in memory.
    pub(super) async fn record(
        &mut self,
        setups: &Setups,
        events: Vec<(Event, Note)>,
    ) -> Result<(), RecordError> {
        let now = setups.inner.clock.now_ms();
        let (mut setup, mut rows, mut machine) =
            (self.setup.clone(), self.rows.clone(), self.machine.clone());
        for (event, note) in &events {
            machine.apply(event, now)?;
            take_over(event, note, &machine, &mut setup, &mut rows, now);
        }
        setup.updated_at = now;
        let mut tx = setups.inner.store.begin().await?;
        store::leases::check(&mut tx, &lease_name(&setup.id), self.epoch).await?;
        for (event, note) in &events {
            let entry = journal_entry(event, note, self.epoch, now);
            store::setup_journal::append(&mut tx, &setup.id, &entry).await?;
            if let Some(change) = audited(event, note, &rows, &setup) {
                audit::record(&mut tx, &self.actor, now, Some(&setup.team_id), &change).await?;
            }
        }
        for row in rows.iter().filter(|row| self.rows.iter().all(|old| old != *row)) {
            store::setups::save_step(&mut tx, row).await?;
        }
        if machine.state.is_final() && !self.machine.state.is_final() {
            store::secrets::delete_for(&mut tx, SecretOwner::Setup, &setup.id).await?;
            let change = ended(&setup);
            audit::record(&mut tx, &self.actor, now, Some(&setup.team_id), &change).await?;
        }
        store::setups::save_setup(&mut tx, &setup).await?;
        tx.commit().await?;
        (self.setup, self.rows, self.machine) = (setup, rows, machine);
        setups.changed(&self.setup.id);
        Ok(())
    }
}

/// The state machine of stored rows.
pub(super) fn restore(setup: &Setup, rows: &[Step], rules: Rules) -> Result<Machine, RecordError> {
    let steps = rows.iter().map(machine_step).collect::<Result<Vec<_>, _>>()?;
    Ok(Machine::restore(
        setup.state,
        setup.question,
        setup.undoing,
        steps,
        rules,
    ))
}

fn machine_step(row: &Step) -> Result<MachineStep, RecordError> {
    let needs = serde_json::from_str(&row.needs)
        .map_err(|_| RecordError::Damaged(format!("needs of {}", row.kind)))?;
    Ok(MachineStep {
        state: row.state,
        attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
        looks: u32::try_from(row.looks).unwrap_or(u32::MAX),
        failed_looks: u32::try_from(row.failed_looks).unwrap_or(u32::MAX),
        sent_at: row.sent_at,
        retry_at: row.retry_at,
        object_id: row.object_id.clone(),
        adopted: row.adopted,
        ..MachineStep::planned(row.kind, needs)
    })
}

/// Copies what the machine decided, and what came with the event, into the rows.
fn take_over(event: &Event, note: &Note, machine: &Machine, setup: &mut Setup, rows: &mut [Step], now: i64) {
    for row in rows.iter_mut() {
        let Some(step) = machine.step(row.kind) else {
            continue;
        };
        row.state = step.state;
        row.attempt = i64::from(step.attempt);
        row.looks = i64::from(step.looks);
        row.failed_looks = i64::from(step.failed_looks);
        row.sent_at = step.sent_at;
        row.retry_at = step.retry_at;
        row.object_id.clone_from(&step.object_id);
        row.adopted = step.adopted;
    }
    if let Some(row) = step_of(event).and_then(|kind| rows.iter_mut().find(|row| row.kind == kind)) {
        note_on(row, event, note, now);
    }
    setup.state = machine.state;
    setup.question = machine.question;
    setup.undoing = machine.undoing;
    if machine.question.is_none() {
        setup.question_detail = None;
    } else if note.detail.is_some() {
        setup.question_detail.clone_from(&note.detail);
    }
    setup.retry_at = match machine.effects(now)[..] {
        [Effect::WaitUntil(at)] => Some(at),
        _ => None,
    };
    setup.finished_at = machine.state.is_final().then_some(now);
    if machine.state == SetupState::Done {
        setup.flow_id = machine
            .step(StepKind::Flow)
            .and_then(|step| step.object_id.clone());
    }
}

fn note_on(row: &mut Step, event: &Event, note: &Note, now: i64) {
    if matches!(event, Event::Sending(_)) {
        row.sent_body.clone_from(&note.sent_body);
        row.request_hash.clone_from(&note.request_hash);
        row.answered_at = None;
        row.answer_status = None;
        row.answer = None;
        row.problem = None;
        return;
    }
    if matches!(event, Event::Deleting(_)) {
        return;
    }
    row.answered_at = Some(now);
    row.problem.clone_from(&note.problem);
    if note.etag.is_some() {
        row.etag.clone_from(&note.etag);
    }
    if note.status.is_some() || note.answer.is_some() {
        row.answer_status = note.status.map(i64::from);
        row.answer.clone_from(&note.answer);
    }
    if note.upstream_request_id.is_some() {
        row.upstream_request_id.clone_from(&note.upstream_request_id);
    }
}

fn journal_entry(event: &Event, note: &Note, epoch: i64, at: i64) -> NewSetupEvent {
    let detail = json!({
        "event": format!("{event:?}"),
        "status": note.status,
        "request_hash": note.request_hash,
        "problem": note.problem,
        "upstream_request_id": note.upstream_request_id,
        "detail": note.detail,
    });
    NewSetupEvent {
        at,
        step: step_of(event),
        event: word_of(event).to_owned(),
        detail: detail.to_string(),
        epoch,
    }
}

/// Which calls at the platform stand in the audit trail, as intent and as outcome.
fn audited<'a>(event: &Event, note: &Note, rows: &'a [Step], setup: &'a Setup) -> Option<Change<'a>> {
    if let Some(word) = note.audited_as {
        return Some(Change::new(word, "setup", &setup.id, &setup.flow_name));
    }
    let row = rows.iter().find(|row| Some(row.kind) == step_of(event))?;
    let (word, phase) = match event {
        Event::Sending(_) => ("platform.create", Phase::Intent),
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
        "result": word_of(event),
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

fn ended(setup: &Setup) -> Change<'_> {
    let word = if setup.state == SetupState::Done {
        "setup.done"
    } else {
        "setup.undone"
    };
    Change::new(word, "setup", &setup.id, &setup.flow_name).after(json!({ "flow_id": setup.flow_id }))
}

/// The step that an event is about.
fn step_of(event: &Event) -> Option<StepKind> {
    match event {
        Event::Sending(kind)
        | Event::Rejected(kind, _)
        | Event::Unclear(kind)
        | Event::FoundNothing(kind)
        | Event::FoundSeveral(kind)
        | Event::CouldNotLook(kind)
        | Event::Deleting(kind)
        | Event::Deleted(kind)
        | Event::DeleteFailed(kind)
        | Event::Kept(kind)
        | Event::Confirmed { step: kind, .. }
        | Event::NotActed { step: kind, .. } => Some(*kind),
        Event::Recovered | Event::Ask(_) | Event::Resumed | Event::UndoRequested => None,
    }
}

/// The stable word of an event in the journal.
fn word_of(event: &Event) -> &'static str {
    match event {
        Event::Recovered => "taken_over",
        Event::Sending(_) => "sending",
        Event::Confirmed { adopted: true, .. } => "found",
        Event::Confirmed { .. } => "confirmed",
        Event::Rejected(..) => "rejected",
        Event::NotActed { .. } => "not_acted",
        Event::Unclear(_) => "unclear",
        Event::FoundNothing(_) => "found_nothing",
        Event::FoundSeveral(_) => "found_several",
        Event::CouldNotLook(_) => "could_not_look",
        Event::Ask(_) => "asked",
        Event::Resumed => "resumed",
        Event::UndoRequested => "undo_requested",
        Event::Deleting(_) => "deleting",
        Event::Deleted(_) => "deleted",
        Event::DeleteFailed(_) => "delete_failed",
        Event::Kept(_) => "kept",
    }
}
