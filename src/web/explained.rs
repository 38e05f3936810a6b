//! A failure at Adobe as a page shows it: what happened, who can mend it, how, and Adobe's own words behind.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::failures::{Failure, Place, Who, explain};

/// The most of a code in an address, in characters; those of Adobe's are shorter than 40.
const CODE_CHARS: usize = 100;
/// What is encoded in an address.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// One failure, for `components/explained.html`.
#[derive(Debug, Clone)]
pub struct Explained {
    /// As Adobe wrote it; empty where it gave none.
    pub code: String,
    /// In Adobe's words; empty where it gave none.
    pub message: String,
    /// What we know about the code.
    pub failure: Option<&'static Failure>,
}

impl Explained {
    /// Of a code and a message that were made fit to be shown when they were read.
    pub fn new(code: &str, message: &str) -> Self {
        Self {
            code: capped(code),
            message: message.to_owned(),
            failure: explain(code),
        }
    }

    /// The page about the code.
    pub fn href(&self) -> String {
        help_address(self.failure.map_or(&self.code, Failure::code))
    }
}

/// At most as much of a code as is worth showing.
pub fn capped(code: &str) -> String {
    code.chars().take(CODE_CHARS).collect()
}

/// The address of the page about a code.
pub fn help_address(code: &str) -> String {
    format!("/help/errors/{}", utf8_percent_encode(code, ENCODED))
}

/// The page about the first code that a sentence of ours or of Adobe's names; nothing when it names none that we can
/// explain. Short numbers are no codes here: sentences have numbers of their own.
pub fn help_within(text: &str) -> Option<String> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let mut words = text.split(part).filter(|word| word.len() > 5);
    words
        .find_map(explain)
        .map(|failure| help_address(failure.code()))
}

/// Who can mend it, as the beginning of what to do.
pub const fn who_can(who: &Who) -> &'static str {
    match *who {
        Who::Here => "You can mend this here",
        Who::AdobeAdmin => "Whoever administers Adobe can mend this",
        Who::SourceOwner => "Whoever owns the source can mend this",
        Who::Wait => "Nobody has to mend this: wait and try again",
        Who::Headgate => "Headgate itself is at fault",
    }
}

/// Where to do it: word and address.
pub const fn leads_to(place: &Place) -> (&'static str, &'static str) {
    match *place {
        Place::Flows => ("Flows", "/flows"),
        Place::Setups => ("Setups", "/setups"),
        Place::Findings => ("Findings", "/findings"),
        Place::Templates => ("Templates", "/templates"),
        Place::Environments => ("Environments", "/environments"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_leads_to_the_documented_code_or_to_what_was_told() {
        assert_eq!(
            Explained::new("flow-1439-404", "").href(),
            "/help/errors/1439-400"
        );
        assert_eq!(
            Explained::new("a/../b?c=\"<d>", "").href(),
            "/help/errors/a%2F%2E%2E%2Fb%3Fc%3D%22%3Cd%3E"
        );
        assert_eq!(
            Explained::new(&"ü".repeat(5000), "").code.chars().count(),
            CODE_CHARS
        );
    }

    #[test]
    fn codes_are_found_in_sentences() {
        let within = |text: &str| help_within(text);
        let forbidden = "Flow Service answered 403 (FLOW-2118-403): no. Nothing was changed by this call.";
        assert_eq!(within(forbidden).as_deref(), Some("/help/errors/2118-403"));
        assert_eq!(
            within("Adobe's sign-in service (IMS) answered 400 (invalid_client): bad").as_deref(),
            Some("/help/errors/invalid_client")
        );
        for silent in [
            "",
            "133 files, 2200 rows and 1401 bytes",
            "FLOW-0000-400",
            "well-known-word",
        ] {
            assert_eq!(within(silent), None, "{silent}");
        }
    }
}
