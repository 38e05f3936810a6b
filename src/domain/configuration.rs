//! What a flow is set to: the part of the platform's object that people set, and how it differs from before.
//!
//! Tags, counters, the last run and everything else that changes by itself are left out, so that a new
//! configuration means that somebody changed something.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::schedule::cadence;

/// What people set, by the names of Adobe's flow object (facts.md, d.3).
const KEYS: &[&str] = &[
    "name",
    "description",
    "state",
    "flowSpec",
    "scheduleParams",
    "transformations",
    "sourceConnectionIds",
    "targetConnectionIds",
];
/// Values of a configuration at most; a flow with one mapping has about twenty.
const VALUES_MAX: usize = 200;
/// Characters of a value at most.
const VALUE_CHARS: usize = 2_000;
/// Characters of a place at most.
const PLACE_CHARS: usize = 200;
/// Depth of a value at most.
const DEPTH_MAX: usize = 12;
const STATE: &str = "state";
const INTERVAL: &str = "scheduleParams/interval";
const FREQUENCY: &str = "scheduleParams/frequency";
const START: &str = "scheduleParams/startTime";
/// Places that have a name which people know.
const NAMES: &[(&str, &str)] = &[
    ("name", "Name"),
    ("description", "Description"),
    (STATE, "State"),
    (FREQUENCY, "Schedule"),
    ("flowSpec/id", "Flow specification"),
    ("flowSpec/version", "Version of the flow specification"),
    (START, "First run"),
    ("scheduleParams/backfill", "Backfill"),
    ("sourceConnectionIds/0", "Source connection"),
    ("targetConnectionIds/0", "Target connection"),
    ("transformations/0/name", "First transformation"),
    ("transformations/0/params/mappingId", "Mapping set"),
    (
        "transformations/0/params/mappingVersion",
        "Version of the mapping set",
    ),
];

/// What a flow is set to: each single value by its place in Adobe's object, such as `scheduleParams/interval`.
///
/// The platform writes some numbers as text on read, so all values are text. Bounded in number and length.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Configuration(BTreeMap<String, String>);

/// One setting with a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What is set.
    pub name: String,
    /// To what.
    pub value: Shown,
}

/// One setting that differs between two configurations; on one side it may not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// What is set.
    pub name: String,
    /// As it was.
    pub before: Option<Shown>,
    /// As it became.
    pub after: Option<Shown>,
}

/// A value as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Text(String),
    /// A moment (UTC epoch milliseconds).
    Moment(i64),
}

impl Configuration {
    /// What people set in a flow, from the platform's JSON of it. Nothing is required to be there.
    pub fn of_flow(raw: &Value) -> Self {
        let mut values = BTreeMap::new();
        for key in KEYS {
            if let Some(value) = raw.get(*key) {
                flatten(value, (*key).to_owned(), 0, &mut values);
            }
        }
        Self(values)
    }

    /// All settings, in the order in which people look for them.
    pub fn settings(&self) -> Vec<Setting> {
        let named = |(name, value)| Setting { name, value };
        self.shown().into_iter().map(named).collect()
    }

    /// Adobe's state.
    pub fn state(&self) -> Option<&str> {
        self.0.get(STATE).map(String::as_str)
    }

    /// Whether runs are to begin at the same moments.
    pub fn has_schedule_of(&self, other: &Self) -> bool {
        [FREQUENCY, INTERVAL, START]
            .iter()
            .all(|place| self.0.get(*place) == other.0.get(*place))
    }

    /// What differs from the configuration `before`.
    pub fn changes_since(&self, before: &Self) -> Vec<Changed> {
        let (before, after) = (before.shown(), self.shown());
        let find = |list: &[(String, Shown)], name: &str| {
            list.iter()
                .find(|(listed, _)| listed == name)
                .map(|(_, value)| value.clone())
        };
        let mut seen = BTreeSet::new();
        after
            .iter()
            .chain(&before)
            .map(|(name, _)| name)
            .filter(|name| seen.insert((*name).clone()))
            .map(|name| Changed {
                name: name.clone(),
                before: find(&before, name),
                after: find(&after, name),
            })
            .filter(|changed| changed.before != changed.after)
            .collect()
    }

    /// Named places first, then the others in Adobe's words; unit and interval of the schedule are one.
    fn shown(&self) -> Vec<(String, Shown)> {
        let has_name = |place: &str| {
            NAMES.iter().any(|(named, _)| *named == place)
                || place == INTERVAL && self.0.contains_key(FREQUENCY)
        };
        let others = self
            .0
            .keys()
            .map(String::as_str)
            .filter(|place| !has_name(place))
            .map(|place| (place, place));
        NAMES
            .iter()
            .copied()
            .chain(others)
            .filter_map(|(place, name)| Some((name.to_owned(), self.readable(place)?)))
            .collect()
    }

    fn readable(&self, place: &str) -> Option<Shown> {
        let value = self.0.get(place)?;
        let text = || Shown::Text(value.clone());
        Some(match place {
            FREQUENCY => {
                let interval = self.0.get(INTERVAL).and_then(|text| text.parse().ok());
                Shown::Text(cadence(value, interval))
            }
            START => value
                .parse::<i64>()
                .map_or_else(|_| text(), |seconds| Shown::Moment(seconds.saturating_mul(1000))),
            _ => text(),
        })
    }
}

fn flatten(value: &Value, place: String, depth: usize, values: &mut BTreeMap<String, String>) {
    if values.len() >= VALUES_MAX || depth > DEPTH_MAX {
        return;
    }
    let inside = |key: &str| {
        format!("{place}/{key}")
            .chars()
            .take(PLACE_CHARS)
            .collect::<String>()
    };
    match value {
        Value::Object(members) => {
            for (key, member) in sorted(members) {
                flatten(member, inside(key), depth + 1, values);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(VALUES_MAX) {
                flatten(item, inside(&index.to_string()), depth + 1, values);
            }
        }
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            values.insert(place, text.chars().take(VALUE_CHARS).collect());
        }
        Value::Bool(_) | Value::Number(_) => {
            values.insert(place, value.to_string());
        }
    }
}

/// In an order that does not depend on how the platform wrote them, since only so many are taken.
fn sorted(members: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    members.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn flow(interval: &Value) -> Value {
        json!({
            "id": "f", "etag": "\"1\"", "name": "Loyalty", "state": "enabled", "version": "\"1\"",
            "flowSpec": {"id": "9753", "version": "1.0"}, "sourceConnectionIds": ["s"], "targetConnectionIds": ["t"],
            "scheduleParams": {"startTime": "1612310466", "frequency": "hour", "interval": interval, "backfill": "true"},
            "transformations": [{"name": "Mapping", "params": {"mappingId": "m", "mappingVersion": "0"}}],
            "lastRunDetails": {"state": "success"}, "updatedAt": 5
        })
    }

    #[test]
    fn only_what_people_set_counts() {
        let one = Configuration::of_flow(&flow(&json!("1")));
        let mut other = flow(&json!(1));
        other["etag"] = json!("\"2\"");
        other["updatedAt"] = json!(99);
        other["lastRunDetails"] = json!({"state": "failed"});
        assert_eq!(
            one,
            Configuration::of_flow(&other),
            "numbers and texts of the same value are the same"
        );
        let names: Vec<String> = one.settings().into_iter().map(|setting| setting.name).collect();
        assert_eq!(
            names,
            [
                "Name",
                "State",
                "Schedule",
                "Flow specification",
                "Version of the flow specification",
                "First run",
                "Backfill",
                "Source connection",
                "Target connection",
                "First transformation",
                "Mapping set",
                "Version of the mapping set"
            ]
        );
        assert_eq!(one.settings()[5].value, Shown::Moment(1_612_310_466_000));
    }

    #[test]
    fn changes_are_told_with_before_and_after() {
        let before = Configuration::of_flow(&flow(&json!("1")));
        let mut raw = flow(&json!("2"));
        raw["description"] = json!("New");
        raw["scheduleParams"]
            .as_object_mut()
            .expect("an object")
            .remove("backfill");
        let after = Configuration::of_flow(&raw);
        let text = |text: &str| Some(Shown::Text(text.into()));
        let changed = |name: &str, before, after| Changed {
            name: name.into(),
            before,
            after,
        };
        assert_eq!(
            after.changes_since(&before),
            [
                changed("Description", None, text("New")),
                changed("Schedule", text("every hour"), text("every 2 hours")),
                changed("Backfill", text("true"), None),
            ]
        );
        assert_eq!(before.changes_since(&before), []);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(prop::sample::select(KEYS).prop_map(str::to_owned), inner, 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_taken_stored_and_read_back(one in any_json(), other in any_json()) {
            let (one, other) = (Configuration::of_flow(&one), Configuration::of_flow(&other));
            let stored = serde_json::to_string(&one).expect("text");
            prop_assert_eq!(&serde_json::from_str::<Configuration>(&stored).expect("the same"), &one);
            prop_assert_eq!(one.changes_since(&other).is_empty(), one.shown() == other.shown());
        }
    }

    #[test]
    fn a_huge_flow_is_bounded() {
        let huge = json!({"name": "x".repeat(1_000_000), "transformations": vec![json!({"a": "y".repeat(9_000)}); 5_000]});
        let stored = serde_json::to_string(&Configuration::of_flow(&huge)).expect("text");
        assert!(
            stored.len() < VALUES_MAX * (VALUE_CHARS + PLACE_CHARS),
            "{}",
            stored.len()
        );
    }
}
