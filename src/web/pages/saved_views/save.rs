//! `POST /views`: keeps the filters of a page under a name.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};

use super::edit::{self, ViewPage};
use super::form::{SentView, viewing};
use super::{address, canonical};
use crate::accounts::views::ViewError;
use crate::store::saved_views::ViewedPage;
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::{DONE, Visit};

/// Keeps them.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(sent): Form<SentView>,
) -> Result<Response, PageError> {
    let page: ViewedPage = sent.page.parse().map_err(|_| PageError::not_found())?;
    let query = canonical(&sent.query);
    let saved = state
        .accounts
        .add_view(&visit.actor(), viewing(&visit), page, query.clone(), sent.form())
        .await;
    match saved {
        Ok(view) => {
            let address = address(page, &view.query);
            Ok(Redirect::to(&format!("{address}&{DONE}=view-saved")).into_response())
        }
        Err(ViewError::Mistakes(problems)) => {
            ViewPage::unsaved(&visit, page, query, &sent.form(), &problems).refused()
        }
        Err(error) => Err(edit::told(error)),
    }
}
