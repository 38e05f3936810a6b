//! Which files are read and what they hold.

use super::{FieldGroup, Filling, FormField, FormSection};
use crate::domain::connector::Connector;
use crate::domain::recipe::{Compression, Encoding};
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth};

pub(super) fn section(connector: &Connector, filling: &Filling<'_>) -> FormSection {
    let field = |kind, name: &str, label: &str| FieldView::new(kind, name, label).value(filling.value(name));
    let path = field(FieldKind::Text, "path", "Path").hint(format!(
        "Folder or file, with / between folders, such as {}. A * stands for any part of a file name.",
        connector.path_example
    ));
    let formats = [
        ("parquet_xdm", "Parquet in XDM"),
        ("parquet", "Parquet"),
        ("delimited", "Delimited"),
        ("json", "JSON"),
    ];
    let delimiter = field(FieldKind::Text, "column_delimiter", "Column delimiter")
        .hint("One character; \\t is a tab.")
        .width(FieldWidth::Short);
    let mapping = field(FieldKind::Textarea, "mapping", "Mapping")
        .hint(
            "One line for each column: column -> target, such as email -> personalEmail.address. Delimited files \
             need one.",
        )
        .optional();
    let fields: Vec<FormField> = vec![
        path.into(),
        field(FieldKind::Presets, "path_kind", "The path names")
            .options([("folder", "A folder"), ("file", "One file")])
            .into(),
        FormField::new(field(FieldKind::Checkbox, "recursive", "Read sub-folders too")).only("if-folder"),
        field(FieldKind::Presets, "format", "Format")
            .options(formats)
            .hint("Parquet in XDM: the columns follow the schema, so that no mapping is needed.")
            .into(),
        FormField::new(delimiter).only("if-delimited"),
        FormField::new(
            field(FieldKind::Select, "encoding", "Encoding")
                .options(Encoding::ALL.iter().map(|e| (e.as_str(), e.as_str()))),
        )
        .only("if-delimited"),
        FormField::new(
            field(FieldKind::Select, "compression", "Compression")
                .options(Compression::ALL.iter().map(|c| (c.as_str(), c.as_str()))),
        )
        .only("if-text"),
        FormField::new(mapping).only("if-text"),
    ];
    FormSection {
        groups: vec![FieldGroup::plain(fields)],
        ..FormSection::plain("files", "Files", Vec::new())
    }
}
