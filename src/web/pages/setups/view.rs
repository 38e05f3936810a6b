//! A setup as its pages show it: what happened, what exists by now, what to press.

use serde_json::Value;

use crate::domain::setup::{CurlCall, Question, SetupState, StepKind, StepState, curl, shown_body};
use crate::store::environments::Environment;
use crate::store::setups::{Setup, Step};
use crate::web::call_view::CallView;
use crate::web::numbers;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// Below this part of the platform's origin lie all its services.
const FOUNDATION: &str = "/data/foundation";

/// A setup in words.
#[derive(Debug, Clone)]
pub(super) struct SetupView {
    pub(super) id: String,
    pub(super) state: SetupState,
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) question: Option<QuestionView>,
    pub(super) waits_until: Option<TimeView>,
    pub(super) steps: Vec<StepView>,
    pub(super) done: usize,
    pub(super) flow_id: Option<String>,
    /// "schema Loyalty schema (https://…)", for what exists at the platform by now.
    pub(super) existing: Vec<String>,
    pub(super) may_resume: bool,
    pub(super) may_undo: bool,
}

/// What a person is asked.
#[derive(Debug, Clone)]
pub(super) struct QuestionView {
    pub(super) title: &'static str,
    pub(super) advice: &'static str,
    pub(super) detail: String,
}

/// A step in words.
#[derive(Debug, Clone)]
pub(super) struct StepView {
    pub(super) kind: &'static str,
    pub(super) label: &'static str,
    pub(super) status: Status,
    pub(super) word: String,
    pub(super) note: String,
    pub(super) object_name: String,
    pub(super) object_id: String,
    pub(super) duration: String,
    pub(super) current: bool,
    pub(super) call: CallView,
}

impl SetupView {
    pub(super) fn new(
        setup: &Setup,
        rows: &[Step],
        environment: &Environment,
        may_decide: bool,
        times: &Times,
    ) -> Self {
        let steps: Vec<StepView> = rows
            .iter()
            .map(|row| StepView::new(row, rows, environment))
            .collect();
        let asks = setup.state == SetupState::NeedsAttention;
        let (status, word) = badge(setup.state);
        Self {
            id: setup.id.clone(),
            state: setup.state,
            status,
            word,
            question: setup.question.filter(|_| asks).map(|question| QuestionView {
                title: title(question),
                advice: advice(question),
                detail: setup.question_detail.clone().unwrap_or_default(),
            }),
            waits_until: setup
                .retry_at
                .filter(|_| setup.state == SetupState::Waiting)
                .map(|at| times.at(at)),
            done: rows
                .iter()
                .filter(|row| row.state == StepState::Confirmed)
                .count(),
            existing: rows.iter().filter(|row| exists(row)).map(named).collect(),
            may_resume: may_decide && asks,
            may_undo: may_decide
                && !setup.undoing
                && matches!(
                    setup.state,
                    SetupState::NeedsAttention | SetupState::Waiting | SetupState::Done
                ),
            flow_id: setup.flow_id.clone(),
            steps,
        }
    }

    /// Whether the page has to follow it.
    pub(super) fn is_moving(&self) -> bool {
        self.state.is_active()
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == SetupState::Done
    }
}

/// What a state is called.
pub(super) fn badge(state: SetupState) -> (Status, &'static str) {
    match state {
        SetupState::Queued => (Status::Waiting, "Queued"),
        SetupState::Running => (Status::Running, "Running"),
        SetupState::Waiting => (Status::Waiting, "Waiting"),
        SetupState::NeedsAttention => (Status::Failed, "Needs a decision"),
        SetupState::Undoing => (Status::Running, "Taking back"),
        SetupState::Undone => (Status::Waiting, "Taken back"),
        SetupState::Done => (Status::Succeeded, "Done"),
    }
}

fn title(question: Question) -> &'static str {
    match question {
        Question::Rejected => "Adobe refused a step",
        Question::Auth => "Signing in at Adobe failed",
        Question::Duplicate => "Two objects carry the same marker",
        Question::StartTimePassed => "The start time passed before the dataflow could be created",
        Question::UndoBlocked => "Something could not be taken back",
        Question::CannotLook => "Adobe cannot be asked what exists",
        Question::NotAllowed => "The person who started this may no longer create dataflows",
        Question::SecretMissing => "A secret is missing",
    }
}

fn advice(question: Question) -> &'static str {
    match question {
        Question::Rejected => {
            "Mend the cause named below, then press Resume: only the refused step is sent again. Nothing that exists is made twice."
        }
        Question::Auth => {
            "An admin must check the credential of this environment. Nothing was lost: press Resume afterwards."
        }
        Question::Duplicate => {
            "Compare the two at Adobe and delete the one that is not used, then press Resume. No data can flow before the dataflow exists."
        }
        Question::StartTimePassed => {
            "Take back what exists and create the dataflow again with a later start. No data has flowed."
        }
        Question::UndoBlocked => "Mend the cause named below, then press Resume to go on taking back.",
        Question::CannotLook => {
            "Press Resume when Adobe answers again. Until then nothing is sent a second time."
        }
        Question::NotAllowed => {
            "An admin can give the role back and press Resume, or take back what exists by now."
        }
        Question::SecretMissing => {
            "Take back what exists and create the dataflow again: the secret is asked anew."
        }
    }
}

fn exists(row: &Step) -> bool {
    row.object_id.is_some() && !matches!(row.state, StepState::Undone)
}

fn named(row: &Step) -> String {
    let id = row.object_id.as_deref().unwrap_or_default();
    format!("{} {} ({id})", row.kind.label().to_lowercase(), object_name(row))
}

/// The name under which the platform shows the object.
fn object_name(row: &Step) -> String {
    let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    let name = body
        .get("name")
        .or_else(|| body.get("title"))
        .and_then(Value::as_str);
    name.filter(|_| row.kind != StepKind::MappingSet)
        .unwrap_or_default()
        .to_owned()
}

impl StepView {
    fn new(row: &Step, rows: &[Step], environment: &Environment) -> Self {
        let (status, word) = step_badge(row);
        Self {
            kind: row.kind.as_str(),
            label: row.kind.label(),
            status,
            word: word.to_owned(),
            note: note(row, rows),
            object_name: object_name(row),
            object_id: row.object_id.clone().unwrap_or_default(),
            duration: duration(row).map(numbers::duration).unwrap_or_default(),
            current: matches!(
                row.state,
                StepState::Intent | StepState::Unknown | StepState::UndoIntent
            ),
            call: call(row, environment),
        }
    }

    /// Failed steps are open, so that the cause is read without a click.
    pub(super) fn is_open(&self) -> bool {
        self.status == Status::Failed
    }
}

fn step_badge(row: &Step) -> (Status, &'static str) {
    match row.state {
        StepState::Planned if row.retry_at.is_some() => (Status::Waiting, "Will be sent again"),
        StepState::Planned => (Status::Waiting, "Not started"),
        StepState::Intent => (Status::Running, "Being sent"),
        StepState::Unknown => (Status::Unknown, "Checking at Adobe"),
        StepState::Confirmed if row.adopted && row.attempt == 0 => (Status::Succeeded, "Re-used"),
        StepState::Confirmed if row.adopted => (Status::Succeeded, "Found at Adobe"),
        StepState::Confirmed => (Status::Succeeded, "Created"),
        StepState::Rejected => (Status::Failed, "Refused"),
        StepState::UndoIntent => (Status::Running, "Being deleted"),
        StepState::UndoFailed => (Status::Failed, "Could not be deleted"),
        StepState::Undone => (Status::Waiting, "Deleted"),
        StepState::Kept => (Status::Waiting, "Kept"),
    }
}

/// One sentence about where the step stands.
fn note(row: &Step, rows: &[Step]) -> String {
    match row.state {
        StepState::Planned if row.retry_at.is_some() => {
            problem(row).unwrap_or_else(|| "Adobe asked to wait. Nothing was made.".to_owned())
        }
        StepState::Planned => waiting_for(row, rows),
        StepState::Unknown if row.failed_looks > 0 => {
            "Adobe cannot be asked right now whether it was made. It is not sent again before that is known."
                .to_owned()
        }
        StepState::Unknown => {
            "The answer was lost, so Headgate looks whether it was made before anything is sent again."
                .to_owned()
        }
        StepState::Confirmed if row.adopted && row.attempt == 0 => {
            "It existed already and is shared.".to_owned()
        }
        StepState::Confirmed if row.adopted => {
            "The answer was lost; it had been made all the same and was taken over.".to_owned()
        }
        StepState::Rejected | StepState::UndoFailed => problem(row).unwrap_or_default(),
        StepState::Kept => row
            .answer
            .clone()
            .unwrap_or_else(|| "It stays, because others use it.".to_owned()),
        _ => String::new(),
    }
}

fn waiting_for(row: &Step, rows: &[Step]) -> String {
    let needs: Vec<StepKind> = serde_json::from_str(&row.needs).unwrap_or_default();
    let missing = |kind: &&StepKind| {
        rows.iter()
            .any(|r| r.kind == **kind && r.state != StepState::Confirmed)
    };
    let names: Vec<String> = needs
        .iter()
        .filter(missing)
        .map(|kind| kind.label().to_lowercase())
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("Waits for: {}.", names.join(", "))
    }
}

/// What the platform said, with its own code.
fn problem(row: &Step) -> Option<String> {
    let problem: Value = serde_json::from_str(row.problem.as_deref()?).ok()?;
    problem["message"].as_str().map(str::to_owned)
}

/// From sending to the answer, in milliseconds.
fn duration(row: &Step) -> Option<i64> {
    Some((row.answered_at? - row.sent_at?).max(0))
}

fn call(row: &Step, environment: &Environment) -> CallView {
    let body = row.sent_body.as_deref().unwrap_or(&row.body);
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let query: Vec<(String, String)> = serde_json::from_str(&row.query).unwrap_or_default();
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let separator = if query.is_empty() { "" } else { "?" };
    let path = format!("{FOUNDATION}{}{separator}{}", row.path, query.join("&"));
    let outcome = row.answer_status.map(|status| match duration(row) {
        Some(ms) => format!("{status} in {}", numbers::duration(ms)),
        None => status.to_string(),
    });
    let curl = curl(&CurlCall {
        origin: &environment.platform_origin,
        sandbox: &environment.sandbox,
        method: &row.method,
        path_and_query: &path,
        body: &body,
    });
    CallView {
        id: format!("call-{}", row.kind.as_str().replace('_', "-")),
        method: row.method.clone(),
        path,
        outcome,
        body: shown_body(&body),
        curl,
        answer: row.answer.as_deref().map(pretty).unwrap_or_default(),
    }
}

/// JSON indented; anything else as it is.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| format!("{value:#}"))
}
