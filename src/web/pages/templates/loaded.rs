//! A template as its pages need it.

use crate::domain::connector::{Connector, connector};
use crate::domain::recipe::Recipe;
use crate::store;
use crate::store::connection_templates::ListedTemplate;
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// A template with its current recipe.
pub(super) struct Loaded {
    pub(super) listed: ListedTemplate,
    pub(super) recipe: Recipe,
    pub(super) connector: &'static Connector,
}

impl Loaded {
    /// A template of the person's team; anything else is not found.
    pub(super) async fn of_id(state: &AppState, visit: &Visit, id: &str) -> Result<Self, PageError> {
        let listed = store::connection_templates::by_id(&state.store, &visit.session.team_id, id).await?;
        let listed = listed.ok_or_else(PageError::not_found)?;
        let recipe = read_recipe(&listed.recipe)?;
        let connector = known_connector(&recipe)?;
        Ok(Self {
            listed,
            recipe,
            connector,
        })
    }

    pub(super) fn is_archived(&self) -> bool {
        self.listed.template.archived_at.is_some()
    }

    pub(super) fn href(&self) -> String {
        format!("/templates/{}", self.listed.template.id)
    }
}

pub(super) fn read_recipe(stored: &str) -> Result<Recipe, PageError> {
    serde_json::from_str(stored).map_err(PageError::internal)
}

pub(super) fn known_connector(recipe: &Recipe) -> Result<&'static Connector, PageError> {
    let unknown = || PageError::internal(format!("unknown connector {:?}", recipe.connector));
    connector(&recipe.connector).ok_or_else(unknown)
}
