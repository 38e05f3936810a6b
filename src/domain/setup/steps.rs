//! What the state machine of a setup speaks of: steps, events that happened, effects to be had.

use super::{Question, StepKind, StepState};

/// Figures by which unknown outcomes are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long after a call went astray its object may still turn up, in milliseconds.
    pub settle_ms: i64,
    /// Complete look-ups that must have found nothing before a call is sent again.
    pub looks_needed: u32,
    /// Pause between two look-ups, in milliseconds.
    pub look_pause_ms: i64,
    /// Failing look-ups of one step after which a person is asked.
    pub failed_looks_max: u32,
    /// Deletions of one object that may end without a clear answer before a person is asked.
    pub deletions_max: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            settle_ms: 60_000,
            looks_needed: 3,
            look_pause_ms: 5_000,
            failed_looks_max: 20,
            deletions_max: 5,
        }
    }
}

impl Rules {
    /// The usual figures with another time to settle, in seconds.
    pub fn settling_within(seconds: u32) -> Self {
        let usual = Self::default();
        let settle_ms = i64::from(seconds) * 1000;
        Self {
            settle_ms,
            look_pause_ms: usual.look_pause_ms.min(settle_ms / 4),
            ..usual
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
    /// Since when it is not known whether the last call acted (UTC epoch milliseconds).
    pub unclear_at: Option<i64>,
    /// Deletions sent since a person last decided.
    pub deletions: u32,
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
            unclear_at: None,
            deletions: 0,
            retry_at: None,
            object_id: None,
            adopted: false,
        }
    }

    /// Whether an object exists, or may exist, because of this step.
    pub const fn may_exist(&self) -> bool {
        !matches!(
            self.state,
            StepState::Planned | StepState::Rejected | StepState::Undone
        )
    }

    /// Whether the step can be planned anew: nothing of it exists, and nothing is on its way.
    pub const fn may_change(&self) -> bool {
        matches!(self.state, StepState::Planned | StepState::Rejected)
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
    /// The step cannot begin before the given time; nothing was sent.
    Postponed {
        /// Which step.
        step: StepKind,
        /// Not before (UTC epoch milliseconds).
        retry_at: i64,
    },
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
    /// A complete look-up found an object with the marker that is not what was sent.
    FoundUnlike(StepKind),
    /// A look-up could not be completed, so it proves nothing.
    CouldNotLook(StepKind),
    /// The setup must ask a person before it goes on.
    Ask(Question),
    /// A person said: go on.
    Resumed,
    /// A person changed the answers and said: go on. These steps with these needs are the plan now.
    Changed(Vec<(StepKind, Vec<StepKind>)>),
    /// A person said: take back what was made.
    UndoRequested,
    /// A person said: keep what could not be deleted.
    KeepBlocked,
    /// A person said: leave everything as it is and end.
    LeftAsIs,
    /// A deletion is about to be sent.
    Deleting(StepKind),
    /// The object is gone.
    Deleted(StepKind),
    /// The deletion was refused or its outcome is unclear.
    DeleteFailed(StepKind),
    /// The object stays on purpose.
    Kept(StepKind),
}

impl Event {
    /// The step that it is about; none: the setup.
    pub const fn step(&self) -> Option<StepKind> {
        match self {
            Self::Sending(kind)
            | Self::Rejected(kind, _)
            | Self::Unclear(kind)
            | Self::FoundNothing(kind)
            | Self::FoundSeveral(kind)
            | Self::FoundUnlike(kind)
            | Self::CouldNotLook(kind)
            | Self::Deleting(kind)
            | Self::Deleted(kind)
            | Self::DeleteFailed(kind)
            | Self::Kept(kind)
            | Self::Confirmed { step: kind, .. }
            | Self::Postponed { step: kind, .. }
            | Self::NotActed { step: kind, .. } => Some(*kind),
            Self::Recovered
            | Self::Ask(_)
            | Self::Resumed
            | Self::Changed(_)
            | Self::UndoRequested
            | Self::KeepBlocked
            | Self::LeftAsIs => None,
        }
    }

    /// The stable word under which it stands in the journal.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Recovered => "taken_over",
            Self::Postponed { .. } => "postponed",
            Self::Sending(_) => "sending",
            Self::Confirmed { adopted: true, .. } => "found",
            Self::Confirmed { .. } => "confirmed",
            Self::Rejected(..) => "rejected",
            Self::NotActed { .. } => "not_acted",
            Self::Unclear(_) => "unclear",
            Self::FoundNothing(_) => "found_nothing",
            Self::FoundSeveral(_) => "found_several",
            Self::FoundUnlike(_) => "found_unlike",
            Self::CouldNotLook(_) => "could_not_look",
            Self::Ask(_) => "asked",
            Self::Resumed => "resumed",
            Self::Changed(_) => "changed",
            Self::UndoRequested => "undo_requested",
            Self::KeepBlocked => "keep_blocked",
            Self::LeftAsIs => "left_as_is",
            Self::Deleting(_) => "deleting",
            Self::Deleted(_) => "deleted",
            Self::DeleteFailed(_) => "delete_failed",
            Self::Kept(_) => "kept",
        }
    }
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
