//! Proof that an unsafe request was meant: it comes from a page of ours, and it holds the session's token.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::error::PageError;

/// The form field that holds the token.
pub const FIELD: &str = "csrf";
/// The header that holds the token when there is no form.
pub const HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Csrf {
    /// Nothing: a route that is not used by browsers, or changes nothing.
    None,
    /// Sent by a page of ours: for forms without a session, such as sign-in.
    Origin,
    /// Sent by a page of ours, with the session's token.
    Token,
}

/// Checks that a browser says the request comes from `own_origin`: by `Sec-Fetch-Site`, or where a
/// browser does not send that, by `Origin`. Requests with neither are refused.
///
/// # Errors
/// 403 for an unsafe method from anywhere else.
pub fn check_origin(method: &Method, headers: &HeaderMap, own_origin: &str) -> Result<(), PageError> {
    let comes_from_us = match (only(headers, &SEC_FETCH_SITE), only(headers, &header::ORIGIN)) {
        (Some(site), _) => site == Some("same-origin"),
        (None, Some(origin)) => origin == Some(own_origin),
        (None, None) => false,
    };
    if method.is_safe() || comes_from_us {
        Ok(())
    } else {
        Err(refusal("It was not sent by a page of Headgate."))
    }
}

/// Nothing if the header is absent; `Some(None)` if it is repeated or unreadable.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    Some(first.to_str().ok().filter(|_| values.next().is_none()))
}

/// Checks the token in the header, or else in the form, and gives the request back unchanged.
///
/// # Errors
/// 403 for a missing, repeated or wrong token, 413 for a form over `body_limit` bytes.
pub async fn check_token(
    request: Request,
    expected: &SecretString,
    body_limit: usize,
) -> Result<Request, PageError> {
    if let Some(given) = only(request.headers(), &HEADER) {
        return if given.is_some_and(|given| same(given, expected)) {
            Ok(request)
        } else {
            Err(wrong_token())
        };
    }
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|kind| {
        kind.split(';').next().is_some_and(|kind| {
            kind.trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        })
    });
    if !is_form {
        return Err(wrong_token());
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, body_limit)
        .await
        .map_err(|error| PageError::unread_body(body_limit).because(error))?;
    let mut tokens = form_urlencoded::parse(&bytes)
        .filter(|(name, _)| name == FIELD)
        .map(|(_, token)| token);
    let given = tokens.next().filter(|_| tokens.next().is_none());
    if !given.is_some_and(|given| same(&given, expected)) {
        return Err(wrong_token());
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Compares digests, so that the time taken tells nothing about the token.
fn same(given: &str, expected: &SecretString) -> bool {
    Sha256::digest(given) == Sha256::digest(expected.expose_secret())
}

fn wrong_token() -> PageError {
    refusal("Its proof that you sent it is missing or belongs to an earlier session.")
}

fn refusal(what: &'static str) -> PageError {
    PageError::new(StatusCode::FORBIDDEN, "csrf", "This request was not accepted")
        .what(what)
        .advice(
            "Go back, reload the page and try again. If you signed in again in another tab, that is enough.",
        )
}
