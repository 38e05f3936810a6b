//! Reading a whole collection: every object of a kind, whoever made it.

use futures_util::{Stream, TryStreamExt};
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::lookups::{Found, object};
use super::pages::{PAGE_SIZE, Page};
use super::schemas::LIST_ACCEPT;
use super::wire;

impl ObjectKind {
    /// The service that keeps objects of this kind.
    pub(super) fn service(self) -> Service {
        match self {
            Self::Schema => Service::SchemaRegistry,
            Self::Dataset => Service::Catalog,
            Self::MappingSet => Service::DataPrep,
            Self::Connection | Self::SourceConnection | Self::TargetConnection | Self::Flow => {
                Service::FlowService
            }
        }
    }
}

impl PlatformClient {
    /// All objects of a kind in the sandbox, page by page, in the platform's order.
    ///
    /// # Errors
    /// The stream ends with one when the list cannot be read to its end. What came before is true; nothing that
    /// did not come is proven to be absent.
    pub fn inventory(
        &self,
        kind: ObjectKind,
    ) -> impl Stream<Item = Result<Page<Found>, PlatformError>> + Send + use<> {
        let (service, read) = (kind.service(), Read::at(kind.collection()));
        let read = match service {
            Service::SchemaRegistry => read.accepting(LIST_ACCEPT),
            Service::FlowService => read.with("limit", PAGE_SIZE.to_string()),
            _ => read,
        };
        let sandbox = self.sandbox().to_owned();
        self.pages(service, read, Ok)
            .and_then(move |page| std::future::ready(objects(kind, &sandbox, page)))
    }
}

/// An item without an id, or of another sandbox, spoils the list: it is not the one that was asked for.
fn objects(kind: ObjectKind, sandbox: &str, page: Page<Value>) -> Result<Page<Found>, PlatformError> {
    let unreadable = |detail| PlatformError::unreadable(kind.service(), detail);
    let read = |item: Value| {
        if wire::text(&item, "/sandboxName").is_some_and(|shown| shown != sandbox) {
            return Err(unreadable("the list shows another sandbox"));
        }
        object(kind, item).ok_or_else(|| unreadable("an item of the list has no id"))
    };
    Ok(Page {
        items: page.items.into_iter().map(read).collect::<Result<_, _>>()?,
        fetched: page.fetched,
        is_last: page.is_last,
    })
}

impl Found {
    /// When it was made (UTC epoch milliseconds), where its service says so.
    pub fn created_at(&self) -> Option<i64> {
        [
            "/createdAt",
            "/created",
            "/createdDate",
            "/meta:registryMetadata/repo:createdDate",
        ]
        .into_iter()
        .find_map(|pointer| wire::moment(&self.body, pointer))
    }

    /// The values of a tag, where the object has it. Only datasets have tags.
    pub fn tag(&self, key: &str) -> Vec<String> {
        let tags = self.body.get("tags").and_then(|tags| tags.get(key));
        tags.map(|values| wire::texts(values, "")).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(items: Vec<Value>) -> Page<Value> {
        Page {
            fetched: items.len(),
            is_last: true,
            items,
        }
    }

    #[test]
    fn what_is_listed_is_read_and_what_does_not_belong_spoils_the_list() {
        let flow =
            json!({"id": "f-1", "name": "Leads", "sandboxName": "dev", "createdAt": 1_612_310_475_905_i64});
        let read = objects(ObjectKind::Flow, "dev", page(vec![flow.clone()])).unwrap();
        assert_eq!(read.items[0].id, "f-1");
        assert_eq!(read.items[0].created_at(), Some(1_612_310_475_905));
        assert!(objects(ObjectKind::Flow, "prod", page(vec![flow])).is_err());
        assert!(objects(ObjectKind::Flow, "dev", page(vec![json!({"name": "Leads"})])).is_err());
    }

    #[test]
    fn each_service_dates_its_objects_in_its_own_way() {
        let at = |kind, body| object(kind, body).unwrap().created_at();
        assert_eq!(
            at(
                ObjectKind::Dataset,
                json!({"id": "d", "created": 1_521_828_048_923_i64})
            ),
            Some(1_521_828_048_923)
        );
        assert_eq!(
            at(
                ObjectKind::MappingSet,
                json!({"id": "m", "createdDate": 1_521_828_048_923_i64})
            ),
            Some(1_521_828_048_923)
        );
        let schema =
            json!({"$id": "s", "meta:registryMetadata": {"repo:createdDate": 1_521_828_048_923_i64}});
        assert_eq!(at(ObjectKind::Schema, schema), Some(1_521_828_048_923));
        assert_eq!(at(ObjectKind::Flow, json!({"id": "f"})), None);
    }

    #[test]
    fn tags_are_lists_of_text() {
        let tagged = |tags| {
            object(ObjectKind::Dataset, json!({"id": "d", "tags": tags}))
                .unwrap()
                .tag("headgate")
        };
        assert_eq!(tagged(json!({"headgate": ["a", "b"]})), ["a", "b"]);
        assert_eq!(tagged(json!({"other": ["a"]})), Vec::<String>::new());
        assert_eq!(tagged(json!(null)), Vec::<String>::new());
    }
}
