//! Which runs are meant, as it stands in an address.

use axum::http::StatusCode;
use serde::Deserialize;

use crate::domain::RunOutcome;
use crate::store::run_exports::RunSelection;
use crate::web::error::PageError;
use crate::web::times::Times;

/// The longest text that is searched for, in characters.
const TEXT_CHARS: usize = 200;

/// The filters of runs. Empty ones are off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RunsFilter {
    /// Our id of an environment.
    pub(in crate::web::pages) environment: String,
    /// A word of [`RunOutcome`].
    pub(in crate::web::pages) outcome: String,
    /// A part of the flow's name or source path.
    pub(in crate::web::pages) q: String,
    /// The first day, such as `2026-03-21`, in the person's time zone.
    pub(in crate::web::pages) from: String,
    /// The last day.
    pub(in crate::web::pages) to: String,
}

impl RunsFilter {
    /// What to read. The environment is for the caller, who knows which ones the person may see.
    ///
    /// # Errors
    /// A filter that cannot be read: leaving it out would give more than was asked for.
    pub(in crate::web::pages) fn selection(&self, times: &Times) -> Result<RunSelection, PageError> {
        let outcome = set(&self.outcome)
            .map(|word| {
                let unknown = |_| {
                    unread(
                        "outcome",
                        word,
                        "one of waiting, running, succeeded, partial, failed, unknown",
                    )
                };
                word.parse::<RunOutcome>().map_err(unknown)
            })
            .transpose()?;
        let day = |name, text: &str, read: &dyn Fn(&str) -> Option<i64>| match set(text) {
            None => Ok(None),
            Some(day) => read(day)
                .map(Some)
                .ok_or_else(|| unread(name, day, "a day such as 2026-03-21")),
        };
        Ok(RunSelection {
            outcome,
            text: set(&self.q).map(|text| text.chars().take(TEXT_CHARS).collect()),
            from_at: day("from", &self.from, &|day| times.day_starts(day))?,
            to_at: day("to", &self.to, &|day| times.day_ends(day))?,
        })
    }
}

/// What a filter is set to.
fn set(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn unread(name: &str, value: &str, expected: &str) -> PageError {
    let value: String = value.chars().take(40).collect();
    PageError::new(
        StatusCode::BAD_REQUEST,
        "input.filter",
        "This filter cannot be read",
    )
    .what(format!(
        "“{name}” is “{value}”, but should be {expected}. Nothing was left out silently: there is no file."
    ))
    .advice("Correct the filter in the address or on the page, and try again.")
}
