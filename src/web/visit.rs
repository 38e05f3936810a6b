//! One person's visit to a page: who, from where, in which environment, and the frame around the page.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use secrecy::ExposeSecret;
use url::form_urlencoded;

use super::error::PageError;
use super::layout::{EnvironmentChoice, Flash, Layout, NavEntry, PersonView, Theme};
use super::request_id::RequestId;
use super::saving;
use super::session::CurrentSession;
use super::state::AppState;
use super::status::Status;
use super::times::Times;
use crate::accounts::sessions::Person;
use crate::audit::Actor;
use crate::connection_templates::By;
use crate::domain::Role;
use crate::store::environments::Environment;

/// Cookie that remembers the chosen environment; it holds an id and needs no protection.
pub const ENVIRONMENT_COOKIE: &str = "hg-environment";
/// Query parameter by which a redirect tells what an action did: a key of [`told`].
pub const DONE: &str = "done";

/// A page's address with the word of what was just done.
pub fn with_done(page: &str, key: &str) -> String {
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != DONE);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair(DONE, key);
    format!("{path}?{}", query.finish())
}

/// A signed-in person's visit.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Who.
    pub session: CurrentSession,
    /// The environments to choose from: those of the team that are in use, by name.
    pub environments: Arc<[Environment]>,
    /// UTC epoch milliseconds of this request.
    pub now_ms: i64,
    chosen_environment: Option<String>,
    theme: Theme,
    request_id: String,
    demo: Option<String>,
    alarm: Option<&'static str>,
    done: Option<Flash>,
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, PageError> {
        let session =
            <CurrentSession as FromRequestParts<AppState>>::from_request_parts(parts, state).await?;
        let chosen = CookieJar::from_headers(&parts.headers)
            .get(ENVIRONMENT_COOKIE)
            .map(|c| c.value().to_owned());
        let query: HashMap<String, String> = axum::extract::Query::try_from_uri(&parts.uri)
            .map(|q| q.0)
            .unwrap_or_default();
        Ok(Self {
            environments: Arc::clone(&session.environments),
            now_ms: state.clock.now_ms(),
            chosen_environment: chosen,
            theme: Theme::of(&parts.headers),
            request_id: parts
                .extensions
                .get::<RequestId>()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
            demo: state.settings.demo.as_ref().map(|demo| demo.banner.clone()),
            alarm: saving::notice(&state.store),
            done: query.get(DONE).and_then(|key| told(key)),
            session,
        })
    }
}

impl Visit {
    /// The environment that pages show: the chosen one, else the first.
    pub fn environment(&self) -> Option<&Environment> {
        let chosen = |e: &&Environment| Some(&e.id) == self.chosen_environment.as_ref();
        self.environments
            .iter()
            .find(chosen)
            .or(self.environments.first())
    }

    /// The ids of the environments to choose from.
    pub fn environment_ids(&self) -> Vec<&str> {
        self.environments.iter().map(|e| e.id.as_str()).collect()
    }

    /// Another environment than the chosen one is shown on this page.
    pub fn in_environment(mut self, id: &str) -> Self {
        self.chosen_environment = Some(id.to_owned());
        self
    }

    /// The same, and no other can be chosen.
    pub fn only_in_environment(self, id: &str) -> Self {
        let mut visit = self.in_environment(id);
        let only = visit
            .environments
            .iter()
            .filter(|environment| environment.id == id);
        visit.environments = only.cloned().collect();
        visit
    }

    /// Formats times in the person's zone.
    pub fn times(&self) -> Times {
        Times::new(&self.session.time_zone, self.now_ms)
    }

    /// Whether the person's role is at least this one.
    pub fn may(&self, role: Role) -> bool {
        self.session.role >= role
    }

    /// Who stands in the audit trail for what this request does.
    pub fn actor(&self) -> Actor {
        let s = &self.session;
        Actor::person(
            &s.user_id,
            &s.user_name,
            s.role,
            &s.session_id,
            &s.client_address,
            &self.request_id,
        )
    }

    /// Who this is, for the room of accounts.
    pub fn person(&self) -> Person<'_> {
        Person {
            user_id: &self.session.user_id,
            name: &self.session.user_name,
            team_id: &self.session.team_id,
        }
    }

    /// The same with team and time, for what changes templates and drafts.
    pub fn by<'a>(&'a self, actor: &'a Actor) -> By<'a> {
        By {
            actor,
            user_id: &self.session.user_id,
            team_id: &self.session.team_id,
            now_ms: self.now_ms,
        }
    }

    /// The id under which the log knows this request.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The frame around a page.
    pub fn layout(&self, title: impl Into<String>, active: NavEntry) -> Layout {
        let mut layout = self.plain_layout(title);
        layout.active = Some(active);
        layout
    }

    /// The frame of a page that belongs to no entry of the left list.
    pub fn plain_layout(&self, title: impl Into<String>) -> Layout {
        let person = PersonView {
            name: self.session.user_name.clone(),
            role: self.session.role.to_string(),
            team: self.session.team_name.clone(),
            may_create: self.may(Role::Editor),
        };
        let selected = self.environment().map(|e| e.id.clone());
        let choice = |e: &Environment| EnvironmentChoice {
            id: e.id.clone(),
            name: e.name.clone(),
            sandbox: e.sandbox.clone(),
            is_production: e.production,
            selected: Some(&e.id) == selected.as_ref(),
        };
        let mut layout =
            Layout::signed_in(title, &self.request_id, person, self.session.csrf.expose_secret());
        layout.theme = self.theme;
        layout.environments = self.environments.iter().map(choice).collect();
        layout.flash = self.done.clone().into_iter().collect();
        layout.demo.clone_from(&self.demo);
        layout.alarm = self.alarm;
        layout
    }
}

/// What an action did, by the key that its redirect carries. Only these texts can be shown: a link cannot put
/// words of its own on a page.
fn told(key: &str) -> Option<Flash> {
    let text = match key {
        "environment-added" => "The environment was added.",
        "environment-saved" => "The environment was saved.",
        "environment-archived" => "The environment was archived. Its history stays.",
        "template-created" => "The template was created. Your team can use it now.",
        "template-saved" => "A new version of the template was saved.",
        "template-archived" => "The template was archived. Dataflows made from it go on.",
        "template-restored" => "The template can be used again.",
        "flow-enabled" => "The dataflow was enabled at Adobe.",
        "refreshed" => "Everything was read from Adobe again.",
        "refreshing" => {
            "Reading from Adobe takes longer than usual. It goes on; this page shows it by itself."
        }
        "refresh-failed" => "Adobe could not be read. What is shown is what was known before.",
        "run-started" => "Adobe started a run. It appears here by itself.",
        "flow-disabled" => "The dataflow was disabled at Adobe.",
        "setup-resumed" => "The setup goes on.",
        "setup-changed" => "The new answers are in place, and the setup goes on.",
        "setup-kept" => "What cannot be deleted is kept; the rest is being taken back.",
        "setup-left" => "The setup ended here. What exists at Adobe stays.",
        "setup-undo" => "What this setup made is being taken back.",
        "setup-unchanged" => "Nothing was changed: that is not possible where the setup stands now.",
        "finding-deleted" => "The object was deleted at Adobe.",
        "finding-gone" => "It was gone already; nothing was sent to Adobe.",
        "finding-known" => "It is known now and not shown any more.",
        "view-saved" => "The view was saved.",
        "view-deleted" => "The view was deleted. No flow was changed.",
        "board-withdrawn" => "The link was withdrawn. Its screen shows nothing any more.",
        "draft-deleted" => "The draft was deleted.",
        "environment-checked" => "The credential was checked.",
        "environment-checking" => {
            "The check takes longer than usual. Load this page again to see what it found."
        }
        "password-changed" => "Your password was changed. Your other sessions have ended.",
        "session-ended" => "The session was ended.",
        "time-zone-saved" => "Times are shown in your zone now.",
        _ => return None,
    };
    let status = match key {
        "setup-unchanged" | "refresh-failed" => Status::Partial,
        "refreshing" => Status::Running,
        _ => Status::Succeeded,
    };
    Some(Flash {
        status,
        text: text.to_owned(),
    })
}
