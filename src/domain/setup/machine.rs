//! The state machine of a setup: what may happen, and what is to be done next. Pure: no I/O, no clock.
//!
//! A worker asks [`Machine::effects`] what to do, does it, stores the [`Event`] that came of it and applies it
//! here. After a crash the machine is rebuilt from the stored rows; [`Event::Recovered`] turns what was on its way
//! into "unknown", which is found out by looking and never by sending again.

use super::steps::{Effect, Event, Rules, Step};
use super::{Question, SetupState, StepKind, StepState};

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
            Event::Resumed => self.resume(event, now_ms)?,
            Event::Changed(planned) => self.change(event, planned, now_ms)?,
            Event::UndoRequested => self.request_undo(event, now_ms)?,
            Event::KeepBlocked => self.keep_blocked(event, now_ms)?,
            Event::LeftAsIs => self.leave(event)?,
            Event::Ask(question) => self.ask(event, *question)?,
            about_a_step => {
                let kind = about_a_step.step().ok_or_else(|| self.illegal(event, None))?;
                self.apply_to_step(kind, event, now_ms)?;
            }
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

    /// That a call did nothing was proven by looking. The proof is good for sending again at once; when something came
    /// between, one more look has to renew it, since the call may have been carried out meanwhile.
    pub(super) fn doubt_old_proofs(&mut self, now_ms: i64) {
        let Rules {
            looks_needed,
            settle_ms,
            ..
        } = self.rules;
        for step in &mut self.steps {
            if step.state == StepState::Planned && step.looks >= looks_needed {
                step.state = StepState::Unknown;
                step.looks = looks_needed.saturating_sub(1);
                step.unclear_at = Some(now_ms - settle_ms);
                step.retry_at = None;
            }
        }
    }

    fn recover(&mut self, now_ms: i64) {
        self.doubt_old_proofs(now_ms);
        for step in &mut self.steps {
            match step.state {
                StepState::Intent => {
                    step.state = StepState::Unknown;
                    step.looks = 0;
                    step.retry_at = None;
                    // The earlier worker may have sent it until the moment at which it lost the setup.
                    step.unclear_at = Some(now_ms);
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
        // What is confirmed waits only for its deletion.
        let state_waits = step.state != StepState::Confirmed || undoing;
        use StepState as S;
        match (step.state, event) {
            (S::Planned, Event::Sending(_)) if met && !undoing && active => {
                step.state = S::Intent;
                step.attempt += 1;
                step.looks = 0;
                step.sent_at = Some(now_ms);
                step.unclear_at = None;
                step.retry_at = None;
            }
            (S::Planned | S::Unknown | S::Confirmed, Event::Postponed { retry_at, .. }) if state_waits => {
                step.retry_at = Some(*retry_at);
            }
            // A shared object is looked for before it is made.
            (S::Planned | S::Intent | S::Unknown, Event::Confirmed { id, adopted, .. })
                if step.state != S::Planned || step.is_shared() =>
            {
                step.state = S::Confirmed;
                step.object_id = Some(id.clone());
                step.adopted = *adopted;
                step.unclear_at = None;
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
                step.unclear_at = Some(now_ms);
                step.retry_at = None;
            }
            (S::Unknown, Event::FoundNothing(_)) => {
                step.looks += 1;
                step.failed_looks = 0;
                let settled_at = step.unclear_at.unwrap_or(now_ms) + rules.settle_ms;
                if step.looks >= rules.looks_needed && now_ms >= settled_at {
                    step.state = S::Planned;
                    step.unclear_at = None;
                    step.retry_at = None;
                } else {
                    let last = step.looks + 1 >= rules.looks_needed;
                    step.retry_at =
                        Some((now_ms + rules.look_pause_ms).max(if last { settled_at } else { 0 }));
                }
            }
            (S::Unknown, Event::FoundSeveral(_)) => question = Some(Question::Duplicate),
            (S::Intent | S::Unknown, Event::FoundUnlike(_)) => {
                step.state = S::Unknown;
                step.unclear_at.get_or_insert(now_ms);
                question = Some(Question::Unlike);
            }
            // A shared object is looked for before it is made, any object before it is deleted.
            (state, Event::CouldNotLook(_))
                if state == S::Unknown
                    || state == S::Planned && step.is_shared()
                    || state == S::Confirmed && undoing =>
            {
                step.failed_looks += 1;
                step.retry_at = Some(now_ms + rules.look_pause_ms * i64::from(step.failed_looks.min(12)));
                if step.failed_looks >= rules.failed_looks_max {
                    question = Some(Question::CannotLook);
                }
            }
            (S::Confirmed, Event::Deleting(_)) if undoing && may_go && active => {
                step.state = S::UndoIntent;
                step.deletions += 1;
            }
            (S::Confirmed, Event::Kept(_)) if undoing => step.state = S::Kept,
            // It was gone already when it was looked at.
            (S::Confirmed, Event::Deleted(_)) if undoing && may_go => step.state = S::Undone,
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

    pub(super) const fn working_state(&self) -> SetupState {
        if self.undoing {
            SetupState::Undoing
        } else {
            SetupState::Running
        }
    }

    pub(super) fn illegal(&self, event: &Event, step: Option<StepState>) -> Illegal {
        Illegal {
            event: format!("{event:?}"),
            setup: self.state,
            step,
        }
    }
}

#[cfg(test)]
#[path = "machine_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
