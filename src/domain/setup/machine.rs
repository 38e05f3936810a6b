//! The state machine of a setup: what may happen, and what is to be done next. Pure: no I/O, no clock.
//!
//! A worker asks [`Machine::effects`] what to do, does it, stores the [`Event`] that came of it and applies it
//! here. After a crash the machine is rebuilt from the stored rows; [`Event::Recovered`] turns what was on its way
//! into "unknown", which is found out by looking and never by sending again.

use super::{Question, SetupState, StepKind, StepState};

/// Figures by which unknown outcomes are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long after sending an object may still turn up, in milliseconds.
    pub settle_ms: i64,
    /// Complete look-ups that must have found nothing before a call is sent again.
    pub looks_needed: u32,
    /// Pause between two look-ups, in milliseconds.
    pub look_pause_ms: i64,
    /// Failing look-ups of one step after which a person is asked.
    pub failed_looks_max: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            settle_ms: 60_000,
            looks_needed: 3,
            look_pause_ms: 5_000,
            failed_looks_max: 20,
        }
    }
}

/// One step as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which one.
    pub kind: StepKind,
    /// Steps that must be confirmed before.
    pub needs: Vec<StepKind>,
    /// Where it stands.
    pub state: StepState,
    /// How often it was sent.
    pub attempt: u32,
    /// Complete look-ups since the last send that found nothing.
    pub looks: u32,
    /// Look-ups in a row that could not be completed.
    pub failed_looks: u32,
    /// When it was last sent (UTC epoch milliseconds).
    pub sent_at: Option<i64>,
    /// Not before this time (UTC epoch milliseconds).
    pub retry_at: Option<i64>,
    /// The object's id.
    pub object_id: Option<String>,
    /// The object existed before or was found instead of made by an answered call.
    pub adopted: bool,
}

impl Step {
    /// A step that was not sent yet.
    pub fn planned(kind: StepKind, needs: Vec<StepKind>) -> Self {
        Self {
            kind,
            needs,
            state: StepState::Planned,
            attempt: 0,
            looks: 0,
            failed_looks: 0,
            sent_at: None,
            retry_at: None,
            object_id: None,
            adopted: false,
        }
    }

    /// Shared by all flows of an environment: found or made, never taken back.
    pub const fn is_shared(&self) -> bool {
        matches!(self.kind, StepKind::DataLakeConnection)
    }
}

/// Something that happened. Each is stored before the machine goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker took the setup over; what an earlier one left on its way is unknown now.
    Recovered,
    /// A call is about to be sent.
    Sending(StepKind),
    /// The object exists. `adopted`: it was found, not answered.
    Confirmed {
        /// Which step.
        step: StepKind,
        /// The object's id.
        id: String,
        /// Found by looking.
        adopted: bool,
    },
    /// The platform refused the call for good.
    Rejected(StepKind, Question),
    /// The call provably did nothing (never left, or was told to come later); again at the given time.
    NotActed {
        /// Which step.
        step: StepKind,
        /// Not before (UTC epoch milliseconds).
        retry_at: i64,
    },
    /// Whether the call acted is not known.
    Unclear(StepKind),
    /// A complete look-up found nothing.
    FoundNothing(StepKind),
    /// A complete look-up found more than one object.
    FoundSeveral(StepKind),
    /// A look-up could not be completed, so it proves nothing.
    CouldNotLook(StepKind),
    /// The setup must ask a person before it goes on.
    Ask(Question),
    /// A person said: go on.
    Resumed,
    /// A person said: take back what was made.
    UndoRequested,
    /// A deletion is about to be sent.
    Deleting(StepKind),
    /// The object is gone.
    Deleted(StepKind),
    /// The deletion was refused or its outcome is unclear.
    DeleteFailed(StepKind),
    /// The object stays on purpose.
    Kept(StepKind),
}

/// What a worker is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Record the intent, then send the call.
    Send(StepKind),
    /// Look whether the object exists.
    LookUp(StepKind),
    /// Record the intent, then delete the object.
    Delete(StepKind),
    /// Nothing before this time (UTC epoch milliseconds).
    WaitUntil(i64),
}

/// An event that cannot happen in this state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} cannot happen while the setup is {setup}{}", step.map(|s| format!(" and the step is {s}")).unwrap_or_default())]
pub struct Illegal {
    event: String,
    setup: SetupState,
    step: Option<StepState>,
}

/// A setup as the machine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Where it stands.
    pub state: SetupState,
    /// What it asks while it needs attention.
    pub question: Option<Question>,
    /// Whether it is taking back what it made, also while it waits or asks.
    pub undoing: bool,
    /// Its steps in the order in which they are shown.
    pub steps: Vec<Step>,
    rules: Rules,
}

impl Machine {
    /// A setup that was accepted and has sent nothing.
    pub fn new(steps: Vec<Step>, rules: Rules) -> Self {
        Self {
            state: SetupState::Queued,
            question: None,
            undoing: false,
            steps,
            rules,
        }
    }

    /// The machine for stored rows.
    pub fn restore(
        state: SetupState,
        question: Option<Question>,
        undoing: bool,
        steps: Vec<Step>,
        rules: Rules,
    ) -> Self {
        Self {
            state,
            question,
            undoing,
            steps,
            rules,
        }
    }

    /// The step of this kind, when the setup has one.
    pub fn step(&self, kind: StepKind) -> Option<&Step> {
        self.steps.iter().find(|s| s.kind == kind)
    }

    /// Applies something that happened at `now_ms` (UTC epoch milliseconds).
    ///
    /// An event that cannot happen here changes nothing and is an error.
    pub fn apply(&mut self, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        match event {
            Event::Recovered => self.recover(now_ms),
            Event::Resumed => self.resume(event)?,
            Event::UndoRequested => self.request_undo(event, now_ms)?,
            Event::Ask(question) => self.ask(event, *question)?,
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
            | Event::NotActed { step: kind, .. } => self.apply_to_step(*kind, event, now_ms)?,
        }
        self.settle_state(now_ms);
        Ok(())
    }

    /// What is to be done at `now_ms` (UTC epoch milliseconds). Steps that are on their way are not named again.
    pub fn effects(&self, now_ms: i64) -> Vec<Effect> {
        if !self.state.is_active() {
            return Vec::new();
        }
        let due = |step: &Step| step.retry_at.is_none_or(|at| at <= now_ms);
        let mut effects: Vec<Effect> = Vec::new();
        for step in self.steps.iter().filter(|s| due(s)) {
            effects.extend(match step.state {
                StepState::Unknown => Some(Effect::LookUp(step.kind)),
                StepState::Planned if !self.undoing && self.needs_are_met(step) => {
                    Some(Effect::Send(step.kind))
                }
                StepState::Confirmed if self.undoing && self.may_go(step) => Some(Effect::Delete(step.kind)),
                _ => None,
            });
        }
        if effects.is_empty() && !self.anything_on_its_way() {
            effects.extend(self.next_due(now_ms).map(Effect::WaitUntil));
        }
        effects
    }

    /// Whether a call is being sent or deleted right now.
    pub fn anything_on_its_way(&self) -> bool {
        self.steps
            .iter()
            .any(|s| matches!(s.state, StepState::Intent | StepState::UndoIntent))
    }

    /// Whether an object is kept because another that stays needs it.
    pub fn is_needed_by_kept(&self, kind: StepKind) -> bool {
        self.steps
            .iter()
            .any(|s| s.state == StepState::Kept && !s.is_shared() && s.needs.contains(&kind))
    }

    fn needs_are_met(&self, step: &Step) -> bool {
        step.needs
            .iter()
            .all(|need| self.step(*need).is_none_or(|s| s.state == StepState::Confirmed))
    }

    /// In an undo an object goes only after everything that was built on it.
    fn may_go(&self, step: &Step) -> bool {
        let settled = |s: &Step| {
            matches!(
                s.state,
                StepState::Planned | StepState::Rejected | StepState::Undone | StepState::Kept
            )
        };
        self.steps
            .iter()
            .filter(|s| s.needs.contains(&step.kind))
            .all(settled)
    }

    fn next_due(&self, now_ms: i64) -> Option<i64> {
        let waits = |s: &&Step| match s.state {
            StepState::Unknown => true,
            StepState::Planned => !self.undoing && self.needs_are_met(s),
            StepState::Confirmed => self.undoing && self.may_go(s),
            _ => false,
        };
        self.steps
            .iter()
            .filter(waits)
            .filter_map(|s| s.retry_at)
            .filter(|at| *at > now_ms)
            .min()
    }

    fn recover(&mut self, now_ms: i64) {
        for step in &mut self.steps {
            match step.state {
                StepState::Intent => {
                    step.state = StepState::Unknown;
                    step.looks = 0;
                    step.retry_at = None;
                    step.sent_at.get_or_insert(now_ms);
                }
                // Deleting twice does no harm: the second answer says that it is gone.
                StepState::UndoIntent => step.state = StepState::Confirmed,
                _ => {}
            }
        }
        if self.state == SetupState::Queued {
            self.state = SetupState::Running;
        }
    }

    fn resume(&mut self, event: &Event) -> Result<(), Illegal> {
        if self.state != SetupState::NeedsAttention {
            return Err(self.illegal(event, None));
        }
        self.question = None;
        for step in &mut self.steps {
            step.retry_at = None;
            step.failed_looks = 0;
            match step.state {
                StepState::Rejected if !self.undoing => step.state = StepState::Planned,
                StepState::UndoFailed => step.state = StepState::Confirmed,
                _ => {}
            }
        }
        self.state = if self.undoing {
            SetupState::Undoing
        } else {
            SetupState::Running
        };
        Ok(())
    }

    fn request_undo(&mut self, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        let possible = !self.undoing
            && matches!(
                self.state,
                SetupState::NeedsAttention | SetupState::Waiting | SetupState::Done
            );
        if !possible || self.anything_on_its_way() {
            return Err(self.illegal(event, None));
        }
        self.undoing = true;
        self.question = None;
        self.state = SetupState::Undoing;
        for step in &mut self.steps {
            step.retry_at = (step.state == StepState::Unknown).then_some(now_ms);
            step.failed_looks = 0;
            if step.state == StepState::Confirmed && step.is_shared() {
                step.state = StepState::Kept;
            }
        }
        Ok(())
    }

    fn ask(&mut self, event: &Event, question: Question) -> Result<(), Illegal> {
        if !self.state.is_active() {
            return Err(self.illegal(event, None));
        }
        self.question = Some(question);
        Ok(())
    }

    fn apply_to_step(&mut self, kind: StepKind, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        let (rules, undoing, active) = (self.rules, self.undoing, self.state.is_active());
        let met = self.step(kind).is_some_and(|s| self.needs_are_met(s));
        let may_go = self.step(kind).is_some_and(|s| self.may_go(s));
        let Some(index) = self.steps.iter().position(|s| s.kind == kind) else {
            return Err(self.illegal(event, None));
        };
        let step = &mut self.steps[index];
        let mut question = None;
        use StepState as S;
        match (step.state, event) {
            (S::Planned, Event::Sending(_)) if met && !undoing && active => {
                step.state = S::Intent;
                step.attempt += 1;
                step.looks = 0;
                step.sent_at = Some(now_ms);
                step.retry_at = None;
            }
            // A shared object is looked for before it is made.
            (S::Planned | S::Intent | S::Unknown, Event::Confirmed { id, adopted, .. })
                if step.state != S::Planned || step.is_shared() =>
            {
                step.state = S::Confirmed;
                step.object_id = Some(id.clone());
                step.adopted = *adopted;
                step.retry_at = None;
                step.failed_looks = 0;
            }
            (S::Intent, Event::Rejected(_, why)) => {
                step.state = S::Rejected;
                question = Some(*why);
            }
            (S::Intent, Event::NotActed { retry_at, .. }) => {
                step.state = S::Planned;
                step.retry_at = Some(*retry_at);
            }
            (S::Intent, Event::Unclear(_)) => {
                step.state = S::Unknown;
                step.retry_at = None;
            }
            (S::Unknown, Event::FoundNothing(_)) => {
                step.looks += 1;
                step.failed_looks = 0;
                let settled_at = step.sent_at.unwrap_or(now_ms) + rules.settle_ms;
                if step.looks >= rules.looks_needed && now_ms >= settled_at {
                    step.state = S::Planned;
                    step.retry_at = None;
                } else {
                    let last = step.looks + 1 >= rules.looks_needed;
                    step.retry_at =
                        Some((now_ms + rules.look_pause_ms).max(if last { settled_at } else { 0 }));
                }
            }
            (S::Unknown, Event::FoundSeveral(_)) => question = Some(Question::Duplicate),
            (S::Unknown, Event::CouldNotLook(_)) => {
                step.failed_looks += 1;
                step.retry_at = Some(now_ms + rules.look_pause_ms * i64::from(step.failed_looks.min(12)));
                if step.failed_looks >= rules.failed_looks_max {
                    question = Some(Question::CannotLook);
                }
            }
            (S::Confirmed, Event::Deleting(_)) if undoing && may_go && active => step.state = S::UndoIntent,
            (S::Confirmed | S::UndoIntent, Event::Kept(_)) if undoing => step.state = S::Kept,
            (S::UndoIntent, Event::Deleted(_)) => step.state = S::Undone,
            (S::UndoIntent, Event::NotActed { retry_at, .. }) => {
                step.state = S::Confirmed;
                step.retry_at = Some(*retry_at);
            }
            (S::UndoIntent, Event::DeleteFailed(_)) => {
                step.state = S::UndoFailed;
                question = Some(Question::UndoBlocked);
            }
            (state, _) => return Err(self.illegal(event, Some(state))),
        }
        self.question = self.question.or(question);
        Ok(())
    }

    /// Derives the state of the setup from its steps after something happened.
    fn settle_state(&mut self, now_ms: i64) {
        if !self.state.is_active() {
            return;
        }
        // Answers that are still on their way are awaited before a person is asked.
        if self.question.is_some() {
            self.state = if self.anything_on_its_way() {
                self.working_state()
            } else {
                SetupState::NeedsAttention
            };
            return;
        }
        let all = |states: &[StepState]| self.steps.iter().all(|s| states.contains(&s.state));
        self.state = if !self.undoing && all(&[StepState::Confirmed]) {
            SetupState::Done
        } else if self.undoing
            && all(&[
                StepState::Planned,
                StepState::Rejected,
                StepState::Undone,
                StepState::Kept,
            ])
        {
            SetupState::Undone
        } else if let [Effect::WaitUntil(_)] = self.effects(now_ms)[..] {
            SetupState::Waiting
        } else if self.state == SetupState::Queued {
            SetupState::Queued
        } else {
            self.working_state()
        };
    }

    const fn working_state(&self) -> SetupState {
        if self.undoing {
            SetupState::Undoing
        } else {
            SetupState::Running
        }
    }

    fn illegal(&self, event: &Event, step: Option<StepState>) -> Illegal {
        Illegal {
            event: format!("{event:?}"),
            setup: self.state,
            step,
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
