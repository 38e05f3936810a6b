//! `GET` and `POST /templates/{id}/edit`: saving a new version.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::form::template_form;
use super::loaded::{Loaded, known_connector, read_recipe};
use super::new::name_taken;
use crate::connection_templates::{self, Before, SaveError, TemplateContent, read_template};
use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::domain::recipe::to_form;
use crate::store;
use crate::store::connection_templates::ListedVersion;
use crate::web::error::PageError;
use crate::web::forms::recipe_form::{Filling, declared_connector};
use crate::web::forms::recipe_page::{Conflict, RecipePage, typed_values};
use crate::web::forms::recipe_words;
use crate::web::layout::NavEntry;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// What one form stands on: the template as it is, and the version that the form began with.
struct Editing {
    current: Loaded,
    base: ListedVersion,
    before: Before,
    connector: Connector,
}

/// The form, filled with the current version.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let editing = Editing::begin(&state, &visit, &id, None).await?;
    let template = &editing.current.listed.template;
    let mut values = to_form(&editing.current.recipe, &visit.session.time_zone);
    values.insert("name".to_owned(), template.name.clone());
    values.insert("purpose".to_owned(), template.purpose.clone());
    values
        .entry("start_zone".to_owned())
        .or_insert_with(|| visit.session.time_zone.clone());
    editing.page(&visit, &values, &[]).answer()
}

/// Saves a new version.
pub async fn save(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let values = typed_values(&pairs);
    let began_with = values.get("version").and_then(|number| number.parse().ok());
    let editing = Editing::begin(&state, &visit, &id, began_with).await?;
    let content = match read_template(pairs, &editing.connector, Some(&editing.before), visit.now_ms) {
        Ok(content) => content,
        Err(problems) => return editing.page(&visit, &values, &problems).answer(),
    };
    let actor = visit.actor();
    let mut began = editing.current.listed.clone();
    began.template.current_version = editing.base.version.version;
    let from = (&began, &editing.before);
    match connection_templates::save(&state.store, &state.vault, &visit.by(&actor), from, &content).await {
        Ok(_) => Ok(Redirect::to(&format!("/templates/{id}?{DONE}=template-saved")).into_response()),
        Err(SaveError::Exists { id: other }) => {
            let mut refused = editing.page(&visit, &values, &[]);
            refused.conflict = Some(name_taken(&content.name, &other));
            refused.answer()
        }
        Err(SaveError::Stale) => stale(&state, &visit, &id, &values, &content).await,
        Err(error) => Err(error.into()),
    }
}

/// Both versions side by side; sending the form again puts this one on top (E29).
async fn stale(
    state: &AppState,
    visit: &Visit,
    id: &str,
    values: &BTreeMap<String, String>,
    content: &TemplateContent,
) -> Result<Response, PageError> {
    let editing = Editing::begin(state, visit, id, None).await?;
    let theirs = (&editing.current.recipe, editing.current.connector);
    let yours = (&content.recipe, known_connector(&content.recipe)?);
    let mut differences = recipe_words::differences(theirs, yours, &visit.times());
    let template = &editing.current.listed.template;
    for (label, first, second) in [
        ("Name", &template.name, &content.name),
        ("Purpose", &template.purpose, &content.purpose),
    ] {
        differences.extend(recipe_words::difference(label, first, second));
    }
    let mut refused = editing.page(visit, values, &[]);
    refused.conflict = Some(Conflict {
        code: "template.stale",
        heading: format!(
            "{} saved version {} meanwhile",
            editing.base.author_name, editing.base.version.version
        ),
        text:
            "Compare both. Save again to put yours on top, with the secrets typed once more, or take theirs."
                .to_owned(),
        differences,
        href: format!("/templates/{id}/edit"),
        link: "Take theirs and begin again".to_owned(),
    });
    refused.answer()
}

impl Editing {
    /// `began_with` is the number of the version that the form showed; none: the current one.
    async fn begin(
        state: &AppState,
        visit: &Visit,
        id: &str,
        began_with: Option<i64>,
    ) -> Result<Self, PageError> {
        let current = Loaded::of_id(state, visit, id).await?;
        let number = began_with.unwrap_or(current.listed.template.current_version);
        let team = &visit.session.team_id;
        let base = store::connection_templates::version(&state.store, team, id, number).await?;
        let base = base.ok_or_else(PageError::not_found)?;
        let before = Before::of_version(&state.store, &base.version).await?;
        let slug = read_recipe(&base.version.recipe)?.connector;
        let connector = declared_connector(&state.store, visit.environment(), &slug).await?;
        Ok(Self {
            connector: connector.ok_or_else(PageError::not_found)?,
            current,
            base,
            before,
        })
    }

    fn page(&self, visit: &Visit, values: &BTreeMap<String, String>, problems: &[Problem]) -> RecipePage {
        let template = &self.current.listed.template;
        let href = self.current.href();
        let filling = Filling {
            values,
            stored: &self.before.stored_fields(),
            problems,
            environment: visit.environment(),
        };
        let heading = format!("Edit {}", template.name);
        RecipePage {
            layout: visit.layout(heading.as_str(), NavEntry::Templates),
            crumbs: vec![
                ("/templates".to_owned(), "Templates".to_owned()),
                (href.clone(), template.name.clone()),
            ],
            heading,
            action: format!("{href}/edit"),
            version: Some(self.base.version.version),
            form: template_form(&self.connector, true, &filling),
            conflict: None,
            submit: "Save as new version",
            cancel: href,
            fixed: Vec::new(),
        }
    }
}
