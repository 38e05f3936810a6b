//! The page around a generated form: the same for templates, dataflows and drafts.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::recipe_form::RecipeForm;
use super::recipe_words::{Difference, Fact};
use crate::web::error::PageError;
use crate::web::layout::Layout;
use crate::web::page::page_with;

/// A page with one generated form.
#[derive(Template)]
#[template(path = "forms/recipe.html")]
pub struct RecipePage {
    /// The frame.
    pub layout: Layout,
    /// Ways back: route and word.
    pub crumbs: Vec<(String, String)>,
    /// The heading of the page.
    pub heading: String,
    /// Where the form is sent: the page's own address, so that a reload shows the form again.
    pub action: String,
    /// The version that the form began with.
    pub version: Option<i64>,
    /// The form.
    pub form: RecipeForm,
    /// Why it was not saved although it has no mistake.
    pub conflict: Option<Conflict>,
    /// What the button says.
    pub submit: &'static str,
    /// The page that Cancel leads to.
    pub cancel: String,
    /// What the template has decided already.
    pub fixed: Vec<Fact>,
}

/// Something that somebody else saved stands in the way.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// A stable code, such as `template.stale`.
    pub code: &'static str,
    /// The heading.
    pub heading: String,
    /// What happened and what to do.
    pub text: String,
    /// In what theirs and yours differ.
    pub differences: Vec<Difference>,
    /// The route to what stands in the way.
    pub href: String,
    /// What the link to it says.
    pub link: String,
}

impl RecipePage {
    /// The page with the status that fits: 200, 422 with mistakes, 409 with a conflict.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn answer(mut self) -> Result<Response, PageError> {
        let status = match (&self.conflict, self.form.errors.is_empty()) {
            (Some(_), _) => StatusCode::CONFLICT,
            (None, false) => StatusCode::UNPROCESSABLE_ENTITY,
            (None, true) => StatusCode::OK,
        };
        if status != StatusCode::OK {
            self.layout.title = format!("Error: {}", self.layout.title);
        }
        page_with(status, &self)
    }
}

/// What was typed, by field, to fill the form in again.
pub fn typed_values(pairs: &[(String, String)]) -> BTreeMap<String, String> {
    pairs.iter().cloned().collect()
}
