//! `GET /setups/{id}/events`: the progress of a setup as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use secrecy::ExposeSecret;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::show::{SetupProgressFragment, load};
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// What one open page follows.
struct Watch {
    state: AppState,
    visit: Visit,
    id: String,
    changes: broadcast::Receiver<String>,
    ended: bool,
}

/// Sends the progress fragment at once and again after each change; ends when the setup moves no more.
pub async fn events(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    // Subscribed before the first read, so that no change falls between the two.
    let changes = state.setups.changes();
    load(&state, &visit, &id).await?;
    let watch = Watch {
        state,
        visit,
        id,
        changes,
        ended: false,
    };
    let events = stream::unfold((watch, true), |(mut watch, first)| async move {
        if watch.ended || (!first && !watch.wait_for_change().await) {
            return None;
        }
        let event = watch.event().await?;
        Some((Ok::<Event, Infallible>(event), (watch, false)))
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

impl Watch {
    /// False: the server is going down.
    async fn wait_for_change(&mut self) -> bool {
        let stopping = self.state.lifecycle.stopping();
        loop {
            let change = tokio::select! {
                () = stopping.cancelled() => return false,
                change = self.changes.recv() => change,
            };
            match change {
                Ok(id) if id == self.id => return true,
                Ok(_) => {}
                // Something was missed, perhaps ours.
                Err(RecvError::Lagged(_)) => return true,
                Err(RecvError::Closed) => return false,
            }
        }
    }

    /// The fragment as it is now. A setup that moves no more makes the page load itself once more, so that
    /// everything around the fragment is right too.
    async fn event(&mut self) -> Option<Event> {
        let (_, _, view) = load(&self.state, &self.visit, &self.id).await.ok()?;
        self.ended = !view.is_moving();
        let name = if self.ended { "final" } else { "progress" };
        let csrf = self.visit.session.csrf.expose_secret().to_owned();
        let html = SetupProgressFragment { csrf, setup: view }.render().ok()?;
        Some(Event::default().event(name).data(html))
    }
}
