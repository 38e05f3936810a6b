//! Which runs are meant, as it stands in an address.

use serde::Deserialize;
use url::form_urlencoded;

use crate::store::run_lists::RunSelection;
use crate::web::error::PageError;
use crate::web::pages::filter_words::{outcome_of, set, unread};
use crate::web::times::Times;

/// The longest text that is searched for, in characters.
const TEXT_CHARS: usize = 200;

/// The filters of runs. Empty ones are off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RunsFilter {
    /// Our id of an environment.
    pub(in crate::web::pages) environment: String,
    /// A word of [`RunOutcome`](crate::domain::RunOutcome).
    pub(in crate::web::pages) outcome: String,
    /// A part of the flow's name or source path.
    pub(in crate::web::pages) q: String,
    /// The first day, such as `2026-03-21`.
    pub(in crate::web::pages) from: String,
    /// The last day.
    pub(in crate::web::pages) to: String,
    /// Whose days these are: [`UTC_DAYS`], else those of the person's time zone.
    pub(in crate::web::pages) days: String,
}

/// The word for days of UTC.
pub(in crate::web::pages) const UTC_DAYS: &str = "utc";

impl RunsFilter {
    /// The address of a page or file with these filters, from a place in the list on.
    pub(in crate::web::pages) fn address(&self, path: &str, after: Option<&str>) -> String {
        let pairs = [
            ("environment", self.environment.as_str()),
            ("outcome", &self.outcome),
            ("q", &self.q),
            ("from", &self.from),
            ("to", &self.to),
            ("days", &self.days),
            ("after", after.unwrap_or_default()),
        ];
        let pairs = pairs.map(|(name, value)| (name, value.trim()));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The list of the runs of one UTC day.
    pub(in crate::web::pages) fn of_utc_day(&self, day: &str) -> String {
        let of_day = Self {
            from: day.to_owned(),
            to: day.to_owned(),
            days: UTC_DAYS.to_owned(),
            ..self.clone()
        };
        of_day.address("/runs", None)
    }

    /// Whether it is for days that may begin and end at another time than those of UTC.
    pub(in crate::web::pages) fn has_own_days(&self) -> bool {
        let has_days = set(&self.from).or_else(|| set(&self.to)).is_some();
        has_days && set(&self.days) != Some(UTC_DAYS)
    }

    /// Whether the list is not that of all runs.
    pub(in crate::web::pages) fn are_set(&self) -> bool {
        [&self.environment, &self.outcome, &self.q, &self.from, &self.to]
            .iter()
            .any(|value| set(value).is_some())
    }

    /// What to read. The environment is for the caller, who knows which ones the person may see.
    ///
    /// # Errors
    /// A filter that cannot be read: leaving it out would give more than was asked for.
    pub(in crate::web::pages) fn selection(&self, times: &Times) -> Result<RunSelection, PageError> {
        let outcome = outcome_of(&self.outcome)?;
        let utc = times.in_utc();
        let times = match set(&self.days) {
            None => times,
            Some(UTC_DAYS) => &utc,
            Some(other) => {
                return Err(unread(
                    "days",
                    other,
                    "utc, or nothing for those of your time zone",
                ));
            }
        };
        let day = |name, text: &str, read: &dyn Fn(&str) -> Option<i64>| match set(text) {
            None => Ok(None),
            Some(day) => read(day)
                .map(Some)
                .ok_or_else(|| unread(name, day, "a day such as 2026-03-21")),
        };
        let from_at = day("from", &self.from, &|day| times.day_starts(day))?;
        let to_at = day("to", &self.to, &|day| times.day_ends(day))?;
        if from_at.zip(to_at).is_some_and(|(from, to)| to <= from) {
            return Err(unread("to", &self.to, "the day of “from” or a later one"));
        }
        Ok(RunSelection {
            outcome,
            text: set(&self.q).map(|text| text.chars().take(TEXT_CHARS).collect()),
            from_at,
            to_at,
        })
    }
}
