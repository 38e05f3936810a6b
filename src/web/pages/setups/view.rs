//! A setup as its pages show it: what happened, what exists by now, what to press.

use serde_json::Value;

use super::actions::{Action, actions};
use super::story::{Story, is_held_back};
use crate::domain::Verdict;
use crate::domain::setup::{CurlCall, Rules, SetupState, StepKind, StepState, curl, shown_body};
use crate::store::environments::Environment;
use crate::store::findings::ListedFinding;
use crate::store::setups::{Setup, Step};
use crate::sweep::Sweep;
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
    pub(super) story: Story,
    pub(super) steps: Vec<StepView>,
    pub(super) done: usize,
    pub(super) flow_id: Option<String>,
    /// What exists at the platform by now, or may exist.
    pub(super) existing: Vec<ObjectView>,
    /// Objects that do not fit: too many, gone, or claimed by nobody.
    pub(super) findings: Vec<FindingView>,
    pub(super) actions: Vec<Action>,
}

/// What the page tells of a finding; the rest, and what can be done, stands on its own page.
#[derive(Debug, Clone)]
pub(super) struct FindingView {
    pub(super) id: String,
    pub(super) what: String,
    pub(super) object_id: String,
    pub(super) created: Option<TimeView>,
    /// Whether it can be deleted at the platform; else it can only be looked at in the list.
    pub(super) can_delete: bool,
}

/// An object at the platform.
#[derive(Debug, Clone)]
pub(super) struct ObjectView {
    pub(super) label: String,
    pub(super) name: String,
    /// The page of the dataflow, or the step on this page.
    pub(super) href: String,
    /// Why it is there or stays, when it is not simply made by this setup.
    pub(super) note: &'static str,
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
        (rows, findings): (&[Step], &[ListedFinding]),
        environment: &Environment,
        (may_decide, rules): (bool, Rules),
        times: &Times,
    ) -> Self {
        let steps = rows.iter().map(|row| StepView::new(row, rows, environment));
        let (status, word) = badge(setup.state);
        let done = rows.iter().filter(|row| row.state == StepState::Confirmed);
        Self {
            id: setup.id.clone(),
            state: setup.state,
            status,
            word,
            story: Story::of(setup, rows, rules, times),
            done: done.count(),
            existing: rows.iter().filter_map(ObjectView::of).collect(),
            findings: findings
                .iter()
                .map(|listed| FindingView::of(listed, times))
                .collect(),
            actions: if may_decide { actions(setup) } else { Vec::new() },
            flow_id: setup.flow_id.clone(),
            steps: steps.collect(),
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
        SetupState::Left => (Status::Waiting, "Left as it is"),
    }
}

impl FindingView {
    fn of(listed: &ListedFinding, times: &Times) -> Self {
        let finding = &listed.finding;
        let label = finding.object_kind.label();
        let name = &finding.object_name;
        Self {
            what: match finding.verdict {
                Verdict::Vanished => format!("{label} {name} is gone at Adobe"),
                Verdict::Duplicate if listed.used_id.is_some() => {
                    format!("{label} {name} exists once too often")
                }
                Verdict::Duplicate => format!("{label} {name} carries the same marker as another"),
                Verdict::Unclaimed => format!("{label} {name} is claimed by no step"),
            },
            id: finding.id.clone(),
            object_id: finding.object_id.clone(),
            created: finding.platform_created_at.map(|at| times.at(at)),
            can_delete: Sweep::can_delete(finding),
        }
    }
}

impl ObjectView {
    /// The object of a step, when there is one or may be one.
    fn of(row: &Step) -> Option<Self> {
        let note = match row.state {
            StepState::Planned | StepState::Rejected | StepState::Undone => return None,
            StepState::Intent | StepState::Unknown => "not known yet",
            StepState::UndoIntent => "being deleted",
            StepState::UndoFailed => "could not be deleted",
            StepState::Kept => "kept",
            StepState::Confirmed if row.adopted && row.attempt == 0 => "existed before, shared",
            StepState::Confirmed => "",
        };
        let href = match &row.object_id {
            Some(id) if row.kind == StepKind::Flow => format!("/flows/{id}"),
            _ => format!("#step-{}", row.kind),
        };
        Some(Self {
            label: row.kind.label().to_owned(),
            name: object_name(row),
            href,
            note,
        })
    }
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
            duration: duration(row).map_or_else(String::new, |ms| numbers::duration(ms).to_string()),
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
        StepState::Planned if is_held_back(row) => {
            "Held back with all calls to Adobe. Nothing was sent.".to_owned()
        }
        StepState::Planned if row.retry_at.is_some() => {
            problem(row).unwrap_or_else(|| "It waits for its turn. Nothing was made.".to_owned())
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
        StepState::Kept => match row.answer.as_deref() {
            Some(reason) if reason.starts_with("Kept: ") => reason.to_owned(),
            _ if row.deletions > 0 => "It could not be deleted, and a person said to keep it.".to_owned(),
            _ => "It stays, because others use it.".to_owned(),
        },
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
