//! `/views/{id}`: renaming a view, sharing it, making it the default, deleting it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::address;
use super::form::{SentView, ViewFields, viewing};
use crate::accounts::views::{ViewError, ViewForm};
use crate::domain::{Problem, Role};
use crate::store::saved_views::{self, ListedView, ViewedPage};
use crate::web::error::PageError;
use crate::web::forms::field::FormErrors;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

#[derive(Template)]
#[template(path = "saved_views/edit.html")]
pub(super) struct ViewPage {
    layout: Layout,
    form_errors: FormErrors,
    /// None: it is somebody else's, and can only be deleted.
    fields: Option<ViewFields>,
    page: ViewedPage,
    query: String,
    /// What it shows.
    href: String,
    /// None: it is not kept yet.
    id: Option<String>,
    owner: String,
}

/// A view as it is kept.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let listed = find(&state, &visit, &id).await?;
    let form = ViewForm {
        name: listed.view.name.clone(),
        is_shared: listed.view.is_shared,
        is_default: listed.view.is_default,
    };
    page(&ViewPage::of(&visit, listed, &form, &[]))
}

/// Saves it.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Form(sent): Form<SentView>,
) -> Result<Response, PageError> {
    let form = sent.form();
    let saved = state
        .accounts
        .change_view(&visit.actor(), viewing(&visit), &id, form.clone())
        .await;
    match saved {
        Ok(view) => {
            let address = address(view.page, &view.query);
            Ok(Redirect::to(&format!("{address}&{DONE}=view-saved")).into_response())
        }
        Err(ViewError::Mistakes(problems)) => {
            let listed = find(&state, &visit, &id).await?;
            ViewPage::of(&visit, listed, &form, &problems).refused()
        }
        Err(error) => Err(told(error)),
    }
}

/// Deletes it.
pub async fn delete(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let deleted = state
        .accounts
        .delete_view(&visit.actor(), viewing(&visit), &id)
        .await;
    let address = address(deleted.map_err(told)?.page, "");
    Ok(Redirect::to(&format!("{address}&{DONE}=view-deleted")).into_response())
}

/// A view that this person may change or delete.
async fn find(state: &AppState, visit: &Visit, id: &str) -> Result<ListedView, PageError> {
    let (team_id, user_id) = (&visit.session.team_id, &visit.session.user_id);
    let listed = saved_views::by_id(&state.store, team_id, user_id, id).await?;
    listed
        .filter(|listed| listed.view.user_id == *user_id || visit.may(Role::Admin))
        .ok_or_else(PageError::not_found)
}

/// What is none of the form's.
pub(super) fn told(error: ViewError) -> PageError {
    match error {
        ViewError::NotFound => PageError::not_found(),
        ViewError::Store(error) => error.into(),
        mistakes @ ViewError::Mistakes(_) => PageError::internal(mistakes),
    }
}

/// Where the page that a view is of stands in the navigation.
const fn entry(page: ViewedPage) -> NavEntry {
    match page {
        ViewedPage::Flows => NavEntry::Flows,
        ViewedPage::Runs => NavEntry::Runs,
    }
}

impl ViewPage {
    /// The form for filters that are not kept yet, with what is wrong.
    pub(super) fn unsaved(
        visit: &Visit,
        page: ViewedPage,
        query: String,
        form: &ViewForm,
        problems: &[Problem],
    ) -> Self {
        let fields = ViewFields::of(form, visit.may(Role::Editor), problems);
        Self {
            layout: visit.layout("Save this view", entry(page)),
            form_errors: fields.errors(),
            fields: Some(fields),
            page,
            href: address(page, &query),
            query,
            id: None,
            owner: String::new(),
        }
    }

    fn of(visit: &Visit, listed: ListedView, form: &ViewForm, problems: &[Problem]) -> Self {
        let view = listed.view;
        let is_own = view.user_id == visit.session.user_id;
        let fields = is_own.then(|| ViewFields::of(form, visit.may(Role::Editor), problems));
        Self {
            layout: visit.layout(view.name, entry(view.page)),
            form_errors: fields.as_ref().map(ViewFields::errors).unwrap_or_default(),
            fields,
            page: view.page,
            href: address(view.page, &view.query),
            query: view.query,
            id: Some(view.id),
            owner: listed.owner_name,
        }
    }

    /// The form comes back filled in.
    pub(super) fn refused(mut self) -> Result<Response, PageError> {
        self.layout.title = format!("Error: {}", self.layout.title);
        page_with(StatusCode::UNPROCESSABLE_ENTITY, &self)
    }
}
