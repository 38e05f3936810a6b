//! What a fresh form begins with: good enough to leave most of it alone.

use std::collections::BTreeMap;

use crate::domain::connector::Connector;
use crate::domain::recipe::{
    Compression, Connection, Dataset, Encoding, Format, PROFILE_CLASS, PROFILE_FIELD_GROUPS, Parameter,
    ParameterKind, PathKind, Recipe, Schema, to_form,
};
use crate::domain::schedule::{Frequency, Schedule, Start};

/// A fresh form for one dataflow; times are written in `zone` (IANA name).
pub fn flow_defaults(connector: &Connector, zone: &str) -> BTreeMap<String, String> {
    filled(&fresh(connector), zone)
}

/// A fresh form for a template: the analyst is asked for the flow's name.
pub fn template_defaults(connector: &Connector, zone: &str) -> BTreeMap<String, String> {
    let mut recipe = fresh(connector);
    recipe.flow_name = "{{name}}".to_owned();
    recipe.parameters = vec![Parameter {
        name: "name".to_owned(),
        label: "Flow name".to_owned(),
        kind: ParameterKind::Text,
        options: Vec::new(),
        default: String::new(),
        hint: String::new(),
        required: true,
    }];
    filled(&recipe, zone)
}

fn filled(recipe: &Recipe, zone: &str) -> BTreeMap<String, String> {
    let mut form = to_form(recipe, zone);
    form.insert("start_zone".to_owned(), zone.to_owned());
    form
}

fn fresh(connector: &Connector) -> Recipe {
    let new_connection = |auth: &crate::domain::connector::Auth| Connection::New {
        spec_name: auth.spec_name.clone(),
        fields: BTreeMap::new(),
        secrets: BTreeMap::new(),
    };
    Recipe {
        connector: connector.slug.clone(),
        connection: connector.auth.first().map_or(Connection::None, new_connection),
        path: String::new(),
        path_kind: PathKind::Folder,
        recursive: true,
        format: Format::ParquetXdm,
        column_delimiter: ",".to_owned(),
        encoding: Encoding::Utf8,
        compression: Compression::None,
        schema: Schema::New {
            title: String::new(),
            class: PROFILE_CLASS.to_owned(),
            field_groups: PROFILE_FIELD_GROUPS.iter().map(|id| (*id).to_owned()).collect(),
        },
        dataset: Dataset::New { name: String::new() },
        mapping: Vec::new(),
        schedule: Schedule {
            frequency: Frequency::Hour,
            interval: Some(1),
            start: Start::Soon,
            backfill: Some(true),
        },
        flow_name: String::new(),
        description: String::new(),
        parameters: Vec::new(),
    }
}
