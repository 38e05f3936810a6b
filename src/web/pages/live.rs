//! `GET /live` and its like for one flow and for the board: tells an open page that something which it shows has
//! changed, as server-sent events.
//!
//! An event carries no content: the page asks for its own parts again. However many pages are open, the platform is
//! asked once: a stream only says that somebody looks at an environment.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::freshness::Freshness;
use crate::history::{HistoryChange, WatchGuard};
use crate::store::{StoreError, environments::Environment, flows, sync_state};
use crate::web::error::PageError;
use crate::web::session_layer::cookie_value;
use crate::web::state::AppState;
use crate::web::times::Times;
use crate::web::visit::Visit;

/// A page that hears nothing for longer than two of these says that updates are paused; `live.js` counts with it.
const BEAT: Duration = Duration::from_secs(5);
/// Changes that come in quick succession are told together.
const TOGETHER: Duration = Duration::from_secs(1);
/// The stream ends then, and the browser opens another one: environments that came meanwhile are followed, too.
const LONGEST: Duration = Duration::from_secs(300);

/// By what a page is followed: the value of a cookie.
pub(in crate::web::pages) enum Pass {
    Session(SecretString),
    BoardLink(SecretString),
}

/// What one open page shows.
pub(in crate::web::pages) struct Shown {
    pub(in crate::web::pages) pass: Pass,
    pub(in crate::web::pages) team_id: String,
    pub(in crate::web::pages) environments: Arc<[Environment]>,
    /// None: all flows of these environments.
    pub(in crate::web::pages) flow_id: Option<String>,
    pub(in crate::web::pages) times: Times,
}

/// What one open page follows.
struct Watch {
    state: AppState,
    shown: Shown,
    changes: broadcast::Receiver<HistoryChange>,
    _guards: Vec<WatchGuard>,
    until: Instant,
    quiet_until: Instant,
}

/// What is told.
enum Word {
    /// Rows have changed.
    Changed,
    /// A reading ended and changed nothing that is shown, or failed.
    Read,
    /// The stream is alive.
    Beat,
}

/// The stream for a page that shows all environments of the team.
pub async fn of_team(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let shown = Shown {
        pass: Pass::of_session(&headers, &state)?,
        times: visit.times(),
        team_id: visit.session.team_id,
        environments: visit.environments,
        flow_id: None,
    };
    Ok(stream_of(state, shown))
}

/// The stream for a page that shows one flow.
pub async fn of_flow(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let flow = flows::by_id(&state.store, &visit.session.team_id, None, &id).await?;
    let flow = flow.ok_or_else(PageError::not_found)?;
    let visit = visit.only_in_environment(&flow.record.environment_id);
    let shown = Shown {
        pass: Pass::of_session(&headers, &state)?,
        times: visit.times(),
        team_id: visit.session.team_id,
        environments: visit.environments,
        flow_id: Some(id),
    };
    Ok(stream_of(state, shown))
}

/// The stream for a page that shows this.
pub(in crate::web::pages) fn stream_of(state: AppState, shown: Shown) -> Response {
    let now = Instant::now();
    let watch = Watch {
        changes: state.history.changes(),
        _guards: shown
            .environments
            .iter()
            .map(|environment| state.history.watch(&environment.id, shown.flow_id.as_deref()))
            .collect(),
        until: now + LONGEST,
        quiet_until: now,
        shown,
        state,
    };
    // A page that has just been loaded shows what there is; the first word only says that it is followed.
    let events = stream::unfold((watch, Some(Word::Beat)), |(mut watch, first)| async move {
        let word = match first {
            Some(word) => word,
            None => watch.next_word().await?,
        };
        let event = watch.event(&word).await.ok()??;
        Some((Ok::<Event, Infallible>(event), (watch, None)))
    });
    Sse::new(events).into_response()
}

impl Pass {
    /// That of somebody who is signed in.
    pub(in crate::web::pages) fn of_session(
        headers: &HeaderMap,
        state: &AppState,
    ) -> Result<Self, PageError> {
        let cookie = cookie_value(headers, &state.site);
        let cookie = cookie.ok_or_else(|| PageError::of_status(StatusCode::UNAUTHORIZED))?;
        Ok(Self::Session(cookie))
    }

    /// Whether it still leads to what this team has.
    async fn leads_to(&self, team_id: &str, state: &AppState) -> Result<bool, StoreError> {
        let team = match self {
            Self::Session(cookie) => {
                let session = state.accounts.find_session(cookie).await?;
                session.map(|session| session.row.team_id)
            }
            Self::BoardLink(key) => {
                let found = state.accounts.find_board_link(key).await?;
                found.map(|found| found.link.team_id)
            }
        };
        Ok(team.as_deref() == Some(team_id))
    }
}

impl Watch {
    /// None: the stream ends.
    async fn next_word(&mut self) -> Option<Word> {
        let stopping = self.state.lifecycle.stopping();
        let beat = Instant::now() + BEAT;
        loop {
            let change = tokio::select! {
                () = stopping.cancelled() => return None,
                () = tokio::time::sleep_until(beat.min(self.until).into()) => {
                    return (Instant::now() < self.until).then_some(Word::Beat);
                }
                change = self.changes.recv() => change,
            };
            match change {
                Ok(change) if !self.is_about(&change) => {}
                Ok(change) if self.shows(&change) => {
                    self.gather().await;
                    return Some(Word::Changed);
                }
                Ok(_) => return Some(Word::Read),
                // Something was missed, perhaps ours.
                Err(RecvError::Lagged(_)) => return Some(Word::Changed),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn is_about(&self, change: &HistoryChange) -> bool {
        self.shown
            .environments
            .iter()
            .any(|environment| environment.id == change.environment_id)
    }

    fn shows(&self, change: &HistoryChange) -> bool {
        match &self.shown.flow_id {
            Some(flow) => change.flow_ids.contains(flow),
            None => !change.flow_ids.is_empty(),
        }
    }

    /// Waits until the last telling is long enough ago; what comes meanwhile is told along with it.
    async fn gather(&mut self) {
        tokio::time::sleep_until(self.quiet_until.into()).await;
        while self.changes.try_recv().is_ok() {}
        self.quiet_until = Instant::now() + TOGETHER;
    }

    /// The word with the time at which everything shown was read, as the page writes it. None: whoever looks may no
    /// longer.
    async fn event(&self, word: &Word) -> Result<Option<Event>, StoreError> {
        let name = match word {
            Word::Changed => "changed",
            Word::Read => "read",
            Word::Beat => "beat",
        };
        let shown = &self.shown;
        if !shown.pass.leads_to(&shown.team_id, &self.state).await? {
            return Ok(None);
        }
        let sync = sync_state::all_for(&self.state.store, &shown.team_id).await?;
        let freshness = Freshness::of(&sync, shown.environments.iter(), &shown.times);
        let read_at = freshness
            .read_at
            .map(|at| json!({"at": at.iso().to_string(), "clock": at.clock().to_string(), "utc": at.utc().to_string()}));
        let failing = !freshness.failing.is_empty();
        let data = json!({"read": read_at, "failing": failing});
        Ok(Some(Event::default().event(name).data(data.to_string())))
    }
}
