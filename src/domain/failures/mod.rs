//! What the error codes of Adobe's services mean: why it happened, who can mend it, how.
//!
//! The catalogue is data beside the code, one file for each service. Its codes are those that Adobe's pages, API
//! files and printed answers name; the texts are ours.

mod lookup;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde::Deserialize;

pub use lookup::explain;

use super::words::words;

/// The codes of one service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Our word for it in addresses.
    pub slug: String,
    /// Whose codes these are.
    pub name: String,
    /// The document that names the codes, unless a failure names its own.
    source: String,
    /// What may stand before a code of this family and may be left out, such as `FLOW`.
    #[serde(default)]
    prefix: String,
    /// In the order of the codes.
    pub failures: Vec<Failure>,
}

/// What can fail, under one code or under several that mean the same.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// As the documents write them; the first one names the page.
    pub codes: Vec<String>,
    /// What happened.
    pub title: String,
    /// Why.
    pub cause: String,
    /// Who can mend it.
    pub who: Who,
    /// What to do.
    pub how: String,
    /// Where in Headgate to do it.
    #[serde(default)]
    pub places: Vec<Place>,
    /// Another code beside it says more: it only names the part of a run that failed.
    #[serde(default)]
    pub is_general: bool,
    /// What else the code means, where Adobe gives it twice.
    #[serde(default)]
    pub also: String,
    #[serde(default)]
    source: String,
}

words! {
    /// Who can mend a failure.
    pub enum Who {
        /// The person who reads it, here in Headgate.
        Here = "here",
        /// Whoever administers Adobe for the organization.
        AdobeAdmin = "adobe_admin",
        /// Whoever owns the storage that the files come from.
        SourceOwner = "source_owner",
        /// Nobody has to: it passes.
        Wait = "wait",
        /// We: the call should not have been made like this.
        Headgate = "headgate",
    }
}

words! {
    /// A part of Headgate where something can be done about a failure.
    pub enum Place {
        /// The list of dataflows.
        Flows = "flows",
        /// The attempts to make one.
        Setups = "setups",
        /// What does not fit between the platform and our records.
        Findings = "findings",
        /// The connection templates.
        Templates = "templates",
        /// The environments with their checks.
        Environments = "environments",
    }
}

static CATALOGUE: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let files = [
        include_str!("runs.json"),
        include_str!("limits.json"),
        include_str!("flow_service.json"),
        include_str!("sources.json"),
        include_str!("schema_registry.json"),
        include_str!("gateway.json"),
        include_str!("sign_in.json"),
    ];
    #[expect(
        clippy::expect_used,
        reason = "the files are compiled in and read by a unit test"
    )]
    let family = |file: &str| -> Family { serde_json::from_str(file).expect("a catalogue is well formed") };
    files.map(family).into_iter().map(Family::told).collect()
});

/// All codes, by service.
pub fn families() -> &'static [Family] {
    &CATALOGUE
}

/// The place of the code that tells most of what went wrong, among those of one run in Adobe's order: the first that
/// we can explain and that does not only name the part that failed; else the first. Nothing: there is none.
pub fn most_telling<'a>(codes: impl IntoIterator<Item = Option<&'a str>>) -> Option<usize> {
    let mut codes = codes.into_iter();
    let says_why = |code: Option<&str>| code.and_then(explain).is_some_and(|failure| !failure.is_general);
    let first = codes.next()?;
    if says_why(first) {
        return Some(0);
    }
    Some(codes.position(says_why).map_or(0, |others| others + 1))
}

impl Family {
    /// Gives each failure the source that it does not name itself.
    fn told(mut self) -> Self {
        for failure in &mut self.failures {
            if failure.source.is_empty() {
                failure.source.clone_from(&self.source);
            }
        }
        self
    }
}

impl Failure {
    /// The code that names its page.
    pub fn code(&self) -> &str {
        self.codes.first().map_or("", String::as_str)
    }

    /// The document that names the code.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether each of the words (in lower case) stands somewhere in it.
    pub fn tells(&self, words: &[String]) -> bool {
        let text = format!(
            "{} {} {} {}",
            self.codes.join(" "),
            self.title,
            self.cause,
            self.how
        );
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    }
}
