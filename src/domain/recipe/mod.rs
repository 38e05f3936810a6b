//! A recipe: everything that a dataflow is made of, with blanks for what the analyst decides.
//!
//! A connection template stores one per version; a draft holds one; a setup holds one without blanks. Secrets
//! are never in it: it only says where each comes from.

mod blanks;
mod form;
mod parameter;
mod to_form;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schedule::Schedule;
use super::words::words;

pub use blanks::{resolve, sole_blank};
pub use form::{Purpose, ReadForm, Typed, check_final_texts, check_secret_answers, read_recipe};
pub use parameter::{PARAMETER_ROWS, Parameter, ParameterKind, check_answers};
pub use to_form::to_form;

/// Adobe's class for profile records.
pub const PROFILE_CLASS: &str = "https://ns.adobe.com/xdm/context/profile";
/// Adobe's class for time series.
pub const EVENT_CLASS: &str = "https://ns.adobe.com/xdm/context/experienceevent";
/// Field groups of Adobe's tutorial that fit [`PROFILE_CLASS`].
pub const PROFILE_FIELD_GROUPS: &[&str] = &[
    "https://ns.adobe.com/xdm/context/profile-person-details",
    "https://ns.adobe.com/xdm/context/profile-personal-details",
    "https://ns.adobe.com/xdm/context/identitymap",
];

words! {
    /// What the files hold: Adobe's `data.format`.
    pub enum Format {
        /// Parquet whose columns follow an XDM schema, the way of Adobe's tutorial.
        ParquetXdm = "parquet_xdm",
        /// Parquet, the way of Adobe's current pages.
        Parquet = "parquet",
        /// Columns with a delimiter; always needs a mapping.
        Delimited = "delimited",
        /// JSON; needs a mapping unless it follows an XDM schema.
        Json = "json",
    }
}

impl Format {
    /// Whether a mapping may be given.
    pub const fn takes_mapping(self) -> bool {
        matches!(self, Self::Delimited | Self::Json)
    }

    /// Whether files may be compressed (Adobe: delimited and JSON only).
    pub const fn takes_compression(self) -> bool {
        matches!(self, Self::Delimited | Self::Json)
    }
}

words! {
    /// What the path names.
    pub enum PathKind {
        /// Every file in a folder, or every file that a pattern with `*` matches.
        Folder = "folder",
        /// One file.
        File = "file",
    }
}

words! {
    /// Compression of delimited and JSON files: Adobe's `compressionType`.
    pub enum Compression {
        /// Not compressed.
        None = "none",
        /// gzip.
        Gzip = "gzip",
        /// bzip2.
        Bzip2 = "bzip2",
        /// deflate.
        Deflate = "deflate",
        /// zip with deflate.
        ZipDeflate = "zipDeflate",
        /// tar, then gzip.
        TarGzip = "tarGzip",
        /// tar.
        Tar = "tar",
    }
}

words! {
    /// Encoding of delimited files.
    pub enum Encoding {
        /// UTF-8.
        Utf8 = "UTF-8",
        /// ISO-8859-1.
        Latin1 = "ISO-8859-1",
    }
}

/// Everything that a dataflow is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Slug of the connector.
    pub connector: String,
    /// How the storage is reached.
    pub connection: Connection,
    /// File, folder or pattern inside the storage.
    pub path: String,
    /// What the path names.
    pub path_kind: PathKind,
    /// Whether sub-folders are read.
    pub recursive: bool,
    /// What the files hold.
    pub format: Format,
    /// One character between columns; delimited files only.
    pub column_delimiter: String,
    /// Encoding; delimited files only.
    pub encoding: Encoding,
    /// Compression; delimited and JSON files only.
    pub compression: Compression,
    /// The XDM schema of the target.
    pub schema: Schema,
    /// The dataset that receives the rows.
    pub dataset: Dataset,
    /// Which column goes where; delimited and JSON files only.
    pub mapping: Vec<MappingRule>,
    /// When the flow runs.
    pub schedule: Schedule,
    /// The flow's name as people see it, also at Adobe.
    pub flow_name: String,
    /// The flow's description.
    pub description: String,
    /// The blanks that the texts above use.
    pub parameters: Vec<Parameter>,
}

/// How the storage is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// Adobe provides the storage (Data Landing Zone).
    None,
    /// A base connection that exists at the platform.
    Existing {
        /// Adobe's id.
        id: String,
    },
    /// A base connection that is made with the flow.
    New {
        /// Adobe's `auth.specName`.
        spec_name: String,
        /// Values in the clear, by Adobe's key.
        fields: BTreeMap<String, String>,
        /// Where each secret comes from, by Adobe's key.
        secrets: BTreeMap<String, SecretSource>,
    },
}

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum SecretSource {
    /// Sealed beside the recipe.
    Stored,
    /// Asked from the analyst each time.
    Parameter {
        /// Name of the secret parameter.
        name: String,
    },
}

/// The XDM schema of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schema {
    /// One that exists.
    Existing {
        /// Its `$id`.
        id: String,
    },
    /// One that is made with the flow.
    New {
        /// Its title; empty: made from the flow's name.
        title: String,
        /// `$id` of the class.
        class: String,
        /// `$id`s of the field groups.
        field_groups: Vec<String>,
    },
}

/// The dataset that receives the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Dataset {
    /// One that exists.
    Existing {
        /// Adobe's id, 24 hexadecimal digits.
        id: String,
    },
    /// One that is made with the flow.
    New {
        /// Its name; empty: made from the flow's name.
        name: String,
    },
}

/// One row of a mapping set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingRule {
    /// Column of a delimited file, or path in a JSON file.
    pub source: String,
    /// XDM path in the target schema.
    pub destination: String,
}

/// Under which name a secret of `auth.params` is sealed beside its owner.
pub fn auth_secret_field(key: &str) -> String {
    format!("auth.{key}")
}

/// Under which name the answer to a secret parameter is sealed beside its draft.
pub fn parameter_secret_field(name: &str) -> String {
    format!("param.{name}")
}

impl Recipe {
    /// Whether a new connection of `other` signs in in another way, or at another place, than this one's.
    pub fn goes_elsewhere(&self, other: &Self) -> bool {
        let place = |recipe: &Self| match &recipe.connection {
            Connection::New {
                spec_name, fields, ..
            } => Some((recipe.connector.clone(), spec_name.clone(), fields.clone())),
            _ => None,
        };
        place(self) != place(other)
    }

    /// Title of the schema to make: as given, or from the flow's name.
    pub fn schema_title(&self) -> String {
        match &self.schema {
            Schema::New { title, .. } if !title.is_empty() => title.clone(),
            _ => format!("{} schema", self.flow_name),
        }
    }

    /// Whether the title of the schema to make only follows the flow's name.
    pub fn names_schema_after_flow(&self) -> bool {
        matches!(&self.schema, Schema::New { title, .. } if title.is_empty())
    }

    /// Name of the dataset to make: as given, or from the flow's name.
    pub fn dataset_name(&self) -> String {
        match &self.dataset {
            Dataset::New { name } if !name.is_empty() => name.clone(),
            _ => format!("{} data", self.flow_name),
        }
    }

    /// Whether the name of the dataset to make only follows the flow's name.
    pub fn names_dataset_after_flow(&self) -> bool {
        matches!(&self.dataset, Dataset::New { name } if name.is_empty())
    }

    /// The secret fields of `auth.params` together with where each comes from.
    pub fn secret_sources(&self) -> BTreeMap<String, SecretSource> {
        match &self.connection {
            Connection::New { secrets, .. } => secrets.clone(),
            _ => BTreeMap::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod samples;
