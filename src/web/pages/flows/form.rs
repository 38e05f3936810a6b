//! The forms from which one dataflow is made: all of it, or what a template leaves open.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::domain::recipe::{Purpose, Recipe};
use crate::web::forms::field::{FieldKind, FieldView};
use crate::web::forms::recipe_form::{Filling, FormSection, RecipeForm, answer_fields};
use crate::web::visit::Visit;

/// Everything that a dataflow is made of.
pub(in crate::web::pages) fn flow_form(
    visit: &Visit,
    connector: &Connector,
    filling: &Filling<'_>,
) -> RecipeForm {
    let field = |name: &str, label: &str| {
        let value = filling.values.get(name).cloned().unwrap_or_default();
        FieldView::new(FieldKind::Text, name, label).value(value)
    };
    let first = vec![
        field("flow_name", "Flow name")
            .hint("As it will stand at Adobe; schema and dataset are named after it."),
        environment(visit, filling.values),
        field("description", "Description").optional(),
    ];
    let sections = vec![FormSection::plain("flow", "Dataflow", first)];
    RecipeForm::new(connector, Purpose::Flow, filling, sections)
}

/// The questions of a template, and where the dataflow is made. `stored` names the secret answers that are kept.
pub(in crate::web::pages) fn answers_form(
    visit: &Visit,
    recipe: &Recipe,
    values: &BTreeMap<String, String>,
    stored: &BTreeSet<String>,
    problems: &[Problem],
) -> RecipeForm {
    let mut fields = answer_fields(&recipe.parameters, values, stored);
    fields.push(environment(visit, values));
    RecipeForm::of(vec![FormSection::plain("answers", "Dataflow", fields)], problems)
}

fn environment(visit: &Visit, values: &BTreeMap<String, String>) -> FieldView {
    let options = visit.environments.iter().map(|e| {
        let production = if e.production { ", production" } else { "" };
        (e.id.clone(), format!("{} ({}{production})", e.name, e.sandbox))
    });
    FieldView::new(FieldKind::Select, "environment", "Environment")
        .hint("The organization and sandbox at Adobe.")
        .options(options.collect::<Vec<_>>())
        .value(values.get("environment").cloned().unwrap_or_default())
}
