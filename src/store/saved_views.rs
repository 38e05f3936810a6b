//! Filters of lists that people keep under a name.

use super::{Store, StoreError, WriteTx};
use crate::domain::words;

words! {
    /// A page whose filters can be kept.
    pub enum ViewedPage {
        /// The list of flows.
        Flows = "flows",
        /// The runs of all flows.
        Runs = "runs",
    }
}

/// A kept filter.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SavedView {
    /// Ours.
    pub id: String,
    /// Where it can be seen.
    pub team_id: String,
    /// Whose it is.
    pub user_id: String,
    /// Which page it filters.
    pub page: ViewedPage,
    /// Unique for its owner and page.
    pub name: String,
    /// What stands after the question mark.
    pub query: String,
    /// The whole team sees it.
    pub is_shared: bool,
    /// Its owner sees it on opening the page; at most one a page.
    pub is_default: bool,
    /// UTC epoch milliseconds.
    pub created_at: i64,
}

/// A view that a person may see.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ListedView {
    /// The view.
    #[sqlx(flatten)]
    pub view: SavedView,
    /// Its owner's name.
    pub owner_name: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.team_id, v.user_id, v.page, v.name, v.query, v.is_shared <> 0 AS is_shared, ",
            "v.is_default <> 0 AS is_default, v.created_at, u.name AS owner_name ",
            "FROM saved_views v JOIN users u ON u.id = v.user_id WHERE v.team_id = $1 ",
            "AND (v.user_id = $2 OR v.is_shared <> 0) AND ",
            $rest
        )
    };
}

const LIST: &str =
    select!("v.page = $3 ORDER BY CASE WHEN v.user_id = $2 THEN 0 ELSE 1 END, v.name, v.id LIMIT $4");
const BY_ID: &str = select!("v.id = $3");
const DEFAULT_OF: &str =
    "SELECT query FROM saved_views WHERE team_id = $1 AND user_id = $2 AND page = $3 AND is_default <> 0";
const COUNT_OF: &str = "SELECT COUNT(*) FROM saved_views WHERE team_id = $1 AND user_id = $2 AND page = $3";
const INSERT: &str = "INSERT INTO saved_views (id, team_id, user_id, page, name, query, is_shared, is_default, \
     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str =
    "UPDATE saved_views SET name = $3, is_shared = $4, is_default = $5 WHERE id = $2 AND team_id = $1";
const NO_OTHER_DEFAULT: &str = "UPDATE saved_views SET is_default = 0 \
     WHERE team_id = $1 AND user_id = $2 AND page = $3 AND id <> $4 AND is_default <> 0";
const DELETE: &str = "DELETE FROM saved_views WHERE id = $2 AND team_id = $1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LIST, BY_ID, DEFAULT_OF, COUNT_OF];

/// The views of a page that a person may see: their own, then those that others share.
pub async fn list(
    store: &Store,
    team_id: &str,
    user_id: &str,
    page: ViewedPage,
    limit: i64,
) -> Result<Vec<ListedView>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST)
        .bind(team_id)
        .bind(user_id)
        .bind(page.as_str())
        .bind(limit)
        .fetch_all(db))
}

/// A view that a person may see.
pub async fn by_id(
    store: &Store,
    team_id: &str,
    user_id: &str,
    id: &str,
) -> Result<Option<ListedView>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_ID)
        .bind(team_id)
        .bind(user_id)
        .bind(id)
        .fetch_optional(db))
}

/// The query of the view that a person sees on opening a page.
pub async fn default_of(
    store: &Store,
    team_id: &str,
    user_id: &str,
    page: ViewedPage,
) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(DEFAULT_OF)
        .bind(team_id)
        .bind(user_id)
        .bind(page.as_str())
        .fetch_optional(db))
}

/// How many views of a page a person keeps.
pub async fn count_of(
    store: &Store,
    team_id: &str,
    user_id: &str,
    page: ViewedPage,
) -> Result<i64, StoreError> {
    read!(store, |db| sqlx::query_scalar(COUNT_OF)
        .bind(team_id)
        .bind(user_id)
        .bind(page.as_str())
        .fetch_one(db))
}

/// Keeps a view. [`StoreError::Duplicate`]: its owner has one of this name on this page.
pub async fn insert(tx: &mut WriteTx, view: &SavedView) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&view.id)
        .bind(&view.team_id)
        .bind(&view.user_id)
        .bind(view.page.as_str())
        .bind(&view.name)
        .bind(&view.query)
        .bind(i64::from(view.is_shared))
        .bind(i64::from(view.is_default))
        .bind(view.created_at);
    change!(tx, |db| insert.execute(db))?;
    no_other_default(tx, view).await
}

/// Saves what may change: name, who sees it, whether it is the default. False: it is gone.
/// [`StoreError::Duplicate`]: its owner has another one of this name on this page.
pub async fn update(tx: &mut WriteTx, view: &SavedView) -> Result<bool, StoreError> {
    let update = sqlx::query(UPDATE)
        .bind(&view.team_id)
        .bind(&view.id)
        .bind(&view.name)
        .bind(i64::from(view.is_shared))
        .bind(i64::from(view.is_default));
    let is_there = change!(tx, |db| update.execute(db))?.rows_affected() == 1;
    no_other_default(tx, view).await?;
    Ok(is_there)
}

async fn no_other_default(tx: &mut WriteTx, view: &SavedView) -> Result<(), StoreError> {
    if view.is_default {
        let update = sqlx::query(NO_OTHER_DEFAULT)
            .bind(&view.team_id)
            .bind(&view.user_id)
            .bind(view.page.as_str())
            .bind(&view.id);
        change!(tx, |db| update.execute(db))?;
    }
    Ok(())
}

/// Removes a view. False: it is gone already.
pub async fn delete(tx: &mut WriteTx, team_id: &str, id: &str) -> Result<bool, StoreError> {
    let delete = sqlx::query(DELETE).bind(team_id).bind(id);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected() == 1)
}
