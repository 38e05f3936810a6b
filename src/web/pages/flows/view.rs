//! How flows and runs look, in lists and on their own pages.

use std::borrow::Cow;

use crate::domain::RunOutcome;
use crate::domain::connector::connector;
use crate::domain::schedule::{Frequency, cadence, next_slots};
use crate::store::flows::{Flow, FlowRecord};
use crate::store::runs::RunLine;
use crate::web::explained::Explained;
use crate::web::numbers;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};
use crate::web::written::{Written, written};

/// What stands where the platform told no number.
const NOT_TOLD: &str = "–";

/// A status with its word, ready for a badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web::pages) struct Badge {
    pub(in crate::web::pages) status: Status,
    pub(in crate::web::pages) word: Cow<'static, str>,
}

impl Badge {
    fn new(status: Status, word: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            word: word.into(),
        }
    }
}

/// How a run's outcome looks.
pub(in crate::web::pages) const fn outcome_status(outcome: RunOutcome) -> Status {
    match outcome {
        RunOutcome::Waiting => Status::Waiting,
        RunOutcome::Running => Status::Running,
        RunOutcome::Succeeded => Status::Succeeded,
        RunOutcome::Partial => Status::Partial,
        RunOutcome::Failed => Status::Failed,
        RunOutcome::Unknown => Status::Unknown,
    }
}

/// The badge of a run; a word of Adobe's that no document names is shown as it is.
pub(in crate::web::pages) fn outcome_badge(outcome: RunOutcome, adobe_says: &str) -> Badge {
    let status = outcome_status(outcome);
    match outcome {
        RunOutcome::Unknown if !adobe_says.is_empty() => Badge::new(status, adobe_says.to_owned()),
        _ => Badge::new(status, status.word()),
    }
}

/// The badge of a flow's state.
pub(in crate::web::pages) fn state_badge(flow: &Flow) -> Badge {
    badge_of_state(&flow.record.state, flow.gone_at.is_some())
}

/// The badge of one of Adobe's states.
pub(in crate::web::pages) fn badge_of_state(state: &str, is_gone: bool) -> Badge {
    match state {
        _ if is_gone => Badge::new(Status::Unknown, "No longer at Adobe"),
        "enabled" => Badge::new(Status::Succeeded, "Enabled"),
        "disabled" => Badge::new(Status::Waiting, "Disabled"),
        "" => Badge::new(Status::Unknown, "Unknown state"),
        other => Badge::new(Status::Unknown, other.to_owned()),
    }
}

/// Where a flow runs by its schedule at all.
pub(in crate::web::pages) fn is_on(flow: &Flow) -> bool {
    flow.gone_at.is_none() && flow.record.state == "enabled"
}

/// How often a flow runs, in words.
pub(in crate::web::pages) fn schedule_words(flow: &FlowRecord) -> String {
    flow.frequency.as_deref().map_or_else(
        || "not known".to_owned(),
        |unit| cadence(unit, flow.interval_count),
    )
}

/// When a flow runs next (UTC epoch milliseconds); nothing when it is off or its schedule is not known.
pub(in crate::web::pages) fn next_runs(flow: &Flow, now_ms: i64, count: usize) -> Vec<i64> {
    let frequency = flow
        .record
        .frequency
        .as_deref()
        .and_then(|word| word.parse::<Frequency>().ok());
    match (frequency, flow.record.start_at) {
        (Some(frequency), Some(start_at)) if is_on(flow) => next_slots(
            frequency,
            flow.record.interval_count.unwrap_or(1),
            start_at,
            now_ms,
            count,
        ),
        _ => Vec::new(),
    }
}

/// The name of a flow's kind of source.
pub(in crate::web::pages) fn connector_name(flow: &FlowRecord) -> &'static str {
    source_name(flow.connector.as_deref())
}

/// The name of a kind of source.
pub(in crate::web::pages) fn source_name(slug: Option<&str>) -> &'static str {
    let known = slug.and_then(connector);
    known.map_or("Other source", |connector| connector.name.as_str())
}

/// A run in a table.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct RunRow {
    run: RunLine,
    pub(in crate::web::pages) started: TimeView,
    pub(in crate::web::pages) badge: Badge,
}

/// Characters of an error in a table's hint.
const HINT_CHARS: usize = 120;

impl RunRow {
    pub(in crate::web::pages) fn new(run: RunLine, times: &Times) -> Self {
        Self {
            started: times.at(run.started_at),
            badge: outcome_badge(run.outcome, &run.status),
            run,
        }
    }

    pub(in crate::web::pages) fn id(&self) -> &str {
        &self.run.id
    }

    /// Its status in Adobe's word.
    pub(in crate::web::pages) fn adobe_says(&self) -> String {
        match self.run.status.as_str() {
            "" => "no status".to_owned(),
            status => format!("\u{201c}{status}\u{201d}"),
        }
    }

    /// How long it took; nothing while it is going on.
    pub(in crate::web::pages) fn duration(&self) -> impl Written {
        or_not_told(self.run.duration_ms.map(numbers::duration))
    }

    pub(in crate::web::pages) fn records_in(&self) -> impl Written {
        count(self.run.records_in)
    }

    pub(in crate::web::pages) fn records_out(&self) -> impl Written {
        count(self.run.records_out)
    }

    pub(in crate::web::pages) fn records_failed(&self) -> impl Written {
        count(self.run.records_failed)
    }

    pub(in crate::web::pages) fn files(&self) -> impl Written {
        count(self.run.files_in)
    }

    pub(in crate::web::pages) fn bytes(&self) -> impl Written {
        bytes(self.run.bytes_in)
    }

    /// Files and bytes in one cell: `2 · 218 kB`.
    pub(in crate::web::pages) fn volume(&self) -> impl Written {
        written(|out| {
            self.files().write_to(out)?;
            match size(self.run.bytes_in) {
                Some(bytes) => {
                    out.write_str(" · ")?;
                    bytes.write_to(out)
                }
                None => Ok(()),
            }
        })
    }

    /// What Adobe calls the error that tells most of it.
    pub(in crate::web::pages) fn error_code(&self) -> Option<&str> {
        self.run.error_code.as_deref().filter(|code| !code.is_empty())
    }

    /// What went wrong, for a person.
    pub(in crate::web::pages) fn explained(&self) -> Explained {
        Explained::new(self.error_code().unwrap_or_default(), self.error())
    }

    /// The beginning of the error, for a hint.
    pub(in crate::web::pages) fn error_hint(&self) -> &str {
        let error = self.error();
        let end = error.char_indices().nth(HINT_CHARS);
        end.map_or(error, |(end, _)| &error[..end])
    }

    fn error(&self) -> &str {
        self.run.error_message.as_deref().unwrap_or_default()
    }
}

/// A count that the platform may not have told.
pub(in crate::web::pages) fn count(told: Option<i64>) -> impl Written {
    or_not_told(told.map(numbers::count))
}

/// A size in bytes that the platform may not have told.
pub(in crate::web::pages) fn bytes(told: Option<i64>) -> impl Written {
    or_not_told(size(told))
}

fn size(told: Option<i64>) -> Option<impl Written> {
    let bytes = told.and_then(|bytes| u64::try_from(bytes).ok());
    bytes.map(numbers::bytes)
}

fn or_not_told(told: Option<impl Written>) -> impl Written {
    written(move |out| match &told {
        Some(told) => told.write_to(out),
        None => out.write_str(NOT_TOLD),
    })
}

/// The beginning of stored JSON, indented, or of anything else as it is; and whether that is not all of it.
pub(in crate::web::pages) fn pretty_beginning(json: &str, bytes_max: usize) -> (String, bool) {
    // What is far too long is not worth the work of indenting it.
    let mut text = match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) if json.len() <= bytes_max => format!("{value:#}"),
        _ => json[..json.floor_char_boundary(bytes_max)].to_owned(),
    };
    let end = text.floor_char_boundary(bytes_max);
    let is_cut = end < text.len() || json.len() > bytes_max;
    text.truncate(end);
    (text, is_cut)
}
