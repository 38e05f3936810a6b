//! Finding objects again: the only way to learn what an unanswered create has done.

use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::schemas::LIST_ACCEPT;
use super::wire;

/// What to look for. Each is a filter that Adobe documents for the kinds named; with any other kind, and
/// with a value that would mean something to the filter language, the look-up is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// Connections, flows, datasets and mapping sets of exactly this name.
    ByName(String),
    /// Connections and flows of exactly this description.
    ByDescription(String),
    /// Schemas of exactly this title.
    ByTitle(String),
    /// Datasets carrying this tag with this value.
    ByTag {
        /// The tag.
        key: String,
        /// Its value, among others.
        value: String,
    },
    /// Source and target connections on this base connection.
    ByBaseConnection(String),
    /// Source and target connections of this connection specification.
    ByConnectionSpec(String),
    /// Target connections into this dataset.
    ByDataset(String),
    /// Flows from this source connection.
    BySourceConnection(String),
    /// Flows into this target connection.
    ByTargetConnection(String),
}

/// What a look-up brought.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// The whole list was read; these match. An empty one proves that there is none.
    Complete(Vec<Found>),
    /// Not the whole list was read. This proves nothing.
    Incomplete(PlatformError),
}

/// An object that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its id (`$id` for a schema).
    pub id: String,
    /// Its etag with inner quotes, where the service gives one.
    pub etag: Option<String>,
    /// Its name (title for a schema).
    pub name: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// All of it, but for authentication parameters.
    pub body: Value,
}

impl PlatformClient {
    /// Looks for objects of `kind`: a documented filter, all pages, and every item compared again by us,
    /// exactly, since the service might ignore a filter or match more loosely.
    pub async fn find(&self, kind: ObjectKind, selector: &Selector) -> Lookup {
        match self.find_all(kind, selector).await {
            Ok(found) => Lookup::Complete(found),
            Err(error) => Lookup::Incomplete(error),
        }
    }

    async fn find_all(&self, kind: ObjectKind, selector: &Selector) -> Result<Vec<Found>, PlatformError> {
        let (key, value) = filter(kind, selector)?;
        let read = Read::at(kind.collection()).with(key, value);
        let (service, read) = match kind {
            ObjectKind::Schema => (Service::SchemaRegistry, read.accepting(LIST_ACCEPT)),
            ObjectKind::Dataset => (Service::Catalog, read),
            ObjectKind::MappingSet => (Service::DataPrep, read),
            _ => (Service::FlowService, read),
        };
        let mut pages = pin!(self.pages(service, read, Ok));
        let mut found: Vec<Found> = Vec::new();
        while let Some(page) = pages.try_next().await? {
            for item in page.items {
                if self.matches(service, selector, &item)? {
                    let object = object(kind, item)
                        .ok_or_else(|| PlatformError::unreadable(service, "an item of the list has no id"))?;
                    // Pages that overlap bring an object twice.
                    if found.iter().all(|other| other.id != object.id) {
                        found.push(object);
                    }
                }
            }
        }
        Ok(found)
    }

    /// An item that does not show what was asked for, or shows another sandbox, spoils the whole proof.
    fn matches(&self, service: Service, selector: &Selector, item: &Value) -> Result<bool, PlatformError> {
        if wire::text(item, "/sandboxName").is_some_and(|sandbox| sandbox != self.sandbox()) {
            return Err(PlatformError::unreadable(
                service,
                "the list shows another sandbox",
            ));
        }
        shows(selector, item).ok_or_else(|| {
            PlatformError::unreadable(service, "an item of the list does not show what was asked for")
        })
    }
}

/// The query parameter for a selector.
fn filter(kind: ObjectKind, selector: &Selector) -> Result<(&'static str, String), PlatformError> {
    use ObjectKind::{Connection, Dataset, Flow, MappingSet, Schema, SourceConnection, TargetConnection};
    let property = |path: &str, value: &str| Ok(("property", format!("{path}=={}", plain(value)?)));
    match (selector, kind) {
        (Selector::ByName(name), Connection | Flow) => property("name", name),
        (Selector::ByName(name), Dataset | MappingSet) => Ok(("name", plain(name)?.to_owned())),
        (Selector::ByDescription(text), Connection | Flow) => property("description", text),
        (Selector::ByTitle(title), Schema) => property("title", title),
        (Selector::ByTag { key, value }, Dataset) => {
            Ok(("tags", format!("{}:{}", plain_tag(key)?, plain_tag(value)?)))
        }
        (Selector::ByBaseConnection(id), SourceConnection | TargetConnection) => {
            property("baseConnectionId", id)
        }
        (Selector::ByConnectionSpec(id), SourceConnection | TargetConnection) => {
            property("connectionSpec.id", id)
        }
        (Selector::ByDataset(id), TargetConnection) => property("params.dataSetId", id),
        (Selector::BySourceConnection(id), Flow) => property("sourceConnectionIds[]", id),
        (Selector::ByTargetConnection(id), Flow) => property("targetConnectionIds[]", id),
        _ => Err(PlatformError::invalid(
            "objects of this kind cannot be filtered by that",
        )),
    }
}

/// A value that means only itself inside a filter: commas separate alternatives, quotes and comparison
/// signs belong to the language, a star is a wildcard at Catalog.
fn plain(value: &str) -> Result<&str, PlatformError> {
    let special = |c: char| c.is_control() || matches!(c, ',' | '"' | '\\' | '=' | '<' | '>' | '~' | '*');
    let padded = value.trim() != value;
    if value.is_empty() || padded || value.chars().any(special) {
        return Err(PlatformError::invalid(
            "the text to look for cannot be used in a filter",
        ));
    }
    Ok(value)
}

fn plain_tag(value: &str) -> Result<&str, PlatformError> {
    if value.contains(':') {
        return Err(PlatformError::invalid(
            "the tag to look for cannot be used in a filter",
        ));
    }
    plain(value)
}

/// Whether `item` is what the selector asks for; `None` when it does not say.
fn shows(selector: &Selector, item: &Value) -> Option<bool> {
    let equals = |pointer, wanted: &String| wire::text(item, pointer).map(|shown| shown == *wanted);
    // An array that is absent is an answer in an unknown form, an empty one is a "no".
    let lists = |pointer, wanted: &String| {
        wire::at(item, pointer).and_then(Value::as_array)?;
        Some(wire::texts(item, pointer).contains(wanted))
    };
    match selector {
        Selector::ByName(name) => Some(equals("/name", name).unwrap_or(false)),
        Selector::ByDescription(text) => Some(equals("/description", text).unwrap_or(false)),
        Selector::ByTitle(title) => equals("/title", title),
        Selector::ByTag { key, value } => {
            let tags = item.get("tags").and_then(Value::as_object)?;
            Some(
                tags.get(key)
                    .is_some_and(|values| wire::texts(values, "").contains(value)),
            )
        }
        Selector::ByBaseConnection(id) => {
            equals("/baseConnectionId", id).or_else(|| equals("/inheritedAttributes/baseConnection/id", id))
        }
        Selector::ByConnectionSpec(id) => equals("/connectionSpec/id", id),
        Selector::ByDataset(id) => equals("/params/dataSetId", id),
        Selector::BySourceConnection(id) => lists("/sourceConnectionIds", id),
        Selector::ByTargetConnection(id) => lists("/targetConnectionIds", id),
    }
}

pub(super) fn object(kind: ObjectKind, mut item: Value) -> Option<Found> {
    let (id, name) = if kind == ObjectKind::Schema {
        ("/$id", "/title")
    } else {
        ("/id", "/name")
    };
    if let Some(members) = item.as_object_mut() {
        members.remove("auth");
    }
    Some(Found {
        id: wire::text(&item, id).filter(|id| !id.is_empty())?,
        etag: wire::etag(&item),
        name: wire::text(&item, name),
        description: wire::text(&item, "/description"),
        body: item,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_documented_filters_are_sent() {
        let id = || "5831c52c-c261-4945-b1c5-2cc261d945b2".to_owned();
        let name = || Selector::ByName("hg1-a".to_owned());
        assert_eq!(
            filter(ObjectKind::Flow, &name()).unwrap(),
            ("property", "name==hg1-a".to_owned())
        );
        assert_eq!(
            filter(ObjectKind::Dataset, &name()).unwrap(),
            ("name", "hg1-a".to_owned())
        );
        assert!(filter(ObjectKind::SourceConnection, &name()).is_err());
        assert!(filter(ObjectKind::Schema, &name()).is_err());
        let by_source = filter(ObjectKind::Flow, &Selector::BySourceConnection(id())).unwrap();
        assert_eq!(by_source.1, format!("sourceConnectionIds[]=={}", id()));
        assert!(filter(ObjectKind::Connection, &Selector::BySourceConnection(id())).is_err());
        let tag = Selector::ByTag {
            key: "headgate".to_owned(),
            value: "hg1-a".to_owned(),
        };
        assert_eq!(
            filter(ObjectKind::Dataset, &tag).unwrap(),
            ("tags", "headgate:hg1-a".to_owned())
        );
    }

    #[test]
    fn values_that_mean_something_to_a_filter_are_refused() {
        for bad in [
            "", "a,b", "a\"b", "a\\b", "a==b", "a>b", "a*", " a", "a ", "a\nb", "~a",
        ] {
            assert!(plain(bad).is_err(), "{bad:?}");
        }
        for good in [
            "hg1-01",
            "Sales (EU) & more",
            "Anna's flow",
            "Kampagne für März",
            "50% + tax?",
        ] {
            assert!(plain(good).is_ok(), "{good:?}");
        }
        assert!(plain_tag("a:b").is_err());
    }

    #[test]
    fn items_are_compared_exactly_and_silence_is_no_answer() {
        let name = Selector::ByName("hg1-a".to_owned());
        assert_eq!(shows(&name, &json!({"name": "hg1-a"})), Some(true));
        assert_eq!(shows(&name, &json!({"name": "my hg1-a flow"})), Some(false));
        assert_eq!(shows(&name, &json!({})), Some(false));
        let dataset = Selector::ByDataset("d".to_owned());
        assert_eq!(
            shows(&dataset, &json!({"params": {"dataSetId": "d"}})),
            Some(true)
        );
        assert_eq!(shows(&dataset, &json!({"params": {}})), None);
        let source = Selector::BySourceConnection("s".to_owned());
        assert_eq!(
            shows(&source, &json!({"sourceConnectionIds": ["x", "s"]})),
            Some(true)
        );
        assert_eq!(shows(&source, &json!({"sourceConnectionIds": []})), Some(false));
        assert_eq!(shows(&source, &json!({})), None);
        let tag = Selector::ByTag {
            key: "k".to_owned(),
            value: "v".to_owned(),
        };
        assert_eq!(shows(&tag, &json!({"tags": {"k": ["v"]}})), Some(true));
        assert_eq!(shows(&tag, &json!({"tags": {"k": ["w"]}})), Some(false));
        assert_eq!(shows(&tag, &json!({"name": "x"})), None);
        let base = Selector::ByBaseConnection("b".to_owned());
        assert_eq!(
            shows(
                &base,
                &json!({"inheritedAttributes": {"baseConnection": {"id": "b"}}})
            ),
            Some(true)
        );
    }

    #[test]
    fn what_is_found_holds_no_credentials() {
        let item = json!({"id": "c-1", "name": "n", "etag": "\"e\"", "auth": {"params": {"s3SecretKey": "hunter22"}}});
        let found = object(ObjectKind::Connection, item).unwrap();
        assert!(!format!("{found:?}").contains("hunter22"));
        assert_eq!(found.etag.as_deref(), Some("\"e\""));
        assert_eq!(object(ObjectKind::Flow, json!({"name": "n"})), None);
    }
}
