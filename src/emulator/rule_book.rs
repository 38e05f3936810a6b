//! The rules that are armed: which of them strikes a call, and how long held calls are held.

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::faults::{Fault, Rule};
use super::ids::rng_of;

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

/// What rules look at in a call.
#[derive(Debug, Clone, Copy)]
pub struct Struck<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path without a slash at its end.
    pub path: &'a str,
    /// The query as it was sent.
    pub query: &'a str,
    /// The whole body.
    pub body: &'a [u8],
}

/// The armed rules.
#[derive(Debug)]
pub struct RuleBook {
    rules: Vec<Armed>,
    last: u64,
    seed: u64,
    /// Held calls wait for it.
    held: CancellationToken,
}

impl RuleBook {
    /// Chances depend on the seed, the rule and the count of its calls alone.
    pub fn new(seed: Option<u64>) -> Self {
        Self {
            rules: Vec::new(),
            last: 0,
            seed: seed.unwrap_or_else(|| fastrand::u64(..)),
            held: CancellationToken::new(),
        }
    }

    /// What a held call waits for.
    pub fn held(&self) -> CancellationToken {
        self.held.clone()
    }

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

    /// Removes every rule and lets go of the calls that are held.
    pub fn clear(&mut self) {
        self.rules.clear();
        self.held.cancel();
        self.held = CancellationToken::new();
    }

    /// The rules in the order of their arming.
    pub fn read(&self) -> Vec<Armed> {
        self.rules.clone()
    }

    /// Counts a call and answers what happens to it: the first rule that hits.
    pub fn strike(&mut self, struck: &Struck<'_>) -> Option<Fault> {
        let (mut fault, seed) = (None, self.seed);
        for armed in self
            .rules
            .iter_mut()
            .filter(|armed| armed.rule.when.matches(struck))
        {
            armed.seen = armed.seen.saturating_add(1);
            let when = &armed.rule.when;
            let due = armed.seen >= when.nth && (when.times == 0 || armed.hit < when.times);
            let drawn = || {
                let mut rng = rng_of(&[seed, armed.id, armed.seen.into()]);
                when.chance.is_none_or(|chance| rng.f64() < chance)
            };
            if fault.is_none() && due && drawn() {
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
    use super::super::faults::When;
    use super::*;

    fn call<'a>(method: &'a str, path: &'a str, body: &'a [u8]) -> Struck<'a> {
        Struck {
            method,
            path,
            query: "",
            body,
        }
    }

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
        let mut book = RuleBook::new(None);
        book.arm(Rule::on("POST", "/flows").nth(2).times(2).then(Fault::LoseAnswer));
        let hits: Vec<bool> = (0..5)
            .map(|_| book.strike(&call("POST", "/flows", b"")).is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!((book.read()[0].seen, book.read()[0].hit), (5, 2));
        assert_eq!(book.strike(&call("GET", "/flows", b"")), None);
    }

    #[test]
    fn the_first_rule_wins_and_the_body_can_decide() {
        let mut book = RuleBook::new(None);
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
            book.strike(&call("POST", "/c", b"{\"id\":\"c604ff05-7f1a\"}")),
            Some(Fault::LoseRequest)
        );
        assert_eq!(book.strike(&call("POST", "/c", b"{}")), Some(Fault::ExpireToken));
    }

    #[test]
    fn the_query_can_decide() {
        let mut book = RuleBook::new(None);
        book.arm(
            Rule::on("GET", "/flows")
                .query_contains("continuationToken=")
                .then(Fault::LoseRequest),
        );
        let first = call("GET", "/flows", b"");
        assert_eq!(book.strike(&first), None);
        let second = Struck {
            query: "limit=2&continuationToken=abc",
            ..first
        };
        assert_eq!(book.strike(&second), Some(Fault::LoseRequest));
    }

    #[test]
    fn a_chance_hits_about_so_many_and_the_same_ones_again() {
        let hits = |seed, chance| -> Vec<bool> {
            let mut book = RuleBook::new(Some(seed));
            book.arm(
                Rule::on("GET", "/flows")
                    .times(0)
                    .chance(chance)
                    .then(Fault::LoseAnswer),
            );
            (0..1000)
                .map(|_| book.strike(&call("GET", "/flows", b"")).is_some())
                .collect()
        };
        let quarter = hits(7, 0.25);
        assert_eq!(quarter, hits(7, 0.25));
        assert_ne!(quarter, hits(8, 0.25));
        let count = quarter.iter().filter(|hit| **hit).count();
        assert!((200..300).contains(&count), "{count}");
        assert!(!hits(7, 0.0).contains(&true));
        assert!(!hits(7, 1.0).contains(&false));
    }

    #[test]
    fn clearing_lets_go_of_what_is_held_now_and_not_of_what_comes() {
        let mut book = RuleBook::new(None);
        let held = book.held();
        book.clear();
        assert!(held.is_cancelled());
        assert!(!book.held().is_cancelled());
    }
}
