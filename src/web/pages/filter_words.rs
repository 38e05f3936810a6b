//! What the filters in the addresses of lists are set to.

use std::str::FromStr;

use axum::http::StatusCode;

use crate::domain::RunOutcome;
use crate::web::error::PageError;

/// The outcome that a filter is set to.
///
/// # Errors
/// It is none.
pub(super) fn outcome_of(word: &str) -> Result<Option<RunOutcome>, PageError> {
    one_of(
        "outcome",
        word,
        RunOutcome::ALL.iter().map(|outcome| outcome.as_str()),
    )
}

/// One of some words that a filter is set to.
///
/// # Errors
/// It is none of them.
pub(super) fn one_of<T: FromStr>(
    name: &str,
    word: &str,
    words: impl Iterator<Item = &'static str>,
) -> Result<Option<T>, PageError> {
    let Some(word) = set(word) else {
        return Ok(None);
    };
    word.parse().map(Some).map_err(|_| {
        let words: Vec<&str> = words.collect();
        unread(name, word, &format!("one of {}", words.join(", ")))
    })
}

/// What a filter is set to.
pub(super) fn set(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// The refusal of a filter. Leaving it out would give more than was asked for.
pub(super) fn unread(name: &str, value: &str, expected: &str) -> PageError {
    let value: String = value.chars().take(40).collect();
    PageError::new(
        StatusCode::BAD_REQUEST,
        "input.filter",
        "This filter cannot be read",
    )
    .what(format!(
        "“{name}” is “{value}”, but should be {expected}. Leaving it out would give more than was asked for, so nothing was read."
    ))
    .advice("Correct the filter in the address, or go back to the list and choose anew.")
}
