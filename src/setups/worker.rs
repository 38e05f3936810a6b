//! The loop of one worker: asks the state machine what to do, does it, records what came of it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::Setups;
use super::journal::{Note, Taken};
use super::lease::{Lease, RENEW_EVERY};
use super::looking::{self, Search};
#[cfg(debug_assertions)]
use super::points::{self, Point};
use super::run::RunError;
use super::sending::{self, NotReady};
use super::undoing::{self, Verdict};
use crate::domain::setup::{Effect, Event, Question, SetupState, StepKind};
use crate::domain::{Role, new_id};
use crate::platform::{Answer, Call, PlatformClient};
use crate::store;

/// A wait of at most this long is sat out by the worker; a longer one is left to the dispatcher.
const SIT_OUT: Duration = Duration::from_secs(2);
/// Every call has a time limit, so a worker that hears nothing for this long hangs.
const STUCK_AFTER: Duration = Duration::from_secs(300);

/// What came back from the outside.
pub(super) enum Landed {
    /// The data lake connection of this id, which the environment remembers, is gone.
    DataLakeGone(String),
    /// The answer to a create.
    Answered {
        answer: Answer,
        secrets: Vec<SecretString>,
        /// What a look-up brought after the answer that the name is taken.
        looked: Option<(Event, Note)>,
    },
    /// What came of something else, as an event.
    Event(Event, Note),
    Judged(Verdict),
    DeletionAnswered {
        answer: Answer,
        /// What uses the object, after a refusal for that reason.
        users: Option<String>,
    },
}

type Flights = FuturesUnordered<BoxFuture<'static, (StepKind, Landed)>>;

/// A setup in work, with what is on its way for it.
pub(super) struct Worker<'a> {
    pub(super) setups: &'a Setups,
    pub(super) taken: Taken,
    pub(super) client: PlatformClient,
    lease: &'a mut Lease,
    flights: Flights,
    /// Steps that something is being done for; the machine does not know of look-ups on their way.
    flying: HashSet<StepKind>,
    /// A complete look-up found no data lake connection in the environment.
    pub(super) no_data_lake: bool,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        setups: &'a Setups,
        taken: Taken,
        lease: &'a mut Lease,
        client: PlatformClient,
    ) -> Self {
        Self {
            setups,
            taken,
            client,
            lease,
            flights: Flights::new(),
            flying: HashSet::new(),
            no_data_lake: false,
        }
    }

    pub(super) async fn run(mut self, stop: &CancellationToken) -> Result<(), RunError> {
        let result = self.go(stop).await;
        if matches!(&result, Err(error) if !matches!(error, RunError::Stuck)) {
            self.lease.withhold();
            // What cannot be recorded is looked for later. Calls that are out are awaited all the same, so that they
            // have acted by then.
            let out = self.flights.by_ref().for_each(|_| std::future::ready(()));
            let _ = tokio::time::timeout(self.client.change_timeout(), out).await;
        }
        if self.taken.machine.state == SetupState::Done {
            // The history finds the dataflow by itself too, only later.
            let _ = self
                .setups
                .inner
                .finished
                .try_send(self.taken.setup.environment_id.clone());
        }
        result
    }

    async fn go(&mut self, stop: &CancellationToken) -> Result<(), RunError> {
        let mut heard_at = Instant::now();
        loop {
            self.lease.renew_if_due(self.setups).await?;
            if !stop.is_cancelled() {
                self.take_off().await?;
            }
            if self.flights.is_empty() {
                let active = self.taken.machine.state.is_active();
                if stop.is_cancelled() || !active || !self.sit_out().await {
                    return Ok(());
                }
                heard_at = Instant::now();
                continue;
            }
            // Calls fly on when this wait is over: it only lets the lease be renewed in between.
            match tokio::time::timeout(RENEW_EVERY, self.flights.next()).await {
                Ok(Some((kind, landed))) => {
                    heard_at = Instant::now();
                    self.flying.remove(&kind);
                    self.land(kind, landed).await?;
                }
                Ok(None) => {}
                Err(_) if heard_at.elapsed() > STUCK_AFTER => return Err(RunError::Stuck),
                Err(_) => {}
            }
        }
    }

    /// Waits for the next thing that is due. False: that is so far away that the setup is let go.
    async fn sit_out(&mut self) -> bool {
        let now = self.setups.inner.clock.now_ms();
        match self.taken.machine.effects(now)[..] {
            [] => false,
            [Effect::WaitUntil(at)] => {
                let wait = Duration::from_millis((at - now).max(1).unsigned_abs());
                if wait > SIT_OUT {
                    return false;
                }
                tokio::time::sleep(wait).await;
                true
            }
            // Something became due between two looks at the clock.
            _ => true,
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
                Effect::Send(StepKind::DataLakeConnection) => self.get_data_lake().await?,
                Effect::Send(kind) => to_send.push(kind),
                Effect::WaitUntil(_) => {}
            }
        }
        self.send(&to_send).await
    }

    /// Records the intents of one wave in one transaction, and only then lets the calls leave.
    pub(super) async fn send(&mut self, kinds: &[StepKind]) -> Result<(), RunError> {
        if kinds.is_empty() || !self.taken.machine.state.is_active() {
            return Ok(());
        }
        if !self.driver_may_still_create().await? {
            let detail = "The person in whose name calls are made may no longer create dataflows here.";
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
            self.fly_create(kind, call, secrets);
        }
        Ok(())
    }

    fn fly_create(&mut self, kind: StepKind, call: Call, secrets: Vec<SecretString>) {
        let (client, search) = (self.client.clone(), looking::search(&self.taken, kind));
        let clock = self.setups.inner.clock.clone();
        let may_leave = self.lease.permit(client.change_timeout());
        self.fly(kind, async move {
            let answer = client.send_while(&call, &new_id(), SIT_OUT, may_leave).await;
            let looked = match search {
                Some(search) if sending::says_name_is_taken(&answer) => {
                    Some(looking::look(&client, &search, clock.now_ms()).await)
                }
                _ => None,
            };
            Landed::Answered {
                answer,
                secrets,
                looked,
            }
        });
    }

    /// The right is checked when the effect happens too, not only when the form is sent.
    async fn driver_may_still_create(&mut self) -> Result<bool, RunError> {
        let setup = &self.taken.setup;
        let membership =
            store::people::membership(&self.setups.inner.store, &setup.team_id, &setup.driven_by).await?;
        Ok(membership.is_some_and(|m| m.role >= Role::Editor && m.disabled_at.is_none()))
    }

    async fn ask(&mut self, question: Question, detail: String) -> Result<(), RunError> {
        let event = (Event::Ask(question), Note::saying(detail));
        Ok(self.taken.record(self.setups, vec![event]).await?)
    }

    pub(super) fn fly(&mut self, kind: StepKind, flight: impl Future<Output = Landed> + Send + 'static) {
        self.flying.insert(kind);
        self.flights.push(Box::pin(async move { (kind, flight.await) }));
    }

    fn start_look_up(&mut self, kind: StepKind) -> Result<(), RunError> {
        let search = looking::search(&self.taken, kind).ok_or(NotReady::Damaged)?;
        self.fly_look_up(search);
        Ok(())
    }

    pub(super) fn fly_look_up(&mut self, search: Search) {
        let (client, clock) = (self.client.clone(), self.setups.inner.clock.clone());
        self.fly(search.kind, async move {
            let (event, note) = looking::look(&client, &search, clock.now_ms()).await;
            Landed::Event(event, note)
        });
    }

    fn start_judging(&mut self, kind: StepKind) {
        let (client, candidate) = (
            self.client.clone(),
            undoing::Candidate::of(&self.taken, kind, self.setups.inner.clock.now_ms()),
        );
        self.fly(
            kind,
            async move { Landed::Judged(candidate.judge(&client).await) },
        );
    }

    async fn land(&mut self, kind: StepKind, landed: Landed) -> Result<(), RunError> {
        let (event, note) = match landed {
            Landed::DataLakeGone(id) => return self.forget_data_lake(&id).await,
            Landed::Answered {
                answer,
                secrets,
                looked,
            } => sending::read_answer(self.setups, &self.taken, kind, answer, &secrets, looked),
            Landed::Event(event, note) => match self.before_the_data_lake_is_made(event, note) {
                Some(recorded) => recorded,
                None => return Ok(()),
            },
            // Another object's deletion may have raised a question meanwhile: a person decides first.
            Landed::Judged(Verdict::Delete(_)) if !self.taken.machine.state.is_active() => return Ok(()),
            Landed::Judged(Verdict::Delete(call)) => return self.delete(kind, call).await,
            Landed::Judged(Verdict::Record(event, note)) => (event, note),
            Landed::DeletionAnswered { answer, users } => {
                undoing::read_answer(self.setups, &self.taken, kind, &answer, users)
            }
        };
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
        let id = self
            .taken
            .machine
            .step(kind)
            .and_then(|step| step.object_id.clone());
        let client = self.client.clone();
        let may_leave = self.lease.permit(client.change_timeout());
        self.fly(kind, async move {
            let answer = client.send_while(&call, &new_id(), SIT_OUT, may_leave).await;
            let users = undoing::users_if_in_use(&client, kind, &id.unwrap_or_default(), &answer).await;
            Landed::DeletionAnswered { answer, users }
        });
        Ok(())
    }
}
