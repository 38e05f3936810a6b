//! `/account`: one's own time zone, password and sessions.

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::accounts::passwords::PASSWORD_MIN;
use crate::accounts::people::PersonError;
use crate::accounts::sessions::session_id;
use crate::domain::Problem;
use crate::store;
use crate::web::error::PageError;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::layout::Layout;
use crate::web::page::{page, page_with};
use crate::web::state::AppState;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "account/show.html")]
pub(super) struct AccountPage {
    pub(super) layout: Layout,
    form_errors: FormErrors,
    login: String,
    time_zone: FieldView,
    /// None: this person has no password.
    passwords: Option<[FieldView; 2]>,
    sessions: Vec<SessionRow>,
}

struct SessionRow {
    id: String,
    address: String,
    started: TimeView,
    used: TimeView,
    is_this: bool,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct TimeZoneForm {
    #[serde(default)]
    time_zone: String,
}

/// One's own page.
pub async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, PageError> {
    page(&AccountPage::new(&state, &visit, None, &[]).await?)
}

/// Sets the time zone.
pub async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(form): Form<TimeZoneForm>,
) -> Result<Response, PageError> {
    let actor = visit.actor();
    match state
        .accounts
        .set_time_zone(&actor, visit.person(), &form.time_zone)
        .await
    {
        Ok(()) => Ok(Redirect::to("/account?done=time-zone-saved").into_response()),
        Err(error) => refused(&state, &visit, Some(&form.time_zone), error).await,
    }
}

/// The page again with what is wrong, or the error itself if it is none of the form's.
pub(super) async fn refused(
    state: &AppState,
    visit: &Visit,
    time_zone: Option<&str>,
    error: PersonError,
) -> Result<Response, PageError> {
    let problems = match error {
        PersonError::Mistakes(problems) => problems,
        PersonError::WrongPassword => {
            let message = "Current password: this is not your password.";
            vec![Problem::new("current_password", "password.wrong", message)]
        }
        PersonError::TooMany { retry_after_s } => {
            let minutes = retry_after_s.div_ceil(60);
            let message = format!("Current password: too many attempts failed. Try again in {minutes} min.");
            vec![Problem::new("current_password", "password.too_many", message)]
        }
        PersonError::Store(error) => return Err(error.into()),
        other => return Err(PageError::internal(other)),
    };
    let page = AccountPage::new(state, visit, time_zone, &problems).await?;
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

impl AccountPage {
    async fn new(
        state: &AppState,
        visit: &Visit,
        time_zone: Option<&str>,
        problems: &[Problem],
    ) -> Result<Self, PageError> {
        let user = store::people::user_by_id(&state.store, &visit.session.user_id).await?;
        let user = user.ok_or_else(PageError::not_found)?;
        let times = visit.times();
        let sessions = state
            .accounts
            .sessions_of(&user.id)
            .await?
            .into_iter()
            .map(|session| {
                let id = session_id(&session.token_hash);
                SessionRow {
                    is_this: id == visit.session.session_id,
                    id,
                    address: session.client_address,
                    started: times.at(session.created_at),
                    used: times.at(session.last_seen_at),
                }
            });
        let stored_zone = user.time_zone.unwrap_or_default();
        let time_zone = time_zone_field(&state.settings.time_zone, time_zone.unwrap_or(&stored_zone))
            .problem_of(problems);
        let passwords = user
            .password_hash
            .is_some()
            .then(|| password_fields().map(|field| field.problem_of(problems)));
        let form_errors = FormErrors::of(std::iter::once(&time_zone).chain(passwords.iter().flatten()));
        let heading = if form_errors.is_empty() {
            "Your account"
        } else {
            "Error: Your account"
        };
        Ok(Self {
            layout: visit.plain_layout(heading),
            form_errors,
            login: user.login,
            time_zone,
            passwords,
            sessions: sessions.collect(),
        })
    }
}

fn time_zone_field(default: &str, value: &str) -> FieldView {
    let names = jiff::tz::db().available().map(|name| name.as_str().to_owned());
    FieldView::new(FieldKind::Proposals, "time_zone", "Time zone")
        .hint(format!(
            "A place such as Europe/Paris. Empty: {default}, the server's."
        ))
        .value(value)
        .optional()
        .width(FieldWidth::Medium)
        .options(names.map(|name| (name.clone(), name)))
}

fn password_fields() -> [FieldView; 2] {
    let mut current =
        FieldView::new(FieldKind::Secret, "current_password", "Current password").width(FieldWidth::Medium);
    current.autocomplete = "current-password";
    let mut new = FieldView::new(FieldKind::Secret, "new_password", "New password")
        .hint(format!(
            "At least {PASSWORD_MIN} characters. Your other sessions end."
        ))
        .width(FieldWidth::Medium);
    new.autocomplete = "new-password";
    [current, new]
}
