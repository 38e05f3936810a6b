//! A run as a line of a file.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::failures::explain;
use crate::store::run_lists::ListedRun;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Comma-separated values as in RFC 4180, safe to open in a spreadsheet.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// The columns, in order; those of [`Line`].
pub(super) const COLUMNS: [&str; 25] = [
    "run_id",
    "flow_id",
    "flow_name",
    "environment_id",
    "environment",
    "outcome",
    "adobe_status",
    "started_at",
    "completed_at",
    "ended_at",
    "duration_ms",
    "records_read",
    "records_stored",
    "records_rejected",
    "files_read",
    "bytes_read",
    "bytes_stored",
    "error_code",
    "error_message",
    "error_meaning",
    "window_start_at",
    "window_end_at",
    "changed_at",
    "read_at",
    "gone_at",
];

/// One run. What the platform did not tell is `None`.
#[derive(Debug, Serialize)]
struct Line<'a> {
    run_id: Cow<'a, str>,
    flow_id: Cow<'a, str>,
    flow_name: Cow<'a, str>,
    environment_id: Cow<'a, str>,
    environment: Cow<'a, str>,
    outcome: &'static str,
    adobe_status: Cow<'a, str>,
    started_at: Option<String>,
    completed_at: Option<String>,
    ended_at: Option<String>,
    duration_ms: Option<i64>,
    records_read: Option<i64>,
    records_stored: Option<i64>,
    records_rejected: Option<i64>,
    files_read: Option<i64>,
    bytes_read: Option<i64>,
    bytes_stored: Option<i64>,
    error_code: Option<Cow<'a, str>>,
    error_message: Option<Cow<'a, str>>,
    error_meaning: Option<&'static str>,
    window_start_at: Option<String>,
    window_end_at: Option<String>,
    changed_at: Option<String>,
    read_at: Option<String>,
    gone_at: Option<String>,
}

impl Format {
    /// The ending of a file's name.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// What stands before the first run.
    pub(super) fn head(self) -> Vec<u8> {
        match self {
            Self::Csv => format!("{}\r\n", COLUMNS.join(",")).into_bytes(),
            Self::JsonLines => Vec::new(),
        }
    }

    /// The lines of some runs; `environment` is the name of theirs.
    pub(super) fn lines<'a>(
        self,
        runs: &'a [ListedRun],
        environment: &'a str,
    ) -> Result<Vec<u8>, std::io::Error> {
        let as_is = |text: &'a str| Cow::Borrowed(text);
        match self {
            Self::Csv => {
                let mut writer = WriterBuilder::new()
                    .has_headers(false)
                    .terminator(Terminator::CRLF)
                    .from_writer(Vec::new());
                for run in runs {
                    let line = Line::new(run, environment, unarmed);
                    writer.serialize(line).map_err(std::io::Error::other)?;
                }
                writer.into_inner().map_err(|error| error.into_error())
            }
            Self::JsonLines => {
                let mut lines = Vec::new();
                for run in runs {
                    serde_json::to_writer(&mut lines, &Line::new(run, environment, as_is))?;
                    lines.push(b'\n');
                }
                Ok(lines)
            }
        }
    }
}

impl<'a> Line<'a> {
    fn new(exported: &'a ListedRun, environment: &'a str, text: impl Fn(&'a str) -> Cow<'a, str>) -> Self {
        let run = &exported.run;
        let meaning = run.error_code.as_deref().and_then(explain);
        Self {
            run_id: text(&run.id),
            flow_id: text(&run.flow_id),
            flow_name: text(&exported.flow_name),
            environment_id: text(&run.environment_id),
            environment: text(environment),
            outcome: run.outcome.as_str(),
            adobe_status: text(&run.status),
            started_at: moment(Some(run.started_at)),
            completed_at: moment(run.completed_at),
            ended_at: moment(run.ended_at),
            duration_ms: run.duration_ms,
            records_read: run.records_in,
            records_stored: run.records_out,
            records_rejected: run.records_failed,
            files_read: run.files_in,
            bytes_read: run.bytes_in,
            bytes_stored: run.bytes_out,
            error_code: run.error_code.as_deref().map(&text),
            error_message: run.error_message.as_deref().map(&text),
            error_meaning: meaning.map(|failure| failure.title.as_str()),
            window_start_at: moment(run.window_start_at),
            window_end_at: moment(run.window_end_at),
            changed_at: moment(Some(run.platform_updated_at)),
            read_at: moment(Some(run.read_at)),
            gone_at: moment(run.gone_at),
        }
    }
}

/// RFC 3339 in UTC; nothing for what lies outside the calendar.
fn moment(at_ms: Option<i64>) -> Option<String> {
    Timestamp::from_millisecond(at_ms?).ok().map(|at| at.to_string())
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it. Numbers never come here.
fn unarmed(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_unarmed() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"] {
            assert_eq!(unarmed(formula), format!("'{formula}"));
        }
        for plain in ["", "a=1", " =1", "'=1", "1-2", "–1"] {
            assert_eq!(unarmed(plain), plain);
        }
    }

    #[test]
    fn moments_are_in_utc_with_what_is_known_of_the_second() {
        assert_eq!(
            moment(Some(1_774_076_400_000)).as_deref(),
            Some("2026-03-21T07:00:00Z")
        );
        assert_eq!(
            moment(Some(1_774_076_400_120)).as_deref(),
            Some("2026-03-21T07:00:00.12Z")
        );
        assert_eq!(moment(None), None);
        assert_eq!(moment(Some(i64::MAX)), None);
    }
}
