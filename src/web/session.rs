//! Who is asking, and what happens to those who may not.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use url::{Url, form_urlencoded};

use super::error::PageError;
use super::next_path;
use crate::domain::Role;
use crate::store::environments::Environment;

/// The page on which people sign in.
pub const SIGN_IN: &str = "/sign-in";

/// The session of this request, as a request extension put there by the session layer after reading
/// session, user and membership for this very request. Also an extractor.
#[derive(Debug, Clone)]
pub struct CurrentSession {
    /// Id of the session's row; not what is in the cookie.
    pub session_id: String,
    /// Who.
    pub user_id: String,
    /// How the person is called on pages.
    pub user_name: String,
    /// The team the person works in now.
    pub team_id: String,
    /// How the team is called on pages.
    pub team_name: String,
    /// The environments of the team that are in use, by name.
    pub environments: Arc<[Environment]>,
    /// What the person may do in that team.
    pub role: Role,
    /// The token that forms carry in the field [`super::csrf::FIELD`].
    pub csrf: SecretString,
    /// IANA name of the zone in which the person reads times.
    pub time_zone: String,
    /// Address that the request came from.
    pub client_address: String,
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentSession {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        parts
            .extensions
            .get()
            .cloned()
            .ok_or_else(|| PageError::of_status(StatusCode::UNAUTHORIZED))
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for CurrentSession {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get().cloned())
    }
}

/// Who may use a route. Everybody listed later may do what those listed before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Everybody, without a session.
    Public,
    /// Everybody with a session.
    SignedIn,
    /// Viewers, editors and admins of the team.
    Viewer,
    /// Editors and admins.
    Editor,
    /// Admins.
    Admin,
}

impl Access {
    /// Whether a session, or its absence, is enough.
    pub fn allows(self, session: Option<&CurrentSession>) -> bool {
        let role = session.map(|session| session.role);
        match self {
            Self::Public => true,
            Self::SignedIn => role.is_some(),
            Self::Viewer => role >= Some(Role::Viewer),
            Self::Editor => role >= Some(Role::Editor),
            Self::Admin => role >= Some(Role::Admin),
        }
    }
}

/// The answer to somebody who may not: a way to sign in without a session; "nothing here" with a
/// session whose role is too low, so that nobody learns what exists.
pub(super) fn refuse(request: &Request, session: Option<&CurrentSession>) -> Response {
    if session.is_some() {
        return PageError::not_found().into_response();
    }
    let headers = request.headers();
    if headers.contains_key("hx-request") {
        let mut response = PageError::of_status(StatusCode::UNAUTHORIZED).into_response();
        if let Ok(target) = HeaderValue::try_from(sign_in_then(current_page(headers).as_deref())) {
            response.headers_mut().insert("hx-redirect", target);
        }
        return response;
    }
    if request.uri().path().starts_with("/api/") {
        return PageError::of_status(StatusCode::UNAUTHORIZED).into_response();
    }
    let page = (request.method() == Method::GET)
        .then(|| request.uri().path_and_query())
        .flatten();
    Redirect::to(&sign_in_then(page.map(|page| page.as_str()))).into_response()
}

/// Path and query of the page that an htmx request was sent from.
pub(super) fn current_page(headers: &HeaderMap) -> Option<String> {
    let page = Url::parse(headers.get("hx-current-url")?.to_str().ok()?).ok()?;
    Some(page.query().map_or_else(
        || page.path().to_owned(),
        |query| format!("{}?{query}", page.path()),
    ))
}

fn sign_in_then(page: Option<&str>) -> String {
    match page.filter(|page| *page != next_path::HOME && next_path::is_harmless(page)) {
        Some(page) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("next", page)
                .finish();
            format!("{SIGN_IN}?{query}")
        }
        None => SIGN_IN.to_owned(),
    }
}
