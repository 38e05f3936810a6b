//! The calls of a plan as a person reads them before anything is sent.

use crate::domain::setup::{CurlCall, PlannedStep, StepKind, curl, shown_body};
use crate::store::environments::Environment;
use crate::web::call_view::CallView;

/// Stands in names and markers for the tag that a setup gets when it begins.
pub(super) const TAG_TO_COME: &str = "xxxxxx";

/// Below this part of the platform's origin lie all its services.
const FOUNDATION: &str = "/data/foundation";

/// One call to come.
pub(super) struct PlannedCall {
    pub(super) label: &'static str,
    /// What must exist before, in words.
    pub(super) needs: String,
    pub(super) call: CallView,
}

/// The calls in the order in which they are shown.
pub(super) fn planned_calls(steps: &[PlannedStep], environment: &Environment) -> Vec<PlannedCall> {
    steps.iter().map(|step| planned_call(step, environment)).collect()
}

fn planned_call(step: &PlannedStep, environment: &Environment) -> PlannedCall {
    let query: Vec<String> = step
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut path = format!("{FOUNDATION}{}", step.path);
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let call = CurlCall {
        origin: &environment.platform_origin,
        sandbox: &environment.sandbox,
        method: "POST",
        path_and_query: &path,
        body: &step.body,
    };
    PlannedCall {
        label: step.kind.label(),
        needs: needs(&step.needs),
        call: CallView {
            id: format!("call-{}", step.kind),
            method: "POST".to_owned(),
            outcome: None,
            body: shown_body(&step.body),
            curl: curl(&call),
            answer: String::new(),
            path,
        },
    }
}

fn needs(kinds: &[StepKind]) -> String {
    let labels: Vec<String> = kinds.iter().map(|kind| kind.label().to_lowercase()).collect();
    match labels.as_slice() {
        [] => "Sent at once".to_owned(),
        [one] => format!("Sent when the {one} exists"),
        [rest @ .., last] => format!("Sent when the {} and the {last} exist", rest.join(", the ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_are_told_in_words() {
        assert_eq!(needs(&[]), "Sent at once");
        assert_eq!(needs(&[StepKind::Schema]), "Sent when the schema exists");
        assert_eq!(
            needs(&[StepKind::Dataset, StepKind::Schema, StepKind::DataLakeConnection]),
            "Sent when the dataset, the schema and the data lake connection exist"
        );
    }
}
