//! Checking the forms of templates and drafts.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;

use super::Before;
use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::domain::recipe::{
    Parameter, ParameterKind, Purpose, Recipe, SecretSource, Typed, check_answers, check_final_texts,
    check_secret_answers, parameter_secret_field, read_recipe, resolve, to_form,
};
use crate::domain::texts;

/// Fields that every form of ours may carry beside its own: the session's token and the version it began with.
const CARRIED: &[&str] = &["csrf", "version"];

/// A template as its form gives it, without mistakes.
#[derive(Debug)]
pub struct TemplateContent {
    /// Unique in the team.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// What changed, in the author's words.
    pub note: String,
    /// What it makes.
    pub recipe: Recipe,
    pub(super) secrets: BTreeMap<String, SecretString>,
}

/// A draft as its form gives it, without mistakes.
#[derive(Debug)]
pub struct FlowContent {
    /// Where the dataflow shall be made.
    pub environment_id: String,
    /// What it makes, with blanks if it comes from a template.
    pub recipe: Recipe,
    /// The answers that are not secret, by parameter.
    pub answers: BTreeMap<String, String>,
    /// Secrets that were typed, by form field.
    pub secrets: BTreeMap<String, SecretString>,
}

/// Reads the form of a template. `before` is the version that it changes; `now_ms` is UTC epoch milliseconds.
///
/// # Errors
/// Every mistake found.
pub fn read_template(
    pairs: Vec<(String, String)>,
    connector: &Connector,
    before: Option<&Before>,
    now_ms: i64,
) -> Result<TemplateContent, Vec<Problem>> {
    let mut typed = Typed::new(pairs);
    typed.ignore(CARRIED);
    let (name, purpose, note) = (typed.text("name"), typed.text("purpose"), typed.text("note"));
    typed.problems.extend(texts::check_name("name", "Name", &name));
    for (field, label, text) in [("purpose", "Purpose", &purpose), ("note", "What changed", &note)] {
        typed
            .problems
            .extend(texts::check_text(field, label, text, texts::DESCRIPTION_MAX));
    }
    let kept = before.map(Before::stored_fields).unwrap_or_default();
    let read = read_recipe(&mut typed, connector, Purpose::Template, &kept, now_ms);
    if let Some(before) = before {
        typed
            .problems
            .extend(before.check_kept(&read.recipe.connection, &read.secrets));
    }
    finish(typed)?;
    Ok(TemplateContent {
        name,
        purpose,
        note,
        recipe: read.recipe,
        secrets: read.secrets,
    })
}

/// Reads the form of one dataflow without a template. `environments` are the ids to choose from.
///
/// # Errors
/// Every mistake found.
pub fn read_flow(
    pairs: Vec<(String, String)>,
    connector: &Connector,
    before: Option<&Before>,
    environments: &[&str],
    now_ms: i64,
) -> Result<FlowContent, Vec<Problem>> {
    let mut typed = Typed::new(pairs);
    typed.ignore(CARRIED);
    let environment_id = read_environment(&mut typed, environments);
    let kept = before.map(Before::stored_fields).unwrap_or_default();
    let read = read_recipe(&mut typed, connector, Purpose::Flow, &kept, now_ms);
    if let Some(before) = before {
        typed
            .problems
            .extend(before.check_kept(&read.recipe.connection, &read.secrets));
    }
    // Without a template there is nobody who could fill in a blank.
    if let Err(problems) = resolve(&read.recipe, &BTreeMap::new()) {
        typed.problems.extend(problems);
    }
    for (key, source) in read.recipe.secret_sources() {
        if let SecretSource::Parameter { name } = source {
            let message =
                format!("{{{{{name}}}}} can only be asked for by a template. Enter the secret itself.");
            typed.add(&format!("auth.{key}"), "template.text", message);
        }
    }
    finish(typed)?;
    Ok(FlowContent {
        environment_id,
        recipe: read.recipe,
        answers: BTreeMap::new(),
        secrets: read.secrets,
    })
}

/// Reads the answers to what a template leaves open. `kept` names the secret answers that are stored already.
///
/// # Errors
/// Every mistake found; those in texts that were filled in are told at the parameter that is in them.
pub fn read_answers(
    pairs: Vec<(String, String)>,
    connector: &Connector,
    recipe: Recipe,
    (kept, environments): (&BTreeSet<String>, &[&str]),
    now_ms: i64,
) -> Result<FlowContent, Vec<Problem>> {
    let mut typed = Typed::new(pairs);
    typed.ignore(CARRIED);
    let environment_id = read_environment(&mut typed, environments);
    let (mut answers, mut secret_answers) = (BTreeMap::new(), BTreeMap::new());
    for parameter in &recipe.parameters {
        let name = parameter.name.clone();
        if parameter.kind == ParameterKind::Secret {
            secret_answers.insert(name, typed.raw(&parameter.field()).to_owned());
        } else {
            answers.insert(name, typed.text(&parameter.field()));
        }
    }
    let wrong_answers = check_answers(&recipe.parameters, &answers);
    let secrets_wrong = check_secret_answers(connector, &recipe, &secret_answers, now_ms);
    let is_kept = |problem: &Problem| problem.code == "input.missing" && kept.contains(&problem.field);
    typed
        .problems
        .extend(secrets_wrong.into_iter().filter(|problem| !is_kept(problem)));
    if wrong_answers.is_empty() {
        typed
            .problems
            .extend(filled_in_problems(&recipe, &answers, now_ms));
    }
    typed.problems.extend(wrong_answers);
    finish(typed)?;
    let secrets = secret_answers
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (parameter_secret_field(&name), SecretString::from(value)))
        .collect();
    Ok(FlowContent {
        environment_id,
        recipe,
        answers,
        secrets,
    })
}

fn finish(typed: Typed) -> Result<(), Vec<Problem>> {
    let problems = typed.finish();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn read_environment(typed: &mut Typed, environments: &[&str]) -> String {
    let id = typed.text("environment");
    if !environments.contains(&id.as_str()) {
        typed.add(
            "environment",
            "input.choice",
            "Environment: choose where the dataflow shall be made.",
        );
    }
    id
}

/// What is wrong with the texts once the answers stand in them.
fn filled_in_problems(recipe: &Recipe, answers: &BTreeMap<String, String>, now_ms: i64) -> Vec<Problem> {
    let found = match resolve(recipe, answers) {
        Ok(resolved) => {
            let mut problems = check_final_texts(&resolved);
            problems.extend(resolved.schedule.problems(now_ms));
            problems
        }
        Err(problems) => problems,
    };
    let texts = to_form(recipe, "UTC");
    let at_its_parameter = |problem: Problem| Problem {
        field: parameter_in(&recipe.parameters, &texts, &problem.field).unwrap_or(problem.field),
        ..problem
    };
    found.into_iter().map(at_its_parameter).collect()
}

/// The form field of the first parameter in a text of the recipe. Names that the template leaves empty are made
/// from the flow's.
fn parameter_in(parameters: &[Parameter], texts: &BTreeMap<String, String>, field: &str) -> Option<String> {
    let text = texts.get(field).filter(|text| !text.is_empty());
    let text = text.or_else(|| texts.get("flow_name"))?.replace(' ', "");
    let is_in = |parameter: &&Parameter| text.contains(&format!("{{{{{}}}}}", parameter.name));
    parameters.iter().find(is_in).map(Parameter::field)
}
