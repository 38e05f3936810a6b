//! What went wrong in a run, by error code, out of its JSON (facts.md, d.8).

use std::collections::BTreeSet;

use serde_json::Value;

use super::stages::{activities, name_of};
use crate::platform::clean;
use crate::platform::wire::{self, count, elements};
use crate::vault::mask;

/// Codes at most.
const CODES_MAX: usize = 30;
/// Errors that are looked at.
const ERRORS_MAX: usize = 2_000;
/// Messages of one code that are shown.
const MESSAGES_MAX: usize = 3;
/// Bytes of a message.
const MESSAGE_BYTES: usize = 1_000;
/// Bytes of a code.
const CODE_BYTES: usize = 100;

/// All errors of a run with one code. Texts come from the platform, without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorGroup {
    /// The code; empty where the platform tells none.
    pub code: String,
    /// How often it was told.
    pub times: usize,
    /// How many records it concerns, where that is told.
    pub records: Option<i64>,
    /// The first different messages.
    pub messages: Vec<String>,
    /// How many other messages there are.
    pub more_messages: usize,
    /// The stages that tell it.
    pub stages: BTreeSet<String>,
}

/// The errors of a run by code, in the order in which the platform tells them. The run repeats what its stages say,
/// which counts once.
pub fn errors_by_code(run: &Value) -> Vec<ErrorGroup> {
    let mut found: Vec<(ErrorGroup, BTreeSet<String>)> = Vec::new();
    let stages = activities(run);
    for activity in stages {
        let stage = name_of(activity);
        for error in listed(activity, "/statusSummary") {
            add(&mut found, error, Some(&stage));
        }
    }
    let told = found.clone();
    for error in listed(run, "/metrics/statusSummary") {
        let (code, message) = read(error);
        let is_told = |(group, messages): &(ErrorGroup, BTreeSet<String>)| {
            group.code == code && messages.contains(&message)
        };
        if !told.iter().any(is_told) {
            add(&mut found, error, None);
        }
    }
    found.into_iter().map(|(group, _)| group).collect()
}

fn listed<'a>(document: &'a Value, summary: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let of = |list: &str| elements(document, &format!("{summary}/{list}"));
    of("errors")
        .iter()
        .chain(of("extensions/errors"))
        .take(ERRORS_MAX)
}

fn read(error: &Value) -> (String, String) {
    // Rows of before runs were tidied may hold anything.
    let text = |pointer, bytes| clean(&mask(&wire::text(error, pointer).unwrap_or_default()), bytes);
    (text("/code", CODE_BYTES), text("/message", MESSAGE_BYTES))
}

fn add(found: &mut Vec<(ErrorGroup, BTreeSet<String>)>, error: &Value, stage: Option<&str>) {
    let (code, message) = read(error);
    let place = found.iter().position(|(group, _)| group.code == code);
    let place = place.unwrap_or(found.len());
    if place == CODES_MAX {
        return;
    }
    if place == found.len() {
        let group = ErrorGroup {
            code,
            ..ErrorGroup::default()
        };
        found.push((group, BTreeSet::new()));
    }
    let (group, messages) = &mut found[place];
    group.times += 1;
    if let Some(records) = count(error, "/recordCount") {
        group.records = Some(group.records.unwrap_or(0).saturating_add(records));
    }
    group.stages.extend(stage.map(str::to_owned));
    if messages.insert(message.clone()) && !message.is_empty() {
        if group.messages.len() < MESSAGES_MAX {
            group.messages.push(message);
        } else {
            group.more_messages += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_grouped_by_code_and_repeated_ones_count_once() {
        let general = json!({"code": "CONNECTOR-2001-500", "message": "at promotion"});
        let run = json!({
            "metrics": {"statusSummary": {"errors": [general, {"code": "OTHER", "message": "of the run"}]}},
            "activities": [{"id": "promotionActivity", "statusSummary": {"errors": [general], "extensions": {"errors": [
                {"code": "MAPPER-3700-400", "recordCount": 3, "message": "one"},
                {"code": "MAPPER-3700-400", "recordCount": "4", "message": "two"},
                {"code": "MAPPER-3700-400", "message": "two"},
                {"code": 133, "message": "no files"}, "odd", {}]}}}]
        });
        let groups = errors_by_code(&run);
        let told: Vec<_> = groups
            .iter()
            .map(|group| (group.code.as_str(), group.times, group.records))
            .collect();
        assert_eq!(
            told,
            [
                ("CONNECTOR-2001-500", 1, None),
                ("MAPPER-3700-400", 3, Some(7)),
                ("133", 1, None),
                ("", 2, None),
                ("OTHER", 1, None)
            ]
        );
        assert_eq!(groups[1].messages, ["one", "two"]);
        assert_eq!(
            groups[1].stages.iter().collect::<Vec<_>>(),
            ["Load into the dataset"]
        );
        assert!(groups[4].stages.is_empty());
    }

    #[test]
    fn texts_of_errors_are_masked() {
        let message = "sig=abcdef&x\u{202e}\n";
        let run = json!({"activities": [{"statusSummary": {"errors": [{"code": "x", "message": message}]}}]});
        assert_eq!(errors_by_code(&run)[0].messages, ["sig=[redacted]&x  "]);
    }

    #[test]
    fn codes_and_messages_are_bounded() {
        let errors: Vec<Value> = (0..5_000)
            .map(|n| json!({"code": format!("C{}", n % 50), "message": format!("{n} {}", "x".repeat(5_000))}))
            .collect();
        let groups = errors_by_code(&json!({"metrics": {"statusSummary": {"errors": errors}}}));
        assert_eq!(groups.len(), CODES_MAX);
        assert_eq!(groups[0].messages.len(), MESSAGES_MAX);
        assert!(
            groups[0]
                .messages
                .iter()
                .all(|message| message.len() <= MESSAGE_BYTES)
        );
        assert_eq!(groups[0].times, ERRORS_MAX / 50);
        assert_eq!(groups[0].more_messages, groups[0].times - MESSAGES_MAX);
    }
}
