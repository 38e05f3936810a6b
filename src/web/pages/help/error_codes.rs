//! `GET /help/errors`: every code of Adobe's that we can explain.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::domain::failures::{Failure, explain, families};
use crate::web::error::PageError;
use crate::web::explained::help_address;
use crate::web::layout::Layout;
use crate::web::page::page;
use crate::web::visit::Visit;

/// The longest text that is searched for, in characters.
const TEXT_CHARS: usize = 200;

#[derive(Template)]
#[template(path = "help/error_codes.html")]
struct ErrorCodesPage {
    layout: Layout,
    text: String,
    groups: Vec<Group>,
    count: usize,
}

/// The codes of one service.
struct Group {
    slug: &'static str,
    name: &'static str,
    failures: Vec<(&'static Failure, String)>,
}

/// What is looked for, in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CodesQuery {
    q: String,
}

/// The list.
pub async fn list(visit: Visit, Query(query): Query<CodesQuery>) -> Result<Response, PageError> {
    let text: String = query.q.trim().chars().take(TEXT_CHARS).collect();
    let groups = found(&text);
    page(&ErrorCodesPage {
        count: groups.iter().map(|group| group.failures.len()).sum(),
        groups,
        layout: visit.plain_layout("Error codes"),
        text,
    })
}

/// What has all the words somewhere, or the code that the text is, however it is written.
fn found(text: &str) -> Vec<Group> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let meant = explain(text);
    let is_meant = |failure: &Failure| meant.is_some_and(|meant| std::ptr::eq(meant, failure));
    let groups = families().iter().map(|family| Group {
        slug: &family.slug,
        name: &family.name,
        failures: family
            .failures
            .iter()
            .filter(|failure| is_meant(failure) || failure.tells(&words))
            .map(|failure| (failure, help_address(failure.code())))
            .collect(),
    });
    groups.filter(|group| !group.failures.is_empty()).collect()
}
