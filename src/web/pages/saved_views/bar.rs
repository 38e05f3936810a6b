//! The row of views above a list, for `components/saved_views.html`.

use super::form::ViewFields;
use super::{address, canonical};
use crate::domain::Role;
use crate::store::saved_views::{self, ViewedPage};
use crate::store::{Store, StoreError};
use crate::web::visit::Visit;

/// Views that are shown: a person's own and those that others share.
const VIEWS_SHOWN: i64 = 100;

/// The views of a page, and the form that keeps the present filters.
#[derive(Debug)]
pub(in crate::web::pages) struct ViewsBar {
    pub(in crate::web::pages) page: ViewedPage,
    /// "All flows".
    pub(in crate::web::pages) everything: &'static str,
    pub(in crate::web::pages) everything_href: String,
    pub(in crate::web::pages) views: Vec<ViewLink>,
    /// The present filters; empty: none are set.
    pub(in crate::web::pages) query: String,
    /// Set where the present filters are worth a name.
    pub(in crate::web::pages) fields: Option<ViewFields>,
}

/// One view.
#[derive(Debug)]
pub(in crate::web::pages) struct ViewLink {
    pub(in crate::web::pages) id: String,
    pub(in crate::web::pages) name: String,
    pub(in crate::web::pages) href: String,
    /// Who shares it; empty for one's own.
    pub(in crate::web::pages) shared_by: String,
    pub(in crate::web::pages) is_default: bool,
    pub(in crate::web::pages) is_current: bool,
    pub(in crate::web::pages) may_change: bool,
}

impl ViewsBar {
    /// For a page that shows what fits the filters of `query`.
    pub(in crate::web::pages) async fn read(
        store: &Store,
        visit: &Visit,
        page: ViewedPage,
        everything: &'static str,
        query: &str,
    ) -> Result<Self, StoreError> {
        let (team_id, user_id) = (&visit.session.team_id, &visit.session.user_id);
        let query = canonical(query);
        let listed = saved_views::list(store, team_id, user_id, page, VIEWS_SHOWN).await?;
        let views = listed.into_iter().map(|listed| {
            let view = listed.view;
            let is_own = view.user_id == *user_id;
            ViewLink {
                href: address(page, &view.query),
                shared_by: if is_own { String::new() } else { listed.owner_name },
                is_default: is_own && view.is_default,
                is_current: view.query == query,
                may_change: is_own || visit.may(Role::Admin),
                id: view.id,
                name: view.name,
            }
        });
        let views: Vec<ViewLink> = views.collect();
        let is_kept = views
            .iter()
            .any(|view| view.is_current && view.shared_by.is_empty());
        Ok(Self {
            page,
            everything,
            everything_href: address(page, ""),
            views,
            fields: (!query.is_empty() && !is_kept).then(|| ViewFields::empty(visit.may(Role::Editor))),
            query,
        })
    }

    /// Whether the page shows everything.
    pub(in crate::web::pages) fn shows_everything(&self) -> bool {
        self.query.is_empty()
    }
}

/// Where a person who opens a page without any query is led: their default view.
pub(in crate::web::pages) async fn default_address(
    store: &Store,
    visit: &Visit,
    page: ViewedPage,
    query: &str,
) -> Result<Option<String>, StoreError> {
    if !query.is_empty() {
        return Ok(None);
    }
    let (team_id, user_id) = (&visit.session.team_id, &visit.session.user_id);
    let query = saved_views::default_of(store, team_id, user_id, page).await?;
    Ok(query.map(|query| address(page, &query)))
}
