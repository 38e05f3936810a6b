//! `GET /setups`: every setup of the team, newest first.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::view::badge;
use crate::domain::Role;
use crate::domain::setup::SetupState;
use crate::store::setup_lists::{ListedSetup, SetupFilter};
use crate::store::{self};
use crate::web::error::PageError;
use crate::web::layout::{Layout, NavEntry};
use crate::web::page::page;
use crate::web::state::AppState;
use crate::web::status::Status;
use crate::web::table::PageLinks;
use crate::web::times::TimeView;
use crate::web::visit::Visit;

/// Setups on one page.
const PAGE_SIZE: usize = 50;

#[derive(Template)]
#[template(path = "setups/list.html")]
struct SetupsPage {
    layout: Layout,
    rows: Vec<Row>,
    states: Vec<(&'static str, &'static str, bool)>,
    filtered: bool,
    may_create: bool,
    pages: PageLinks,
}

struct Row {
    setup: ListedSetup,
    status: Status,
    word: &'static str,
    started: TimeView,
}

/// What the list shows: a state, and from where on.
#[derive(Debug, Default, Deserialize)]
pub struct SetupsQuery {
    #[serde(default)]
    state: String,
    before_at: Option<i64>,
    before_id: Option<String>,
}

/// The list.
pub async fn list(
    State(state): State<AppState>,
    visit: Visit,
    Query(query): Query<SetupsQuery>,
) -> Result<Response, PageError> {
    let wanted: Option<SetupState> = query.state.parse().ok();
    let before = query.before_at.zip(query.before_id.as_deref());
    let filter = SetupFilter {
        environment_id: None,
        state: wanted,
    };
    let limit = i64::try_from(PAGE_SIZE + 1).unwrap_or(i64::MAX);
    let mut setups =
        store::setup_lists::list(&state.store, &visit.session.team_id, filter, before, limit).await?;
    let more = setups.len() > PAGE_SIZE;
    setups.truncate(PAGE_SIZE);
    let next = setups.last().filter(|_| more).map(|last| {
        format!(
            "/setups?state={}&before_at={}&before_id={}",
            query.state, last.created_at, last.id
        )
    });
    let times = visit.times();
    let row = |setup: ListedSetup| {
        let (status, word) = badge(setup.state);
        Row {
            status,
            word,
            started: times.at(setup.created_at),
            setup,
        }
    };
    page(&SetupsPage {
        layout: visit.layout("Setups", NavEntry::Setups),
        pages: PageLinks {
            summary: summary(setups.len()),
            previous: before.map(|_| "/setups".to_owned()),
            next,
        },
        rows: setups.into_iter().map(row).collect(),
        states: SetupState::ALL
            .iter()
            .map(|s| (s.as_str(), badge(*s).1, wanted == Some(*s)))
            .collect(),
        filtered: wanted.is_some(),
        may_create: visit.may(Role::Editor),
    })
}

fn summary(count: usize) -> String {
    match count {
        1 => "1 setup".to_owned(),
        n => format!("{n} setups"),
    }
}
