//! `/board/links`: the links by which screens show the board without a sign-in.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::form_urlencoded;

use crate::accounts::boards::{BOARD_LINK_NAME_MAX, BOARD_LINKS_MAX, BoardLinkError};
use crate::domain::Problem;
use crate::store::board_links::{self, NamedBoardLink};
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::times::{TimeView, Times};
use crate::web::visit::{Visit, with_done};

const PAGE: &str = "/board/links";

#[derive(Template)]
#[template(path = "overview/board_links.html")]
struct LinksPage {
    layout: Layout,
    form_errors: FormErrors,
    name: FieldView,
    links: Vec<LinkRow>,
    /// The name and the address of the link that was just made.
    made: Option<(String, String)>,
}

struct LinkRow {
    id: String,
    name: String,
    creator: String,
    created: TimeView,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SentLink {
    name: String,
}

/// The links there are.
pub async fn list(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    page(&LinksPage::new(&state, &visit, "", &[]).await?)
}

/// Makes one, and shows its address this once.
pub async fn add(
    State(state): State<AppState>,
    visit: Visit,
    Form(sent): Form<SentLink>,
) -> Result<Response, PageError> {
    let made = state
        .accounts
        .add_board_link(&visit.actor(), visit.person(), &sent.name)
        .await;
    match made {
        Ok(key) => {
            let mut links = LinksPage::new(&state, &visit, "", &[]).await?;
            links.made = Some((sent.name.trim().to_owned(), address(&state, &key)));
            page(&links)
        }
        Err(BoardLinkError::Mistakes(problems)) => {
            let mut links = LinksPage::new(&state, &visit, &sent.name, &problems).await?;
            links.layout.title = format!("Error: {}", links.layout.title);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &links)
        }
        Err(error) => Err(told(error)),
    }
}

/// Withdraws one.
pub async fn withdraw(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let actor = visit.actor();
    let withdrawn = state.accounts.withdraw_board_link(&actor, visit.person(), &id);
    withdrawn.await.map_err(told)?;
    Ok(Redirect::to(&with_done(PAGE, "board-withdrawn")).into_response())
}

fn address(state: &AppState, key: &SecretString) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("key", key.expose_secret());
    format!("{}/board?{}", state.site.public_origin(), query.finish())
}

/// What is none of the form's.
fn told(error: BoardLinkError) -> PageError {
    match error {
        BoardLinkError::NotFound => PageError::not_found(),
        BoardLinkError::Store(error) => error.into(),
        mistakes @ BoardLinkError::Mistakes(_) => PageError::internal(mistakes),
    }
}

impl LinksPage {
    async fn new(
        state: &AppState,
        visit: &Visit,
        name: &str,
        problems: &[Problem],
    ) -> Result<Self, PageError> {
        let links = board_links::list(&state.store, &visit.session.team_id, BOARD_LINKS_MAX).await?;
        let times = visit.times();
        let name = FieldView::new(FieldKind::Text, "name", "Screen")
            .hint(format!("Where it hangs, so that you know which link to withdraw. At most {BOARD_LINK_NAME_MAX} characters."))
            .value(name)
            .width(FieldWidth::Medium)
            .problem_of(problems);
        Ok(Self {
            layout: visit.layout("Links for screens", NavEntry::Overview),
            form_errors: FormErrors::of([&name]),
            name,
            links: links.into_iter().map(|link| row(link, &times)).collect(),
            made: None,
        })
    }
}

fn row(
    NamedBoardLink {
        link, creator_name, ..
    }: NamedBoardLink,
    times: &Times,
) -> LinkRow {
    LinkRow {
        id: link.id,
        name: link.name,
        creator: creator_name,
        created: times.at(link.created_at),
    }
}
