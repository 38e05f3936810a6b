//! Where the rows go: schema and dataset.

use super::{FieldGroup, Filling, Fold, FormField, FormSection};
use crate::domain::connector::Connector;
use crate::domain::recipe::{EVENT_CLASS, PROFILE_CLASS};
use crate::web::forms::field::{FieldKind, FieldView};

pub(super) fn section(connector: &Connector, filling: &Filling<'_>) -> FormSection {
    let field = |kind, name: &str, label: &str| FieldView::new(kind, name, label).value(filling.value(name));
    let new_or_existing = [("new", "Make a new one"), ("existing", "Use an existing one")];
    let schema_id = field(FieldKind::Proposals, "schema_id", "Existing schema")
        .hint("Its $id, which begins with https://ns.adobe.com/.");
    let dataset_id = field(FieldKind::Proposals, "dataset_id", "Existing dataset")
        .hint("Its id, 24 characters. It must follow the schema above.");
    let title = field(FieldKind::Text, "schema_title", "Title of the new schema")
        .hint("Left empty, it is the flow's name and \u{201c}schema\u{201d}.")
        .optional();
    let class = field(FieldKind::Proposals, "schema_class", "Class")
        .hint("Profile for people, experience event for what happened when. Its $id.")
        .options([
            (PROFILE_CLASS, "XDM Individual Profile"),
            (EVENT_CLASS, "XDM ExperienceEvent"),
        ])
        .optional();
    let groups = field(FieldKind::Textarea, "field_groups", "Field groups")
        .hint("One $id in each line. They must fit the class.")
        .optional();
    let dataset_name = field(FieldKind::Text, "dataset_name", "Name of the new dataset")
        .hint("Left empty, it is the flow's name and \u{201c}data\u{201d}.")
        .optional();
    let listed = |view, kind| FormField {
        choices: filling.choices(kind, connector),
        ..FormField::new(view)
    };
    let fields: Vec<FormField> = vec![
        field(FieldKind::Presets, "schema", "Schema")
            .options(new_or_existing)
            .into(),
        listed(schema_id, "schemas").only("if-schema-existing"),
        FormField::new(title).only("if-schema-new"),
        FormField::new(class).only("if-schema-new"),
        FormField::new(groups).only("if-schema-new"),
        field(FieldKind::Presets, "dataset", "Dataset")
            .options(new_or_existing)
            .into(),
        listed(dataset_id, "datasets").only("if-dataset-existing"),
        FormField::new(dataset_name).only("if-dataset-new"),
    ];
    let untouched = ["schema", "dataset"]
        .iter()
        .all(|name| filling.value(name) == "new")
        && ["schema_title", "dataset_name"]
            .iter()
            .all(|name| filling.value(name).is_empty());
    FormSection {
        intro: "Unless you choose others, a schema and a dataset are made and named after the flow."
            .to_owned(),
        fold: if untouched { Fold::Folded } else { Fold::Open },
        groups: vec![FieldGroup::plain(fields)],
        ..FormSection::plain("target", "Target", Vec::new())
    }
}
