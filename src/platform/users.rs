//! What at the platform is built on an object and would miss it.

use std::pin::pin;

use futures_util::TryStreamExt;

use super::calls::ObjectKind;
use super::client::PlatformClient;
use super::error::PlatformError;
use super::lookups::{Found, Lookup, Selector};

/// Users that are named; one is enough to keep an object.
const NAMED: usize = 3;

impl PlatformClient {
    /// What is built on an object, by kind and name; empty: nothing. At most three are named.
    ///
    /// # Errors
    /// It cannot be told now. Treat that as "something".
    pub async fn users_of(&self, kind: ObjectKind, id: &str) -> Result<Vec<String>, PlatformError> {
        let by = |selector: fn(String) -> Selector, kind| (kind, selector(id.to_owned()));
        let lookups = match kind {
            ObjectKind::Connection => vec![
                by(Selector::ByBaseConnection, ObjectKind::SourceConnection),
                by(Selector::ByBaseConnection, ObjectKind::TargetConnection),
            ],
            ObjectKind::SourceConnection => vec![by(Selector::BySourceConnection, ObjectKind::Flow)],
            ObjectKind::TargetConnection => vec![by(Selector::ByTargetConnection, ObjectKind::Flow)],
            ObjectKind::Dataset => vec![by(Selector::ByDataset, ObjectKind::TargetConnection)],
            ObjectKind::Schema => return datasets_with(self, id).await,
            ObjectKind::Flow | ObjectKind::MappingSet => vec![],
        };
        let mut users = Vec::new();
        for (kind, selector) in lookups {
            match self.find(kind, &selector).await {
                Lookup::Complete(found) => users.extend(found.iter().map(|user| named(kind, user))),
                Lookup::Incomplete(error) => return Err(error),
            }
        }
        users.truncate(NAMED);
        Ok(users)
    }
}

/// Catalog documents no filter by schema.
async fn datasets_with(client: &PlatformClient, schema_id: &str) -> Result<Vec<String>, PlatformError> {
    let mut users = Vec::new();
    let mut pages = pin!(client.datasets());
    while let Some(page) = pages.try_next().await? {
        let with_it = page
            .items
            .into_iter()
            .filter(|set| set.schema_id.as_deref() == Some(schema_id));
        users.extend(with_it.map(|set| format!("the dataset \u{201c}{}\u{201d} ({})", set.name, set.id)));
        if users.len() >= NAMED {
            break;
        }
    }
    users.truncate(NAMED);
    Ok(users)
}

fn named(kind: ObjectKind, found: &Found) -> String {
    let kind = match kind {
        ObjectKind::Flow => "dataflow",
        ObjectKind::SourceConnection => "source connection",
        ObjectKind::TargetConnection => "target connection",
        ObjectKind::Connection => "base connection",
        ObjectKind::Dataset => "dataset",
        ObjectKind::Schema => "schema",
        ObjectKind::MappingSet => "mapping set",
    };
    let name = found.name.as_deref().unwrap_or_default();
    format!("the {kind} \u{201c}{name}\u{201d} ({})", found.id)
}
