//! The one place where an error becomes a page, an htmx fragment or JSON.

use askama::Template;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Json, Response};
use serde_json::json;

use super::error::{ErrorContext, PageError};
use super::layout::{Layout, Theme};
use super::request_id::RequestId;

/// The element of every page that an error fragment is put into.
const MAIN: HeaderValue = HeaderValue::from_static("#main");

/// Seconds after which to try again what was refused because the server is busy.
const SOON: HeaderValue = HeaderValue::from_static("2");

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    layout: Layout,
    error: &'a ErrorContext,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "error_fragment.html")]
struct ErrorFragment<'a> {
    error: &'a ErrorContext,
    request_id: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Page,
    Fragment,
    Json,
}

/// Gives every error a body: those of ours by their [`ErrorContext`], bare ones of libraries by their
/// status. Pages that a handler rendered itself, such as a form with its mistakes, pass unchanged.
pub async fn render(request: Request, next: Next) -> Response {
    let wanted = wanted(&request);
    let theme = Theme::of(request.headers());
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let Some(context) = context_of(&response) else {
        return response;
    };
    let request_id = id.as_ref().map_or("", RequestId::as_str);
    let (parts, _) = response.into_parts();
    let mut rendered = body(wanted, theme, &context, request_id);
    *rendered.status_mut() = parts.status;
    let fresh = [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CACHE_CONTROL,
    ];
    let kept: HeaderMap = parts
        .headers
        .iter()
        .filter(|(name, _)| !fresh.contains(name))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    rendered.headers_mut().extend(kept);
    if parts.status == StatusCode::SERVICE_UNAVAILABLE {
        // Whatever is busy now is worth another try soon.
        rendered.headers_mut().entry(header::RETRY_AFTER).or_insert(SOON);
    }
    rendered
}

fn wanted(request: &Request) -> Wanted {
    let headers = request.headers();
    let accepts = |kind: &str| {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .any(|value| value.to_str().is_ok_and(|value| value.contains(kind)))
    };
    if request.uri().path().starts_with("/api/") || (accepts("application/json") && !accepts("text/html")) {
        Wanted::Json
    } else if headers.contains_key("hx-request") {
        Wanted::Fragment
    } else {
        Wanted::Page
    }
}

fn context_of(response: &Response) -> Option<ErrorContext> {
    let given = response.extensions().get::<ErrorContext>().cloned();
    given.or_else(|| is_bare(response).then(|| PageError::of_status(response.status()).context().clone()))
}

/// An error without a body, or with the plain text of a library.
fn is_bare(response: &Response) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let kind = response.headers().get(header::CONTENT_TYPE);
    failed && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn body(wanted: Wanted, theme: Theme, error: &ErrorContext, request_id: &str) -> Response {
    let rendered = match wanted {
        Wanted::Json => return json_body(error, request_id),
        Wanted::Fragment => ErrorFragment { error, request_id }.render(),
        Wanted::Page => {
            let layout = Layout {
                theme,
                ..Layout::signed_out(error.title.clone(), request_id)
            };
            ErrorPage {
                layout,
                error,
                request_id,
            }
            .render()
        }
    };
    let mut response = match rendered {
        Ok(html) => Html(html).into_response(),
        Err(fault) => {
            tracing::error!(%fault, "an error page cannot be rendered");
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                Body::from(error.title.clone().into_owned()),
            )
                .into_response();
        }
    };
    if wanted == Wanted::Fragment {
        response.headers_mut().insert("hx-retarget", MAIN);
        response
            .headers_mut()
            .insert("hx-reswap", HeaderValue::from_static("innerHTML"));
    }
    response
}

fn json_body(error: &ErrorContext, request_id: &str) -> Response {
    Json(json!({ "error": {
        "code": error.code,
        "title": error.title,
        "what": error.what,
        "changed": error.changed.to_string(),
        "advice": error.advice,
        "request_id": request_id,
    }}))
    .into_response()
}
