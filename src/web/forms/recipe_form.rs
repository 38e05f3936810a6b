//! The form of a recipe, made from the catalogue of connectors: for templates and for single dataflows alike.
//!
//! A field that matters only after a certain choice carries a class `if-…` or `by-auth auth-…`. Browsers hide it
//! by the style sheet while another choice is made; its value is neither lost nor read then.

mod connection;
mod defaults;
mod files;
mod parameters;
mod schedule;
mod target;

use std::collections::{BTreeMap, BTreeSet};

use super::field::{FieldView, FormErrors};
use crate::domain::Problem;
use crate::domain::connector::{Connector, connector};
use crate::domain::recipe::Purpose;
use crate::store::environments::Environment;
use crate::store::{self, Store, StoreError};

pub use defaults::{flow_defaults, template_defaults};
pub use parameters::answer_fields;

/// A form as `components/recipe_form.html` draws it.
#[derive(Clone, Debug, Default)]
pub struct RecipeForm {
    /// In the order of the page.
    pub sections: Vec<FormSection>,
    /// What is wrong with all of it.
    pub errors: FormErrors,
}

/// Fields that belong together.
#[derive(Clone, Debug)]
pub struct FormSection {
    /// Its id on the page.
    pub id: &'static str,
    /// Its heading.
    pub legend: &'static str,
    /// One sentence under the heading, or on the folded section; empty for none.
    pub intro: String,
    /// Folded unless opened: its defaults are good enough.
    pub fold: Fold,
    /// The fields.
    pub groups: Vec<FieldGroup>,
}

/// Whether something can be folded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// No.
    Never,
    /// Yes, and it is.
    Folded,
    /// Yes, but it shows something that a person should see.
    Open,
}

/// Fields that stand together inside a section.
#[derive(Clone, Debug)]
pub struct FieldGroup {
    /// What a folded group is called; empty for fields that are always in sight.
    pub heading: String,
    /// Whether it is folded.
    pub fold: Fold,
    /// When it matters; see the module.
    pub class: String,
    /// The fields.
    pub fields: Vec<FormField>,
}

/// One field and when it matters.
#[derive(Clone, Debug)]
pub struct FormField {
    /// When it matters; see the module.
    pub class: String,
    /// The field.
    pub view: FieldView,
    /// The page that lists what may be chosen, for fields whose choices are read at the platform.
    pub choices: Option<String>,
}

/// What a form is filled with.
#[derive(Clone, Copy, Debug)]
pub struct Filling<'a> {
    /// What was typed or stored, by field.
    pub values: &'a BTreeMap<String, String>,
    /// Fields whose secret is stored.
    pub stored: &'a BTreeSet<String>,
    /// What is wrong.
    pub problems: &'a [Problem],
    /// Where lists of existing objects are read.
    pub environment: Option<&'a Environment>,
}

impl Filling<'_> {
    fn value(&self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }

    fn choices(&self, kind: &str, connector: &Connector) -> Option<String> {
        let environment = &self.environment?.id;
        Some(format!(
            "/environments/{environment}/choices/{kind}?connector={}",
            connector.slug
        ))
    }
}

impl FormField {
    fn new(view: FieldView) -> Self {
        Self {
            class: String::new(),
            view,
            choices: None,
        }
    }

    fn only(self, class: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            ..self
        }
    }
}

impl From<FieldView> for FormField {
    fn from(view: FieldView) -> Self {
        Self::new(view)
    }
}

impl FieldGroup {
    fn plain(fields: Vec<FormField>) -> Self {
        Self {
            heading: String::new(),
            fold: Fold::Never,
            class: String::new(),
            fields,
        }
    }

    fn folded(heading: impl Into<String>, fields: Vec<FormField>) -> Self {
        Self {
            heading: heading.into(),
            fold: Fold::Folded,
            ..Self::plain(fields)
        }
    }
}

impl FormSection {
    /// A section whose fields are all in sight.
    pub fn plain(id: &'static str, legend: &'static str, fields: Vec<FieldView>) -> Self {
        let fields = fields.into_iter().map(FormField::new).collect();
        Self {
            id,
            legend,
            intro: String::new(),
            fold: Fold::Never,
            groups: vec![FieldGroup::plain(fields)],
        }
    }
}

impl RecipeForm {
    /// The form of a recipe behind the sections that the page puts first.
    pub fn new(
        connector: &Connector,
        purpose: Purpose,
        filling: &Filling<'_>,
        mut sections: Vec<FormSection>,
    ) -> Self {
        sections.push(connection::section(connector, purpose, filling));
        sections.push(files::section(connector, filling));
        sections.push(target::section(connector, filling));
        sections.push(schedule::section(filling));
        if purpose == Purpose::Template {
            sections.push(parameters::section(filling));
        }
        Self::of(sections, filling.problems)
    }

    /// A form of these sections with the mistakes at their fields.
    pub fn of(sections: Vec<FormSection>, problems: &[Problem]) -> Self {
        let mut form = Self {
            sections,
            errors: FormErrors::default(),
        };
        form.errors = FormErrors::at_fields(problems, form.fields_mut());
        for section in &mut form.sections {
            for group in &mut section.groups {
                let wrong = group.fields.iter().any(|field| !field.view.error.is_empty());
                unfold_if(&mut group.fold, wrong);
                unfold_if(&mut section.fold, wrong);
            }
        }
        form
    }

    fn fields_mut(&mut self) -> impl Iterator<Item = &mut FieldView> {
        let groups = self.sections.iter_mut().flat_map(|section| &mut section.groups);
        groups
            .flat_map(|group| &mut group.fields)
            .map(|field| &mut field.view)
    }
}

fn unfold_if(fold: &mut Fold, needed: bool) {
    if needed && *fold == Fold::Folded {
        *fold = Fold::Open;
    }
}

/// The connector with this slug, with its fields as the platform declares them in this environment.
///
/// # Errors
/// When the stored declaration cannot be read from the database.
pub async fn declared_connector(
    store: &Store,
    environment: Option<&Environment>,
    slug: &str,
) -> Result<Option<Connector>, StoreError> {
    let Some(known) = connector(slug) else {
        return Ok(None);
    };
    let Some(environment) = environment else {
        return Ok(Some(known.clone()));
    };
    let stored = store::environments::specification(store, &environment.id, &known.spec_id).await?;
    let declared = stored.and_then(|stored| serde_json::from_str(&stored.raw).ok());
    Ok(Some(declared.map_or_else(
        || known.clone(),
        |declared| known.with_specification(&declared),
    )))
}
