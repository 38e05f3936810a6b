//! Looking into a storage: a made-up tree of folders and files, the same every time for one connection
//! (shapes from Adobe's "Explore a cloud storage" page).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::super::ids::{number_of, rng_of};
use super::super::refusal::{Answer, Refusal};
use super::super::state::App;
use super::super::wire::{Call, Query, ok};
use super::entities::Kind;
use super::specs::connection_spec;

/// Folders of every storage, with the table that their files hold.
const FOLDERS: [(&str, Table); 6] = [
    ("loyalty/members", Table::Members),
    ("orders/web", Table::Orders),
    ("stores/sales", Table::Orders),
    ("stores/directory", Table::Stores),
    ("newsletter/consents", Table::Members),
    ("partners-demo/samples", Table::Members),
];
const PREVIEW_ROWS: usize = 10;
const KNOWN: [&str; 8] = [
    "objecttype",
    "object",
    "filetype",
    "preview",
    "columndelimiter",
    "compressiontype",
    "encoding",
    "determineproperties",
];

#[derive(Debug, Clone, Copy)]
enum Table {
    Members,
    Orders,
    Stores,
}

pub fn router() -> Router<Arc<App>> {
    Router::new()
        .route(
            "/data/foundation/flowservice/connections/{id}/explore",
            get(explore_connection),
        )
        .route(
            "/data/foundation/flowservice/connectionSpecs/{id}/explore",
            get(explore_spec),
        )
}

/// A storage: where its paths begin, and the number that decides what lies in it.
struct Storage {
    root: String,
    number: u64,
}

async fn explore_connection(State(app): State<Arc<App>>, Path(id): Path<String>, call: Call) -> Answer {
    let (world, _) = app.world();
    let connection = world
        .connections
        .get(&call.sandbox, &id)
        .ok_or_else(|| Kind::Connection.missing(&id))?;
    let spec = connection
        .text(&["connectionSpec", "id"])
        .and_then(connection_spec);
    let spec = spec.ok_or_else(|| Refusal::flow_own("The data lake cannot be explored."))?;
    let param = |name: &str| {
        connection
            .text(&["auth", "params", name])
            .unwrap_or_default()
            .trim_matches('/')
    };
    let bucket = [param("bucketName"), param("container")]
        .into_iter()
        .find(|name| !name.is_empty());
    let parts = match (bucket, spec.name.as_str()) {
        (Some(bucket), _) => [bucket, param("folderPath")],
        (None, "amazon-s3" | "google-cloud-storage" | "oracle-object-storage") => {
            ["acme-retail", param("folderPath")]
        }
        (None, "azure-blob" | "adls-gen2") => ["retail", param("folderPath")],
        (None, _) => ["", param("folderPath")],
    };
    let slash = if matches!(
        spec.name.as_str(),
        "amazon-s3" | "google-cloud-storage" | "oracle-object-storage"
    ) {
        ""
    } else {
        "/"
    };
    let inner = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/");
    let root = if inner.is_empty() {
        slash.to_owned()
    } else {
        format!("{slash}{inner}/")
    };
    look(
        &Storage {
            root,
            number: number_of(&connection.id),
        },
        &call.query,
    )
}

async fn explore_spec(Path(id): Path<String>, call: Call) -> Answer {
    let spec = connection_spec(&id).ok_or_else(|| Refusal::flow_missing("connectionSpecs", &id))?;
    if spec.needs_base_connection {
        return Err(Refusal::flow_own(
            "This connection spec needs a base connection to be explored.",
        ));
    }
    look(
        &Storage {
            root: "dlz-user-container/".to_owned(),
            number: number_of(&call.sandbox),
        },
        &call.query,
    )
}

fn look(storage: &Storage, query: &Query) -> Answer {
    let query = query.with_lower_case_names();
    if let Some(unknown) = query.first_unknown(&KNOWN) {
        return Err(Refusal::flow(
            "1451-400",
            format!("The query parameter '{unknown}' is not supported."),
        ));
    }
    let object = query.get("object").filter(|object| !object.is_empty());
    let demanded = || object.ok_or_else(|| Refusal::flow_own("The query parameter object is missing."));
    match query.get("objecttype").map(str::to_ascii_lowercase).as_deref() {
        Some("root") => Ok(ok(&json!(storage.entries("")))),
        Some("folder") if demanded()? == "root" => Ok(ok(&json!(storage.entries("")))),
        Some("folder") => storage.folder(demanded()?).map(|entries| ok(&json!(entries))),
        Some("file") => storage.file(demanded()?, &query).map(|file| ok(&file)),
        _ => Err(Refusal::flow_own("The objectType must be root, folder or file.")),
    }
}

fn not_there(path: &str) -> Refusal {
    Refusal::flow("1101-404", format!("The provider has no object {path}."))
}

impl Storage {
    /// Every file, by its path below the root.
    fn files(&self) -> Vec<(String, Table)> {
        let mut rng = rng_of(&[self.number, 0x6669_6c65]);
        let mut files = Vec::new();
        for (folder, table) in FOLDERS {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            for number in 1..=rng.u32(2..6) {
                for kind in ["csv", "json", "parquet"] {
                    files.push((format!("{folder}/{name}-2026-{number:02}.{kind}"), table));
                }
            }
        }
        files.push(("readme.csv".to_owned(), Table::Stores));
        files
    }

    /// What lies directly in a folder; `folder` is below the root and ends in a slash, or is empty.
    fn entries(&self, folder: &str) -> Vec<Value> {
        let mut entries: Vec<Value> = Vec::new();
        for (path, _) in self.files() {
            let Some(rest) = path.strip_prefix(folder) else {
                continue;
            };
            let (name, is_folder) = rest
                .split_once('/')
                .map_or((rest, false), |(name, _)| (name, true));
            if entries.iter().any(|entry| entry["name"] == name) {
                continue;
            }
            let end = if is_folder { "/" } else { "" };
            entries.push(json!({
                "type": if is_folder { "folder" } else { "file" }, "name": name,
                "path": format!("{}{folder}{name}{end}", self.root),
                "canPreview": !is_folder, "canFetchSchema": !is_folder,
            }));
        }
        entries
    }

    /// A path as explore answers it, below the root; a slash at its beginning or end does not matter.
    fn below_root<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (path, root) = (path.trim_matches('/'), self.root.trim_matches('/'));
        if root.is_empty() {
            return Some(path);
        }
        let rest = path.strip_prefix(root)?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    }

    fn folder(&self, path: &str) -> Result<Vec<Value>, Refusal> {
        let folder = match self.below_root(path).ok_or_else(|| not_there(path))? {
            "" => String::new(),
            below => format!("{below}/"),
        };
        let entries = self.entries(&folder);
        if entries.is_empty() {
            Err(not_there(path))
        } else {
            Ok(entries)
        }
    }

    fn file(&self, path: &str, query: &Query) -> Result<Value, Refusal> {
        let below = self.below_root(path).ok_or_else(|| not_there(path))?;
        let (_, table) = self
            .files()
            .into_iter()
            .find(|(file, _)| file == below)
            .ok_or_else(|| not_there(path))?;
        let kind = if below.ends_with(".json") {
            "json"
        } else if below.ends_with(".parquet") {
            "parquet"
        } else {
            "delimited"
        };
        let determine = query
            .get("determineproperties")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match query.get("filetype").map(str::to_ascii_lowercase).as_deref() {
            Some(_) if determine => {
                return Err(Refusal::flow_own(
                    "Send either determineProperties or a fileType, not both.",
                ));
            }
            None if !determine => return Err(Refusal::flow_own("The query parameter fileType is missing.")),
            Some(given) if !["delimited", "json", "parquet"].contains(&given) => {
                return Err(Refusal::flow_own(
                    "The fileType must be delimited, json or parquet.",
                ));
            }
            Some(given) if given != kind => {
                return Err(Refusal::flow_own(format!(
                    "The file {path} cannot be read as {given}."
                )));
            }
            _ => {}
        }
        let columns: Vec<Value> = table
            .columns()
            .iter()
            .map(|(name, kind)| {
                let xdm = if *kind == "double" { "number" } else { kind };
                json!({ "name": name, "type": kind, "xdm": { "type": xdm } })
            })
            .collect();
        let shows_rows = kind != "parquet"
            && (determine
                || query
                    .get("preview")
                    .is_some_and(|value| value.eq_ignore_ascii_case("true")));
        let rows = if shows_rows {
            table.rows(self.number ^ number_of(below))
        } else {
            Vec::new()
        };
        let mut answer = json!({ "format": "flat", "schema": { "columns": columns }, "data": rows });
        if determine {
            answer["properties"] = if kind == "delimited" {
                json!({ "fileType": kind, "columnDelimiter": "," })
            } else {
                json!({ "fileType": kind })
            };
        }
        Ok(answer)
    }
}

impl Table {
    fn columns(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Members => &[
                ("memberId", "string"),
                ("firstName", "string"),
                ("lastName", "string"),
                ("email", "string"),
                ("points", "double"),
                ("newsletter", "boolean"),
            ],
            Self::Orders => &[
                ("orderId", "string"),
                ("memberId", "string"),
                ("orderedAt", "string"),
                ("amount", "double"),
                ("currency", "string"),
            ],
            Self::Stores => &[
                ("storeId", "string"),
                ("name", "string"),
                ("city", "string"),
                ("open", "boolean"),
            ],
        }
    }

    fn rows(self, number: u64) -> Vec<Map<String, Value>> {
        let mut rng = rng_of(&[number, 0x726f_7773]);
        let firsts = ["Ada", "Bela", "Chidi", "Dana", "Emil", "Fatou", "Gil", "Hana"];
        let lasts = [
            "Arslan", "Bauer", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Haddad",
        ];
        let cities = ["Lyon", "Lille", "Nantes", "Basel", "Namur", "Turin"];
        let mut pick = |list: &[&str]| list[rng.usize(..list.len())].to_owned();
        let mut rows = Vec::new();
        for row in 0..PREVIEW_ROWS {
            let (first, last, city) = (pick(&firsts), pick(&lasts), pick(&cities));
            let values = match self {
                Self::Members => {
                    let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
                    vec![
                        json!(format!("M{:05}", 1000 + row)),
                        json!(first),
                        json!(last),
                        json!(email),
                        json!(row * 25),
                        json!(row % 3 == 0),
                    ]
                }
                Self::Orders => vec![
                    json!(format!("O{:06}", 5000 + row)),
                    json!(format!("M{:05}", 1000 + row)),
                    json!(format!("2026-01-{:02}T10:00:00Z", row + 1)),
                    json!(19.9 + row as f64),
                    json!("EUR"),
                ],
                Self::Stores => vec![
                    json!(format!("S{row:03}")),
                    json!(format!("{city} {last}")),
                    json!(city),
                    json!(true),
                ],
            };
            rows.push(
                self.columns()
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .zip(values)
                    .collect(),
            );
        }
        rows
    }
}
