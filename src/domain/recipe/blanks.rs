//! Filling in the blanks of a recipe, and finding which it has.

use std::collections::BTreeMap;

use minijinja::{Environment, UndefinedBehavior};

use super::{Connection, Dataset, ParameterKind, Recipe, Schema, SecretSource};
use crate::domain::Problem;

/// The recipe with every text filled in from `answers`; the blanks are gone afterwards.
///
/// Errors name the field whose text cannot be filled in.
pub fn resolve(recipe: &Recipe, answers: &BTreeMap<String, String>) -> Result<Recipe, Vec<Problem>> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for parameter in recipe
        .parameters
        .iter()
        .filter(|p| p.kind != ParameterKind::Secret)
    {
        values.insert(
            parameter.name.clone(),
            answers.get(&parameter.name).cloned().unwrap_or_default(),
        );
    }
    let mut resolved = recipe.clone();
    let mut problems = Vec::new();
    for (field, text) in texts_mut(&mut resolved) {
        match fill(text, &values) {
            Ok(filled) => *text = filled,
            Err(message) => problems.push(Problem::new(field, "template.text", message)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    resolved.parameters.clear();
    Ok(resolved)
}

/// Checks that the texts of a recipe are well formed and use declared parameters only.
pub(super) fn check_texts(recipe: &Recipe) -> Vec<Problem> {
    let declared: BTreeMap<&str, ParameterKind> = recipe
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), p.kind))
        .collect();
    let mut problems = Vec::new();
    let mut copy = recipe.clone();
    for (field, text) in texts_mut(&mut copy) {
        let fault = match blanks(text) {
            Err(message) => Some(message),
            Ok(used) => used
                .into_iter()
                .find_map(|name| match declared.get(name.as_str()) {
                    None => Some(format!(
                        "{{{{{name}}}}} is used here but is no parameter of this template."
                    )),
                    Some(ParameterKind::Secret) => Some(format!(
                        "{{{{{name}}}}} is a secret and may only be the whole value of a secret field."
                    )),
                    Some(_) => None,
                }),
        };
        problems.extend(fault.map(|message| Problem::new(field, "template.text", message)));
    }
    for (key, source) in recipe.secret_sources() {
        if let SecretSource::Parameter { name } = source
            && declared.get(name.as_str()) != Some(&ParameterKind::Secret)
        {
            let message = format!("{{{{{name}}}}} is no secret parameter of this template.");
            problems.push(Problem::new(format!("auth.{key}"), "template.text", message));
        }
    }
    problems
}

/// Whether a text has blanks at all.
pub(super) fn has_blanks(text: &str) -> bool {
    text.contains("{{")
}

/// The name inside a text that is nothing but one blank, such as `{{ password }}`.
pub fn sole_blank(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    is_name(name).then_some(name)
}

/// Whether a text can name a parameter.
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Every text of a recipe that may hold blanks, with its form field.
fn texts_mut(recipe: &mut Recipe) -> Vec<(String, &mut String)> {
    let mut texts: Vec<(String, &mut String)> = vec![
        ("flow_name".into(), &mut recipe.flow_name),
        ("description".into(), &mut recipe.description),
        ("path".into(), &mut recipe.path),
    ];
    match &mut recipe.connection {
        Connection::None => {}
        Connection::Existing { id } => texts.push(("base_connection_id".into(), id)),
        Connection::New { fields, .. } => {
            texts.extend(fields.iter_mut().map(|(key, text)| (format!("auth.{key}"), text)));
        }
    }
    match &mut recipe.schema {
        Schema::Existing { id } => texts.push(("schema_id".into(), id)),
        Schema::New { title, .. } => texts.push(("schema_title".into(), title)),
    }
    match &mut recipe.dataset {
        Dataset::Existing { id } => texts.push(("dataset_id".into(), id)),
        Dataset::New { name } => texts.push(("dataset_name".into(), name)),
    }
    texts
}

/// Fills in one text. Only plain `{{name}}` is understood: no statements, no filters with side effects.
fn fill(text: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    blanks(text)?;
    environment()
        .render_str(text, minijinja::Value::from_object(values.clone()))
        .map_err(|_| "A blank in this text cannot be filled in.".to_owned())
}

/// The names used in a text, or what is wrong with it.
fn blanks(text: &str) -> Result<Vec<String>, String> {
    if !has_blanks(text) && !text.contains("{%") && !text.contains("{#") {
        return Ok(Vec::new());
    }
    if text.contains("{%") || text.contains("{#") {
        return Err("Only {{name}} is possible in a text.".to_owned());
    }
    let environment = environment();
    let template = environment
        .template_from_str(text)
        .map_err(|_| "A blank is not closed or not readable. Write {{name}}.".to_owned())?;
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort();
    if let Some(odd) = names.iter().find(|name| !is_name(name)) {
        return Err(format!(
            "{{{{{odd}}}}} is not a name: use lower-case letters, digits and underscores."
        ));
    }
    // A trial with any value finds what only fails when filled in, such as an unknown filter.
    let trial: BTreeMap<String, String> = names.iter().map(|name| (name.clone(), "x".to_owned())).collect();
    match template.render(minijinja::Value::from_object(trial)) {
        Ok(_) => Ok(names),
        Err(_) => Err("Only {{name}} is possible in a text.".to_owned()),
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(1_000));
    environment
}

#[cfg(test)]
mod tests {
    use super::super::samples::s3_parquet;
    use super::super::{Parameter, Recipe};
    use super::*;
    use proptest::prelude::*;

    fn parameter(name: &str, kind: ParameterKind) -> Parameter {
        Parameter {
            name: name.into(),
            label: name.into(),
            kind,
            options: vec![],
            default: String::new(),
            hint: String::new(),
            required: true,
        }
    }

    fn with_blanks() -> Recipe {
        let mut recipe = s3_parquet();
        recipe.path = "partners/{{region}}/in".into();
        recipe.flow_name = "Loyalty {{ region }}".into();
        recipe.parameters = vec![parameter("region", ParameterKind::Text)];
        recipe
    }

    #[test]
    fn fills_every_text() {
        let answers = BTreeMap::from([("region".to_owned(), "fr & <be>".to_owned())]);
        let resolved = resolve(&with_blanks(), &answers).unwrap();
        assert_eq!(resolved.path, "partners/fr & <be>/in", "paths are not HTML");
        assert_eq!(resolved.flow_name, "Loyalty fr & <be>");
        assert!(resolved.parameters.is_empty());
    }

    #[test]
    fn an_answer_is_never_a_template_itself() {
        let answers = BTreeMap::from([("region".to_owned(), "{{region}}".to_owned())]);
        assert_eq!(
            resolve(&with_blanks(), &answers).unwrap().path,
            "partners/{{region}}/in"
        );
    }

    #[test]
    fn faults_name_their_field() {
        let faults = |text: &str| {
            let mut recipe = with_blanks();
            recipe.path = text.into();
            check_texts(&recipe)
                .into_iter()
                .map(|p| (p.field, p.message))
                .collect::<Vec<_>>()
        };
        assert!(faults("{{region}}").is_empty());
        for bad in [
            "{{nowhere}}",
            "{{region",
            "{% for x in [1] %}{% endfor %}",
            "{{ region.secret }}",
        ] {
            assert_eq!(faults(bad).first().map(|f| f.0.as_str()), Some("path"), "{bad}");
        }
    }

    #[test]
    fn secrets_stay_out_of_texts() {
        let mut recipe = with_blanks();
        recipe
            .parameters
            .push(parameter("password", ParameterKind::Secret));
        recipe.path = "{{password}}".into();
        assert!(check_texts(&recipe)[0].message.contains("secret"));
    }

    proptest! {
        #[test]
        fn no_text_makes_filling_in_panic(text in "[a-z{}%# .|()\\[\\]\"]{0,60}") {
            let mut recipe = with_blanks();
            recipe.path = text;
            let _ = check_texts(&recipe);
            let _ = resolve(&recipe, &BTreeMap::new());
        }
    }
}
