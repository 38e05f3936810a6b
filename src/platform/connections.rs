//! Base connections: listing, testing and looking into the storage behind them. Answers may carry
//! credentials, so only named fields leave this file.

use futures_util::Stream;
use serde_json::Value;

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::pages::Page;
use super::wire;

/// A base connection, without its authentication parameters. Times are UTC epoch milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: String,
    /// The name people gave it; empty when there is none.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// The connection specification, which tells the connector.
    pub spec_id: Option<String>,
    /// The way of authentication, for example `Access Key`.
    pub auth_name: Option<String>,
    /// `enabled`, `disabled`, `draft` …
    pub state: Option<String>,
    /// Its version with inner quotes.
    pub etag: Option<String>,
    /// When it was made.
    pub created_at: Option<i64>,
    /// When it was last changed.
    pub updated_at: Option<i64>,
}

/// Through what to look into a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExploreThrough {
    /// A base connection, by id.
    Connection(String),
    /// A connection specification, by id: the Data Landing Zone, which needs no base connection.
    Spec(String),
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExploreWhat {
    /// The top.
    Root,
    /// A folder, by its path as an earlier answer gave it.
    Folder(String),
    /// The columns (and the first rows) of a file.
    File {
        /// Its path as an earlier answer gave it.
        path: String,
        /// How to read it; `None` lets the platform find out.
        format: Option<FileFormat>,
        /// Whether to bring rows too.
        preview: bool,
    },
}

/// How to read a file, in the words of Adobe's page on exploring cloud storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFormat {
    /// `delimited`, `json` or `parquet`.
    pub file_type: String,
    /// One character; a comma when absent.
    pub column_delimiter: Option<String>,
    /// `gzip` …; not compressed when absent.
    pub compression: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Explored {
    /// The contents of a folder.
    Entries(Vec<Entry>),
    /// What is in a file.
    File {
        /// Its columns.
        columns: Vec<Column>,
        /// Its first rows, objects keyed by column.
        rows: Vec<Value>,
        /// What the platform found out about its format, if it was asked to.
        format: Option<FileFormat>,
    },
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its own name.
    pub name: String,
    /// The path by which to ask for it.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as the platform guesses it.
    pub kind: Option<String>,
}

impl Connection {
    fn from_json(raw: &Value) -> Result<Self, PlatformError> {
        let id = wire::text(raw, "/id").filter(|id| !id.is_empty());
        Ok(Self {
            id: id.ok_or_else(|| unreadable("a connection has no id"))?,
            name: wire::text(raw, "/name").unwrap_or_default(),
            description: wire::text(raw, "/description").filter(|text| !text.is_empty()),
            spec_id: wire::text(raw, "/connectionSpec/id"),
            auth_name: wire::text(raw, "/auth/specName"),
            state: wire::text(raw, "/state"),
            etag: wire::etag(raw),
            created_at: wire::moment(raw, "/createdAt"),
            updated_at: wire::moment(raw, "/updatedAt"),
        })
    }
}

fn unreadable(detail: &str) -> PlatformError {
    PlatformError::unreadable(Service::FlowService, detail)
}

impl PlatformClient {
    /// All base connections of the sandbox, page by page.
    pub fn connections(&self) -> impl Stream<Item = Result<Page<Connection>, PlatformError>> + Send + use<> {
        self.pages(
            Service::FlowService,
            Read::at(ObjectKind::Connection.collection()),
            |item| Connection::from_json(&item),
        )
    }

    /// One base connection.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn connection(&self, id: &str) -> Result<Connection, PlatformError> {
        Connection::from_json(&self.single(&ObjectKind::Connection.path_of(id)).await?)
    }

    /// Whether the platform can sign in to the storage. A failing sign-in may come as `false` or as an
    /// error; which one when is not documented.
    ///
    /// # Errors
    /// What the service said instead.
    pub async fn test_connection(&self, id: &str) -> Result<bool, PlatformError> {
        let body = self
            .get(&Read::at(format!("{}/test", ObjectKind::Connection.path_of(id))))
            .await?;
        wire::boolean(&body, "/result").ok_or_else(|| unreadable("the test has no result"))
    }

    /// Looks into a storage.
    ///
    /// # Errors
    /// What the service said instead, for example that the path does not exist.
    pub async fn explore(
        &self,
        through: &ExploreThrough,
        what: &ExploreWhat,
    ) -> Result<Explored, PlatformError> {
        let body = self.get(&explore_read(through, what)).await?;
        explored(what, &body)
    }
}

fn explore_read(through: &ExploreThrough, what: &ExploreWhat) -> Read {
    let read = Read::at(match through {
        ExploreThrough::Connection(id) => format!("{}/explore", ObjectKind::Connection.path_of(id)),
        ExploreThrough::Spec(id) => format!("/flowservice/connectionSpecs/{}/explore", segment(id)),
    });
    match what {
        ExploreWhat::Root => read.with("objectType", "root"),
        ExploreWhat::Folder(path) => read.with("objectType", "folder").with("object", path),
        ExploreWhat::File {
            path,
            format,
            preview,
        } => {
            let read = read
                .with("objectType", "file")
                .with("object", path)
                .with("preview", preview.to_string());
            // Either we say what the file is or the platform finds out; both or neither is refused.
            let Some(format) = format else {
                return read.with("determineProperties", "true");
            };
            let mut read = read.with("fileType", &format.file_type);
            if let Some(delimiter) = &format.column_delimiter {
                read = read.with("columnDelimiter", delimiter);
            }
            if let Some(compression) = &format.compression {
                read = read.with("compressionType", compression);
            }
            read
        }
    }
}

fn explored(what: &ExploreWhat, body: &Value) -> Result<Explored, PlatformError> {
    match (what, body) {
        (ExploreWhat::File { .. }, Value::Object(_)) => Ok(Explored::File {
            columns: columns(wire::at(body, "/schema/columns"))?,
            rows: wire::elements(body, "/data").to_vec(),
            format: wire::text(body, "/properties/fileType").map(|file_type| FileFormat {
                file_type,
                column_delimiter: wire::text(body, "/properties/columnDelimiter"),
                compression: wire::text(body, "/properties/compressionType"),
            }),
        }),
        // The older page answers a file with its bare columns.
        (ExploreWhat::File { .. }, Value::Array(_)) => Ok(Explored::File {
            columns: columns(Some(body))?,
            rows: Vec::new(),
            format: None,
        }),
        (_, Value::Array(entries)) => entries
            .iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map(Explored::Entries),
        _ => Err(unreadable("the listing of the storage is no list")),
    }
}

fn entry(raw: &Value) -> Result<Entry, PlatformError> {
    let kind = wire::text(raw, "/type").unwrap_or_default();
    let path = wire::text(raw, "/path").ok_or_else(|| unreadable("an entry of the storage has no path"))?;
    let name = wire::text(raw, "/name").unwrap_or_else(|| path.clone());
    Ok(Entry {
        name,
        path,
        is_folder: kind.eq_ignore_ascii_case("folder"),
    })
}

fn columns(raw: Option<&Value>) -> Result<Vec<Column>, PlatformError> {
    let listed = raw
        .and_then(Value::as_array)
        .ok_or_else(|| unreadable("the file shows no columns"))?;
    let column = |raw: &Value| {
        let name = wire::text(raw, "/name").ok_or_else(|| unreadable("a column has no name"))?;
        Ok(Column {
            name,
            kind: wire::text(raw, "/xdm/type").or_else(|| wire::text(raw, "/type")),
        })
    };
    listed.iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connection_leaves_its_secrets_behind() {
        let raw = json!({"id": "c-1", "name": "Bucket", "connectionSpec": {"id": "s3", "version": "1.0"},
            "auth": {"specName": "Access Key", "params": {"s3SecretKey": "hunter22"}}, "etag": "\"e\""});
        let connection = Connection::from_json(&raw).unwrap();
        assert_eq!(connection.auth_name.as_deref(), Some("Access Key"));
        assert!(!format!("{connection:?}").contains("hunter22"));
    }

    #[test]
    fn folders_are_listed() {
        let body = json!([{"type": "file", "name": "a.csv", "path": "x/a.csv", "canPreview": true},
            {"type": "folder", "name": "sub", "path": "x/sub/"}]);
        let Explored::Entries(entries) = explored(&ExploreWhat::Root, &body).unwrap() else {
            panic!()
        };
        assert_eq!(
            entries.iter().map(|entry| entry.is_folder).collect::<Vec<_>>(),
            [false, true]
        );
        assert!(explored(&ExploreWhat::Root, &json!({"items": []})).is_err());
    }

    #[test]
    fn files_are_read_in_every_documented_form() {
        let file = ExploreWhat::File {
            path: "x/a.csv".to_owned(),
            format: None,
            preview: true,
        };
        let current = json!({"format": "flat", "schema": {"columns": [{"name": "id", "type": "string",
            "xdm": {"type": "number"}}]}, "data": [{"id": "1"}],
            "properties": {"fileType": "delimited", "columnDelimiter": "~"}});
        let Explored::File {
            columns,
            rows,
            format,
        } = explored(&file, &current).unwrap()
        else {
            panic!()
        };
        assert_eq!(
            columns,
            [Column {
                name: "id".to_owned(),
                kind: Some("number".to_owned())
            }]
        );
        assert_eq!(
            (rows.len(), format.unwrap().column_delimiter.as_deref()),
            (1, Some("~"))
        );
        let older = json!([{"name": "Id", "type": "String"}]);
        let Explored::File { columns, .. } = explored(&file, &older).unwrap() else {
            panic!()
        };
        assert_eq!(columns[0].kind.as_deref(), Some("String"));
        assert!(explored(&file, &json!({"format": "flat"})).is_err());
    }

    #[test]
    fn the_format_is_either_given_or_found_out() {
        let keys = |format| {
            let what = ExploreWhat::File {
                path: "a b.csv".to_owned(),
                format,
                preview: false,
            };
            let read = explore_read(&ExploreThrough::Spec("landing".to_owned()), &what);
            read.query.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
        };
        assert_eq!(
            keys(None),
            ["objectType", "object", "preview", "determineProperties"]
        );
        let csv = FileFormat {
            file_type: "delimited".to_owned(),
            column_delimiter: None,
            compression: None,
        };
        assert_eq!(keys(Some(csv)), ["objectType", "object", "preview", "fileType"]);
    }
}
