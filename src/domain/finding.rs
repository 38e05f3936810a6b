//! What a look at the platform may find that does not fit our own records.

use super::words::words;

words! {
    /// What does not fit.
    pub enum Verdict {
        /// Two or more objects carry one marker, or another object than the step's own carries it.
        Duplicate = "duplicate",
        /// It carries a marker of ours that no finished step vouches for.
        Unclaimed = "unclaimed",
        /// A setup made it, and it is gone.
        Vanished = "vanished",
    }
}

words! {
    /// What became of a finding.
    pub enum FindingState {
        /// Nobody has decided yet.
        Open = "open",
        /// Its deletion is about to be sent or on its way.
        Deleting = "deleting",
        /// The object was deleted on somebody's word.
        Deleted = "deleted",
        /// Somebody said that it may stay as it is.
        Dismissed = "dismissed",
        /// A later look no longer found it.
        Settled = "settled",
    }
}
