//! Schemas of the tenant at Schema Registry, which tells representations apart by `Accept`.

use futures_util::Stream;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::pages::Page;
use super::wire;

/// For lists: whole entries. A version here is refused (XDM-1006-400).
pub(super) const LIST_ACCEPT: &str = "application/vnd.adobe.xed+json";
/// For lists: id, title and version only.
const SHORT_ACCEPT: &str = "application/vnd.adobe.xed-id+json";
/// For one schema, without what it refers to.
pub(super) const ONE_ACCEPT: &str = "application/vnd.adobe.xed+json; version=1";
/// For one schema, everything it refers to included. A missing version is refused (XDM-1007-400).
const FULL_ACCEPT: &str = "application/vnd.adobe.xed-full+json; version=1";

/// A schema in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaSummary {
    /// `$id`, an address that is never fetched.
    pub id: String,
    /// `meta:altId`.
    pub alt_id: Option<String>,
    /// Its title; unique among all resources of the tenant.
    pub title: String,
    /// For example `1.4`.
    pub version: Option<String>,
}

impl SchemaSummary {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let unreadable = || PlatformError::unreadable(Service::SchemaRegistry, "a schema has no $id");
        Ok(Self {
            id: wire::text(raw, "/$id")
                .filter(|id| !id.is_empty())
                .ok_or_else(unreadable)?,
            alt_id: wire::text(raw, "/meta:altId"),
            title: wire::text(raw, "/title").unwrap_or_default(),
            version: wire::text(raw, "/version"),
        })
    }
}

impl PlatformClient {
    /// All schemas of the tenant by title, page by page.
    pub fn schemas(&self) -> impl Stream<Item = Result<Page<SchemaSummary>, PlatformError>> + Send + use<> {
        let read = Read::at(ObjectKind::Schema.collection()).accepting(SHORT_ACCEPT);
        self.pages(Service::SchemaRegistry, read, |item| {
            SchemaSummary::from_json(&item)
        })
    }

    /// One schema with all its fields spelt out, by `$id` or `meta:altId`.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn schema(&self, id: &str) -> Result<Value, PlatformError> {
        let body = self
            .get(&Read::at(ObjectKind::Schema.path_of(id)).accepting(FULL_ACCEPT))
            .await?;
        SchemaSummary::from_json(&body)?;
        Ok(body)
    }
}

/// The `$id` of the schema that already has the title, when `error` is a refusal for that reason. Titles
/// are unique across kinds: a class or field group of that title gives `None`.
pub fn schema_with_that_title(error: &PlatformError) -> Option<String> {
    let reply = error.reply().filter(|reply| {
        // Older answers carry the text without the code.
        reply.code.as_deref() == Some("XDM-1521-400")
            || reply.message.contains("already exists with the same title")
    })?;
    let start = reply.message.find("https://ns.adobe.com/")?;
    let id: String = reply.message[start..]
        .chars()
        .take_while(|c| c.is_ascii_graphic() && !matches!(c, '`' | '>' | '<' | '"' | '\'' | ',' | ')'))
        .collect();
    id.contains("/schemas/").then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Reply;
    use serde_json::json;

    #[test]
    fn a_summary_needs_its_id() {
        let summary = SchemaSummary::from_json(&json!({"$id": "https://ns.adobe.com/t/schemas/1",
            "meta:altId": "_t.schemas.1", "version": 1, "title": "Leads"}))
        .unwrap();
        assert_eq!(
            (summary.title.as_str(), summary.version.as_deref()),
            ("Leads", Some("1"))
        );
        assert!(SchemaSummary::from_json(&json!({"title": "Leads"})).is_err());
    }

    #[test]
    fn the_owner_of_a_title_is_read_from_the_refusal() {
        let refusal = |code: Option<&str>, message: &str| {
            let reply = Reply::without_text(Service::SchemaRegistry, 400, None);
            let code = code.map(str::to_owned);
            PlatformError::Refused(Box::new(Reply {
                code,
                message: message.to_owned(),
                ..reply
            }))
        };
        let id = "https://ns.adobe.com/t/schemas/0ef4";
        for message in [
            format!("Object titles must be unique. An object {id} already exists with the same title"),
            format!("An object `<{id}>` already exists with the same title."),
        ] {
            assert_eq!(
                schema_with_that_title(&refusal(None, &message)).as_deref(),
                Some(id)
            );
        }
        let class = "An object https://ns.adobe.com/t/classes/1 already exists with the same title";
        assert_eq!(
            schema_with_that_title(&refusal(Some("XDM-1521-400"), class)),
            None
        );
        assert_eq!(schema_with_that_title(&refusal(Some("XDM-1020-400"), id)), None);
    }
}
