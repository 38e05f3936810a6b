//! The form of a template, new or changed.

use crate::domain::connector::Connector;
use crate::domain::recipe::Purpose;
use crate::web::forms::field::{FieldKind, FieldView};
use crate::web::forms::recipe_form::{Filling, FormSection, RecipeForm};

/// The form; one that changes a template also asks what changed.
pub(super) fn template_form(connector: &Connector, changes: bool, filling: &Filling<'_>) -> RecipeForm {
    let field = |kind, name: &str, label: &str| {
        let value = filling.values.get(name).cloned().unwrap_or_default();
        FieldView::new(kind, name, label).value(value)
    };
    let mut about = vec![
        field(FieldKind::Text, "name", "Name").hint("As your team will look for it."),
        field(FieldKind::Text, "purpose", "Purpose")
            .hint("One line: which files, for what.")
            .optional(),
    ];
    if changes {
        about.push(
            field(FieldKind::Text, "note", "What changed")
                .hint("For the list of versions.")
                .optional(),
        );
    }
    let naming = vec![
        field(FieldKind::Text, "flow_name", "Flow name").hint(
            "Pattern for the names of its dataflows. {{name}} stands for what the analyst answers to the parameter \
             called name.",
        ),
        field(FieldKind::Text, "description", "Description").optional(),
    ];
    let sections = vec![
        FormSection::plain("about", "Template", about),
        FormSection::plain("flow", "Dataflow", naming),
    ];
    RecipeForm::new(connector, Purpose::Template, filling, sections)
}
