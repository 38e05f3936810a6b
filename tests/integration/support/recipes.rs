//! Recipes that the emulator accepts.

use std::collections::BTreeMap;

use headgate::domain::recipe::{
    Compression, Connection, Dataset, Encoding, Format, MappingRule, PROFILE_CLASS, PROFILE_FIELD_GROUPS,
    PathKind, Recipe, Schema, SecretSource,
};
use headgate::domain::schedule::{Frequency, Schedule, Start};

/// The recipe of Adobe's tutorial: Parquet from S3 into a new schema and dataset.
pub fn s3_parquet(flow_name: &str) -> Recipe {
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
            field_groups: PROFILE_FIELD_GROUPS
                .iter()
                .map(|group| (*group).to_owned())
                .collect(),
        },
        dataset: Dataset::New { name: String::new() },
        mapping: vec![],
        schedule: Schedule {
            frequency: Frequency::Hour,
            interval: Some(1),
            start: Start::Soon,
            backfill: Some(true),
        },
        flow_name: flow_name.into(),
        description: "Nightly export".into(),
        parameters: vec![],
    }
}

/// A delimited file over SFTP with a mapping.
pub fn sftp_delimited(flow_name: &str) -> Recipe {
    Recipe {
        connector: "sftp".into(),
        connection: Connection::New {
            spec_name: "Basic Authentication for sftp".into(),
            fields: BTreeMap::from([
                ("host".into(), "sftp.acme.example".into()),
                ("userName".into(), "acme".into()),
                ("port".into(), "22".into()),
            ]),
            secrets: BTreeMap::from([("password".into(), SecretSource::Stored)]),
        },
        path: "/upload/loyalty".into(),
        format: Format::Delimited,
        compression: Compression::Gzip,
        mapping: vec![
            MappingRule {
                source: "id".into(),
                destination: "_id".into(),
            },
            MappingRule {
                source: "first".into(),
                destination: "person.name.firstName".into(),
            },
        ],
        ..s3_parquet(flow_name)
    }
}
