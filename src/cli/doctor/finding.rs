//! One line of the doctor's.

use serde_json::{Value, json};

use crate::cli::Exit;

/// What a check found.
#[derive(Debug)]
pub(super) struct Finding {
    /// What was looked at: a stable word or two.
    pub check: &'static str,
    pub verdict: Verdict,
    /// What it means.
    found: String,
    /// What to do.
    advice: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but should be looked at.
    Warning,
    /// It does not work.
    Problem(Exit),
}

impl Finding {
    pub fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, found)
    }

    pub fn warning(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, found)
    }

    pub fn problem(check: &'static str, exit: Exit, found: impl Into<String>) -> Self {
        Self::new(check, Verdict::Problem(exit), found)
    }

    fn new(check: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            found: found.into(),
            advice: None,
        }
    }

    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// What the process ends with because of it.
    pub fn exit(&self) -> Option<Exit> {
        match self.verdict {
            Verdict::Problem(exit) => Some(exit),
            Verdict::Ok | Verdict::Warning => None,
        }
    }

    pub fn as_text(&self) -> String {
        let word = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem(_) => "PROBLEM",
        };
        let advice = self
            .advice
            .as_deref()
            .map_or(String::new(), |advice| format!(" {advice}"));
        format!("{word:<8} {}: {}{advice}\n", self.check, self.found)
    }

    pub fn as_json(&self) -> Value {
        let word = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem(_) => "problem",
        };
        json!({ "check": self.check, "verdict": word, "found": self.found, "advice": self.advice })
    }
}
