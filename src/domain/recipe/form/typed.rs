//! The fields of a form as they were typed.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::Problem;

/// The fields of a form as they were typed, with the mistakes found so far.
///
/// Reading a field marks it as known, so that [`Typed::finish`] can name the fields that the page does not have.
#[derive(Debug, Default)]
pub struct Typed {
    fields: BTreeMap<String, String>,
    known: BTreeSet<String>,
    /// Mistakes found so far, in the order of the form.
    pub problems: Vec<Problem>,
}

impl Typed {
    /// Takes the pairs of a form. A field that comes twice is a mistake (E5).
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let mut typed = Self::default();
        for (name, value) in pairs {
            if typed
                .fields
                .insert(name.clone(), value.replace("\r\n", "\n"))
                .is_some()
            {
                typed.add(
                    &name,
                    "input.unexpected",
                    format!("The form contained the field {name:?} twice."),
                );
            }
        }
        typed
    }

    /// The value of a field, without blanks at its ends; empty when it is missing.
    pub fn text(&mut self, name: &str) -> String {
        self.raw(name).trim().to_owned()
    }

    /// The value of a field exactly as typed; empty when it is missing.
    pub fn raw(&mut self, name: &str) -> &str {
        self.known.insert(name.to_owned());
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether a box is ticked.
    pub fn ticked(&mut self, name: &str) -> bool {
        !self.raw(name).is_empty()
    }

    /// A whole number; an empty field is none, anything else that is no number is a mistake (E6).
    pub fn number(&mut self, name: &str, label: &str) -> Option<i64> {
        let value = self.raw(name).to_owned();
        if value.is_empty() {
            return None;
        }
        let plain = value
            .strip_prefix('-')
            .unwrap_or(&value)
            .chars()
            .all(|c| c.is_ascii_digit());
        match value.parse::<i64>() {
            Ok(number) if plain && number >= 0 => Some(number),
            _ => {
                self.add(name, "input.number", format!("{label} must be a whole number."));
                None
            }
        }
    }

    /// One of a fixed set of words; an empty field gives `default`.
    pub fn choice<T: std::str::FromStr>(&mut self, name: &str, label: &str, default: T) -> T {
        let value = self.text(name);
        if value.is_empty() {
            return default;
        }
        value.parse().unwrap_or_else(|_| {
            self.add(
                name,
                "input.choice",
                format!("{label}: choose one of the options."),
            );
            default
        })
    }

    /// Notes a mistake.
    pub fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(field, code, message));
    }

    /// Marks fields as known that belong to the page but are not read now.
    pub fn ignore(&mut self, names: &[&str]) {
        self.known.extend(names.iter().map(|n| (*n).to_owned()));
    }

    /// Names every field that the page does not have (E5) and gives all mistakes.
    pub fn finish(mut self) -> Vec<Problem> {
        let unknown: Vec<String> = self
            .fields
            .keys()
            .filter(|name| !self.known.contains(*name))
            .cloned()
            .collect();
        for name in unknown {
            let message = format!("The form contained a field that this page does not have: {name:?}.");
            self.add(&name, "input.unexpected", message);
        }
        self.problems
    }
}
