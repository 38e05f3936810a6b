//! The loop of one worker: asks the state machine what to do, does it, records what came of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::data_lake::DataLake;
use super::journal::{Note, RecordError, Taken};
use super::looking;
#[cfg(debug_assertions)]
use super::points::{self, Point};
use super::sending::{self, NotReady};
use super::undoing::{self, Verdict};
use super::{LEASE_TTL_MS, Setups, lease_name};
use crate::domain::setup::{Effect, Event, Question, SetupState, StepKind};
use crate::domain::{Role, new_id};
use crate::platform::{Answer, Call, ClientError, PlatformClient};
use crate::store::{self, StoreError};

/// A wait of at most this long is sat out by the worker; a longer one is left to the dispatcher.
const SIT_OUT_MS: i64 = 2_000;
/// How often a worker renews its lease.
const RENEW_MS: i64 = 20_000;

/// Why a worker let go of a setup before it was finished.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error("the environment of the setup is gone")]
    NoEnvironment,
}

/// What came back from the outside.
pub(super) enum Landed {
    /// A pause is over.
    Waited,
    Answered {
        answer: Answer,
        secrets: Vec<SecretString>,
    },
    Looked {
        event: Event,
        note: Note,
    },
    Judged(Verdict),
    DeletionAnswered(Answer),
}

type Flights = FuturesUnordered<BoxFuture<'static, (StepKind, Landed)>>;

impl Setups {
    /// Works on one setup until it is finished, waits, asks, or `stop` is cancelled.
    ///
    /// Somebody else may hold it: then nothing happens.
    pub(super) async fn work_on(&self, setup_id: &str, stop: &CancellationToken) -> Result<(), RunError> {
        let name = lease_name(setup_id);
        let now = self.inner.clock.now_ms();
        let mut tx = self.inner.store.begin().await?;
        let epoch = store::leases::acquire(&mut tx, &name, &self.inner.holder, now, LEASE_TTL_MS).await?;
        tx.commit().await?;
        let Some(epoch) = epoch else { return Ok(()) };
        let result = self.work_under_lease(setup_id, epoch, stop).await;
        let mut tx = self.inner.store.begin().await?;
        store::leases::release(&mut tx, &name, &self.inner.holder, epoch).await?;
        tx.commit().await?;
        result
    }

    async fn work_under_lease(
        &self,
        setup_id: &str,
        epoch: i64,
        stop: &CancellationToken,
    ) -> Result<(), RunError> {
        let Some(mut taken) = Taken::read(&self.inner.store, setup_id, epoch, self.inner.rules).await? else {
            return Ok(());
        };
        if !taken.machine.state.is_active() {
            return Ok(());
        }
        let environment =
            store::environments::any_by_id(&self.inner.store, &taken.setup.environment_id).await?;
        let access = environment.ok_or(RunError::NoEnvironment)?.access();
        let client = match self.inner.clients.client_for(&access) {
            Ok(client) => client,
            Err(error) => {
                let note = Note {
                    detail: Some(error.to_string()),
                    ..Note::default()
                };
                taken
                    .record(self, vec![(Event::Ask(Question::SecretMissing), note)])
                    .await?;
                return Ok(());
            }
        };
        taken
            .record(self, vec![(Event::Recovered, Note::default())])
            .await?;
        Worker::new(self, taken, client).run(stop).await
    }
}

/// A setup in work, with what is on its way for it.
pub(super) struct Worker<'a> {
    pub(super) setups: &'a Setups,
    pub(super) taken: Taken,
    pub(super) client: PlatformClient,
    flights: Flights,
    /// Steps that something is being done for; the machine does not know of look-ups on their way.
    flying: HashSet<StepKind>,
    deletions: HashMap<StepKind, u32>,
    pub(super) data_lake: DataLake,
    renewed_at: i64,
}

impl<'a> Worker<'a> {
    fn new(setups: &'a Setups, taken: Taken, client: PlatformClient) -> Self {
        Self {
            renewed_at: setups.inner.clock.now_ms(),
            setups,
            taken,
            client,
            flights: Flights::new(),
            flying: HashSet::new(),
            deletions: HashMap::new(),
            data_lake: DataLake::default(),
        }
    }

    async fn run(mut self, stop: &CancellationToken) -> Result<(), RunError> {
        loop {
            self.renew_lease().await?;
            if !stop.is_cancelled() {
                self.take_off().await?;
            }
            if let Some((kind, landed)) = self.flights.next().await {
                self.flying.remove(&kind);
                self.land(kind, landed).await?;
                continue;
            }
            if stop.is_cancelled() || !self.taken.machine.state.is_active() || !self.sit_out().await {
                break;
            }
        }
        if self.taken.machine.state == SetupState::Done {
            // The history finds the dataflow by itself too, only later.
            let _ = self
                .setups
                .inner
                .finished
                .try_send(self.taken.setup.environment_id.clone());
        }
        Ok(())
    }

    /// Waits for the next thing that is due. False: that is so far away that the setup is let go.
    async fn sit_out(&mut self) -> bool {
        let now = self.setups.inner.clock.now_ms();
        match self.taken.machine.effects(now)[..] {
            [] => false,
            [Effect::WaitUntil(at)] if at - now > SIT_OUT_MS => false,
            [Effect::WaitUntil(at)] => {
                tokio::time::sleep(Duration::from_millis((at - now).max(1).unsigned_abs())).await;
                true
            }
            // Something became due between two looks at the clock.
            _ => true,
        }
    }

    async fn renew_lease(&mut self) -> Result<(), RunError> {
        let now = self.setups.inner.clock.now_ms();
        if now - self.renewed_at < RENEW_MS {
            return Ok(());
        }
        let (name, holder) = (lease_name(&self.taken.setup.id), &self.setups.inner.holder);
        let mut tx = self.setups.inner.store.begin().await?;
        let held = store::leases::renew(&mut tx, &name, holder, self.taken.epoch, now, LEASE_TTL_MS).await?;
        tx.commit().await?;
        self.renewed_at = now;
        if held {
            Ok(())
        } else {
            Err(StoreError::Stale.into())
        }
    }

    /// Starts everything that the machine asks for and that is not on its way yet.
    async fn take_off(&mut self) -> Result<(), RunError> {
        let effects = self.taken.machine.effects(self.setups.inner.clock.now_ms());
        let mut to_send = Vec::new();
        for effect in effects {
            match effect {
                Effect::LookUp(kind) | Effect::Delete(kind) | Effect::Send(kind)
                    if self.flying.contains(&kind) => {}
                Effect::LookUp(kind) => self.start_look_up(kind)?,
                Effect::Delete(kind) => self.start_judging(kind),
                Effect::Send(StepKind::DataLakeConnection) if !self.data_lake_may_be_sent().await? => {}
                Effect::Send(kind) => to_send.push(kind),
                Effect::WaitUntil(_) => {}
            }
        }
        self.send(&to_send).await
    }

    /// Records the intents of one wave in one transaction, and only then lets the calls leave.
    async fn send(&mut self, kinds: &[StepKind]) -> Result<(), RunError> {
        if kinds.is_empty() {
            return Ok(());
        }
        if !self.starter_may_still_create().await? {
            let detail = "The person who started this setup may no longer create dataflows here.";
            return self.ask(Question::NotAllowed, detail.into()).await;
        }
        let (mut intents, mut calls) = (Vec::new(), Vec::new());
        for kind in kinds {
            match sending::make_ready(self.setups, &self.taken, *kind).await {
                Ok(ready) => {
                    intents.push((Event::Sending(*kind), ready.note));
                    calls.push((*kind, ready.call, ready.secrets));
                }
                Err(problem) => {
                    let Some((question, detail)) = sending::question_for(&problem) else {
                        return Err(problem.into());
                    };
                    return self.ask(question, detail).await;
                }
            }
        }
        #[cfg(debug_assertions)]
        points::reached(Point::BeforeIntent, kinds).await;
        self.taken.record(self.setups, intents).await?;
        #[cfg(debug_assertions)]
        points::reached(Point::AfterIntent, kinds).await;
        for (kind, call, secrets) in calls {
            let client = self.client.clone();
            self.fly(kind, async move {
                Landed::Answered {
                    answer: client.send(&call, &new_id()).await,
                    secrets,
                }
            });
        }
        Ok(())
    }

    /// The right is checked when the effect happens too, not only when the form is sent.
    async fn starter_may_still_create(&mut self) -> Result<bool, RunError> {
        let setup = &self.taken.setup;
        let membership =
            store::people::membership(&self.setups.inner.store, &setup.team_id, &setup.started_by).await?;
        Ok(membership.is_some_and(|m| m.role >= Role::Editor && m.disabled_at.is_none()))
    }

    async fn ask(&mut self, question: Question, detail: String) -> Result<(), RunError> {
        let note = Note {
            detail: Some(detail),
            ..Note::default()
        };
        Ok(self
            .taken
            .record(self.setups, vec![(Event::Ask(question), note)])
            .await?)
    }

    pub(super) fn fly(&mut self, kind: StepKind, flight: impl Future<Output = Landed> + Send + 'static) {
        self.flying.insert(kind);
        self.flights.push(Box::pin(async move { (kind, flight.await) }));
    }

    pub(super) fn start_look_up(&mut self, kind: StepKind) -> Result<(), RunError> {
        let search = looking::search(&self.taken, kind).ok_or(NotReady::Damaged)?;
        let client = self.client.clone();
        self.fly(kind, async move {
            let (event, note) = looking::look(&client, &search).await;
            Landed::Looked { event, note }
        });
        Ok(())
    }

    fn start_judging(&mut self, kind: StepKind) {
        let (client, candidate) = (self.client.clone(), undoing::Candidate::of(&self.taken, kind));
        self.fly(
            kind,
            async move { Landed::Judged(candidate.judge(&client).await) },
        );
    }

    async fn land(&mut self, kind: StepKind, landed: Landed) -> Result<(), RunError> {
        let (event, note) = match landed {
            Landed::Waited => return Ok(()),
            Landed::Answered { answer, secrets } => {
                sending::read_answer(self.setups, &self.taken, kind, answer, &secrets)
            }
            Landed::Looked { event, note } => match self.before_the_data_lake_is_made(event, note) {
                Some(recorded) => recorded,
                None => return Ok(()),
            },
            Landed::DeletionAnswered(answer) => {
                let tries = self.deletions.get(&kind).copied().unwrap_or(0);
                undoing::read_answer(self.setups, &self.taken, kind, &answer, tries)
            }
            Landed::Judged(Verdict::Delete(call)) => return self.delete(kind, call).await,
            Landed::Judged(Verdict::Keep(reason)) => (
                Event::Kept(kind),
                Note {
                    answer: Some(format!("Kept: {reason}.")),
                    ..Note::default()
                },
            ),
            Landed::Judged(Verdict::CannotTell(error)) => {
                return self.ask(Question::UndoBlocked, error.to_string()).await;
            }
        };
        if kind == StepKind::DataLakeConnection {
            self.remember_data_lake(&event).await?;
        }
        #[cfg(debug_assertions)]
        points::reached(self.outcome_point(true), &[kind]).await;
        self.taken.record(self.setups, vec![(event, note)]).await?;
        #[cfg(debug_assertions)]
        points::reached(self.outcome_point(false), &[kind]).await;
        Ok(())
    }

    #[cfg(debug_assertions)]
    fn outcome_point(&self, before: bool) -> Point {
        match (self.taken.machine.undoing, before) {
            (false, true) => Point::BeforeOutcome,
            (false, false) => Point::AfterOutcome,
            (true, true) => Point::BeforeDeleteOutcome,
            (true, false) => Point::AfterDeleteOutcome,
        }
    }

    async fn delete(&mut self, kind: StepKind, call: Call) -> Result<(), RunError> {
        #[cfg(debug_assertions)]
        points::reached(Point::BeforeDeleteIntent, &[kind]).await;
        self.taken
            .record(self.setups, vec![(Event::Deleting(kind), Note::default())])
            .await?;
        #[cfg(debug_assertions)]
        points::reached(Point::AfterDeleteIntent, &[kind]).await;
        *self.deletions.entry(kind).or_default() += 1;
        let client = self.client.clone();
        self.fly(kind, async move {
            Landed::DeletionAnswered(client.send(&call, &new_id()).await)
        });
        Ok(())
    }
}
