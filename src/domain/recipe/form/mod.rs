//! Reading a recipe from the fields of a form.

mod checks;
mod connection;
mod parameters;
mod schedule;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::{Compression, Dataset, Encoding, Format, MappingRule, PathKind, Recipe, Schema, blanks};
use crate::domain::connector::Connector;
use crate::domain::texts;

pub use checks::check_final_texts;
pub use connection::check_secret_answers;
pub use typed::Typed;

/// What the form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A connection template: texts may have blanks.
    Template,
    /// One dataflow: every text is final.
    Flow,
}

/// A recipe read from a form, with the secrets that were typed.
#[derive(Debug)]
pub struct ReadForm {
    /// The recipe; meaningful only when no mistake was found.
    pub recipe: Recipe,
    /// Newly typed secrets by the name under which they are sealed.
    pub secrets: BTreeMap<String, SecretString>,
}

/// Reads a recipe. `kept` names the secrets that are sealed already and stay when their field is left empty.
/// `now_ms` (UTC epoch milliseconds) decides what lies in the past.
pub fn read_recipe(
    typed: &mut Typed,
    connector: &Connector,
    purpose: Purpose,
    kept: &BTreeSet<String>,
    now_ms: i64,
) -> ReadForm {
    typed.ignore(&["connector"]);
    let flow_name = typed.text("flow_name");
    let description = typed.text("description");
    let mut secrets = BTreeMap::new();
    let connection = connection::read_connection(typed, connector, kept, now_ms, &mut secrets);
    let path = typed.text("path");
    let format = typed.choice("format", "Format", Format::ParquetXdm);
    let recipe = Recipe {
        connector: connector.slug.clone(),
        connection,
        path,
        path_kind: typed.choice("path_kind", "Path kind", PathKind::Folder),
        recursive: typed.ticked("recursive"),
        format,
        column_delimiter: read_delimiter(typed, format),
        encoding: typed.choice("encoding", "Encoding", Encoding::Utf8),
        compression: read_compression(typed, format),
        schema: read_schema(typed),
        dataset: read_dataset(typed),
        mapping: read_mapping(typed, format),
        schedule: schedule::read_schedule(typed, now_ms),
        flow_name,
        description,
        parameters: if purpose == Purpose::Template {
            parameters::read_parameters(typed)
        } else {
            Vec::new()
        },
    };
    if purpose == Purpose::Template {
        typed.problems.extend(blanks::check_texts(&recipe));
    }
    typed.problems.extend(check_final_texts(&recipe));
    ReadForm { recipe, secrets }
}

fn read_delimiter(typed: &mut Typed, format: Format) -> String {
    let typed_value = typed.raw("column_delimiter").to_owned();
    let value = match typed_value.as_str() {
        "" => ",".to_owned(),
        "\\t" => "\t".to_owned(),
        other => other.to_owned(),
    };
    if format == Format::Delimited && value.chars().count() != 1 {
        typed.add(
            "column_delimiter",
            "input.delimiter",
            "Delimiter: exactly one character (\\t for a tab).",
        );
    }
    value
}

fn read_compression(typed: &mut Typed, format: Format) -> Compression {
    let compression = typed.choice("compression", "Compression", Compression::None);
    if format.takes_compression() {
        compression
    } else {
        Compression::None
    }
}

fn read_schema(typed: &mut Typed) -> Schema {
    let existing = typed.text("schema") == "existing";
    let id = typed.text("schema_id");
    let title = typed.text("schema_title");
    let class = typed.text("schema_class");
    let field_groups: Vec<String> = typed
        .text("field_groups")
        .lines()
        .map(str::trim)
        .map(str::to_owned)
        .collect();
    if existing {
        if id.is_empty() {
            typed.add("schema_id", "input.missing", "Choose the schema to use.");
        }
        return Schema::Existing { id };
    }
    let field_groups: Vec<String> = field_groups.into_iter().filter(|g| !g.is_empty()).collect();
    let class = if class.is_empty() {
        super::PROFILE_CLASS.to_owned()
    } else {
        class
    };
    for (field, label, ids) in [
        ("schema_class", "Class", std::slice::from_ref(&class)),
        ("field_groups", "Field groups", &field_groups),
    ] {
        if let Some(bad) = ids
            .iter()
            .find(|id| !id.starts_with("https://") || id.chars().any(texts::is_invisible))
        {
            typed.add(
                field,
                "input.schema",
                format!("{label}: {bad:?} is not an id. Ids begin with https://."),
            );
        }
    }
    Schema::New {
        title,
        class,
        field_groups,
    }
}

fn read_dataset(typed: &mut Typed) -> Dataset {
    let existing = typed.text("dataset") == "existing";
    let id = typed.text("dataset_id");
    let name = typed.text("dataset_name");
    if !existing {
        return Dataset::New { name };
    }
    if id.is_empty() {
        typed.add("dataset_id", "input.missing", "Choose the dataset to use.");
    }
    Dataset::Existing { id }
}

/// Reads `source -> destination` lines.
fn read_mapping(typed: &mut Typed, format: Format) -> Vec<MappingRule> {
    let text = typed.text("mapping");
    if !format.takes_mapping() {
        return Vec::new();
    }
    let mut rules = Vec::new();
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let pair = line
            .split_once("->")
            .map(|(source, destination)| (source.trim(), destination.trim()));
        match pair {
            Some((source, destination)) if !source.is_empty() && !destination.is_empty() => {
                rules.push(MappingRule {
                    source: source.to_owned(),
                    destination: destination.to_owned(),
                });
            }
            _ => {
                let message = format!(
                    "Mapping, line {}: write column -> target, such as email -> personalEmail.address.",
                    index + 1
                );
                typed.add("mapping", "input.mapping", message);
            }
        }
    }
    if format == Format::Delimited && rules.is_empty() && typed.problems.iter().all(|p| p.field != "mapping")
    {
        typed.add(
            "mapping",
            "input.missing",
            "Delimited files need a mapping: one line for each column.",
        );
    }
    rules
}

#[cfg(test)]
mod tests;
