//! Reading how the storage is reached.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::Typed;
use crate::domain::Problem;
use crate::domain::connector::{Auth, AuthField, Connector, FieldKind};
use crate::domain::recipe::{
    Connection, Recipe, SecretSource, auth_secret_field, blanks, parameter_secret_field,
};
use crate::domain::texts;

pub(super) fn read_connection(
    typed: &mut Typed,
    connector: &Connector,
    kept: &BTreeSet<String>,
    now_ms: i64,
    secrets: &mut BTreeMap<String, SecretString>,
) -> Connection {
    let existing = typed.text("connection") == "existing";
    let id = typed.text("base_connection_id");
    let auth_name = typed.text("auth");
    for field in connector.auth.iter().flat_map(|a| &a.fields) {
        typed.ignore(&[&auth_secret_field(&field.name)]);
    }
    if !connector.needs_base_connection {
        return Connection::None;
    }
    if existing {
        if id.is_empty() {
            typed.add(
                "base_connection_id",
                "input.missing",
                "Choose the connection to use.",
            );
        } else if !blanks::has_blanks(&id) && uuid::Uuid::parse_str(&id).is_err() {
            typed.add(
                "base_connection_id",
                "input.connection",
                "Connection: give its id, such as 5831c52c-c261-….",
            );
        }
        return Connection::Existing { id };
    }
    let auth = if auth_name.is_empty() {
        connector.auth.first()
    } else {
        connector.auth(&auth_name)
    };
    let Some(auth) = auth else {
        typed.add(
            "auth",
            "input.choice",
            "Authentication: choose one of the options.",
        );
        return Connection::None;
    };
    read_auth(typed, auth, kept, now_ms, secrets)
}

fn read_auth(
    typed: &mut Typed,
    auth: &Auth,
    kept: &BTreeSet<String>,
    now_ms: i64,
    secrets: &mut BTreeMap<String, SecretString>,
) -> Connection {
    let mut fields = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for field in &auth.fields {
        let name = auth_secret_field(&field.name);
        if field.secret {
            let value = typed.raw(&name).to_owned();
            if let Some(blank) = blanks::sole_blank(&value) {
                sources.insert(
                    field.name.clone(),
                    SecretSource::Parameter {
                        name: blank.to_owned(),
                    },
                );
            } else if !value.is_empty() {
                check_secret_field(typed, &name, field, &value, now_ms);
                secrets.insert(name, SecretString::from(value));
                sources.insert(field.name.clone(), SecretSource::Stored);
            } else if kept.contains(&name) {
                sources.insert(field.name.clone(), SecretSource::Stored);
            } else if field.required {
                typed.add(&name, "input.missing", format!("{} is needed.", field.label));
            }
        } else if let Some(value) = read_plain(typed, &name, field) {
            fields.insert(field.name.clone(), value);
        }
    }
    Connection::New {
        spec_name: auth.spec_name.clone(),
        fields,
        secrets: sources,
    }
}

fn read_plain(typed: &mut Typed, name: &str, field: &AuthField) -> Option<String> {
    let value = typed.text(name);
    if value.is_empty() {
        if field.required {
            typed.add(name, "input.missing", format!("{} is needed.", field.label));
        }
        return None;
    }
    if blanks::has_blanks(&value) {
        return Some(value);
    }
    match field.kind {
        FieldKind::Integer => {
            let number = typed.number(name, &field.label)?;
            if field.minimum.is_some_and(|least| number < least) {
                typed.add(name, "input.number", format!("{} is too small.", field.label));
            }
        }
        FieldKind::Boolean if value != "true" && value != "false" => {
            typed.add(
                name,
                "input.choice",
                format!("{}: choose yes or no.", field.label),
            );
        }
        FieldKind::Enum if !field.options.contains(&value) => {
            typed.add(
                name,
                "input.choice",
                format!("{}: choose one of the options.", field.label),
            );
        }
        _ => typed
            .problems
            .extend(texts::check_text(name, &field.label, &value, texts::PATH_MAX)),
    }
    Some(value)
}

fn check_secret_field(typed: &mut Typed, name: &str, field: &AuthField, value: &str, now_ms: i64) {
    typed.problems.extend(secret_problem(name, field, value, now_ms));
}

fn secret_problem(name: &str, field: &AuthField, value: &str, now_ms: i64) -> Option<Problem> {
    texts::check_secret(name, &field.label, value).or_else(|| match field.name.as_str() {
        "sasUri" => texts::check_sas_uri(name, value, now_ms),
        "connectionString" => texts::check_connection_string(name, value),
        _ => None,
    })
}

/// Checks the answers to secret parameters by the rules of the fields that they fill.
///
/// `answers` maps a parameter's name to what was typed; nothing of it is repeated in a message.
pub fn check_secret_answers(
    connector: &Connector,
    recipe: &Recipe,
    answers: &BTreeMap<String, String>,
    now_ms: i64,
) -> Vec<Problem> {
    let Connection::New {
        spec_name, secrets, ..
    } = &recipe.connection
    else {
        return Vec::new();
    };
    let fields = connector
        .auth(spec_name)
        .map(|auth| auth.fields.as_slice())
        .unwrap_or_default();
    let check = |(key, source): (&String, &SecretSource)| {
        let SecretSource::Parameter { name } = source else {
            return None;
        };
        let field = fields.iter().find(|f| f.name == *key)?;
        let answer = answers.get(name).map_or("", String::as_str);
        secret_problem(&parameter_secret_field(name), field, answer, now_ms)
    };
    secrets.iter().filter_map(check).collect()
}
