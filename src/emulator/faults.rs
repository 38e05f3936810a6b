//! Faults on command: rules that match calls, and what happens to the calls they match.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::rule_book::Struck;
pub use super::rule_book::{Armed, path_matches};

/// Which calls a rule is for. A call matches when every given part does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct When {
    /// Method; any when `None`.
    pub method: Option<String>,
    /// Pattern for the path without its query: `*` stands for anything within one segment, `**` for anything.
    pub path: String,
    /// Text that the request body contains, for example a connection specification id.
    pub body_contains: Option<String>,
    /// Text that the query contains as it was sent, for example `continuationToken=`.
    pub query_contains: Option<String>,
    /// The first matching call that is hit, counted from 1.
    pub nth: u32,
    /// How many calls are hit from there on; 0 means all.
    pub times: u32,
    /// How probable it is that a call is hit, from 0 to 1; certain when `None`. With a random seed the same calls
    /// are hit in every start.
    #[serde(deserialize_with = "probability")]
    pub chance: Option<f64>,
}

/// Reads a number from 0 to 1.
fn probability<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    match Option::<f64>::deserialize(from)? {
        Some(chance) if !(0.0..=1.0).contains(&chance) => {
            Err(D::Error::custom("a chance is a number from 0 to 1"))
        }
        read => Ok(read),
    }
}

impl Default for When {
    fn default() -> Self {
        Self {
            method: None,
            path: "/**".to_owned(),
            body_contains: None,
            query_contains: None,
            nth: 1,
            times: 1,
            chance: None,
        }
    }
}

/// A rule: when it applies and what happens then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The calls it is for.
    #[serde(default)]
    pub when: When,
    /// What happens to them.
    pub then: Fault,
}

impl Rule {
    /// Begins a rule for a method and a path pattern; finish it with [`When::then`].
    pub fn on(method: &str, path: &str) -> When {
        When {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            ..When::default()
        }
    }
}

impl When {
    /// Hits the `nth` matching call first, counted from 1.
    #[must_use]
    pub fn nth(self, nth: u32) -> Self {
        Self { nth, ..self }
    }

    /// Hits this many calls; 0 means all.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Hits only calls whose body contains a text.
    #[must_use]
    pub fn body_contains(self, text: &str) -> Self {
        Self {
            body_contains: Some(text.to_owned()),
            ..self
        }
    }

    /// Hits only calls whose query contains a text, as it was sent.
    #[must_use]
    pub fn query_contains(self, text: &str) -> Self {
        Self {
            query_contains: Some(text.to_owned()),
            ..self
        }
    }

    /// Hits a call only with this probability, from 0 to 1.
    #[must_use]
    pub fn chance(self, chance: f64) -> Self {
        Self {
            chance: Some(chance),
            ..self
        }
    }

    /// Completes the rule.
    #[must_use]
    pub fn then(self, then: Fault) -> Rule {
        Rule { when: self, then }
    }

    pub(super) fn matches(&self, struck: &Struck<'_>) -> bool {
        let Struck {
            method,
            path,
            query,
            body,
        } = *struck;
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path_matches(&self.path, path)
            && self
                .query_contains
                .as_ref()
                .is_none_or(|text| query.contains(text.as_str()))
            && self.body_contains.as_ref().is_none_or(|text| {
                text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
            })
    }
}

/// Whose words an answer with a bare status speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// The envelope of the service that was called.
    #[default]
    Service,
    /// `{"error_code","message"}`.
    Gateway,
    /// An HTML page, as proxies answer.
    Html,
    /// Nothing.
    Empty,
}

/// The value of a `Retry-After` header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds(u64),
    /// An HTTP date that lies this many seconds after now; negative for the past.
    DateInSeconds(i64),
    /// Any text.
    Raw(String),
}

/// A successful answer that is not what the client expects. The call is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// `{}`.
    EmptyObject,
    /// The answer without its id.
    NoId,
    /// An id that is no text.
    OddId,
    /// The first half of the body, with the length of that half.
    Truncated,
    /// 16 MiB of spaces before the body.
    Huge,
    /// An HTML page.
    NotJson,
    /// Objects nested 2,000 deep.
    Deep,
    /// 307 to another host.
    Redirect,
}

/// What happens to a call that a rule hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Acts, then closes the connection before any byte of the answer.
    LoseAnswer,
    /// Acts, then closes the connection in the middle of the body.
    CutAnswer,
    /// Closes the connection without acting.
    LoseRequest,
    /// Never answers. The connection ends when the client goes away, the rules are removed or the emulator stops.
    Hang {
        /// Whether the call is acted on.
        acts: bool,
    },
    /// Acts, sends the head and half of the body, and then nothing more; it ends like [`Fault::Hang`].
    HangHalf,
    /// Closes the connection (or answers `status`) now and acts `ms` milliseconds of wall time later.
    ActLate {
        /// Milliseconds until the call is acted on.
        ms: u64,
        /// Answer with this status now instead of closing the connection.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Answers with a status without acting.
    Status {
        /// The status.
        status: u16,
        /// Form of the body.
        #[serde(default)]
        body: BodyForm,
    },
    /// Acts, then answers with a status as if it had failed.
    AfterStatus {
        /// The status.
        status: u16,
        /// Form of the body.
        #[serde(default)]
        body: BodyForm,
    },
    /// Answers 429 with a `Retry-After` header, without acting.
    RetryAfter {
        /// The header's value; left out when `None`.
        after: Option<RetryAfter>,
    },
    /// Waits, then acts and answers as usual.
    Delay {
        /// Milliseconds of wall time.
        ms: u64,
    },
    /// Acts, then answers something unusable under the service's own status.
    Garbage {
        /// What is answered.
        form: Garbage,
    },
    /// Revokes every access token before the call is looked at.
    ExpireToken,
    /// Changes the etag of the object that the path names before the call is looked at, as another writer would.
    StaleEtag,
    /// Answers a list that shows an object of another sandbox and nothing that was asked for, without acting.
    ListOfAnotherSandbox,
    /// Answers a page with nothing that was asked for which says that the list goes on, without acting. Every further
    /// page is the same one again, unless another rule takes it.
    EndlessList,
    /// Answers this status and body without acting, for example `{"result": false}` to a connection test.
    Answer {
        /// The status.
        status: u16,
        /// The body.
        body: Value,
    },
}

impl Fault {
    /// The name it has in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LoseAnswer => "lose_answer",
            Self::CutAnswer => "cut_answer",
            Self::LoseRequest => "lose_request",
            Self::Hang { .. } => "hang",
            Self::HangHalf => "hang_half",
            Self::ActLate { .. } => "act_late",
            Self::Status { .. } => "status",
            Self::AfterStatus { .. } => "after_status",
            Self::RetryAfter { .. } => "retry_after",
            Self::Delay { .. } => "delay",
            Self::Garbage { .. } => "garbage",
            Self::ExpireToken => "expire_token",
            Self::StaleEtag => "stale_etag",
            Self::ListOfAnotherSandbox => "list_of_another_sandbox",
            Self::EndlessList => "endless_list",
            Self::Answer { .. } => "answer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_strictly_from_json() {
        let rule: Rule = serde_json::from_str(
            r#"{"when":{"method":"POST","path":"**/flows","nth":2},"then":{"kind":"act_late","ms":50}}"#,
        )
        .unwrap();
        assert_eq!(
            rule,
            Rule::on("POST", "**/flows")
                .nth(2)
                .then(Fault::ActLate { ms: 50, status: None })
        );
        let retry: Rule =
            serde_json::from_str(r#"{"then":{"kind":"retry_after","after":{"date_in_seconds":-5}}}"#)
                .unwrap();
        assert_eq!(
            retry.then,
            Fault::RetryAfter {
                after: Some(RetryAfter::DateInSeconds(-5))
            }
        );
        for wrong in [
            r#"{"then":{"kind":"explode"}}"#,
            r#"{"when":{"url":"/"},"then":{"kind":"lose_answer"}}"#,
            r#"{"when":{"chance":1.5},"then":{"kind":"lose_answer"}}"#,
            r#"{"then":{"kind":"hang"}}"#,
        ] {
            assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
        }
    }
}
