//! A finding in words: what it is, what it means, what to press.

use crate::domain::setup::StepKind;
use crate::domain::{FindingState, Verdict};
use crate::store::findings::ListedFinding;
use crate::sweep::Sweep;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// A finding as its list shows it.
#[derive(Debug, Clone)]
pub(super) struct FindingView {
    pub(super) id: String,
    pub(super) status: Status,
    /// "Dataflow", "Source connection".
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) object_id: String,
    pub(super) environment: String,
    pub(super) meaning: String,
    pub(super) setup: Option<SetupLink>,
    pub(super) created: Option<TimeView>,
    pub(super) found: TimeView,
    pub(super) problem: Option<String>,
    pub(super) action: Action,
}

/// The setup that a finding belongs to.
#[derive(Debug, Clone)]
pub(super) struct SetupLink {
    pub(super) id: String,
    pub(super) flow_name: String,
}

/// The one thing to press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Leads to a page that asks; the label names the object.
    Delete(String),
    MarkAsKnown,
    /// Somebody has decided, and it is being carried out.
    BeingDeleted,
}

impl FindingView {
    pub(super) fn new(listed: &ListedFinding, times: &Times) -> Self {
        let finding = &listed.finding;
        let action = if finding.state == FindingState::Deleting {
            Action::BeingDeleted
        } else if Sweep::can_delete(finding) {
            Action::Delete(delete_label(listed))
        } else {
            Action::MarkAsKnown
        };
        Self {
            id: finding.id.clone(),
            status: status(finding.verdict),
            kind: capital(noun(finding.object_kind)),
            name: finding.object_name.clone(),
            object_id: finding.object_id.clone(),
            environment: format!("{} ({})", listed.environment_name, listed.sandbox),
            meaning: meaning(listed, times),
            setup: setup_link(listed),
            created: finding.platform_created_at.map(|at| times.at(at)),
            found: times.at(finding.found_at),
            problem: finding.problem.clone(),
            action,
        }
    }
}

pub(super) fn setup_link(listed: &ListedFinding) -> Option<SetupLink> {
    let (id, flow_name) = listed.finding.setup_id.clone().zip(listed.flow_name.clone())?;
    Some(SetupLink { id, flow_name })
}

/// What people call the object of a step.
pub(super) const fn noun(kind: StepKind) -> &'static str {
    match kind {
        StepKind::BaseConnection => "base connection",
        StepKind::Schema => "schema",
        StepKind::DataLakeConnection => "data lake connection",
        StepKind::Dataset => "dataset",
        StepKind::MappingSet => "mapping set",
        StepKind::SourceConnection => "source connection",
        StepKind::TargetConnection => "target connection",
        StepKind::Flow => "dataflow",
    }
}

/// "Delete the extra dataflow", "Delete the schema".
pub(super) fn delete_label(listed: &ListedFinding) -> String {
    let finding = &listed.finding;
    let extra = if finding.verdict == Verdict::Duplicate {
        "extra "
    } else {
        ""
    };
    format!("Delete the {extra}{}", noun(finding.object_kind))
}

const fn status(verdict: Verdict) -> Status {
    match verdict {
        Verdict::Duplicate => Status::Partial,
        Verdict::Unclaimed => Status::Unknown,
        Verdict::Vanished => Status::Failed,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn meaning(listed: &ListedFinding, times: &Times) -> String {
    let finding = &listed.finding;
    match finding.verdict {
        Verdict::Duplicate => format!("{} {}", twice(finding.object_kind), which(listed)),
        Verdict::Unclaimed => {
            let flow = if finding.object_kind == StepKind::Flow {
                " It may be ingesting data."
            } else {
                ""
            };
            format!("{}{flow}", unclaimed(listed))
        }
        Verdict::Vanished => format!(
            "The {} was removed outside Headgate on or before {}. {}",
            noun(finding.object_kind),
            times.at(finding.found_at).local(),
            gone(finding.object_kind)
        ),
    }
}

/// What a second object of this kind means.
const fn twice(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Flow => "It was made twice: data may be ingested twice from its first run on.",
        StepKind::Dataset => {
            "It was made twice. Nothing was set up to fill this one, but colleagues may take it for the right one."
        }
        StepKind::Schema => "It was made twice. Colleagues may take this one for the right one.",
        StepKind::BaseConnection | StepKind::DataLakeConnection => {
            "It was made twice: Adobe keeps the credentials of the storage a second time."
        }
        StepKind::MappingSet | StepKind::SourceConnection | StepKind::TargetConnection => {
            "It was made twice. It is a spare part that moves no data by itself."
        }
    }
}

/// Which of several objects the setup uses.
fn which(listed: &ListedFinding) -> String {
    match &listed.used_id {
        Some(id) => format!("The setup uses {id}; this one is the extra."),
        None => "The setup cannot tell which one is its own: delete all but one, then resume it.".to_owned(),
    }
}

fn unclaimed(listed: &ListedFinding) -> &'static str {
    if listed.finding.setup_id.is_some() {
        "Its setup has ended without it: it was taken back, refused or never confirmed, and yet it exists."
    } else {
        "It carries a mark of Headgate, but no setup here made it. Another Headgate on this sandbox may own it, or its \
         records were lost."
    }
}

/// What follows from the absence of an object of this kind.
const fn gone(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Flow => "No data arrives through it any more.",
        StepKind::Dataset => "The dataflow has nowhere to write: its runs will fail.",
        StepKind::Schema => "What was built on it may fail.",
        StepKind::DataLakeConnection => "Every dataflow that was set up over it may fail.",
        StepKind::BaseConnection
        | StepKind::MappingSet
        | StepKind::SourceConnection
        | StepKind::TargetConnection => "The dataflow cannot run without it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::findings::Finding;

    fn listed(verdict: Verdict, kind: StepKind, used_id: Option<&str>) -> ListedFinding {
        ListedFinding {
            finding: Finding {
                id: "f".into(),
                team_id: "t".into(),
                environment_id: "e".into(),
                verdict,
                object_kind: kind,
                object_id: "o-2".into(),
                object_name: "Loyalty".into(),
                marker: "hg1".into(),
                setup_id: used_id.map(|_| "s".into()),
                step: Some(kind),
                platform_created_at: None,
                found_at: 1_772_323_200_000,
                seen_at: 1_772_323_200_000,
                state: FindingState::Open,
                decided_by: None,
                decided_at: None,
                problem: None,
            },
            environment_name: "Retail dev".into(),
            sandbox: "dev".into(),
            production: false,
            flow_name: None,
            used_id: used_id.map(str::to_owned),
            decided_by_name: None,
        }
    }

    fn shown(verdict: Verdict, kind: StepKind, used_id: Option<&str>) -> (String, Action) {
        let times = Times::new("UTC", 1_772_323_200_000);
        let view = FindingView::new(&listed(verdict, kind, used_id), &times);
        (view.meaning, view.action)
    }

    #[test]
    fn each_finding_says_what_it_means_and_offers_one_action() {
        let (meaning, action) = shown(Verdict::Duplicate, StepKind::Flow, Some("o-1"));
        assert_eq!(
            meaning,
            "It was made twice: data may be ingested twice from its first run on. The setup uses o-1; this one is the \
             extra."
        );
        assert_eq!(action, Action::Delete("Delete the extra dataflow".into()));
        let (meaning, action) = shown(Verdict::Vanished, StepKind::Dataset, Some("o-2"));
        assert!(
            meaning.starts_with("The dataset was removed outside Headgate on or before 1 Mar 2026"),
            "{meaning}"
        );
        assert_eq!(action, Action::MarkAsKnown);
        let (_, action) = shown(Verdict::Unclaimed, StepKind::Schema, None);
        assert_eq!(action, Action::Delete("Delete the schema".into()));
        let (_, action) = shown(Verdict::Duplicate, StepKind::MappingSet, Some("o-1"));
        assert_eq!(action, Action::MarkAsKnown);
        let (meaning, _) = shown(Verdict::Duplicate, StepKind::SourceConnection, None);
        assert!(
            meaning.ends_with("delete all but one, then resume it."),
            "{meaning}"
        );
    }
}
