//! Finding a code, however it is written.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Failure, families};

/// Longer texts are no codes, in bytes.
const LONGEST: usize = 500;

/// Every failure by its codes in capitals, and by those without their HTTP status where that is clear enough.
struct Index {
    exact: HashMap<String, &'static Failure>,
    /// `None`: several failures have the number, and only the status tells them apart.
    by_number: HashMap<String, Option<&'static Failure>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index {
        exact: HashMap::new(),
        by_number: HashMap::new(),
    };
    for family in families() {
        for failure in &family.failures {
            for code in &failure.codes {
                index.add(code.to_uppercase(), failure);
                if !family.prefix.is_empty() {
                    index.add(format!("{}-{code}", family.prefix), failure);
                }
            }
        }
    }
    index
});

impl Index {
    fn add(&mut self, code: String, failure: &'static Failure) {
        if let Some(number) = without_status(&code) {
            let known = self.by_number.entry(number.to_owned()).or_insert(Some(failure));
            if known.is_some_and(|known| !std::ptr::eq(known, failure)) {
                *known = None;
            }
        }
        self.exact.entry(code).or_insert(failure);
    }
}

/// What a code means: `FLOW-1418-400`, `1418-400`, in small letters too, or an address that ends in it.
///
/// Documents and answers give some codes with different HTTP statuses (`1439-400`, `FLOW-1439-404`), so the status
/// does not matter where the number alone is clear. Nothing: no document that we know explains the code.
pub fn explain(code: &str) -> Option<&'static Failure> {
    if code.len() > LONGEST {
        return None;
    }
    let code = bare(code).to_uppercase();
    let exact = INDEX.exact.get(code.as_str()).copied();
    exact.or_else(|| *INDEX.by_number.get(without_status(&code)?)?)
}

/// The code in what was copied: the last part of an address, without what stands around it.
fn bare(code: &str) -> &str {
    let path = code.trim().split(['?', '#']).next().unwrap_or_default();
    let around = |c: char| !c.is_ascii_alphanumeric();
    let path = path.trim_end_matches(around);
    let last = path.rsplit('/').next().unwrap_or_default();
    last.trim_start_matches(around)
}

/// `FLOW-1418` out of `FLOW-1418-400`; nothing without a status.
fn without_status(code: &str) -> Option<&str> {
    let (number, status) = code.rsplit_once('-')?;
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    is_status.then_some(number)
}
