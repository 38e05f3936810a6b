//! `/sign-in`: login and password, or one click in a demonstration.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use secrecy::SecretString;
use serde::Deserialize;

use crate::accounts::SignInError;
use crate::store::{self, StoreError};
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth};
use crate::web::layout::Layout;
use crate::web::next_path;
use crate::web::page::{page, page_with};
use crate::web::route_table::is_page;
use crate::web::routes::ROUTES;
use crate::web::saving;
use crate::web::session::CurrentSession;
use crate::web::session_layer::session_cookie;
use crate::web::state::AppState;
use crate::web::stranger::Stranger;

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    layout: Layout,
    refusal: Option<String>,
    login: FieldView,
    password: FieldView,
    next: String,
    demo: Vec<DemoPerson>,
}

/// Somebody of the demonstration, who comes in with one click.
struct DemoPerson {
    login: String,
    name: String,
    role: String,
    team: String,
}

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    #[serde(default)]
    next: Option<String>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct SignInForm {
    #[serde(default)]
    login: String,
    #[serde(default = "no_password")]
    password: SecretString,
    #[serde(default)]
    next: Option<String>,
}

fn no_password() -> SecretString {
    SecretString::from("")
}

/// The empty form. Who is signed in already goes on.
pub async fn show(
    State(state): State<AppState>,
    session: Option<CurrentSession>,
    stranger: Stranger,
    Query(Next { next }): Query<Next>,
) -> Result<Response, PageError> {
    let next = target(next.as_deref());
    if session.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    page(&SignInPage::new(&state, &stranger, "", next).await?)
}

/// Lets the person in, or shows the form again.
pub async fn submit(
    State(state): State<AppState>,
    stranger: Stranger,
    Form(form): Form<SignInForm>,
) -> Result<Response, PageError> {
    let next = target(form.next.as_deref());
    let refusal = match state
        .accounts
        .sign_in(&form.login, form.password, stranger.visitor())
        .await
    {
        Ok(cookie) => return Ok(welcome(&state, &cookie, next)),
        Err(refusal) => refusal,
    };
    let mut view = SignInPage::new(&state, &stranger, &form.login, next).await?;
    view.layout.title = format!("Error: {}", view.layout.title);
    match refusal {
        SignInError::Refused => {
            view.refusal = Some("Login and password do not fit, or this person may not sign in.".to_owned());
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &view)
        }
        SignInError::TooMany { retry_after_s } => {
            let minutes = retry_after_s.div_ceil(60);
            view.refusal = Some(format!("Too many attempts failed. Try again in {minutes} min."));
            let mut response = page_with(StatusCode::TOO_MANY_REQUESTS, &view)?;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
            Ok(response)
        }
        SignInError::Store(error) => Err(error.into()),
    }
}

/// Goes on with the cookie of a new session.
pub(super) fn welcome(state: &AppState, cookie: &SecretString, next: &str) -> Response {
    let jar = CookieJar::new().add(session_cookie(cookie, &state.site));
    (jar, Redirect::to(next)).into_response()
}

/// Only a page of ours.
pub(super) fn target(next: Option<&str>) -> &str {
    next_path::after_sign_in(next, |path| is_page(ROUTES, path))
}

impl SignInPage {
    async fn new(state: &AppState, stranger: &Stranger, login: &str, next: &str) -> Result<Self, StoreError> {
        let mut password = FieldView::new(FieldKind::Secret, "password", "Password").width(FieldWidth::Full);
        password.autocomplete = "current-password";
        let mut name = FieldView::new(FieldKind::Text, "login", "Login")
            .width(FieldWidth::Full)
            .value(login);
        name.autocomplete = "username";
        let mut layout = stranger.layout("Sign in");
        layout.alarm = saving::notice(&state.store);
        layout.demo = state.settings.demo.as_ref().map(|demo| demo.banner.clone());
        Ok(Self {
            layout,
            refusal: None,
            login: name,
            password,
            next: next.to_owned(),
            demo: demo_people(state).await?,
        })
    }
}

/// The people of the demonstration who are there, in the order of the settings.
async fn demo_people(state: &AppState) -> Result<Vec<DemoPerson>, StoreError> {
    let logins = state.settings.demo.as_ref().map_or(&[][..], |demo| &demo.logins);
    let mut people = Vec::new();
    for login in logins {
        let Some(user) = store::people::user_by_login(&state.store, login).await? else {
            continue;
        };
        let memberships = store::people::memberships_of(&state.store, &user.id).await?;
        people.extend(memberships.into_iter().next().map(|membership| DemoPerson {
            login: user.login,
            name: user.name,
            role: membership.role.to_string(),
            team: membership.team_name,
        }));
    }
    Ok(people)
}
