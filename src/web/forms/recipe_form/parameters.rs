//! What a template asks from the analyst, and the fields in which the analyst answers.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldGroup, Filling, Fold, FormField, FormSection};
use crate::domain::recipe::{PARAMETER_ROWS, Parameter, ParameterKind};
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth};

pub(super) fn section(filling: &Filling<'_>) -> FormSection {
    let groups = (1..=PARAMETER_ROWS).map(|row| parameter(row, filling)).collect();
    FormSection {
        intro:
            "What the analyst decides for each dataflow. A parameter called region stands in the texts above \
                as {{region}}."
                .to_owned(),
        groups,
        ..FormSection::plain("parameters", "Parameters", Vec::new())
    }
}

fn parameter(row: usize, filling: &Filling<'_>) -> FieldGroup {
    let field = |kind, part: &str, label: &str| {
        let name = format!("parameter.{row}.{part}");
        let value = filling.value(&name);
        FieldView::new(kind, name, label).value(value)
    };
    let name = filling.value(&format!("parameter.{row}.name"));
    let kinds = [
        (ParameterKind::Text, "Text"),
        (ParameterKind::Choice, "Choice of options"),
        (ParameterKind::Date, "Day"),
        (ParameterKind::Number, "Whole number"),
        (ParameterKind::Secret, "Secret"),
    ];
    let fields: Vec<FieldView> = vec![
        field(FieldKind::Text, "name", "Name")
            .hint("Lower-case letters, digits and underscores. An empty name leaves the parameter out.")
            .width(FieldWidth::Medium)
            .optional(),
        field(FieldKind::Text, "label", "Question")
            .hint("What the analyst reads.")
            .optional(),
        field(FieldKind::Select, "kind", "Kind").options(kinds.map(|(kind, label)| (kind.as_str(), label))),
        field(FieldKind::Text, "options", "Options")
            .hint("For a choice, separated by commas.")
            .optional(),
        field(FieldKind::Text, "default", "Begins with").optional(),
        field(FieldKind::Text, "hint", "Help")
            .hint("One line under the question.")
            .optional(),
        field(FieldKind::Checkbox, "required", "An answer is needed"),
    ];
    let heading = if name.is_empty() {
        format!("Parameter {row}")
    } else {
        format!("Parameter {row}: {name}")
    };
    let mut group = FieldGroup::folded(heading, fields.into_iter().map(FormField::new).collect());
    if !name.is_empty() {
        group.fold = Fold::Open;
    }
    group
}

/// One field for each parameter of a template. Where nothing was answered yet, `answers` holds the defaults.
pub fn answer_fields(
    parameters: &[Parameter],
    answers: &BTreeMap<String, String>,
    stored: &BTreeSet<String>,
) -> Vec<FieldView> {
    let field = |parameter: &Parameter| {
        let kind = match parameter.kind {
            ParameterKind::Text | ParameterKind::Number => FieldKind::Text,
            ParameterKind::Choice if parameter.options.len() <= 6 && parameter.required => FieldKind::Presets,
            ParameterKind::Choice => FieldKind::Select,
            ParameterKind::Date => FieldKind::Date,
            ParameterKind::Secret => FieldKind::Secret,
        };
        let name = parameter.field();
        let mut view =
            FieldView::new(kind, name.as_str(), parameter.label.as_str()).hint(parameter.hint.as_str());
        view.required = parameter.required || kind == FieldKind::Secret;
        match kind {
            FieldKind::Secret => view.secret_set = stored.contains(&name),
            _ => view.value = answers.get(&name).cloned().unwrap_or_default(),
        }
        if matches!(parameter.kind, ParameterKind::Number | ParameterKind::Date) {
            view.width = FieldWidth::Medium;
        }
        let none = (kind == FieldKind::Select).then(|| (String::new(), "Choose".to_owned()));
        let all = parameter
            .options
            .iter()
            .map(|option| (option.clone(), option.clone()));
        view.options(none.into_iter().chain(all).collect::<Vec<_>>())
    };
    parameters.iter().map(field).collect()
}
