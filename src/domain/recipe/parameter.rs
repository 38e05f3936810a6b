//! Parameters: the named, typed blanks of a connection template.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::words::words;
use crate::domain::{Problem, texts};

/// How many parameters a template may have.
pub const PARAMETER_ROWS: usize = 8;

words! {
    /// What may be answered.
    pub enum ParameterKind {
        /// Any text.
        Text = "text",
        /// One of the options.
        Choice = "choice",
        /// A calendar day, `YYYY-MM-DD`.
        Date = "date",
        /// A whole number.
        Number = "number",
        /// A secret; usable only as the whole value of a secret field.
        Secret = "secret",
    }
}

/// A named, typed blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name inside `{{ }}`: a letter, then letters, digits and underscores.
    pub name: String,
    /// What the analyst is asked.
    pub label: String,
    /// What may be answered.
    pub kind: ParameterKind,
    /// Answers to choose from.
    pub options: Vec<String>,
    /// Answer that the form begins with.
    pub default: String,
    /// One line of help.
    pub hint: String,
    /// Whether an answer is needed.
    pub required: bool,
}

impl Parameter {
    /// The form field that asks for it.
    pub fn field(&self) -> String {
        format!("param.{}", self.name)
    }

    /// Checks an answer that is not a secret; secrets are checked where they are sealed.
    pub fn check(&self, answer: &str) -> Option<Problem> {
        let field = self.field();
        if answer.trim().is_empty() {
            return self
                .required
                .then(|| Problem::new(field, "input.missing", format!("{} is needed.", self.label)));
        }
        match self.kind {
            ParameterKind::Text | ParameterKind::Secret => {
                texts::check_text(&field, &self.label, answer, texts::PATH_MAX)
            }
            ParameterKind::Choice if !self.options.iter().any(|o| o == answer) => Some(Problem::new(
                field,
                "input.choice",
                format!("{}: choose one of the options.", self.label),
            )),
            ParameterKind::Date if answer.parse::<jiff::civil::Date>().is_err() => Some(Problem::new(
                field,
                "input.date",
                format!("{}: write the day as YYYY-MM-DD.", self.label),
            )),
            ParameterKind::Number if answer.parse::<i64>().is_err() => Some(Problem::new(
                field,
                "input.number",
                format!("{} must be a whole number.", self.label),
            )),
            _ => None,
        }
    }
}

/// Checks every answer that is not a secret.
pub fn check_answers(parameters: &[Parameter], answers: &BTreeMap<String, String>) -> Vec<Problem> {
    parameters
        .iter()
        .filter(|p| p.kind != ParameterKind::Secret)
        .filter_map(|p| p.check(answers.get(&p.name).map_or("", String::as_str)))
        .collect()
}
