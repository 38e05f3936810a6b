//! The step table: where the calls of each step arrive, and which recipe has the step. A new step does not compile
//! until it stands here.

use headgate::domain::recipe::Recipe;
use headgate::domain::setup::{StepKind, StepState};
use headgate::emulator::faults::{Rule, When};
use headgate::store::setups::{Setup, Step};

use crate::support::recipes::{s3_parquet, sftp_delimited};

/// The calls of a step as a rule of the emulator sees them.
#[derive(Debug, Clone, Copy)]
pub struct StepCalls {
    pub step: StepKind,
    /// Last segment of the collection's path.
    pub collection: &'static str,
    /// What only the body of its create contains.
    body: &'static str,
    /// A recipe with this step.
    pub recipe: fn(&str) -> Recipe,
    /// Lists of the collection that are read before the create is sent.
    looks_before: u32,
    /// Whether an undo deletes the object.
    pub is_deleted: bool,
}

/// The calls of a step.
pub fn calls_of(step: StepKind) -> StepCalls {
    let of = |collection, recipe, is_deleted| StepCalls {
        step,
        collection,
        body: "",
        recipe,
        looks_before: 0,
        is_deleted,
    };
    match step {
        // Of the two kinds of connection only this one has credentials.
        StepKind::BaseConnection => StepCalls {
            body: "\"auth\"",
            ..of("connections", sftp_delimited, true)
        },
        StepKind::Schema => of("schemas", s3_parquet, true),
        StepKind::DataLakeConnection => StepCalls {
            body: "c604ff05-7f1a-43c0-8e18-33bf874cb11c",
            looks_before: 1,
            ..of("connections", s3_parquet, false)
        },
        StepKind::Dataset => of("dataSets", sftp_delimited, true),
        // There is no documented way to delete one.
        StepKind::MappingSet => of("mappingSets", sftp_delimited, false),
        StepKind::SourceConnection => of("sourceConnections", s3_parquet, true),
        StepKind::TargetConnection => of("targetConnections", s3_parquet, true),
        StepKind::Flow => of("flows", sftp_delimited, true),
    }
}

/// The calls of every step.
pub fn all() -> impl Iterator<Item = StepCalls> {
    StepKind::ALL.iter().copied().map(calls_of)
}

/// The calls of every step that an undo deletes.
pub fn deleted() -> impl Iterator<Item = StepCalls> {
    all().filter(|calls| calls.is_deleted)
}

/// Where a setup and its steps stand, in one line.
pub fn brief(setup: &Setup, steps: &[Step]) -> String {
    let steps = steps.iter().map(|s| {
        format!(
            "{} {} (sent {}, failed looks {})",
            s.kind, s.state, s.attempt, s.failed_looks
        )
    });
    let steps: Vec<String> = steps.collect();
    let Setup {
        state,
        question,
        question_detail,
        ..
    } = setup;
    format!("{state} {question:?} {question_detail:?}: {}", steps.join(", "))
}

/// Whether an undo did all it may: everything is deleted but for what cannot be, and what that needs.
pub fn is_taken_back(steps: &[Step]) -> bool {
    let stays = |step: &Step| !calls_of(step.kind).is_deleted;
    let needs = |step: &Step, kind: StepKind| step.needs.contains(&format!("\"{kind}\""));
    steps.iter().all(|step| {
        let is_needed = steps.iter().any(|other| stays(other) && needs(other, step.kind));
        let expected = if stays(step) || is_needed {
            StepState::Kept
        } else {
            StepState::Undone
        };
        step.state == expected
    })
}

impl StepCalls {
    /// The create.
    pub fn create(&self) -> When {
        Rule::on("POST", &format!("/data/foundation/**/{}", self.collection)).body_contains(self.body)
    }

    /// Every list by which the object is looked for once its create was sent.
    pub fn look_ups(&self) -> When {
        Rule::on("GET", &format!("/data/foundation/**/{}", self.collection))
            .nth(self.looks_before + 1)
            .times(0)
    }

    /// The deletion.
    pub fn deletion(&self) -> When {
        Rule::on("DELETE", &format!("/data/foundation/**/{}/*", self.collection))
    }
}
