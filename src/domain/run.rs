//! What became of a run.

use super::words::words;

words! {
    /// Our reading of a run: Adobe's status together with its counts.
    pub enum RunOutcome {
        /// Scheduled or queued.
        Waiting = "waiting",
        /// On its way.
        Running = "running",
        /// Everything arrived.
        Succeeded = "succeeded",
        /// Adobe says success or partial success, but records failed or errors are attached.
        Partial = "partial",
        /// Nothing or not enough arrived.
        Failed = "failed",
        /// A status that no document names; the raw word is kept beside it.
        Unknown = "unknown",
    }
}

impl RunOutcome {
    /// Reads Adobe's status word together with the number of failed records and attached errors.
    ///
    /// The documents disagree on case and spelling (`success`, `completed`, `PARTIAL_SUCCESS`,
    /// `partialSuccess`), so case and underscores do not matter. A success with failed records or errors is
    /// partial: Adobe reports runs below the partial-ingestion threshold as successes.
    pub fn read(status: &str, records_failed: Option<i64>, has_errors: bool) -> Self {
        let word: String = status
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        match word.as_str() {
            "scheduled" | "queued" => Self::Waiting,
            "inprogress" | "running" | "active" | "processing" => Self::Running,
            "success" | "completed" if records_failed.unwrap_or(0) > 0 || has_errors => Self::Partial,
            "success" | "completed" => Self::Succeeded,
            "partialsuccess" | "partialfailure" => Self::Partial,
            "failed" | "failure" | "error" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// Whether a run that went so and stored so many records brought something, as far as the platform tells.
    pub fn brought_records(self, records_out: Option<i64>) -> bool {
        matches!(self, Self::Succeeded | Self::Partial) && records_out != Some(0)
    }

    /// Whether a run is on its way or about to begin.
    pub const fn is_going_on(self) -> bool {
        matches!(self, Self::Running | Self::Waiting)
    }

    /// Whether the run will not change any more as far as the documents say.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Partial | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::RunOutcome;

    #[test]
    fn reads_every_documented_spelling() {
        for (status, expected) in [
            ("scheduled", RunOutcome::Waiting),
            ("QUEUED", RunOutcome::Waiting),
            ("inProgress", RunOutcome::Running),
            ("IN_PROGRESS", RunOutcome::Running),
            ("success", RunOutcome::Succeeded),
            ("COMPLETED", RunOutcome::Succeeded),
            ("partialSuccess", RunOutcome::Partial),
            ("PARTIAL_FAILURE", RunOutcome::Partial),
            ("Failed", RunOutcome::Failed),
            ("teleported", RunOutcome::Unknown),
            ("", RunOutcome::Unknown),
        ] {
            assert_eq!(RunOutcome::read(status, None, false), expected, "{status}");
        }
    }

    #[test]
    fn success_with_failed_records_is_partial() {
        assert_eq!(RunOutcome::read("success", Some(1), false), RunOutcome::Partial);
        assert_eq!(RunOutcome::read("success", Some(0), true), RunOutcome::Partial);
        assert_eq!(RunOutcome::read("success", Some(0), false), RunOutcome::Succeeded);
        assert_eq!(RunOutcome::read("failed", Some(5), true), RunOutcome::Failed);
    }
}
