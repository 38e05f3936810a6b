//! What a person may decide about a setup, as transitions of the state machine.

use super::machine::{Illegal, Machine};
use super::steps::{Event, Step};
use super::{SetupState, StepKind, StepState};

impl Machine {
    pub(super) fn resume(&mut self, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        if self.state != SetupState::NeedsAttention {
            return Err(self.illegal(event, None));
        }
        self.go_on(now_ms);
        Ok(())
    }

    /// Takes the setup up again after a person's decision.
    fn go_on(&mut self, now_ms: i64) {
        self.question = None;
        self.doubt_old_proofs(now_ms);
        for step in &mut self.steps {
            step.retry_at = None;
            step.failed_looks = 0;
            step.deletions = 0;
            match step.state {
                StepState::Rejected if !self.undoing => step.state = StepState::Planned,
                StepState::UndoFailed => step.state = StepState::Confirmed,
                _ => {}
            }
        }
        self.state = self.working_state();
    }

    /// Steps of which something exists, or may exist, stay as they are; the others are planned anew.
    pub(super) fn change(
        &mut self,
        event: &Event,
        planned: &[(StepKind, Vec<StepKind>)],
        now_ms: i64,
    ) -> Result<(), Illegal> {
        let dropped = |step: &&Step| planned.iter().all(|(kind, _)| *kind != step.kind);
        let drops_something = self.steps.iter().filter(dropped).any(|step| !step.may_change());
        if self.state != SetupState::NeedsAttention || self.undoing || drops_something {
            return Err(self.illegal(event, None));
        }
        let anew = |(kind, needs): &(StepKind, Vec<StepKind>)| match self.step(*kind) {
            Some(step) if !step.may_change() => step.clone(),
            // The proof that an earlier call did nothing grows old; see `doubt_old_proofs`.
            earlier => Step {
                attempt: earlier.map_or(0, |step| step.attempt),
                looks: earlier.map_or(0, |step| step.looks),
                ..Step::planned(*kind, needs.clone())
            },
        };
        self.steps = planned.iter().map(anew).collect();
        self.go_on(now_ms);
        Ok(())
    }

    pub(super) fn keep_blocked(&mut self, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        if self.state != SetupState::NeedsAttention || !self.undoing {
            return Err(self.illegal(event, None));
        }
        for step in &mut self.steps {
            if step.state == StepState::UndoFailed {
                step.state = StepState::Kept;
            }
        }
        self.go_on(now_ms);
        Ok(())
    }

    pub(super) fn leave(&mut self, event: &Event) -> Result<(), Illegal> {
        if self.state != SetupState::NeedsAttention {
            return Err(self.illegal(event, None));
        }
        self.question = None;
        self.undoing = false;
        self.state = SetupState::Left;
        Ok(())
    }

    pub(super) fn request_undo(&mut self, event: &Event, now_ms: i64) -> Result<(), Illegal> {
        let possible = !self.undoing
            && matches!(
                self.state,
                SetupState::Queued
                    | SetupState::NeedsAttention
                    | SetupState::Waiting
                    | SetupState::Done
                    | SetupState::Left
            );
        if !possible || self.anything_on_its_way() {
            return Err(self.illegal(event, None));
        }
        self.doubt_old_proofs(now_ms);
        self.undoing = true;
        self.question = None;
        self.state = SetupState::Undoing;
        for step in &mut self.steps {
            step.retry_at = (step.state == StepState::Unknown).then_some(now_ms);
            step.failed_looks = 0;
            step.deletions = 0;
            match step.state {
                StepState::Confirmed if step.is_shared() => step.state = StepState::Kept,
                StepState::UndoFailed => step.state = StepState::Confirmed,
                _ => {}
            }
        }
        Ok(())
    }
}
