//! What may be pressed on the page of a setup.

use crate::domain::setup::{Question, SetupState};
use crate::store::setups::Setup;

/// One thing to press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) label: &'static str,
    pub(super) path: String,
    /// A form without fields is sent there; else it is a link to a page.
    pub(super) sends: bool,
    /// The one that is meant.
    pub(super) primary: bool,
}

/// What the person may press; the first is the one that is meant.
pub(super) fn actions(setup: &Setup) -> Vec<Action> {
    let path = |rest: &str| format!("/setups/{}/{rest}", setup.id);
    let send = |label, rest| Action {
        label,
        path: path(rest),
        sends: true,
        primary: false,
    };
    let go = |label, rest| Action {
        sends: false,
        ..send(label, rest)
    };
    let undo = go("Take back what was made", "undo");
    let resume = send("Resume", "resume");
    let change = go("Change answers", "change");
    let leave = go("Leave as it is", "leave");
    let mut actions = match (setup.state, setup.undoing, setup.question) {
        (SetupState::NeedsAttention, true, Some(Question::UndoBlocked)) => {
            vec![resume, send("Keep what cannot be deleted", "keep"), leave]
        }
        // Nothing may be deleted, or looked for in vain, at a platform that may be another one.
        (SetupState::NeedsAttention, true, _)
        | (SetupState::NeedsAttention, false, Some(Question::OtherPlatform)) => vec![resume, leave],
        (SetupState::NeedsAttention, false, Some(Question::StartTimePassed)) => {
            vec![
                send("Start as soon as possible", "start-soon"),
                change,
                undo,
                leave,
            ]
        }
        (SetupState::NeedsAttention, false, Some(Question::SecretMissing)) => {
            vec![change, resume, undo, leave]
        }
        (SetupState::NeedsAttention, false, _) => vec![resume, change, undo, leave],
        (SetupState::Queued | SetupState::Waiting, false, _)
        | (SetupState::Done | SetupState::Left, _, _) => vec![undo],
        _ => Vec::new(),
    };
    if setup.state == SetupState::NeedsAttention
        && let Some(first) = actions.first_mut()
    {
        first.primary = true;
    }
    actions
}
