//! Views: filters of lists that people keep under a name, for themselves or for their team.

use serde_json::json;

use super::Accounts;
use super::sessions::Person;
use crate::audit::{self, Actor, Change};
use crate::domain::{Problem, Role, new_id, texts};
use crate::store::saved_views::{self, SavedView, ViewedPage};
use crate::store::{self, StoreError, WriteTx};

/// Views that a person keeps of one page.
pub const VIEWS_MAX: i64 = 30;
/// Longest name, in characters: it stands in a row with others.
pub const VIEW_NAME_MAX: usize = 60;
/// Longest query, in bytes.
pub const VIEW_QUERY_MAX: usize = 1_500;

/// What a person decides about a view.
#[derive(Debug, Clone)]
pub struct ViewForm {
    /// What it is called.
    pub name: String,
    /// The whole team sees it.
    pub is_shared: bool,
    /// Its owner sees it on opening the page.
    pub is_default: bool,
}

/// Why a view was not saved or deleted. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// Something typed is wrong.
    #[error("the view cannot be saved as it is")]
    Mistakes(Vec<Problem>),
    /// There is no such view, or it is somebody else's.
    #[error("there is no such view")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person with the role that they have in the team.
#[derive(Debug, Clone, Copy)]
pub struct Viewing<'a> {
    /// Who.
    pub person: Person<'a>,
    /// Editors and admins may share.
    pub role: Role,
}

impl ViewForm {
    fn problems(&self, role: Role, was_shared: bool) -> Vec<Problem> {
        let name = texts::check_name("name", "Name", &self.name).or_else(|| {
            let message = format!("Name: at most {VIEW_NAME_MAX} characters.");
            (self.name.trim().chars().count() > VIEW_NAME_MAX)
                .then(|| Problem::new("name", "input.too_long", message))
        });
        let sharing = (self.is_shared && !was_shared && role < Role::Editor).then(|| {
            let message = "Share: viewers keep views for themselves. Ask an editor to share it.";
            Problem::new("shared", "view.role", message)
        });
        name.into_iter().chain(sharing).collect()
    }
}

impl Accounts {
    /// Keeps the filters of a page under a name; gives the view.
    ///
    /// # Errors
    /// [`ViewError`]; nothing was changed.
    pub async fn add_view(
        &self,
        actor: &Actor,
        viewing: Viewing<'_>,
        page: ViewedPage,
        query: String,
        form: ViewForm,
    ) -> Result<SavedView, ViewError> {
        let person = viewing.person;
        let mut mistakes = form.problems(viewing.role, false);
        let kept = saved_views::count_of(&self.inner.store, person.team_id, person.user_id, page).await?;
        if kept >= VIEWS_MAX {
            let message = format!("Name: you keep {VIEWS_MAX} views of this page already. Delete one first.");
            mistakes.push(Problem::new("name", "view.too_many", message));
        }
        if query.len() > VIEW_QUERY_MAX {
            let message = "Name: these filters are too long to be kept. Search for a shorter text.";
            mistakes.push(Problem::new("name", "view.query", message));
        }
        if !mistakes.is_empty() {
            return Err(ViewError::Mistakes(mistakes));
        }
        let view = SavedView {
            id: new_id(),
            team_id: person.team_id.to_owned(),
            user_id: person.user_id.to_owned(),
            page,
            name: form.name.trim().to_owned(),
            query,
            is_shared: form.is_shared,
            is_default: form.is_default,
            created_at: self.inner.clock.now_ms(),
        };
        let mut tx = self.inner.store.begin().await?;
        saved_views::insert(&mut tx, &view).await.map_err(taken)?;
        self.record_view(&mut tx, actor, "view.saved", &view).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Renames a person's own view, shares it or keeps it to themselves, makes it the default.
    ///
    /// # Errors
    /// [`ViewError`]; nothing was changed.
    pub async fn change_view(
        &self,
        actor: &Actor,
        viewing: Viewing<'_>,
        id: &str,
        form: ViewForm,
    ) -> Result<SavedView, ViewError> {
        let view = self.view(viewing.person, id).await?;
        if view.user_id != viewing.person.user_id {
            return Err(ViewError::NotFound);
        }
        let mistakes = form.problems(viewing.role, view.is_shared);
        if !mistakes.is_empty() {
            return Err(ViewError::Mistakes(mistakes));
        }
        let view = SavedView {
            name: form.name.trim().to_owned(),
            is_shared: form.is_shared,
            is_default: form.is_default,
            ..view
        };
        let mut tx = self.inner.store.begin().await?;
        if !saved_views::update(&mut tx, &view).await.map_err(taken)? {
            return Err(ViewError::NotFound);
        }
        self.record_view(&mut tx, actor, "view.saved", &view).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// Deletes a view: its owner may, and an admin where it is shared. Gives what it was.
    ///
    /// # Errors
    /// [`ViewError`]; nothing was changed.
    pub async fn delete_view(
        &self,
        actor: &Actor,
        viewing: Viewing<'_>,
        id: &str,
    ) -> Result<SavedView, ViewError> {
        let view = self.view(viewing.person, id).await?;
        if view.user_id != viewing.person.user_id && viewing.role < Role::Admin {
            return Err(ViewError::NotFound);
        }
        let mut tx = self.inner.store.begin().await?;
        if !saved_views::delete(&mut tx, &view.team_id, &view.id).await? {
            return Err(ViewError::NotFound);
        }
        self.record_view(&mut tx, actor, "view.deleted", &view).await?;
        tx.commit().await?;
        Ok(view)
    }

    /// A view that the person may see.
    async fn view(&self, person: Person<'_>, id: &str) -> Result<SavedView, ViewError> {
        let found = saved_views::by_id(&self.inner.store, person.team_id, person.user_id, id).await?;
        found.map(|listed| listed.view).ok_or(ViewError::NotFound)
    }

    async fn record_view(
        &self,
        tx: &mut WriteTx,
        actor: &Actor,
        event: &'static str,
        view: &SavedView,
    ) -> Result<(), store::StoreError> {
        let change = Change::new(event, "view", &view.id, &view.name).after(json!({
            "page": view.page, "query": view.query, "shared": view.is_shared, "default": view.is_default,
        }));
        let now = self.inner.clock.now_ms();
        audit::record(tx, actor, now, Some(&view.team_id), &change).await
    }
}

fn taken(error: StoreError) -> ViewError {
    match error {
        StoreError::Duplicate { .. } => {
            let message = "Name: you have a view of this name already. Choose another name.";
            ViewError::Mistakes(vec![Problem::new("name", "view.taken", message)])
        }
        other => ViewError::Store(other),
    }
}
