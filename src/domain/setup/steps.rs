//! What the state machine of a setup speaks of: steps, events that happened, effects to be had.

use super::{Question, StepKind, StepState};

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
