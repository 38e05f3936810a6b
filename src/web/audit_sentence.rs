//! Audit events as sentences: who did what to which thing.

use serde_json::Value;

use super::status::Status;
use crate::store::audit::{AuditEvent, AuditPhase, NewAuditEvent};

/// One event, ready to be read: "Léa" "created the template" "S3 daily".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSentence {
    /// Who.
    pub actor: String,
    /// What they did, with the kind of thing.
    pub did: String,
    /// The name of the thing; empty when the sentence is whole without.
    pub object: String,
    /// The page of the thing, if it has one.
    pub href: Option<String>,
    /// Its glyph in the sprite.
    pub icon: &'static str,
    /// Set when it was refused or its end is not known.
    pub status: Option<Status>,
}

/// Every event: its stable word, what its sentence says, its glyph, whether the name of the thing follows. A word
/// that is not here is shown as it is.
const EVENTS: &[(&str, &str, &str, bool)] = &[
    ("audit.read", "read the audit trail", "eye", false),
    ("board.shared", "made a link to the wall board for", "plus", true),
    (
        "board.withdrawn",
        "withdrew the link to the wall board for",
        "trash",
        true,
    ),
    ("draft.deleted", "deleted the draft", "trash", true),
    ("environment.added", "added the environment", "plus", true),
    (
        "environment.archived",
        "archived the environment",
        "database",
        true,
    ),
    (
        "environment.checked",
        "checked the credential of the environment",
        "shield-check",
        true,
    ),
    ("environment.saved", "changed the environment", "pencil", true),
    (
        "finding.deleted",
        "deleted a stray object at Adobe:",
        "trash",
        true,
    ),
    ("finding.dismissed", "marked as known at Adobe:", "check", true),
    ("flow.disabled", "disabled the dataflow", "x", true),
    ("flow.enabled", "enabled the dataflow", "play", true),
    ("flow.run_again", "started a run once more of", "play", true),
    ("flow.window_run", "started a run over a window of", "play", true),
    ("platform.create", "created an object at Adobe for", "plus", true),
    ("platform.delete", "deleted an object at Adobe for", "undo", true),
    ("session.ended", "ended a session of their own", "sign-out", false),
    ("session.refused", "was not let in", "lock", false),
    ("session.started", "signed in", "sign-in", false),
    ("setup.changed", "changed answers in the setup of", "pencil", true),
    ("setup.done", "finished the setup of", "check", true),
    (
        "setup.keep_requested",
        "asked to keep what cannot be deleted in the setup of",
        "play",
        true,
    ),
    (
        "setup.leave_requested",
        "asked to leave as it is the setup of",
        "play",
        true,
    ),
    ("setup.left", "left as it is the setup of", "check", true),
    ("setup.resumed", "resumed the setup of", "play", true),
    ("setup.started", "started the setup of", "play", true),
    (
        "setup.undo_requested",
        "asked to take back the setup of",
        "undo",
        true,
    ),
    ("setup.undone", "took back the setup of", "undo", true),
    ("template.archived", "archived the template", "database", true),
    ("template.created", "created the template", "plus", true),
    ("template.restored", "restored the template", "undo", true),
    (
        "template.saved",
        "saved a new version of the template",
        "pencil",
        true,
    ),
    ("user.added", "added the person", "person", true),
    (
        "user.disabled",
        "barred the person from signing in:",
        "lock",
        true,
    ),
    ("user.password_changed", "changed their password", "key", false),
    (
        "user.time_zone_changed",
        "changed their time zone",
        "pencil",
        false,
    ),
    ("view.deleted", "deleted the view", "trash", true),
    ("view.saved", "saved the view", "filter", true),
];

/// What an event's stable word means, for menus: `template.created` is "created the template".
pub fn meaning(event: &str) -> &str {
    let known = EVENTS.iter().find(|(word, ..)| *word == event);
    known.map_or(event, |(_, meaning, ..)| meaning.trim_end_matches(':'))
}

impl AuditSentence {
    /// The sentence of an event.
    pub fn of(event: &AuditEvent) -> Self {
        let facts = &event.facts;
        let known = EVENTS.iter().find(|(word, ..)| *word == facts.event);
        let (_, did, icon, named) = known.copied().unwrap_or(("", facts.event.as_str(), "log", true));
        let (did, status) = match facts.phase {
            AuditPhase::Done => (did.to_owned(), None),
            AuditPhase::Refused => (did.to_owned(), Some(Status::Failed)),
            AuditPhase::Intent | AuditPhase::Outcome => at_the_platform(facts, did),
        };
        Self {
            actor: facts.actor_name.clone(),
            did,
            object: if named {
                facts.object_name.clone()
            } else {
                String::new()
            },
            href: page_of(&facts.object_kind, &facts.object_id),
            icon,
            status,
        }
    }
}

/// The page of a thing.
fn page_of(kind: &str, id: &str) -> Option<String> {
    let folder = match kind {
        "environment" => "environments",
        "flow" => "flows",
        "setup" => "setups",
        "template" => "templates",
        _ => return None,
    };
    Some(format!("/{folder}/{id}"))
}

/// What was asked of the platform, and what came of it.
fn at_the_platform(facts: &NewAuditEvent, did: &str) -> (String, Option<Status>) {
    let after: Value = facts
        .after
        .as_deref()
        .and_then(|after| serde_json::from_str(after).ok())
        .unwrap_or_default();
    let step = after["step"].as_str().unwrap_or("object").replace('_', " ");
    let (verb, done) = match facts.event.as_str() {
        "platform.create" => (
            format!("create the {step} for"),
            format!("created the {step} at Adobe for"),
        ),
        "platform.delete" => (
            format!("delete the {step} of"),
            format!("deleted the {step} at Adobe of"),
        ),
        "finding.deleted" => (
            format!("delete the stray {step}"),
            format!("deleted at Adobe the stray {step}"),
        ),
        "flow.enabled" => ("enable the dataflow".to_owned(), did.to_owned()),
        "flow.disabled" => ("disable the dataflow".to_owned(), did.to_owned()),
        "flow.run_again" => ("repeat a run of".to_owned(), did.to_owned()),
        "flow.window_run" => (
            "run over a window of time the dataflow".to_owned(),
            did.to_owned(),
        ),
        _ => (format!("do this: {did}"), did.to_owned()),
    };
    if facts.phase == AuditPhase::Intent {
        return (format!("asked Adobe to {verb}"), None);
    }
    match after["result"].as_str().unwrap_or_default() {
        "rejected" | "refused" | "delete_failed" => (
            format!("asked in vain: Adobe did not {verb}"),
            Some(Status::Failed),
        ),
        "unclear" | "unknown" => (
            format!("got no clear answer whether Adobe did {verb}"),
            Some(Status::Unknown),
        ),
        "not_acted" => (format!("could not ask Adobe to {verb}"), Some(Status::Failed)),
        "found" => (format!("found, already made at Adobe, the {step} for"), None),
        "kept" => (format!("left in place, on purpose, the {step} of"), None),
        _ => (done, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::audit::ActorKind;

    fn sentence(event: &str, phase: AuditPhase, kind: &str, after: &str) -> String {
        let facts = NewAuditEvent {
            id: "e1".into(),
            at: 0,
            team_id: Some("t1".into()),
            actor_kind: ActorKind::Person,
            actor_id: Some("u1".into()),
            actor_name: "Léa".into(),
            actor_role: None,
            session_fingerprint: None,
            client_address: None,
            request_id: "r".into(),
            event: event.into(),
            object_kind: kind.into(),
            object_id: "o1".into(),
            object_name: "S3 daily".into(),
            before: None,
            after: (!after.is_empty()).then(|| after.to_owned()),
            phase,
            intent_id: None,
        };
        let AuditSentence {
            actor, did, object, ..
        } = AuditSentence::of(&AuditEvent { seq: 1, facts });
        format!("{actor} {did} {object}").trim_end().to_owned()
    }

    #[test]
    fn events_read_as_sentences() {
        use AuditPhase::{Done, Intent, Outcome, Refused};
        for (event, phase, kind, after, text) in [
            (
                "template.created",
                Done,
                "template",
                "",
                "Léa created the template S3 daily",
            ),
            ("session.started", Done, "user", "{}", "Léa signed in"),
            ("session.refused", Refused, "user", "", "Léa was not let in"),
            (
                "flow.enabled",
                Intent,
                "flow",
                "{}",
                "Léa asked Adobe to enable the dataflow S3 daily",
            ),
            (
                "flow.enabled",
                Outcome,
                "flow",
                r#"{"result":"confirmed"}"#,
                "Léa enabled the dataflow S3 daily",
            ),
            (
                "platform.create",
                Intent,
                "setup",
                r#"{"step":"base_connection"}"#,
                "Léa asked Adobe to create the base connection for S3 daily",
            ),
            (
                "platform.create",
                Outcome,
                "setup",
                r#"{"step":"dataset","result":"rejected"}"#,
                "Léa asked in vain: Adobe did not create the dataset for S3 daily",
            ),
            ("new.word", Done, "thing", "", "Léa new.word S3 daily"),
        ] {
            assert_eq!(sentence(event, phase, kind, after), text);
        }
    }

    #[test]
    fn every_event_of_the_route_table_has_a_sentence_and_every_glyph_is_in_the_sprite() {
        let sprite = crate::web::assets::text("icons.svg");
        for (word, _, icon, _) in EVENTS {
            assert!(
                sprite.contains(&format!("id=\"{icon}\"")),
                "{word}: no glyph {icon}"
            );
        }
        for event in crate::web::routes::ROUTES.iter().filter_map(|route| route.audit) {
            assert_ne!(meaning(event), event, "{event} has no sentence");
        }
    }

    #[test]
    fn things_lead_to_their_pages() {
        assert_eq!(page_of("flow", "1").as_deref(), Some("/flows/1"));
        assert_eq!(page_of("user", "1"), None);
    }
}
