//! Filling a form from a recipe: the inverse of [`super::read_recipe`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Connection, Dataset, Recipe, Schema, SecretSource, auth_secret_field};
use crate::domain::schedule::{Frequency, Start};

/// The fields of the form that would give this recipe. Secrets are not among them; a secret that is asked
/// from the analyst shows as its blank. `zone` is the IANA name in which a fixed start is written.
pub fn to_form(recipe: &Recipe, zone: &str) -> BTreeMap<String, String> {
    let mut form = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        form.insert(name.to_owned(), value.to_owned());
    };
    set("connector", &recipe.connector);
    set("flow_name", &recipe.flow_name);
    set("description", &recipe.description);
    set("path", &recipe.path);
    set("path_kind", recipe.path_kind.as_str());
    set("recursive", if recipe.recursive { "on" } else { "" });
    set("format", recipe.format.as_str());
    set(
        "column_delimiter",
        if recipe.column_delimiter == "\t" {
            "\\t"
        } else {
            &recipe.column_delimiter
        },
    );
    set("encoding", recipe.encoding.as_str());
    set("compression", recipe.compression.as_str());
    let mapping: Vec<String> = recipe
        .mapping
        .iter()
        .map(|r| format!("{} -> {}", r.source, r.destination))
        .collect();
    set("mapping", &mapping.join("\n"));
    connection_fields(recipe, &mut form);
    target_fields(recipe, &mut form);
    schedule_fields(recipe, zone, &mut form);
    parameter_fields(recipe, &mut form);
    form
}

fn connection_fields(recipe: &Recipe, form: &mut BTreeMap<String, String>) {
    match &recipe.connection {
        Connection::None => {}
        Connection::Existing { id } => {
            form.insert("connection".into(), "existing".into());
            form.insert("base_connection_id".into(), id.clone());
        }
        Connection::New {
            spec_name,
            fields,
            secrets,
        } => {
            form.insert("connection".into(), "new".into());
            form.insert("auth".into(), spec_name.clone());
            form.extend(
                fields
                    .iter()
                    .map(|(key, value)| (auth_secret_field(key), value.clone())),
            );
            form.extend(secrets.iter().filter_map(|(key, source)| match source {
                SecretSource::Stored => None,
                SecretSource::Parameter { name } => Some((auth_secret_field(key), format!("{{{{{name}}}}}"))),
            }));
        }
    }
}

fn target_fields(recipe: &Recipe, form: &mut BTreeMap<String, String>) {
    let mut set = |name: &str, value: String| {
        form.insert(name.to_owned(), value);
    };
    match &recipe.schema {
        Schema::Existing { id } => {
            set("schema", "existing".into());
            set("schema_id", id.clone());
        }
        Schema::New {
            title,
            class,
            field_groups,
        } => {
            set("schema", "new".into());
            set("schema_title", title.clone());
            set("schema_class", class.clone());
            set("field_groups", field_groups.join("\n"));
        }
    }
    match &recipe.dataset {
        Dataset::Existing { id } => {
            set("dataset", "existing".into());
            set("dataset_id", id.clone());
        }
        Dataset::New { name } => {
            set("dataset", "new".into());
            set("dataset_name", name.clone());
        }
    }
}

fn schedule_fields(recipe: &Recipe, zone: &str, form: &mut BTreeMap<String, String>) {
    let schedule = &recipe.schedule;
    let mut set = |name: &str, value: &str| {
        form.insert(name.to_owned(), value.to_owned());
    };
    let preset = match (schedule.frequency, schedule.interval) {
        (Frequency::Once, None) => "once",
        (Frequency::Minute, Some(15)) => "15min",
        (Frequency::Hour, Some(1)) => "hour",
        (Frequency::Day, Some(1)) => "day",
        (Frequency::Week, Some(1)) => "week",
        _ => "custom",
    };
    set("repeat", preset);
    set("frequency", schedule.frequency.as_str());
    set(
        "interval",
        &schedule.interval.map(|n| n.to_string()).unwrap_or_default(),
    );
    set(
        "backfill",
        if schedule.backfill == Some(true) { "on" } else { "" },
    );
    match &schedule.start {
        Start::Soon => set("start", "soon"),
        Start::TimeOfDay { time, zone } => {
            set("start", "time");
            set("start_time", time);
            set("start_zone", zone);
        }
        Start::At { at_ms } => {
            let zone_data = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            let local = Timestamp::from_millisecond(*at_ms)
                .unwrap_or(Timestamp::UNIX_EPOCH)
                .to_zoned_datetime(zone_data);
            set("start", "at");
            set("start_at", &local.strftime("%Y-%m-%dT%H:%M").to_string());
            set("start_zone", zone);
        }
    }
}

fn parameter_fields(recipe: &Recipe, form: &mut BTreeMap<String, String>) {
    for (index, parameter) in recipe.parameters.iter().enumerate() {
        let mut set = |part: &str, value: &str| {
            form.insert(format!("parameter.{}.{part}", index + 1), value.to_owned());
        };
        set("name", &parameter.name);
        set("label", &parameter.label);
        set("kind", parameter.kind.as_str());
        set("options", &parameter.options.join(", "));
        set("default", &parameter.default);
        set("hint", &parameter.hint);
        set("required", if parameter.required { "on" } else { "" });
    }
}
