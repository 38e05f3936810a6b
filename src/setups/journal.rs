//! Recording events: the state machine's step, the rows, the journal and the audit trail change together or not
//! at all, and only under the lease that is in force.

use serde_json::{Value, json};

use super::audited::{audited, ended};
use super::changing::Replan;
use super::{Setups, lease_name};
use crate::audit::{self, Actor};
use crate::domain::Verdict;
use crate::domain::setup::{
    Effect, Event, Illegal, Machine, Rules, SetupState, Step as MachineStep, StepKind,
};
use crate::platform::Found;
use crate::store::findings::NewFinding;
use crate::store::secrets::SecretOwner;
use crate::store::setups::{Setup, Step};
use crate::store::{self, Store, StoreError, WriteTx, setup_journal::NewSetupEvent};

/// Why an event could not be recorded. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error("a stored row of the setup cannot be read: {0}")]
    Damaged(String),
    #[error("another setup makes the data lake connection")]
    OthersTurn,
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
    /// Objects that carry one marker.
    pub(super) found: Vec<Found>,
    /// A person's decision, as it stands in the audit trail.
    pub(super) audited_as: Option<&'static str>,
    /// What the audit trail keeps of it.
    pub(super) audited_after: Option<Value>,
}

impl Note {
    /// Only a sentence for people.
    pub(super) fn saying(detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..Self::default()
        }
    }
}

/// A setup in the hands of a worker.
#[derive(Debug, Clone)]
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
        let driver = store::people::user_by_id(store, &setup.driven_by).await?;
        let name = driver.map_or_else(|| "somebody who was removed".to_owned(), |user| user.name);
        let actor = Actor::on_behalf(&setup.driven_by, &name, &setup.id);
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
        self.record_with(setups, events, None).await
    }

    /// The same; `replan` puts another plan in place of the steps that may change.
    pub(super) async fn record_with(
        &mut self,
        setups: &Setups,
        events: Vec<(Event, Note)>,
        replan: Option<Replan>,
    ) -> Result<(), RecordError> {
        let now = setups.inner.clock.now_ms();
        let mut next = self.clone();
        if let Some(replan) = &replan {
            replan.apply_to(&mut next);
        }
        for (event, note) in &events {
            next.machine.apply(event, now)?;
            take_over(event, note, &mut next, now);
        }
        next.setup.updated_at = now;
        let mut tx = setups.inner.store.begin().await?;
        store::leases::check(&mut tx, &lease_name(&next.setup.id), self.epoch).await?;
        self.check_turn(&mut tx, setups, &events).await?;
        if let Some(replan) = &replan {
            replan.save(&mut tx, self).await?;
        }
        self.write(&mut tx, &events, &next, now).await?;
        tx.commit().await?;
        *self = next;
        setups.changed(&self.setup.id);
        Ok(())
    }

    /// The create of the data lake connection has to wait while that of another setup may have acted.
    async fn check_turn(
        &self,
        tx: &mut WriteTx,
        setups: &Setups,
        events: &[(Event, Note)],
    ) -> Result<(), RecordError> {
        let kind = StepKind::DataLakeConnection;
        if events.iter().all(|(event, _)| *event != Event::Sending(kind)) {
            return Ok(());
        }
        let (id, environment) = (&self.setup.id, &self.setup.environment_id);
        let unclear_at = store::setups::unclear_elsewhere(tx, environment, kind, id).await?;
        let settled_at = unclear_at.map(|at| at.saturating_add(setups.inner.patience_ms()));
        let others = settled_at.is_some_and(|at| at > setups.inner.clock.now_ms());
        if others || store::environments::knows_data_lake_connection(tx, environment).await? {
            return Err(RecordError::OthersTurn);
        }
        Ok(())
    }

    async fn write(
        &self,
        tx: &mut WriteTx,
        events: &[(Event, Note)],
        next: &Self,
        now: i64,
    ) -> Result<(), StoreError> {
        let (setup, team) = (&next.setup, Some(next.setup.team_id.as_str()));
        for (event, note) in events {
            if let Some(entry) = journal_entry(event, note, self.epoch, now) {
                store::setup_journal::append(tx, &setup.id, &entry).await?;
            }
            if let Some(change) = audited(event, note, &next.rows, setup) {
                audit::record(tx, &self.actor, now, team, &change).await?;
            }
            for object in &note.found {
                let finding = duplicate(setup, event, object, &next.rows, now);
                if let Some(finding) = finding {
                    store::findings::observe(tx, &finding).await?;
                }
            }
            if let Event::Confirmed { step, id, .. } = event
                && *step == StepKind::DataLakeConnection
            {
                store::environments::set_data_lake_connection(tx, &setup.environment_id, id).await?;
            }
        }
        for row in next.rows.iter().filter(|row| !self.rows.contains(row)) {
            store::setups::save_step(tx, row).await?;
        }
        if next.machine.state.is_final() && !self.machine.state.is_final() {
            store::secrets::delete_for(tx, SecretOwner::Setup, &setup.id).await?;
            audit::record(tx, &self.actor, now, team, &ended(setup)).await?;
        }
        store::setups::save_setup(tx, setup).await?;
        Ok(())
    }
}

/// One of several objects that carry the marker of a step, so that a person can say which goes.
fn duplicate(setup: &Setup, event: &Event, object: &Found, rows: &[Step], now: i64) -> Option<NewFinding> {
    let row = rows.iter().find(|row| Some(row.kind) == event.step())?;
    Some(NewFinding {
        team_id: setup.team_id.clone(),
        environment_id: setup.environment_id.clone(),
        verdict: Verdict::Duplicate,
        object_kind: row.kind,
        object_id: object.id.clone(),
        object_name: object.name.clone().unwrap_or_default(),
        marker: row.marker.clone(),
        of: Some((setup.id.clone(), row.kind)),
        platform_created_at: object.created_at(),
        found_at: now,
        seen_at: now,
    })
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
        unclear_at: row.unclear_at,
        deletions: u32::try_from(row.deletions).unwrap_or(u32::MAX),
        retry_at: row.retry_at,
        object_id: row.object_id.clone(),
        adopted: row.adopted,
        ..MachineStep::planned(row.kind, needs)
    })
}

/// Copies what the machine decided, and what came with the event, into the rows.
fn take_over(event: &Event, note: &Note, taken: &mut Taken, now: i64) {
    let Taken {
        setup, rows, machine, ..
    } = taken;
    for row in rows.iter_mut() {
        let Some(step) = machine.step(row.kind) else {
            continue;
        };
        row.state = step.state;
        row.attempt = i64::from(step.attempt);
        row.looks = i64::from(step.looks);
        row.failed_looks = i64::from(step.failed_looks);
        row.sent_at = step.sent_at;
        row.unclear_at = step.unclear_at;
        row.deletions = i64::from(step.deletions);
        row.retry_at = step.retry_at;
        row.object_id.clone_from(&step.object_id);
        row.adopted = step.adopted;
    }
    if let Some(row) = event
        .step()
        .and_then(|kind| rows.iter_mut().find(|row| row.kind == kind))
    {
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
    match event {
        Event::Deleting(_) | Event::Postponed { .. } => return,
        Event::FoundNothing(_) | Event::CouldNotLook(_) | Event::FoundSeveral(_) | Event::FoundUnlike(_) => {
            row.problem = note.problem.clone().or(row.problem.take());
            return;
        }
        _ => {}
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

/// What the journal tells of an event; standing back for another setup, again and again, is not worth a row.
fn journal_entry(event: &Event, note: &Note, epoch: i64, at: i64) -> Option<NewSetupEvent> {
    if matches!(event, Event::Postponed { .. }) {
        return None;
    }
    let detail = json!({
        "event": format!("{event:?}"),
        "status": note.status,
        "request_hash": note.request_hash,
        "problem": note.problem,
        "upstream_request_id": note.upstream_request_id,
        "detail": note.detail,
    });
    Some(NewSetupEvent {
        at,
        step: event.step(),
        event: event.word().to_owned(),
        detail: detail.to_string(),
        epoch,
    })
}
