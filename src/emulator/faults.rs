//! Faults on command: rules that match calls, and what happens to the calls they match.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which calls a rule is for. A call matches when every given part does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct When {
    /// Method; any when `None`.
    pub method: Option<String>,
    /// Pattern for the path without its query: `*` stands for anything within one segment, `**` for anything.
    pub path: String,
    /// Text that the request body contains, for example a connection specification id.
    pub body_contains: Option<String>,
    /// The first matching call that is hit, counted from 1.
    pub nth: u32,
    /// How many calls are hit from there on; 0 means all.
    pub times: u32,
}

impl Default for When {
    fn default() -> Self {
        Self {
            method: None,
            path: "/**".to_owned(),
            body_contains: None,
            nth: 1,
            times: 1,
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

    /// Completes the rule.
    #[must_use]
    pub fn then(self, then: Fault) -> Rule {
        Rule { when: self, then }
    }

    fn matches(&self, method: &str, path: &str, body: &[u8]) -> bool {
        self.method
            .as_ref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path_matches(&self.path, path)
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
            Self::ActLate { .. } => "act_late",
            Self::Status { .. } => "status",
            Self::AfterStatus { .. } => "after_status",
            Self::RetryAfter { .. } => "retry_after",
            Self::Delay { .. } => "delay",
            Self::Garbage { .. } => "garbage",
            Self::ExpireToken => "expire_token",
            Self::StaleEtag => "stale_etag",
            Self::Answer { .. } => "answer",
        }
    }
}

/// A rule that has been armed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Armed {
    /// Number of the rule since the last reset.
    pub id: u64,
    /// Calls that matched so far.
    pub seen: u32,
    /// Calls that were hit so far.
    pub hit: u32,
    /// The rule.
    #[serde(flatten)]
    pub rule: Rule,
}

/// The armed rules.
#[derive(Debug, Default)]
pub struct RuleBook {
    rules: Vec<Armed>,
    last: u64,
}

impl RuleBook {
    /// Arms a rule and answers its number.
    pub fn arm(&mut self, rule: Rule) -> u64 {
        self.last += 1;
        self.rules.push(Armed {
            id: self.last,
            seen: 0,
            hit: 0,
            rule,
        });
        self.last
    }

    /// Removes every rule.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules in the order of their arming.
    pub fn read(&self) -> Vec<Armed> {
        self.rules.clone()
    }

    /// Counts a call and answers what happens to it: the first rule that hits.
    pub fn strike(&mut self, method: &str, path: &str, body: &[u8]) -> Option<Fault> {
        let mut fault = None;
        for armed in self
            .rules
            .iter_mut()
            .filter(|armed| armed.rule.when.matches(method, path, body))
        {
            armed.seen = armed.seen.saturating_add(1);
            let when = &armed.rule.when;
            if fault.is_none() && armed.seen >= when.nth && (when.times == 0 || armed.hit < when.times) {
                armed.hit = armed.hit.saturating_add(1);
                fault = Some(armed.rule.then.clone());
            }
        }
        fault
    }
}

/// Whether a path matches a pattern: `*` is anything within a segment, `**` anything.
pub fn path_matches(pattern: &str, path: &str) -> bool {
    let Some(star) = pattern.find('*') else {
        return pattern == path;
    };
    let (head, tail) = pattern.split_at(star);
    let Some(rest) = path.strip_prefix(head) else {
        return false;
    };
    let (tail, crosses) = match tail.strip_prefix("**") {
        Some(tail) => (tail, true),
        None => (&tail[1..], false),
    };
    let reach = if crosses {
        rest.len()
    } else {
        rest.find('/').unwrap_or(rest.len())
    };
    rest.char_indices()
        .map(|(at, _)| at)
        .chain([rest.len()])
        .take_while(|at| *at <= reach)
        .any(|at| path_matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/flows", "/flows", true),
            ("/flows", "/flows/1", false),
            ("/flows/*", "/flows/1", true),
            ("/flows/*", "/flows/1/runs", false),
            ("/flows/*/runs", "/flows/1/runs", true),
            ("/**", "/a/b/c", true),
            ("**/connections", "/data/foundation/flowservice/connections", true),
            (
                "**/connections",
                "/data/foundation/flowservice/sourceConnections",
                false,
            ),
            ("*", "", true),
            ("/é*", "/éé", true),
        ] {
            assert_eq!(path_matches(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_rule_hits_the_nth_call_and_then_so_many() {
        let mut book = RuleBook::default();
        book.arm(Rule::on("POST", "/flows").nth(2).times(2).then(Fault::LoseAnswer));
        let hits: Vec<bool> = (0..5)
            .map(|_| book.strike("POST", "/flows", b"").is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!((book.read()[0].seen, book.read()[0].hit), (5, 2));
        assert_eq!(book.strike("GET", "/flows", b""), None);
    }

    #[test]
    fn the_first_rule_wins_and_the_body_can_decide() {
        let mut book = RuleBook::default();
        book.arm(
            Rule::on("POST", "/c")
                .body_contains("c604ff05")
                .times(0)
                .then(Fault::LoseRequest),
        );
        book.arm(Rule {
            when: When {
                times: 0,
                ..When::default()
            },
            then: Fault::ExpireToken,
        });
        assert_eq!(
            book.strike("POST", "/c", b"{\"id\":\"c604ff05-7f1a\"}"),
            Some(Fault::LoseRequest)
        );
        assert_eq!(book.strike("POST", "/c", b"{}"), Some(Fault::ExpireToken));
    }

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
        ] {
            assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
        }
    }
}
