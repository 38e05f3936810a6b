//! Reading the parameters of a template.

use super::Typed;
use crate::domain::recipe::{PARAMETER_ROWS, Parameter, ParameterKind, blanks};
use crate::domain::texts;

pub(super) fn read_parameters(typed: &mut Typed) -> Vec<Parameter> {
    let mut parameters: Vec<Parameter> = Vec::new();
    for row in 1..=PARAMETER_ROWS {
        let field = |part: &str| format!("parameter.{row}.{part}");
        let name = typed.text(&field("name"));
        let label = typed.text(&field("label"));
        let parameter = Parameter {
            label: if label.is_empty() { name.clone() } else { label },
            kind: typed.choice(&field("kind"), "Kind", ParameterKind::Text),
            options: typed
                .text(&field("options"))
                .split(',')
                .map(|o| o.trim().to_owned())
                .filter(|o| !o.is_empty())
                .collect(),
            default: typed.text(&field("default")),
            hint: typed.text(&field("hint")),
            required: typed.ticked(&field("required")),
            name,
        };
        if parameter.name.is_empty() {
            continue;
        }
        check_parameter(typed, &field("name"), &parameter, &parameters);
        parameters.push(parameter);
    }
    parameters
}

fn check_parameter(typed: &mut Typed, field: &str, parameter: &Parameter, before: &[Parameter]) {
    let name = &parameter.name;
    if !blanks::is_name(name) {
        let message = format!(
            "Parameter {name:?}: use lower-case letters, digits and underscores, beginning with a letter."
        );
        typed.add(field, "input.characters", message);
    } else if before.iter().any(|p| p.name == *name) {
        typed.add(
            field,
            "input.duplicate",
            format!("There are two parameters called {name:?}."),
        );
    }
    typed
        .problems
        .extend(texts::check_name(field, "Label", &parameter.label));
    if parameter.kind == ParameterKind::Choice && parameter.options.is_empty() {
        typed.add(
            &field.replace("name", "options"),
            "input.missing",
            "Options are needed: separate them by commas.",
        );
    }
    if parameter.kind == ParameterKind::Secret && !parameter.default.is_empty() {
        typed.add(
            &field.replace("name", "default"),
            "input.unexpected",
            "A secret has no default.",
        );
    }
}
