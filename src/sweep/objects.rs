//! The collections of the platform, and the markers that their objects carry.

use crate::domain::setup::{MARKER_PREFIX, MARKER_TAG, StepKind, marker};
use crate::platform::Found;

/// Length of a setup's tag ([`crate::domain::new_tag`]).
const TAG_CHARS: usize = 26;

/// The collections of the platform, each named by a step that makes its objects.
pub(super) const COLLECTIONS: [StepKind; 7] = [
    StepKind::BaseConnection,
    StepKind::Schema,
    StepKind::Dataset,
    StepKind::MappingSet,
    StepKind::SourceConnection,
    StepKind::TargetConnection,
    StepKind::Flow,
];

/// An object that carries a marker of a step that makes such objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carrier {
    pub(super) kind: StepKind,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: Option<i64>,
    pub(super) marker: String,
}

/// The collection that holds the object of a step.
pub(super) const fn collection(step: StepKind) -> StepKind {
    match step {
        StepKind::DataLakeConnection => StepKind::BaseConnection,
        other => other,
    }
}

/// The object once for each marker that it carries. A marker that belongs to another kind of object is somebody's
/// text about it.
pub(super) fn carriers(collection: StepKind, found: &Found) -> Vec<Carrier> {
    let mut markers: Vec<String> = match collection {
        StepKind::Dataset => found
            .tag(MARKER_TAG)
            .iter()
            .flat_map(|tag| markers_in(tag))
            .collect(),
        StepKind::MappingSet => markers_in(found.name.as_deref().unwrap_or_default()),
        _ => markers_in(found.description.as_deref().unwrap_or_default()),
    };
    let ending = marker("", collection);
    let ending = &ending[MARKER_PREFIX.len()..];
    markers.retain(|marker| marker.ends_with(ending));
    markers.sort_unstable();
    markers.dedup();
    let carrier = |marker: String| Carrier {
        kind: collection,
        id: found.id.clone(),
        name: found.name.clone().unwrap_or_default(),
        created_at: found.created_at(),
        marker,
    };
    markers.into_iter().map(carrier).collect()
}

/// Everything in a text that has the form of a marker and stands alone.
fn markers_in(text: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c: char| !is_part(c))
        .filter(|word| is_marker(word))
        .map(str::to_owned)
        .collect()
}

fn is_marker(word: &str) -> bool {
    let in_tag = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
    let Some((tag, code)) = word
        .strip_prefix(MARKER_PREFIX)
        .and_then(|rest| rest.split_once('-'))
    else {
        return false;
    };
    tag.len() == TAG_CHARS
        && tag.bytes().all(in_tag)
        && StepKind::ALL
            .iter()
            .any(|kind| marker(tag, *kind).ends_with(&format!("-{code}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::new_tag;
    use serde_json::json;

    fn found(description: &str) -> Found {
        Found {
            id: "o-1".to_owned(),
            etag: None,
            name: Some("An object".to_owned()),
            description: Some(description.to_owned()),
            body: json!({}),
        }
    }

    #[test]
    fn markers_are_found_where_setups_put_them_and_nowhere_else() {
        let tag = new_tag();
        let of = |kind| marker(&tag, kind);
        let flow = found(&format!("Nightly export ({})", of(StepKind::Flow)));
        assert_eq!(carriers(StepKind::Flow, &flow)[0].marker, of(StepKind::Flow));
        assert_eq!(carriers(StepKind::Schema, &flow), []);
        let source = found(&of(StepKind::SourceConnection));
        assert_eq!(carriers(StepKind::SourceConnection, &source).len(), 1);
        let twice = found(&format!("{0} and {0}", of(StepKind::Flow)));
        assert_eq!(carriers(StepKind::Flow, &twice).len(), 1);
        let dataset = Found {
            body: json!({"tags": {MARKER_TAG: [of(StepKind::Dataset)], "other": [of(StepKind::Dataset)]}}),
            ..found(&of(StepKind::Dataset))
        };
        assert_eq!(carriers(StepKind::Dataset, &dataset).len(), 1);
        assert_eq!(carriers(StepKind::Dataset, &found(&of(StepKind::Dataset))), []);
        let set = Found {
            name: Some(of(StepKind::MappingSet)),
            ..found("")
        };
        assert_eq!(carriers(StepKind::MappingSet, &set).len(), 1);
    }

    #[test]
    fn what_only_looks_like_a_marker_is_none() {
        let tag = new_tag();
        for text in [
            String::new(),
            "hg1-".to_owned(),
            format!("hg1-{tag}"),
            format!("hg1-{tag}-xx"),
            format!("hg1-{}-fl", &tag[1..]),
            format!("hg1-{}-fl", tag.to_uppercase()),
            format!("xhg1-{tag}-fl"),
            format!("hg1-{tag}-fl-old"),
            format!("hg2-{tag}-fl"),
        ] {
            assert_eq!(carriers(StepKind::Flow, &found(&text)), [], "{text}");
        }
    }
}
