//! Changes at the platform as data, before anything is sent.

use std::fmt;

use serde_json::Value;

use super::endpoints::segment;
use super::error::Service;
use super::wire;

/// The method of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Creates, or acts on an object.
    Post,
    /// Changes parts of an object; Flow Service demands an etag with it.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A kind of object that a setup makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A base connection, or the dataset's own connection of the older way.
    Connection,
    /// A source connection.
    SourceConnection,
    /// A target connection.
    TargetConnection,
    /// A flow.
    Flow,
    /// A schema of the tenant.
    Schema,
    /// A dataset.
    Dataset,
    /// A mapping set.
    MappingSet,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Connection,
        Self::SourceConnection,
        Self::TargetConnection,
        Self::Flow,
        Self::Schema,
        Self::Dataset,
        Self::MappingSet,
    ];

    /// Where objects of this kind are created and listed, below `/data/foundation`.
    pub fn collection(self) -> &'static str {
        match self {
            Self::Connection => "/flowservice/connections",
            Self::SourceConnection => "/flowservice/sourceConnections",
            Self::TargetConnection => "/flowservice/targetConnections",
            Self::Flow => "/flowservice/flows",
            Self::Schema => "/schemaregistry/tenant/schemas",
            Self::Dataset => "/catalog/dataSets",
            Self::MappingSet => "/conversion/mappingSets",
        }
    }

    /// Where one object of this kind is.
    pub fn path_of(self, id: &str) -> String {
        format!("{}/{}", self.collection(), segment(id))
    }

    /// The id in the answer to a create, or `None` when there is none of the documented form: `id` at Flow
    /// Service and Data Prep, `$id` at Schema Registry, `["@/dataSets/{id}"]` (either case) at Catalog.
    pub fn id_from(self, answer: &Value) -> Option<String> {
        let id = match self {
            Self::Schema => wire::text(answer, "/$id").filter(|id| is_schema_id(id)),
            Self::Dataset => match answer.as_array()?.as_slice() {
                [Value::String(reference)] => dataset_id(reference),
                _ => None,
            },
            _ => answer
                .get("id")
                .and_then(Value::as_str)
                .map(str::to_owned)
                .filter(|id| is_plain_id(id)),
        };
        id.filter(|id| id.len() <= 512)
    }

    pub(super) fn created_at(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.collection() == path)
    }
}

pub(super) fn is_plain_id(id: &str) -> bool {
    (8..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_schema_id(id: &str) -> bool {
    let rest = id.strip_prefix("https://ns.adobe.com/").unwrap_or_default();
    rest.contains("/schemas/") && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

fn dataset_id(reference: &str) -> Option<String> {
    let (collection, id) = reference.rsplit_once('/')?;
    let known = collection.eq_ignore_ascii_case("@/dataSets");
    (known && id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// One change at the platform. Printing it shows neither query nor body, which may hold secrets.
#[derive(Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below `/data/foundation`, percent-encoded, for example `/flowservice/flows`.
    pub path: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(String, String)>,
    /// The JSON body, if any.
    pub body: Option<Value>,
    /// The etag the change is based on, with its inner quotes.
    pub if_match: Option<String>,
}

impl Call {
    fn new(method: Method, path: String, body: Option<Value>) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            body,
            if_match: None,
        }
    }

    /// Creates an object.
    pub fn create(kind: ObjectKind, body: Value) -> Self {
        let mut call = Self::new(Method::Post, kind.collection().to_owned(), Some(body));
        if kind == ObjectKind::Dataset {
            // Adobe's pages on creating datasets send it; what it does is documented nowhere.
            call.query
                .push(("requestDataSource".to_owned(), "true".to_owned()));
        }
        call
    }

    /// Deletes an object.
    pub fn delete(kind: ObjectKind, id: &str) -> Self {
        Self::new(Method::Delete, kind.path_of(id), None)
    }

    /// Changes an object by JSON Patch `operations`, provided that it is still at `etag`.
    pub fn patch(kind: ObjectKind, id: &str, etag: &str, operations: Value) -> Self {
        let if_match = Some(etag.to_owned());
        Self {
            if_match,
            ..Self::new(Method::Patch, kind.path_of(id), Some(operations))
        }
    }

    /// Acts on an object: `enable` or `disable` a flow, `publish` a draft.
    pub fn action(kind: ObjectKind, id: &str, operation: &str) -> Self {
        Self::action_at(&kind.path_of(id), operation)
    }

    /// Starts one run of a flow that is scheduled once; `body` as in Adobe's page on on-demand ingestion.
    pub fn create_run(body: Value) -> Self {
        Self::new(Method::Post, "/flowservice/runs".to_owned(), Some(body))
    }

    /// Runs a failed run again over the same window of files.
    pub fn retry_run(run_id: &str) -> Self {
        Self::action_at(&format!("/flowservice/runs/{}", segment(run_id)), "re-trigger")
    }

    fn action_at(object: &str, operation: &str) -> Self {
        let query = vec![("op".to_owned(), operation.to_owned())];
        Self {
            query,
            ..Self::new(Method::Post, format!("{object}/action"), None)
        }
    }

    /// The service that is called, if the path is one of a service we know.
    pub fn service(&self) -> Option<Service> {
        Service::of_path(&self.path)
    }

    /// The texts in this call that must appear nowhere else: all below `auth.params`.
    pub(super) fn secrets(&self) -> Vec<&str> {
        let mut found = Vec::new();
        if let Some(params) = self.body.as_ref().and_then(|body| wire::at(body, "/auth/params")) {
            collect_texts(params, &mut found);
        }
        // A PATCH carries them as the value of an operation on `/auth/params…`.
        for operation in self.body.as_ref().and_then(Value::as_array).into_iter().flatten() {
            if wire::text(operation, "/path").is_some_and(|path| path.starts_with("/auth")) {
                operation
                    .get("value")
                    .into_iter()
                    .for_each(|value| collect_texts(value, &mut found));
            }
        }
        found
    }
}

fn collect_texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(elements) => elements.iter().for_each(|element| collect_texts(element, found)),
        Value::Object(members) => members.values().for_each(|member| collect_texts(member, found)),
        _ => {}
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_taken_in_their_documented_form_only() {
        let flow = |body| ObjectKind::Flow.id_from(&body);
        assert!(flow(json!({"id": "89ff50ef-b082-426e-bf50-efb082d26e78", "etag": "\"x\""})).is_some());
        for odd in [
            json!({}),
            json!({"id": 17}),
            json!({"id": ""}),
            json!({"id": "../x"}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(flow(odd.clone()), None, "{odd}");
        }
        let schema = |id: &str| ObjectKind::Schema.id_from(&json!({"$id": id}));
        assert!(schema("https://ns.adobe.com/acme/schemas/0238be93d3e7a06a").is_some());
        assert_eq!(schema("https://ns.adobe.com/acme/classes/0238be93d3e7a06a"), None);
        assert_eq!(schema("https://evil.example/acme/schemas/1"), None);
        let dataset = |body| ObjectKind::Dataset.id_from(&body);
        for good in [
            "@/dataSets/5e7439b1ad55a618ad4c5102",
            "@/datasets/5e7439b1ad55a618ad4c5102",
        ] {
            assert_eq!(
                dataset(json!([good])).as_deref(),
                Some("5e7439b1ad55a618ad4c5102")
            );
        }
        for odd in [
            json!([]),
            json!({}),
            json!(["@/dataSets/1"]),
            json!(["5e7439b1ad55a618ad4c5102"]),
            json!([1]),
        ] {
            assert_eq!(dataset(odd.clone()), None, "{odd}");
        }
        let mapping = ObjectKind::MappingSet.id_from(&json!({"id": "bf5286a9c1ad4266baca76ba3adc9366"}));
        assert!(mapping.is_some());
    }

    #[test]
    fn calls_are_what_the_api_documents() {
        let delete = Call::delete(ObjectKind::Schema, "https://ns.adobe.com/t/schemas/1");
        assert_eq!(
            delete.path,
            "/schemaregistry/tenant/schemas/https%3A%2F%2Fns.adobe.com%2Ft%2Fschemas%2F1"
        );
        let action = Call::action(ObjectKind::Flow, "f-1", "disable");
        assert_eq!(
            (action.path.as_str(), action.body),
            ("/flowservice/flows/f-1/action", None)
        );
        assert_eq!(action.query, [("op".to_owned(), "disable".to_owned())]);
        let patch = Call::patch(ObjectKind::Flow, "f-1", "\"e\"", json!([]));
        assert_eq!(patch.if_match.as_deref(), Some("\"e\""));
        assert_eq!(Call::create(ObjectKind::Dataset, json!({})).query.len(), 1);
        assert_eq!(delete.service(), Some(Service::SchemaRegistry));
    }

    #[test]
    fn printing_a_call_tells_no_secret() {
        let body = json!({"auth": {"params": {"s3SecretKey": "hunter22", "nested": ["deep-secret"]}}});
        let call = Call::create(ObjectKind::Connection, body);
        assert!(!format!("{call:?}").contains("hunter22"));
        assert_eq!(call.secrets(), ["deep-secret", "hunter22"]);
        let operations = json!([{"op": "replace", "path": "/auth/params/s3SecretKey", "value": "hunter22"},
            {"op": "replace", "path": "/name", "value": "visible"}]);
        let patch = Call::patch(ObjectKind::Connection, "c", "\"e\"", operations);
        assert_eq!(patch.secrets(), ["hunter22"]);
    }
}
