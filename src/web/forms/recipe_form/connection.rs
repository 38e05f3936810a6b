//! How the storage is reached: an existing connection, or the fields of each way to authenticate.
//!
//! A key that several ways share is one field; it is shown when any of them is chosen.

use super::{FieldGroup, Filling, Fold, FormField, FormSection};
use crate::domain::connector::{AuthField, Connector, FieldKind as Typing};
use crate::domain::recipe::{Purpose, auth_secret_field, sole_blank};
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth};

/// One key of `auth.params` with the ways to authenticate that have it.
struct Key<'a> {
    field: &'a AuthField,
    /// Position of each way, and whether it needs the key.
    ways: Vec<(usize, bool)>,
}

pub(super) fn section(connector: &Connector, purpose: Purpose, filling: &Filling<'_>) -> FormSection {
    let mut section = FormSection::plain("connection", "Connection", Vec::new());
    section.intro.clone_from(&connector.note);
    if connector.needs_base_connection {
        section.groups = groups(connector, purpose, filling);
    }
    section
}

fn groups(connector: &Connector, purpose: Purpose, filling: &Filling<'_>) -> Vec<FieldGroup> {
    let mut first: Vec<FormField> = vec![
        FieldView::new(FieldKind::Presets, "connection", "Connection at Adobe")
            .options([("new", "Make a new one"), ("existing", "Use an existing one")])
            .value(filling.value("connection"))
            .into(),
        existing(connector, filling),
    ];
    if connector.auth.len() > 1 {
        first.push(ways(connector, filling).only("if-connection-new"));
    }
    let keys = keys(connector);
    let views = |needed: bool| -> Vec<FormField> {
        keys.iter()
            .filter(|key| key.ways.iter().any(|(_, required)| *required) == needed)
            .map(|key| key.view(connector, purpose, filling))
            .collect()
    };
    let mut optional = FieldGroup::folded("More about the connection", views(false));
    optional.class = class_of(
        connector,
        keys.iter()
            .filter(|key| key.ways.iter().all(|(_, required)| !required))
            .flat_map(|key| key.ways.iter().map(|(way, _)| *way)),
    );
    let filled = |field: &FormField| !field.view.value.is_empty() || field.view.secret_set;
    if optional.fields.iter().any(filled) {
        optional.fold = Fold::Open;
    }
    first.extend(views(true));
    let mut groups = vec![FieldGroup::plain(first)];
    if !optional.fields.is_empty() {
        groups.push(optional);
    }
    groups
}

fn existing(connector: &Connector, filling: &Filling<'_>) -> FormField {
    let view = FieldView::new(FieldKind::Proposals, "base_connection_id", "Existing connection")
        .hint("Its id, as in 5831c52c-c261-4f40-b1a3-5f5aa3f1d3e4. Its credentials stay at Adobe.")
        .value(filling.value("base_connection_id"));
    let mut field = FormField::new(view).only("if-connection-existing");
    field.choices = filling.choices("connections", connector);
    field
}

fn ways(connector: &Connector, filling: &Filling<'_>) -> FormField {
    let options = connector.auth.iter().map(|auth| {
        let label = if auth.applies_to.is_empty() {
            auth.spec_name.clone()
        } else {
            format!("{} ({})", auth.spec_name, auth.applies_to)
        };
        (auth.spec_name.clone(), label)
    });
    FieldView::new(FieldKind::Radio, "auth", "Authentication")
        .options(options)
        .value(filling.value("auth"))
        .into()
}

/// Every key once, in the order of the ways to authenticate.
fn keys(connector: &Connector) -> Vec<Key<'_>> {
    let mut keys: Vec<Key<'_>> = Vec::new();
    for (way, auth) in connector.auth.iter().enumerate() {
        for field in &auth.fields {
            match keys.iter_mut().find(|key| key.field.name == field.name) {
                Some(key) => key.ways.push((way, field.required)),
                None => keys.push(Key {
                    field,
                    ways: vec![(way, field.required)],
                }),
            }
        }
    }
    keys
}

/// The class that shows something for these ways only; nothing to hide where it belongs to all of them.
fn class_of(connector: &Connector, ways: impl Iterator<Item = usize>) -> String {
    let mut ways: Vec<usize> = ways.collect();
    ways.sort_unstable();
    ways.dedup();
    let mut class = "if-connection-new".to_owned();
    if ways.len() < connector.auth.len() {
        class.push_str(" by-auth");
        for way in ways {
            class.push_str(&format!(" auth-{}", way + 1));
        }
    }
    class
}

impl Key<'_> {
    fn view(&self, connector: &Connector, purpose: Purpose, filling: &Filling<'_>) -> FormField {
        let name = auth_secret_field(&self.field.name);
        let value = filling.value(&name);
        let mut view = FieldView::new(self.control(&value), name.as_str(), self.field.label.as_str());
        view.hint = self.hint(connector, purpose);
        view.required = self.ways.iter().all(|(_, required)| *required);
        view.secret_set = view.kind == FieldKind::Secret && filling.stored.contains(&name);
        if view.kind != FieldKind::Secret {
            view.value = value;
        }
        view = match self.field.kind {
            Typing::Boolean => view.options([("", "As Adobe decides"), ("true", "Yes"), ("false", "No")]),
            Typing::Enum => {
                let none = (!view.required).then(|| (String::new(), "None".to_owned()));
                let all = self
                    .field
                    .options
                    .iter()
                    .map(|option| (option.clone(), option.clone()));
                view.options(none.into_iter().chain(all).collect::<Vec<_>>())
            }
            Typing::Integer => view.width(FieldWidth::Short),
            Typing::String | Typing::Password => view,
        };
        let class = class_of(connector, self.ways.iter().map(|(way, _)| *way));
        FormField::new(view).only(class)
    }

    /// A secret that is asked from the analyst is no secret yet: its blank is shown.
    fn control(&self, value: &str) -> FieldKind {
        match self.field.kind {
            _ if self.field.secret && sole_blank(value).is_none() => FieldKind::Secret,
            Typing::Enum | Typing::Boolean => FieldKind::Select,
            _ => FieldKind::Text,
        }
    }

    fn hint(&self, connector: &Connector, purpose: Purpose) -> String {
        let mut hint = self.field.help.clone();
        let mut say = |sentence: String| {
            if !hint.is_empty() {
                hint.push(' ');
            }
            hint.push_str(&sentence);
        };
        if !self.field.example.is_empty() && self.field.kind == Typing::String {
            say(format!("For example {}", self.field.example));
        }
        let needed_by: Vec<&str> = self
            .ways
            .iter()
            .filter(|(_, required)| *required)
            .map(|(way, _)| connector.auth[*way].spec_name.as_str())
            .collect();
        if !needed_by.is_empty() && needed_by.len() < self.ways.len() {
            say(format!("Needed with {}.", needed_by.join(", ")));
        }
        if self.field.secret && purpose == Purpose::Template {
            say("Kept sealed with the template. Write {{password}} to have it asked each time: a secret parameter \
                 of that name."
                .to_owned());
        }
        hint
    }
}
