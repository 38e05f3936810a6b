//! Rules for typed texts: names, paths and secrets.

use url::Url;

use super::Problem;

/// Longest name, in characters.
pub const NAME_MAX: usize = 100;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 500;
/// Longest path, in characters.
pub const PATH_MAX: usize = 1024;
/// Shortest secret: a shorter one could not be told apart from ordinary text when logs are scrubbed.
pub const SECRET_MIN: usize = 8;

/// Checks a name that people see: present, at most [`NAME_MAX`] characters, nothing invisible.
pub fn check_name(field: &str, label: &str, value: &str) -> Option<Problem> {
    if value.trim().is_empty() {
        return Some(Problem::new(
            field,
            "input.missing",
            format!("{label} is needed."),
        ));
    }
    check_text(field, label, value, NAME_MAX)
}

/// Checks an optional text for its length in characters and for invisible characters.
pub fn check_text(field: &str, label: &str, value: &str, max: usize) -> Option<Problem> {
    let length = value.chars().count();
    if length > max {
        let message = format!("{label}: at most {max} characters (you entered {length}).");
        return Some(Problem::new(field, "input.too_long", message));
    }
    let position = value.chars().position(is_invisible)? + 1;
    let message = format!("{label} contains an invisible character at position {position}. Type it again.");
    Some(Problem::new(field, "input.characters", message))
}

/// Checks a name by which an object is found again through a filter of the platform.
///
/// In filter values a comma separates alternatives, a star is a wildcard and quotes delimit, so a name with
/// one of them could not be looked up after a lost answer.
pub fn check_filterable_name(field: &str, label: &str, value: &str) -> Option<Problem> {
    check_name(field, label, value).or_else(|| {
        let bad = value.chars().find(|c| matches!(c, ',' | '*' | '"' | '\'' | '\\' | '~'))?;
        let message = format!(
            "{label} may not contain {bad} because Adobe's filters give it a meaning, and Headgate must be able to \
             find the object again."
        );
        Some(Problem::new(field, "input.characters", message))
    })
}

/// Whether a character is a control, bidirectional or zero-width character.
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{061c}' | '\u{00ad}')
}

/// Checks a path inside the storage: no parent folders, no NUL, no backslash, no control characters.
pub fn check_path(field: &str, value: &str) -> Option<Problem> {
    if value.trim().is_empty() {
        return Some(Problem::new(field, "input.missing", "Path is needed."));
    }
    if value.chars().count() > PATH_MAX {
        return Some(Problem::new(
            field,
            "input.too_long",
            format!("Path: at most {PATH_MAX} characters."),
        ));
    }
    let what = if value.contains('\0') {
        "a NUL character"
    } else if value.contains('\\') {
        "a backslash; use / between folders"
    } else if value.chars().any(is_invisible) {
        "invisible characters"
    } else if value.split('/').any(|part| part == "..") {
        "\u{201c}..\u{201d}"
    } else if value.split('/').any(|part| part.chars().count() > 255) {
        "a file or folder name of more than 255 characters"
    } else {
        return None;
    };
    Some(Problem::new(
        field,
        "path.invalid",
        format!("Path may not contain {what}."),
    ))
}

/// Checks a secret of at least [`SECRET_MIN`] characters.
pub fn check_secret(field: &str, label: &str, value: &str) -> Option<Problem> {
    if value.is_empty() {
        return Some(Problem::new(
            field,
            "input.missing",
            format!("{label} is needed."),
        ));
    }
    (value.chars().count() < SECRET_MIN).then(|| {
        let message =
            format!("{label}: at least {SECRET_MIN} characters; shorter ones cannot be kept out of logs.");
        Problem::new(field, "secret.short", message)
    })
}

/// Checks a shared-access-signature URI of Azure storage; no message repeats any part of it.
///
/// `now_ms` (UTC epoch milliseconds) decides whether it has expired.
pub fn check_sas_uri(field: &str, value: &str, now_ms: i64) -> Option<Problem> {
    let fault = sas_fault(value, now_ms)?;
    Some(Problem::new(field, "secret.sas", format!("SAS URI: {fault}")))
}

fn sas_fault(value: &str, now_ms: i64) -> Option<&'static str> {
    let Ok(uri) = Url::parse(value.trim()) else {
        return Some("this is not a URI. Copy it whole from the Azure portal.");
    };
    if uri.scheme() != "https" {
        return Some("it must begin with https://.");
    }
    let host = uri.host_str().unwrap_or_default();
    if !host.contains(".blob.") && !host.contains(".dfs.") {
        return Some("its host is not an Azure blob endpoint.");
    }
    let part = |name: &str| {
        uri.query_pairs()
            .find(|(k, _)| k == name)
            .map(|(_, v)| v.into_owned())
    };
    if part("sig").is_none_or(|sig| sig.is_empty()) {
        return Some("the signature (sig) is missing.");
    }
    let Some(end) = part("se") else {
        return Some("the expiry time (se) is missing.");
    };
    let end = end
        .parse::<jiff::Timestamp>()
        .or_else(|_| format!("{end}T00:00:00Z").parse());
    match end {
        Err(_) => Some("the expiry time (se) cannot be read."),
        Ok(end) if end.as_millisecond() <= now_ms => Some("it has expired (se). Make a new one."),
        Ok(_) => None,
    }
}

/// Checks a connection string of Azure storage for the two parts that it must have.
pub fn check_connection_string(field: &str, value: &str) -> Option<Problem> {
    let has = |key: &str| {
        value
            .split(';')
            .any(|part| part.trim().strip_prefix(key).is_some_and(|v| v.len() > 1))
    };
    let message = if !has("AccountName") {
        "Connection string: AccountName is missing."
    } else if !has("AccountKey") && !has("SharedAccessSignature") {
        "Connection string: AccountKey is missing."
    } else {
        return None;
    };
    Some(Problem::new(field, "secret.connection_string", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(problem: Option<Problem>) -> &'static str {
        problem.map_or("fine", |p| p.code)
    }

    #[test]
    fn names() {
        assert_eq!(code(check_name("n", "Name", "  ")), "input.missing");
        assert_eq!(code(check_name("n", "Name", &"x".repeat(101))), "input.too_long");
        let hidden = check_name("n", "Name", "Loyal\u{202e}ty").unwrap();
        assert_eq!(
            (hidden.code, hidden.message.contains("position 6")),
            ("input.characters", true)
        );
        assert_eq!(
            code(check_name("n", "Name", "Fidélité, clients d\u{2019}été")),
            "fine"
        );
        assert_eq!(
            code(check_filterable_name("n", "Title", "a,b")),
            "input.characters"
        );
    }

    #[test]
    fn paths() {
        for bad in [
            "a/../b",
            "..",
            "a\0b",
            "a\\b",
            "a\nb",
            &format!("a/{}", "x".repeat(256)),
        ] {
            assert_eq!(code(check_path("p", bad)), "path.invalid", "{bad:?}");
        }
        for good in ["partners-demo/samples", "/acme/*.csv", "a..b/c", "été/2026"] {
            assert_eq!(code(check_path("p", good)), "fine", "{good}");
        }
        assert_eq!(code(check_path("p", "")), "input.missing");
    }

    #[test]
    fn sas_uris() {
        let now = 1_764_000_000_000;
        let good = "https://acme.blob.core.windows.net/c?sv=2024-01-01&se=2030-01-01T00:00:00Z&sp=rl&sig=SECRETSIGNATURE";
        assert_eq!(check_sas_uri("s", good, now), None);
        assert_eq!(check_sas_uri("s", &good.replace("T00:00:00Z", ""), now), None);
        for (bad, word) in [
            (good.replace("https", "http"), "https"),
            (good.replace("&sig=SECRETSIGNATURE", ""), "sig"),
            (good.replace("2030", "2019"), "expired"),
            (good.replace("blob.core.windows.net", "evil.example"), "host"),
            ("SECRETSIGNATURE".to_owned(), "not a URI"),
        ] {
            let problem = check_sas_uri("s", &bad, now).unwrap();
            assert!(problem.message.contains(word), "{}", problem.message);
            assert!(!problem.message.contains("SECRET") && !problem.message.contains("acme"));
        }
    }

    #[test]
    fn connection_strings() {
        let good = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=abc==;EndpointSuffix=core.windows.net";
        assert_eq!(check_connection_string("c", good), None);
        assert_eq!(
            code(check_connection_string("c", "AccountKey=abc")),
            "secret.connection_string"
        );
        assert_eq!(
            code(check_connection_string("c", "AccountName=abc")),
            "secret.connection_string"
        );
    }

    proptest! {
        #[test]
        fn nothing_typed_makes_a_rule_panic_or_repeat_a_secret(text in "\\PC{0,80}") {
            let _ = check_name("f", "Name", &text);
            let _ = check_path("f", &text);
            if let Some(problem) = check_sas_uri("f", &text, 0) && text.len() > 12 {
                prop_assert!(!problem.message.contains(&text));
            }
        }
    }
}
