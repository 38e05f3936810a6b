//! Recipes for tests of the domain.

use super::*;
use crate::domain::schedule::{Frequency, Start};

/// The recipe of Adobe's tutorial: Parquet from S3 into a new schema and dataset.
pub(crate) fn s3_parquet() -> Recipe {
    Recipe {
        connector: "amazon-s3".into(),
        connection: Connection::New {
            spec_name: "Access Key".into(),
            fields: BTreeMap::from([("s3AccessKey".into(), "AKIAEXAMPLE".into())]),
            secrets: BTreeMap::from([("s3SecretKey".into(), SecretSource::Stored)]),
        },
        path: "partners-demo/samples".into(),
        path_kind: PathKind::Folder,
        recursive: true,
        format: Format::ParquetXdm,
        column_delimiter: ",".into(),
        encoding: Encoding::Utf8,
        compression: Compression::None,
        schema: Schema::New {
            title: String::new(),
            class: PROFILE_CLASS.into(),
            field_groups: PROFILE_FIELD_GROUPS.iter().map(|g| (*g).to_owned()).collect(),
        },
        dataset: Dataset::New { name: String::new() },
        mapping: vec![],
        schedule: Schedule {
            frequency: Frequency::Hour,
            interval: Some(1),
            start: Start::Soon,
            backfill: Some(true),
        },
        flow_name: "Loyalty members".into(),
        description: "Nightly export".into(),
        parameters: vec![],
    }
}

/// A delimited file in Blob storage with a mapping.
pub(crate) fn blob_delimited() -> Recipe {
    Recipe {
        connector: "azure-blob".into(),
        format: Format::Delimited,
        compression: Compression::Gzip,
        mapping: vec![MappingRule {
            source: "id".into(),
            destination: "_id".into(),
        }],
        ..s3_parquet()
    }
}
