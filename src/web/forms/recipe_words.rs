//! A recipe in words: for the pages of templates and drafts, and for telling two versions apart.

use crate::domain::connector::{AuthField, Connector};
use crate::domain::recipe::{
    Compression, Connection, Dataset, EVENT_CLASS, Format, PROFILE_CLASS, Parameter, PathKind, Recipe,
    Schema, SecretSource,
};
use crate::domain::schedule::Start;
use crate::domain::setup::MASK;

use crate::web::times::Times;

/// One line: what it is about, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What it says; never a secret.
    pub value: String,
}

/// One line in which two recipes differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub label: String,
    /// What the first says; empty if it says nothing.
    pub first: String,
    /// What the second says; empty if it says nothing.
    pub second: String,
}

impl Difference {
    /// `+` where only the second says something, `−` where only the first does, `~` where they differ.
    pub fn sign(&self) -> &'static str {
        match (self.first.is_empty(), self.second.is_empty()) {
            (true, _) => "+",
            (_, true) => "−",
            _ => "~",
        }
    }

    /// The CSS class of the sign.
    pub fn class(&self) -> &'static str {
        match self.sign() {
            "+" => "ok",
            "−" => "fail",
            _ => "warn",
        }
    }
}

/// What a recipe holds, in the order of its form.
pub fn facts(recipe: &Recipe, connector: &Connector, times: &Times) -> Vec<Fact> {
    let mut facts = vec![fact("Flow name", &recipe.flow_name)];
    if !recipe.description.is_empty() {
        facts.push(fact("Description", &recipe.description));
    }
    facts.push(fact("Connector", &connector.name));
    facts.extend(connection(recipe, connector));
    facts.extend(files(recipe));
    facts.extend(target(recipe));
    facts.push(fact("Runs", &runs(recipe)));
    facts.push(fact("First run", &first_run(&recipe.schedule.start, times)));
    facts
}

/// The lines in which two recipes differ, parameters included.
pub fn differences(
    first: (&Recipe, &Connector),
    second: (&Recipe, &Connector),
    times: &Times,
) -> Vec<Difference> {
    let all = |(recipe, connector): (&Recipe, &Connector)| {
        let mut all = facts(recipe, connector, times);
        all.extend(questions(recipe));
        all
    };
    let (first, second) = (all(first), all(second));
    let value = |facts: &[Fact], label: &str| {
        let fact = facts.iter().find(|fact| fact.label == label);
        fact.map(|fact| fact.value.clone()).unwrap_or_default()
    };
    let mut labels: Vec<&String> = first.iter().map(|fact| &fact.label).collect();
    labels.extend(
        second
            .iter()
            .map(|fact| &fact.label)
            .filter(|label| first.iter().all(|fact| fact.label != **label)),
    );
    labels
        .into_iter()
        .filter_map(|label| difference(label, &value(&first, label), &value(&second, label)))
        .collect()
}

/// A line that differs; none if it does not.
pub fn difference(label: &str, first: &str, second: &str) -> Option<Difference> {
    (first != second).then(|| Difference {
        label: label.to_owned(),
        first: first.to_owned(),
        second: second.to_owned(),
    })
}

/// What a template asks, one line for each parameter.
pub fn questions(recipe: &Recipe) -> Vec<Fact> {
    let line = |p: &Parameter| fact(&format!("{{{{{}}}}}", p.name), &parameter(p));
    recipe.parameters.iter().map(line).collect()
}

fn parameter(parameter: &Parameter) -> String {
    let mut words = format!("{}: {}", parameter.label, parameter.kind);
    if !parameter.options.is_empty() {
        words.push_str(&format!(" of {}", parameter.options.join(", ")));
    }
    if !parameter.default.is_empty() {
        words.push_str(&format!(", begins with {}", parameter.default));
    }
    if !parameter.required {
        words.push_str(", optional");
    }
    if !parameter.hint.is_empty() {
        words.push_str(&format!(" ({})", parameter.hint));
    }
    words
}

fn fact(label: &str, value: &str) -> Fact {
    Fact {
        label: label.to_owned(),
        value: value.to_owned(),
    }
}

fn connection(recipe: &Recipe, connector: &Connector) -> Vec<Fact> {
    match &recipe.connection {
        Connection::None => vec![fact("Connection", "Provided by Adobe")],
        Connection::Existing { id } => vec![fact("Connection", &format!("Existing connection {id}"))],
        Connection::New {
            spec_name,
            fields,
            secrets,
        } => {
            let mut facts = vec![fact("Connection", &format!("A new one: {spec_name}"))];
            let known = connector
                .auth(spec_name)
                .map_or(&[] as &[AuthField], |auth| &auth.fields);
            let label = |key: &str| {
                let field = known.iter().find(|field| field.name == key);
                field.map_or_else(|| key.to_owned(), |field| field.label.clone())
            };
            facts.extend(fields.iter().map(|(key, value)| fact(&label(key), value)));
            facts.extend(secrets.iter().map(|(key, source)| match source {
                SecretSource::Stored => fact(&label(key), &format!("{MASK} (stored sealed)")),
                SecretSource::Parameter { name } => {
                    fact(&label(key), &format!("{{{{{name}}}}}, asked each time"))
                }
            }));
            facts
        }
    }
}

fn files(recipe: &Recipe) -> Vec<Fact> {
    let kind = match (recipe.path_kind, recipe.recursive) {
        (PathKind::File, _) => "one file",
        (PathKind::Folder, true) => "folder with its sub-folders",
        (PathKind::Folder, false) => "folder without its sub-folders",
    };
    let mut format = match recipe.format {
        Format::ParquetXdm => "Parquet in XDM (parquet_xdm)".to_owned(),
        Format::Parquet => "Parquet".to_owned(),
        Format::Json => "JSON".to_owned(),
        Format::Delimited => {
            let delimiter = if recipe.column_delimiter == "\t" {
                "tab"
            } else {
                &recipe.column_delimiter
            };
            format!("Delimited by {delimiter} in {}", recipe.encoding)
        }
    };
    if recipe.compression != Compression::None {
        format.push_str(&format!(", compressed with {}", recipe.compression));
    }
    let mut facts = vec![
        fact("Path", &format!("{} ({kind})", recipe.path)),
        fact("Format", &format),
    ];
    if !recipe.mapping.is_empty() {
        let rules = recipe
            .mapping
            .iter()
            .map(|r| format!("{} → {}", r.source, r.destination));
        facts.push(fact("Mapping", &rules.collect::<Vec<_>>().join("; ")));
    }
    facts
}

fn target(recipe: &Recipe) -> Vec<Fact> {
    let mut facts = match &recipe.schema {
        Schema::Existing { id } => vec![fact("Schema", &format!("Existing schema {id}"))],
        Schema::New {
            class, field_groups, ..
        } => {
            let class = match class.as_str() {
                PROFILE_CLASS => "XDM Individual Profile",
                EVENT_CLASS => "XDM ExperienceEvent",
                other => other,
            };
            vec![
                fact("Schema", &format!("New: {} ({class})", recipe.schema_title())),
                fact("Field groups", &field_groups.join(", ")),
            ]
        }
    };
    facts.push(match &recipe.dataset {
        Dataset::Existing { id } => fact("Dataset", &format!("Existing dataset {id}")),
        Dataset::New { .. } => fact("Dataset", &format!("New: {}", recipe.dataset_name())),
    });
    facts
}

/// How often the flow runs, and whether older files come too.
pub fn runs(recipe: &Recipe) -> String {
    let older = match recipe.schedule.backfill {
        Some(true) => ", older files too",
        Some(false) => ", new files only",
        None => "",
    };
    format!("{}{older}", recipe.schedule.sentence())
}

fn first_run(start: &Start, times: &Times) -> String {
    match start {
        Start::Soon => "Five minutes after it is made".to_owned(),
        Start::TimeOfDay { time, zone } => format!("At the next {time} in {zone}"),
        Start::At { at_ms } => times.at(*at_ms).local().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connector::connector;
    use crate::domain::recipe::samples::s3_parquet;

    #[test]
    fn only_what_differs_is_told() {
        let (recipe, s3) = (s3_parquet(), connector("amazon-s3").unwrap());
        let times = Times::new("UTC", 0);
        assert_eq!(differences((&recipe, s3), (&recipe, s3), &times), []);
        let mut other = recipe.clone();
        other.path = "elsewhere".into();
        other.description = String::new();
        let found = differences((&recipe, s3), (&other, s3), &times);
        let told: Vec<_> = found.iter().map(|d| (d.sign(), d.label.as_str())).collect();
        assert_eq!(told, [("−", "Description"), ("~", "Path")]);
    }

    #[test]
    fn secrets_are_told_by_where_they_come_from() {
        let s3 = connector("amazon-s3").unwrap();
        let facts = facts(&s3_parquet(), s3, &Times::new("UTC", 0));
        let secret = facts
            .iter()
            .find(|fact| fact.label == "Secret access key")
            .unwrap();
        assert!(secret.value.contains("stored sealed"));
    }
}
