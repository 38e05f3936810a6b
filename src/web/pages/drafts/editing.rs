//! The form of a dataflow filled in again: of a draft, or of a setup that asks.

use std::collections::BTreeMap;

use crate::connection_templates::{Before, FlowContent, read_answers, read_flow};
use crate::domain::Problem;
use crate::domain::connector::Connector;
use crate::domain::recipe::{parameter_secret_field, to_form};
use crate::store::drafts::Draft;
use crate::web::error::PageError;
use crate::web::forms::recipe_form::{Filling, declared_connector};
use crate::web::forms::recipe_page::{Conflict, RecipePage};
use crate::web::forms::recipe_words;
use crate::web::layout::{Layout, NavEntry};
use crate::web::pages::flows::form::{answers_form, flow_form};
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// What the form stands on.
pub(in crate::web::pages) struct Editing {
    pub(in crate::web::pages) draft: Draft,
    pub(in crate::web::pages) before: Before,
    connector: Connector,
}

/// What stands around the form.
pub(in crate::web::pages) struct Frame {
    pub(in crate::web::pages) title: &'static str,
    pub(in crate::web::pages) nav: NavEntry,
    pub(in crate::web::pages) crumbs: Vec<(String, String)>,
    pub(in crate::web::pages) heading: String,
    /// Where the form is sent.
    pub(in crate::web::pages) action: String,
    pub(in crate::web::pages) cancel: String,
    pub(in crate::web::pages) submit: &'static str,
    pub(in crate::web::pages) conflict: Option<Conflict>,
}

impl Editing {
    pub(in crate::web::pages) async fn begin(
        state: &AppState,
        draft: Draft,
        before: Before,
    ) -> Result<Self, PageError> {
        let environment =
            crate::store::environments::by_id(&state.store, &draft.team_id, &draft.environment_id);
        let slug = &before.recipe.connector;
        let connector = declared_connector(&state.store, environment.await?.as_ref(), slug).await?;
        Ok(Self {
            connector: connector.ok_or_else(PageError::not_found)?,
            draft,
            before,
        })
    }

    fn is_from_template(&self) -> bool {
        self.draft.template_version_id.is_some()
    }

    /// Reads what was typed, in one of these environments.
    pub(in crate::web::pages) fn read(
        &self,
        pairs: Vec<(String, String)>,
        environments: &[&str],
        now_ms: i64,
    ) -> Result<FlowContent, Vec<Problem>> {
        let (before, connector) = (&self.before, &self.connector);
        if self.is_from_template() {
            let kept = before.stored_fields();
            let recipe = before.recipe.clone();
            read_answers(pairs, connector, recipe, (&kept, environments), now_ms)
        } else {
            read_flow(pairs, connector, Some(before), environments, now_ms)
        }
    }

    /// What is stored, as the form shows it.
    pub(in crate::web::pages) fn values(&self, visit: &Visit) -> Result<BTreeMap<String, String>, PageError> {
        let mut values = if self.is_from_template() {
            let answers: BTreeMap<String, String> =
                serde_json::from_str(&self.draft.answers).map_err(PageError::internal)?;
            let field = |(name, answer): (String, String)| (parameter_secret_field(&name), answer);
            answers.into_iter().map(field).collect()
        } else {
            let mut values = to_form(&self.before.recipe, &visit.session.time_zone);
            values
                .entry("start_zone".to_owned())
                .or_insert_with(|| visit.session.time_zone.clone());
            values
        };
        values.insert("environment".to_owned(), self.draft.environment_id.clone());
        Ok(values)
    }

    pub(in crate::web::pages) fn page(
        &self,
        visit: &Visit,
        frame: Frame,
        values: &BTreeMap<String, String>,
        problems: &[Problem],
    ) -> RecipePage {
        let stored = self.before.stored_fields();
        let recipe = &self.before.recipe;
        let (form, fixed) = if self.is_from_template() {
            let fixed = recipe_words::facts(recipe, &self.connector, &visit.times());
            (answers_form(visit, recipe, values, &stored, problems), fixed)
        } else {
            let filling = Filling {
                values,
                stored: &stored,
                problems,
                environment: visit.environment(),
            };
            (flow_form(visit, &self.connector, &filling), Vec::new())
        };
        let layout: Layout = visit.layout(frame.title, frame.nav);
        RecipePage {
            layout,
            crumbs: frame.crumbs,
            heading: frame.heading,
            action: frame.action,
            version: None,
            form,
            conflict: frame.conflict,
            submit: frame.submit,
            cancel: frame.cancel,
            fixed,
        }
    }

    /// What people call the kind of source.
    pub(in crate::web::pages) fn connector_name(&self) -> &str {
        &self.connector.name
    }
}
