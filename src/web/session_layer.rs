//! The layer that knows who is asking: from the cookie to the [`CurrentSession`] of the request.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};

use super::error::PageError;
use super::session::CurrentSession;
use super::site::Site;
use super::state::AppState;
use crate::accounts::sessions::{LiveSession, session_id};

/// Puts the layer around the routes; [`super::layers::wrap`] goes around both.
pub fn wrap(router: Router, state: AppState) -> Router {
    router.layer(middleware::from_fn_with_state(state, find))
}

/// Files and probes are the same for everybody and must not cost a query.
fn is_for_everybody(path: &str) -> bool {
    path.starts_with("/static/") || path == "/healthz" || path == "/readyz"
}

async fn find(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if !is_for_everybody(request.uri().path())
        && let Some(cookie) = cookie_value(request.headers(), &state.site)
    {
        match state.accounts.find_session(&cookie).await {
            Ok(Some(session)) => {
                let address = client_address(request.extensions());
                let session = current(session, &state.settings.time_zone, address);
                request.extensions_mut().insert(session);
            }
            Ok(None) => {}
            Err(error) => return PageError::from(error).into_response(),
        }
    }
    next.run(request).await
}

fn current(
    LiveSession { row, role }: LiveSession,
    default_zone: &str,
    client_address: String,
) -> CurrentSession {
    CurrentSession {
        session_id: session_id(&row.token_hash),
        user_id: row.user_id,
        user_name: row.user_name,
        team_id: row.team_id,
        team_name: row.team_name,
        environments: row.environments.into(),
        role,
        csrf: SecretString::from(row.csrf.expose()),
        time_zone: row.time_zone.unwrap_or_else(|| default_zone.to_owned()),
        client_address,
    }
}

/// The address that the connection came from: behind a proxy, the proxy's.
pub fn client_address(extensions: &Extensions) -> String {
    let client = extensions.get::<ConnectInfo<SocketAddr>>();
    client.map_or_else(String::new, |ConnectInfo(address)| address.ip().to_string())
}

/// With https, browsers refuse a `__Host-` cookie that another host or plain http tries to set.
fn cookie_name(site: &Site) -> &'static str {
    if site.is_https() {
        "__Host-headgate"
    } else {
        "headgate"
    }
}

/// The value of the session's cookie.
pub fn cookie_value(headers: &HeaderMap, site: &Site) -> Option<SecretString> {
    let jar = CookieJar::from_headers(headers);
    jar.get(cookie_name(site))
        .map(|cookie| SecretString::from(cookie.value()))
}

/// The cookie that carries a session until the browser closes; the server ends it earlier by its limits.
pub fn session_cookie(value: &SecretString, site: &Site) -> Cookie<'static> {
    Cookie::build((cookie_name(site), value.expose_secret().to_owned()))
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(site.is_https())
        .path("/")
        .build()
}

/// The cookie that takes the session's cookie away.
pub fn removal_cookie(site: &Site) -> Cookie<'static> {
    let mut cookie = session_cookie(&SecretString::from(""), site);
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn cookie(public_url: &str) -> String {
        let site = Site::new(
            &Url::parse(public_url).unwrap(),
            "127.0.0.1:8080".parse().unwrap(),
        );
        session_cookie(&SecretString::from("v"), &site).to_string()
    }

    #[test]
    fn with_https_the_cookie_is_bound_to_the_host_and_never_sent_in_clear() {
        assert_eq!(
            cookie("https://gate.example"),
            "__Host-headgate=v; HttpOnly; SameSite=Lax; Secure; Path=/"
        );
        assert_eq!(
            cookie("http://127.0.0.1:8080"),
            "headgate=v; HttpOnly; SameSite=Lax; Path=/"
        );
    }
}
