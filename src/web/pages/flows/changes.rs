//! What people set, as they read it: one version of it, and how it differs from the one before.

use crate::domain::configuration::{Changed, Shown};
use crate::store::flow_versions::FlowVersion;
use crate::web::times::{TimeView, Times};

/// Characters of a value where changes are listed; the page of a version shows all of it.
const SHORT_CHARS: usize = 160;

/// A version of what a flow is set to, with what it changed.
pub(super) struct ChangeView {
    pub(super) number: i64,
    pub(super) valid_from: TimeView,
    pub(super) seen: TimeView,
    /// Nothing is known about what was set before.
    pub(super) is_first: bool,
    pub(super) changes: Vec<SettingChange>,
}

/// One setting before and after; on one side it may not be set.
pub(super) struct SettingChange {
    pub(super) name: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
}

impl ChangeView {
    /// `before` is the version before this one.
    pub(super) fn new(version: &FlowVersion, before: Option<&FlowVersion>, times: &Times) -> Self {
        let changes = before.map(|before| version.configuration.changes_since(&before.configuration));
        Self {
            number: version.number,
            valid_from: times.at(version.valid_from_at),
            seen: times.at(version.seen_at),
            is_first: version.number == 1,
            changes: changes
                .unwrap_or_default()
                .into_iter()
                .map(|changed| SettingChange::new(changed, times))
                .collect(),
        }
    }
}

impl SettingChange {
    fn new(changed: Changed, times: &Times) -> Self {
        let side = |value: Option<Shown>| value.map(|value| short(&shown(&value, times)));
        Self {
            name: changed.name,
            before: side(changed.before),
            after: side(changed.after),
        }
    }
}

/// A value as the viewer reads it.
pub(super) fn shown(value: &Shown, times: &Times) -> String {
    match value {
        Shown::Text(text) => text.clone(),
        Shown::Moment(at) => times.at(*at).local().to_string(),
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(SHORT_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
