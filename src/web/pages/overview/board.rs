//! `GET /board`: how the team's flows do, for a screen on a wall. Whoever is signed in sees it, and whoever has a
//! link of the team's. `GET /board/live` tells an open one that something has changed.

use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::situation::{Looking, Situation};
use crate::domain::Role;
use crate::store::StoreError;
use crate::store::environments::{self, Environment};
use crate::web::error::PageError;
use crate::web::layout::{Layout, Theme};
use crate::web::page::page;
use crate::web::pages::live::{self, Pass, Shown};
use crate::web::request_id::RequestId;
use crate::web::saving;
use crate::web::session::{CurrentSession, refuse};
use crate::web::site::Site;
use crate::web::state::AppState;
use crate::web::times::Times;

const PAGE: &str = "/board";
/// Where somebody who is signed in is led who opens a link.
const NOT_KEPT: &str = "/board?kept=no";
/// Runs that come next.
const COMING_UP: i64 = 5;
/// Seconds between two looks of a browser without scripts.
const REFRESH_SECONDS: u32 = 60;
/// Seconds between two looks of any other, besides those at what it is told: a screen whose link is withdrawn goes
/// on showing flows no longer than that.
const LOOK_SECONDS: u32 = 15;
/// Environments of a team that are looked at.
const ENVIRONMENTS: i64 = 100;
const COOKIE: &str = "headgate-board";

#[derive(Template)]
#[template(path = "overview/board.html")]
struct BoardPage {
    layout: Layout,
    team: String,
    situation: Situation,
    look_seconds: u32,
    /// Of who is signed in here.
    role: Option<Role>,
    link_was_not_kept: bool,
}

/// What stands in the address.
#[derive(Deserialize)]
pub struct Opening {
    key: Option<SecretString>,
    kept: Option<String>,
}

/// Whose board is shown.
struct Board {
    team_id: String,
    team: String,
    environments: Arc<[Environment]>,
    times: Times,
    now_ms: i64,
    /// Of who is signed in.
    role: Option<Role>,
    /// By what it may be shown.
    pass: Pass,
}

/// The board. A link's key goes into a cookie first: it stands neither on the wall nor, as a referrer, in a log.
pub async fn show(
    State(state): State<AppState>,
    Query(opening): Query<Opening>,
    parts: Parts,
) -> Result<Response, PageError> {
    let is_signed_in = parts.extensions.get::<CurrentSession>().is_some();
    match opening.key {
        // It would stay there when they sign out.
        Some(_) if is_signed_in => Ok(Redirect::to(NOT_KEPT).into_response()),
        Some(key) => Ok((cookies(&key, &state.site), Redirect::to(PAGE)).into_response()),
        None => match Board::of(&state, &parts).await? {
            Ok(board) => board.page(&state, &parts, opening.kept.is_some()).await,
            Err(refusal) => Ok(refusal),
        },
    }
}

/// What an open board hears.
pub async fn follow(State(state): State<AppState>, parts: Parts) -> Result<Response, PageError> {
    Ok(match Board::of(&state, &parts).await? {
        Ok(board) => live::stream_of(state, board.shown()),
        Err(refusal) => refusal,
    })
}

/// The key of the link that was opened in this browser.
fn key_of(parts: &Parts) -> Option<SecretString> {
    let jar = CookieJar::from_headers(&parts.headers);
    jar.get(COOKIE).map(|cookie| SecretString::from(cookie.value()))
}

fn cookies(key: &SecretString, site: &Site) -> CookieJar {
    let cookie = Cookie::build((COOKIE, key.expose_secret().to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .path(PAGE)
        .permanent();
    CookieJar::new().add(cookie)
}

fn no_such_link() -> Response {
    let error = PageError::new(
        StatusCode::NOT_FOUND,
        "board.withdrawn",
        "This link does not work",
    )
    .what("It is not complete, or it was withdrawn.")
    .advice("Ask an admin of your team for a new one. Those who can sign in find the board on the overview.");
    let mut response = error.into_response();
    // A board that is open must not go on showing what it has.
    response
        .headers_mut()
        .insert("hx-redirect", HeaderValue::from_static(PAGE));
    response
}

impl Board {
    /// Whose board this browser may show, or why none.
    async fn of(state: &AppState, parts: &Parts) -> Result<Result<Self, Response>, PageError> {
        if let Some(session) = parts.extensions.get() {
            let pass = Pass::of_session(&parts.headers, state)?;
            return Ok(Ok(Self::of_session(session, pass, state)));
        }
        let Some(key) = key_of(parts) else {
            let request = Request::from_parts(parts.clone(), Body::empty());
            return Ok(Err(refuse(&request, None)));
        };
        Ok(Self::of_link(state, key).await?.ok_or_else(no_such_link))
    }

    fn of_session(session: &CurrentSession, pass: Pass, state: &AppState) -> Self {
        let now_ms = state.clock.now_ms();
        Self {
            team_id: session.team_id.clone(),
            team: session.team_name.clone(),
            environments: Arc::clone(&session.environments),
            times: Times::new(&session.time_zone, now_ms),
            now_ms,
            role: Some(session.role),
            pass,
        }
    }

    async fn of_link(state: &AppState, key: SecretString) -> Result<Option<Self>, StoreError> {
        let Some(found) = state.accounts.find_board_link(&key).await? else {
            return Ok(None);
        };
        let team_id = found.link.team_id;
        let mut environments = environments::list(&state.store, &team_id, None, ENVIRONMENTS).await?;
        environments.retain(|environment| environment.archived_at.is_none());
        let now_ms = state.clock.now_ms();
        Ok(Some(Self {
            team_id,
            team: found.team_name,
            environments: environments.into(),
            times: Times::new(&state.settings.time_zone, now_ms),
            now_ms,
            role: None,
            pass: Pass::BoardLink(key),
        }))
    }

    fn shown(self) -> Shown {
        Shown {
            pass: self.pass,
            team_id: self.team_id,
            environments: self.environments,
            flow_id: None,
            times: self.times,
        }
    }

    async fn page(
        self,
        state: &AppState,
        parts: &Parts,
        link_was_not_kept: bool,
    ) -> Result<Response, PageError> {
        let looking = Looking {
            team_id: &self.team_id,
            environments: &self.environments,
            times: &self.times,
            now_ms: self.now_ms,
            coming_up: COMING_UP,
        };
        let situation = Situation::read(&state.store, looking).await?;
        let request_id = parts.extensions.get().map(RequestId::as_str);
        let title = format!("Wall board of {}", self.team);
        let mut layout = Layout::signed_out(title, request_id.unwrap_or_default());
        layout.theme = Theme::of(&parts.headers);
        layout.alarm = saving::notice(&state.store);
        layout.read_at.clone_from(&situation.freshness.read_at);
        layout.refresh_seconds = Some(REFRESH_SECONDS);
        let shown = page(&BoardPage {
            layout,
            team: self.team,
            situation,
            look_seconds: LOOK_SECONDS,
            role: self.role,
            link_was_not_kept,
        })?;
        // Browsers keep a cookie for a limited time, counted from when they last got it.
        let renewed = match &self.pass {
            Pass::Session(_) => None,
            Pass::BoardLink(key) => Some(cookies(key, &state.site)),
        };
        Ok((renewed, shown).into_response())
    }
}
