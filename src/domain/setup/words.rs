//! The words of a setup: its steps, their states, its own state.

use crate::domain::words::words;

words! {
    /// One dependent call of a setup. The order is the order in which they are shown.
    pub enum StepKind {
        /// `POST /connections` with the storage's credentials.
        BaseConnection = "base_connection",
        /// `POST /tenant/schemas`.
        Schema = "schema",
        /// `POST /connections` of the data lake: one per environment, shared by its flows.
        DataLakeConnection = "data_lake_connection",
        /// `POST /dataSets`.
        Dataset = "dataset",
        /// `POST /mappingSets`.
        MappingSet = "mapping_set",
        /// `POST /sourceConnections`.
        SourceConnection = "source_connection",
        /// `POST /targetConnections`.
        TargetConnection = "target_connection",
        /// `POST /flows`.
        Flow = "flow",
    }
}

words! {
    /// Where a step stands.
    pub enum StepState {
        /// Nothing was sent, or what was sent is proven not to have acted.
        Planned = "planned",
        /// About to be sent or on its way: whether it acted is not known until the answer is stored.
        Intent = "intent",
        /// Sent without a usable answer; found out by looking, never by sending again.
        Unknown = "unknown",
        /// The object exists and its id is stored.
        Confirmed = "confirmed",
        /// The platform refused it for good.
        Rejected = "rejected",
        /// Its deletion is about to be sent or on its way.
        UndoIntent = "undo_intent",
        /// Its deletion was refused or unclear; the object may still exist.
        UndoFailed = "undo_failed",
        /// It was deleted.
        Undone = "undone",
        /// Left in place by an undo on purpose: shared, adopted, or it holds data.
        Kept = "kept",
    }
}

words! {
    /// Where a setup stands.
    pub enum SetupState {
        /// Accepted; nothing was sent yet.
        Queued = "queued",
        /// Calls are being made.
        Running = "running",
        /// Paused until a stored time, because the platform asked for it or a look-up must settle.
        Waiting = "waiting",
        /// Stopped with a question for a person.
        NeedsAttention = "needs_attention",
        /// Taking back what it made, on somebody's word.
        Undoing = "undoing",
        /// Everything it made was taken back or is named as kept.
        Undone = "undone",
        /// The dataflow exists.
        Done = "done",
        /// Ended by a person before the dataflow existed; what was made stays and is named.
        Left = "left",
    }
}

words! {
    /// Why a setup stopped and what it asks.
    pub enum Question {
        /// The platform refused a step.
        Rejected = "rejected",
        /// The credential of the environment does not work.
        Auth = "auth",
        /// More than one object carries the marker of a step.
        Duplicate = "duplicate",
        /// An object carries the marker of a step, but is not what was sent.
        Unlike = "unlike",
        /// The fixed start time has passed.
        StartTimePassed = "start_time_passed",
        /// An undo could not take something back.
        UndoBlocked = "undo_blocked",
        /// Look-ups fail for so long that a person should know.
        CannotLook = "cannot_look",
        /// The person who started it may no longer create flows.
        NotAllowed = "not_allowed",
        /// A stored secret that it needs cannot be opened or is gone.
        SecretMissing = "secret_missing",
        /// The platform has another address than the one that the calls of the setup went to.
        OtherPlatform = "other_platform",
        /// Headgate itself failed on it again and again.
        Fault = "fault",
    }
}

impl SetupState {
    /// Whether nothing will happen any more unless a person asks for it.
    pub const fn is_final(self) -> bool {
        matches!(self, SetupState::Undone | SetupState::Done | SetupState::Left)
    }

    /// Whether a worker has something to do for it now or later.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            SetupState::Queued | SetupState::Running | SetupState::Waiting | SetupState::Undoing
        )
    }
}
