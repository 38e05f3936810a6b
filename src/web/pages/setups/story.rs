//! What a person reads about a setup in each of its states: what happened, whether data can flow twice, what to press.
//!
//! Written for analysts: no state is without an explanation and none without a way on.

use crate::domain::setup::{Question, Refusal, Rules, SetupState, StepKind, StepState, refusal};
use crate::store::setups::{Setup, Step};
use crate::web::status::Status;
use crate::web::times::Times;

/// A setup told to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Story {
    pub(super) status: Status,
    /// Stable, for scripts and support.
    pub(super) code: &'static str,
    pub(super) title: String,
    /// What happened and what happens next.
    pub(super) sentences: Vec<String>,
    /// In the platform's own words, or details for support.
    pub(super) detail: String,
    /// Whether data can be ingested twice.
    pub(super) twice: String,
}

impl Story {
    pub(super) fn of(setup: &Setup, rows: &[Step], rules: Rules, times: &Times) -> Self {
        let mut story = match setup.state {
            SetupState::NeedsAttention => asking(setup, rows),
            SetupState::Waiting => waiting(setup, rows, rules, times),
            _ => going_or_ended(setup, rows),
        };
        story.twice = twice(setup, rows);
        story
    }

    fn new(status: Status, code: &'static str, title: impl Into<String>, sentences: &[&str]) -> Self {
        Self {
            status,
            code,
            title: title.into(),
            sentences: sentences.iter().map(|s| (*s).to_owned()).collect(),
            detail: String::new(),
            twice: String::new(),
        }
    }

    fn saying(mut self, sentence: impl Into<String>) -> Self {
        self.sentences.push(sentence.into());
        self
    }
}

fn going_or_ended(setup: &Setup, rows: &[Step]) -> Story {
    const CLOSE: &str = "You may close this page: nothing depends on your browser.";
    match setup.state {
        SetupState::Undoing => Story::new(
            Status::Running,
            "setup.undoing",
            "What was made is being taken back",
            &[
                "The newest object goes first. What others share, and datasets that hold data, stay.",
                CLOSE,
            ],
        ),
        SetupState::Undone => taken_back(rows),
        SetupState::Left => Story::new(
            Status::Waiting,
            "setup.left",
            "Ended before the dataflow existed",
            &["A person ended it here. What exists at Adobe stays; it can still be taken back."],
        ),
        SetupState::Done => done(rows),
        SetupState::Queued => Story::new(
            Status::Waiting,
            "setup.queued",
            "Accepted, not begun",
            &["Nothing has been sent to Adobe yet. It begins by itself.", CLOSE],
        ),
        _ => match rows.iter().find(|row| row.state == StepState::Unknown) {
            Some(row) => Story::new(Status::Unknown, unclear_code(row), unclear_title(row), &[CLOSE]),
            None => Story::new(Status::Running, "setup.running", "Calls are being made", &[CLOSE]),
        },
    }
}

fn done(rows: &[Step]) -> Story {
    let story = Story::new(
        Status::Succeeded,
        "setup.done",
        "The dataflow exists and runs by its schedule",
        &[],
    );
    let found = rows.iter().filter(|row| row.adopted && row.attempt > 0);
    let found: Vec<&str> = found.map(|row| row.kind.label()).collect();
    if found.is_empty() {
        return story;
    }
    story.saying(format!(
        "The answer to {} was lost on the way. It had been made all the same and is used; nothing was made twice.",
        list_of(&found)
    ))
}

fn taken_back(rows: &[Step]) -> Story {
    let kept: Vec<&str> = rows
        .iter()
        .filter(|row| row.state == StepState::Kept)
        .map(|row| row.kind.label())
        .collect();
    let story = Story::new(Status::Waiting, "setup.undone", "Taken back", &[]);
    if kept.is_empty() {
        return story.saying("Nothing of this setup exists at Adobe any more.");
    }
    story.saying(format!(
        "Everything else was deleted. Kept on purpose: {}; the reason stands at each below.",
        list_of(&kept)
    ))
}

/// Why it waits: the platform asked for it, cannot be reached, or an outcome has to settle.
fn waiting(setup: &Setup, rows: &[Step], rules: Rules, times: &Times) -> Story {
    let due = |row: &&Step| row.retry_at.is_some();
    let Some(row) = rows.iter().filter(due).min_by_key(|row| row.retry_at) else {
        return Story::new(Status::Waiting, "setup.waiting", "Waiting", &[]);
    };
    let at = times.at(row.retry_at.unwrap_or_default());
    let goes_on = format!("It goes on by itself at {}. You may close this page.", at.clock());
    if row.state == StepState::Unknown {
        let look = (row.looks + 1).min(i64::from(rules.looks_needed));
        let story = Story::new(Status::Unknown, unclear_code(row), unclear_title(row), &[]);
        let story = if row.failed_looks > 0 {
            story.saying("Adobe cannot be asked right now, so it stays open. Nothing is sent again before it is known.")
        } else {
            let then = if setup.undoing {
                "It is taken back if it was made; nothing is sent again."
            } else {
                "It is sent again only if it surely was not made."
            };
            story.saying(format!(
                "Checking at Adobe, look {look} of {}. {then}",
                rules.looks_needed
            ))
        };
        return story.saying(goes_on);
    }
    if row.kind == StepKind::DataLakeConnection && row.attempt == 0 && row.failed_looks == 0 {
        let why =
            "Another setup of this environment is making the data lake connection that both will share.";
        return Story::new(
            Status::Waiting,
            "setup.others_turn",
            "Waiting for another setup",
            &[why],
        )
        .saying(goes_on);
    }
    if row.answer_status == Some(429) {
        let title = format!("Adobe asked us to wait until {}", at.clock());
        return Story::new(
            Status::Waiting,
            "upstream.busy",
            title,
            &["Nothing was made by the call that came too soon."],
        )
        .saying(goes_on);
    }
    if is_held_back(row) {
        let why = "Adobe asked for fewer calls, or most of the last ones failed. Nothing was sent meanwhile.";
        return Story::new(
            Status::Waiting,
            "upstream.busy",
            "Calls to Adobe are held back",
            &[why],
        )
        .saying(goes_on);
    }
    let why = "The call did not leave or had no effect, so it is sent again.";
    Story::new(
        Status::Waiting,
        "upstream.unreachable",
        "Adobe cannot be reached right now",
        &[why],
    )
    .saying(goes_on)
}

/// Whether the last try ended before it left, because all callers of the environment have to wait.
pub(super) fn is_held_back(row: &Step) -> bool {
    let problem = row.problem.as_deref().unwrap_or_default();
    row.state == StepState::Planned && problem.contains("calls to the platform are paused")
}

fn unclear_title(row: &Step) -> String {
    format!(
        "It is not known yet whether the {} was created",
        row.kind.label().to_lowercase()
    )
}

/// An answer that could not be read is told apart from one that never came.
fn unclear_code(row: &Step) -> &'static str {
    match row.answer_status {
        Some(200..=299) => "upstream.contract",
        _ => "upstream.unclear",
    }
}

fn asking(setup: &Setup, rows: &[Step]) -> Story {
    let question = setup.question.unwrap_or(Question::Fault);
    let detail = setup.question_detail.clone().unwrap_or_default();
    let story = match question {
        Question::Rejected => refused(rows),
        question => {
            let (code, title, advice) = question_words(question);
            Story::new(Status::Failed, code, title, advice)
        }
    };
    Story { detail, ..story }
}

fn refused(rows: &[Step]) -> Story {
    let Some(row) = rows.iter().find(|row| row.state == StepState::Rejected) else {
        let (code, title, advice) = question_words(Question::Rejected);
        return Story::new(Status::Failed, code, title, advice);
    };
    let problem: serde_json::Value =
        serde_json::from_str(row.problem.as_deref().unwrap_or_default()).unwrap_or_default();
    let Refusal { code, title, advice } = refusal(row.kind, problem["code"].as_str(), row.answer_status);
    let what = format!(
        "The {} was not made, and nothing that needs it was sent.",
        row.kind.label().to_lowercase()
    );
    Story::new(Status::Failed, code, title, &[&what, advice])
}

/// Code, title, and what to do.
fn question_words(question: Question) -> (&'static str, &'static str, &'static [&'static str]) {
    match question {
        Question::Rejected => (
            "upstream.rejected",
            "Adobe refused a step",
            &["Mend the cause named below, then press Resume: only what was refused is sent again."],
        ),
        Question::Auth => (
            "upstream.auth",
            "Signing in at Adobe failed",
            &[
                "An admin must renew the credential of this environment. Nothing was lost; press Resume afterwards.",
            ],
        ),
        Question::Duplicate => (
            "saga.duplicate",
            "Several objects carry the same marker",
            &[
                "An earlier call was carried out later than could be expected, so that the same object exists more than \
                 once. Nothing was built on any of them.",
                "Delete all but one below, then press Resume: the one that is left is used.",
            ],
        ),
        Question::Unlike => (
            "setup.unlike",
            "An object carries this setup's marker but is not what was sent",
            &[
                "Somebody changed or copied it at Adobe. It is not used, and nothing is sent again while it stands.",
                "Restore or delete it at Adobe, then press Resume.",
            ],
        ),
        Question::StartTimePassed => (
            "schedule.passed",
            "The start time passed before the dataflow could be created",
            &[
                "Start as soon as possible, or choose a new time under Change answers. It is never shifted silently.",
            ],
        ),
        Question::UndoBlocked => (
            "setup.undo_blocked",
            "Something could not be deleted",
            &[
                "Mend the cause named below and press Resume, or keep what cannot be deleted and go on with the rest.",
            ],
        ),
        Question::CannotLook => (
            "upstream.cannot_look",
            "Adobe cannot be asked what exists",
            &[
                "Press Resume when Adobe answers again. Until then nothing is sent a second time and nothing is deleted.",
            ],
        ),
        Question::NotAllowed => (
            "setup.not_allowed",
            "The person in whose name calls are made may no longer create dataflows",
            &["If you may, press Resume: the calls that follow are made in your name."],
        ),
        Question::SecretMissing => (
            "secret.missing",
            "A secret is missing or cannot be opened",
            &[
                "Enter it again under Change answers. If it is the credential of the environment, an admin must enter it.",
            ],
        ),
        Question::OtherPlatform => (
            "setup.other_platform",
            "The platform has another address than when this setup began",
            &[
                "The operator must set the platform's address back, since what exists can only be asked for there. Then \
               press Resume.",
            ],
        ),
        Question::Fault => (
            "setup.fault",
            "Headgate failed on this setup",
            &[
                "Nothing is lost: each call is in the journal below. Press Resume to try again, and tell your \
               administrator if it comes back.",
            ],
        ),
    }
}

/// Whether data can be ingested twice, told from what is known of the dataflow.
fn twice(setup: &Setup, rows: &[Step]) -> String {
    let Some(flow) = rows.iter().find(|row| row.kind == StepKind::Flow) else {
        return String::new();
    };
    let asks_for_flow = setup.state == SetupState::NeedsAttention && flow.state == StepState::Unknown;
    let text = match (flow.state, setup.question) {
        (StepState::Unknown, Some(Question::Duplicate)) if asks_for_flow => {
            "Yes, if more than one dataflow stays: each ingests the same files from its first run on. Delete the extra \
             ones before that."
        }
        (StepState::Intent | StepState::Unknown, _) => {
            "No. The dataflow may exist once, and it is not sent again before Adobe's own list shows that it does not."
        }
        (StepState::Confirmed, _) => {
            "No. One dataflow exists. Its marker is counted again at Adobe after the setup and daily."
        }
        (StepState::UndoIntent | StepState::UndoFailed, _) => {
            "No. The dataflow may still exist and run until it is deleted, but only once."
        }
        (StepState::Kept, _) => "No. The dataflow was kept; one exists.",
        (StepState::Planned | StepState::Rejected | StepState::Undone, _) => {
            "No. No dataflow of this setup exists, so nothing runs and no data moves."
        }
    };
    text.to_owned()
}

/// "schema", "schema and dataset", "schema, dataset and flow", in lower case.
fn list_of(labels: &[&str]) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|label| format!("the {}", label.to_lowercase()))
        .collect();
    match labels.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
#[path = "story_tests.rs"]
mod tests;
