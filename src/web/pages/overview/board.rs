//! `GET /board`: how the team's flows do, for a screen on a wall. Whoever is signed in sees it, and whoever has a
//! link of the team's.

use askama::Template;
use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::attention::{Kind, OF_A_KIND, Troubles};
use super::show::{Chip, Coming, chip, coming};
use crate::domain::Role;
use crate::domain::setup::SetupState;
use crate::store::environments::{self, Environment};
use crate::store::setup_lists::{self, SetupFilter};
use crate::store::{findings, flow_lists, sync_state};
use crate::web::error::PageError;
use crate::web::layout::{Layout, Theme};
use crate::web::page::page;
use crate::web::pages::freshness::Freshness;
use crate::web::request_id::RequestId;
use crate::web::saving;
use crate::web::session::{CurrentSession, refuse};
use crate::web::site::Site;
use crate::web::state::AppState;
use crate::web::times::Times;

/// Runs that come next.
const COMING_UP: i64 = 5;
/// Seconds between two looks of a browser without scripts.
const REFRESH_SECONDS: u32 = 60;
/// Seconds between two looks of any other.
const LOOK_SECONDS: u32 = 15;
/// Environments of a team that are looked at.
const ENVIRONMENTS: i64 = 100;
const COOKIE: &str = "headgate-board";

#[derive(Template)]
#[template(path = "overview/board.html")]
struct BoardPage {
    layout: Layout,
    kinds: Vec<Kind>,
    chips: Vec<Chip>,
    coming_up: Vec<Coming>,
    freshness: Freshness,
    look_seconds: u32,
    /// Someone is signed in here.
    has_session: bool,
    may_share: bool,
}

/// What a link carries.
#[derive(Deserialize)]
pub struct Opening {
    key: Option<SecretString>,
}

/// Whose board is shown.
struct Board {
    team_id: String,
    team_name: String,
    environments: Vec<Environment>,
    time_zone: String,
    /// Of who is signed in.
    role: Option<Role>,
}

/// The board; a link's key goes into a cookie first, so that it does not stand on the wall.
pub async fn show(
    State(state): State<AppState>,
    Query(opening): Query<Opening>,
    parts: Parts,
) -> Result<Response, PageError> {
    if let Some(key) = opening.key {
        if state.accounts.find_board_link(&key).await?.is_none() {
            return Err(withdrawn());
        }
        let jar = CookieJar::new().add(kept(&key, &state.site));
        return Ok((jar, Redirect::to("/board")).into_response());
    }
    let Some(board) = Board::of(&state, &parts).await? else {
        return Ok(refuse(&Request::from_parts(parts, Body::empty()), None));
    };
    let request_id = parts.extensions.get().map(RequestId::as_str);
    let mut layout = Layout::signed_out(board.team_name.clone(), request_id.unwrap_or_default());
    layout.theme = Theme::of(&parts.headers);
    layout.alarm = saving::notice(&state.store);
    page(&board.page(&state, layout).await?)
}

fn withdrawn() -> PageError {
    PageError::new(
        StatusCode::NOT_FOUND,
        "board.withdrawn",
        "This link does not work",
    )
    .what("It is not complete, or it was withdrawn.")
    .advice("Ask an admin of your team for a new one. Those who can sign in find the board on the overview.")
}

fn kept(key: &SecretString, site: &Site) -> Cookie<'static> {
    Cookie::build((COOKIE, key.expose_secret().to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .path("/board")
        .permanent()
        .build()
}

impl Board {
    /// The one of the session, else that of the link that the browser keeps.
    async fn of(state: &AppState, parts: &Parts) -> Result<Option<Self>, PageError> {
        if let Some(session) = parts.extensions.get::<CurrentSession>() {
            return Ok(Some(Self {
                team_id: session.team_id.clone(),
                team_name: session.team_name.clone(),
                environments: session.environments.to_vec(),
                time_zone: session.time_zone.clone(),
                role: Some(session.role),
            }));
        }
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(cookie) = jar.get(COOKIE) else {
            return Ok(None);
        };
        let key = SecretString::from(cookie.value());
        let Some(found) = state.accounts.find_board_link(&key).await? else {
            return Ok(None);
        };
        let mut environments =
            environments::list(&state.store, &found.link.team_id, None, ENVIRONMENTS).await?;
        environments.retain(|environment| environment.archived_at.is_none());
        Ok(Some(Self {
            team_id: found.link.team_id,
            team_name: found.team_name,
            environments,
            time_zone: state.settings.time_zone.clone(),
            role: None,
        }))
    }

    async fn page(self, state: &AppState, mut layout: Layout) -> Result<BoardPage, PageError> {
        let (store, team_id, now_ms) = (&state.store, self.team_id.as_str(), state.clock.now_ms());
        let asking = SetupFilter {
            state: Some(SetupState::NeedsAttention),
            ..SetupFilter::default()
        };
        let of_a_kind = OF_A_KIND as i64;
        let (sync, counts, flows, setups, next_runs, findings) = tokio::try_join!(
            sync_state::all_for(store, team_id),
            flow_lists::counts(store, team_id, now_ms),
            flow_lists::troubled(store, team_id, now_ms, of_a_kind),
            setup_lists::list(store, team_id, asking, None, of_a_kind + 1),
            flow_lists::next_runs(store, team_id, now_ms, COMING_UP),
            findings::count_open(store, team_id),
        )?;
        let times = Times::new(&self.time_zone, now_ms);
        let freshness = Freshness::of(&sync, self.environments.iter(), &times);
        let troubles = Troubles {
            freshness: &freshness,
            setups,
            flows,
            counts: &counts,
            open_findings: findings.iter().map(|(_, count)| count).sum(),
        };
        layout.read_at.clone_from(&freshness.read_at);
        layout.refresh_seconds = Some(REFRESH_SECONDS);
        Ok(BoardPage {
            kinds: troubles.kinds(&times, now_ms),
            layout,
            chips: counts.iter().map(chip).collect(),
            coming_up: next_runs.into_iter().map(|run| coming(run, &times)).collect(),
            freshness,
            look_seconds: LOOK_SECONDS,
            has_session: self.role.is_some(),
            may_share: self.role >= Some(Role::Admin),
        })
    }
}
