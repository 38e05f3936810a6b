//! `GET /help/errors/{code}`: what one code means, or that nobody has written it down.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use crate::domain::failures::{Failure, explain};
use crate::web::error::PageError;
use crate::web::explained::capped;
use crate::web::layout::Layout;
use crate::web::page::page;
use crate::web::visit::Visit;

#[derive(Template)]
#[template(path = "help/error_code.html")]
struct ErrorCodePage {
    layout: Layout,
    code: String,
    failure: Option<&'static Failure>,
}

/// The page of a code. An unknown one has a page too: it is a code that Adobe gave, and something can be done.
pub async fn show(visit: Visit, Path(code): Path<String>) -> Result<Response, PageError> {
    let failure = explain(&code);
    let code = failure.map_or_else(|| capped(code.trim()), |failure| failure.code().to_owned());
    page(&ErrorCodePage {
        layout: visit.plain_layout(format!("Error code {code}")),
        code,
        failure,
    })
}
