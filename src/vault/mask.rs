//! Taking what looks like a credential out of a text that comes from outside, whosever it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr2, memchr2_iter};
use regex::{Regex, bytes};

/// Keys whose values are credentials, in addresses, connection strings and JSON.
const KEYS: &str = "sig|accountkey|sharedaccesskey|sharedaccesssignature|password|passwd|pwd|passphrase|secret|\\
    client_?secret|secret_?access_?key|s3_?secret_?key|session_?token|access_?token|refresh_?token|\\
    x-amz-signature|x-amz-security-token|x-amz-credential|api_?key";

/// What a credential looks like, with what stands in its place.
static LOOKS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let keys = keys();
    [
        // JSON Web Tokens, which Adobe's access tokens are.
        (pattern(r"\beyJ[\w-]{8,}\.[\w-]{4,}(\.[\w-]*)?"), "[redacted]"),
        (pattern(r"\b([Bb]earer\s+)[\w.~+/=-]{20,}"), "${1}[redacted]"),
        (
            pattern(&format!(r#"(?i)\b({keys})(=|"\s*:\s*")[^\s"'&;,<>]+"#)),
            "${1}${2}[redacted]",
        ),
    ]
});

/// A key at the end of a text.
static KEY_AT_END: LazyLock<bytes::Regex> = LazyLock::new(|| {
    let pattern = bytes::Regex::new(&format!("(?i)({})$", keys()));
    #[expect(
        clippy::expect_used,
        reason = "the pattern is constant and used by a unit test"
    )]
    pattern.expect("a pattern")
});
/// No key is longer, in bytes; some of its letters have other forms, which take more of them.
const LONGEST_KEY: usize = 64;

/// What stands in all that the first two look for. A quotation mark or an equals sign stands in the rest.
static BEGINNINGS: LazyLock<[Finder<'_>; 2]> = LazyLock::new(|| [Finder::new("eyJ"), Finder::new("earer")]);

fn keys() -> String {
    KEYS.replace([' ', '\\', '\n'], "")
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constant and used by a unit test"
)]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Masks bearer tokens, JSON Web Tokens and the values of keys such as `sig=` or `AccountKey=`. Words around them
/// stay, so that the text can still be understood.
pub fn mask(text: &str) -> Cow<'_, str> {
    // Nearly all texts of a document are names, ids and words.
    let bytes = text.as_bytes();
    if memchr2(b'=', b'"', bytes).is_none() && BEGINNINGS.iter().all(|it| it.find(bytes).is_none()) {
        return Cow::Borrowed(text);
    }
    LOOKS.iter().fold(Cow::Borrowed(text), |text, (look, instead)| {
        match look.replace_all(&text, *instead) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => Cow::Owned(masked),
        }
    })
}

/// Whether [`mask`] would leave each text of this JSON as it is, seen from its bytes alone. A text of which that is
/// not certain is not called harmless.
pub fn is_harmless_json(json: &str) -> bool {
    let bytes = json.as_bytes();
    let follows_key = |at: usize| KEY_AT_END.is_match(&bytes[at.saturating_sub(LONGEST_KEY)..at]);
    let is_harmless = |at: usize| match (bytes[at], bytes.get(at + 1)) {
        // In a text, any character can be spelt so.
        (b'\\', Some(b'u')) => false,
        (b'=', _) | (b'\\', Some(b'"')) => !follows_key(at),
        _ => true,
    };
    BEGINNINGS.iter().all(|it| it.find(bytes).is_none()) && memchr2_iter(b'=', b'\\', bytes).all(is_harmless)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_is_masked_in_harmless_json(
            parts in prop::collection::vec(
                prop::sample::select(&[
                    "password", "pa\u{17f}\u{17f}word", "Secret_Access_Key", "sig", "x-amz-security-token", "=", "\"", ":", " ", "\\", "\n", "\u{1}",
                    "é", "hunter2", "eyJ", "hbGciOiJIUzI1NiJ9.eyJz", "Bearer ", "abcdefghijklmnopqrstuv", "x",
                ][..]),
                0..8,
            ),
            cut in 0_usize..9,
        ) {
            let text = parts.concat();
            let json = json!({ "a": text, "list": [parts.iter().take(cut).copied().collect::<String>()] }).to_string();
            if is_harmless_json(&json) {
                prop_assert!(matches!(mask(&text), Cow::Borrowed(_)), "{json}");
            }
        }
    }

    #[test]
    fn usual_json_is_harmless() {
        let usual = r#"{"etag":"\"1a00-0000\"","info":"https://platform.adobe.io/meta?path=input_files","password":"of a form"}"#;
        assert!(is_harmless_json(usual) && is_harmless_json(r#"["a\\b", 1, null]"#));
        for odd in [
            // Nothing would be masked there, which cannot be seen without reading on.
            r#"["The \"password\" is wrong"]"#,
            r#"["sig=a"]"#,
            r#"["\npassword=a"]"#,
            r#"["{\"client_secret\": \"a\"}"]"#,
            r#"["\u0070assword=a"]"#,
            r#"["eyJ"]"#,
            r#"["Bearer"]"#,
        ] {
            assert!(!is_harmless_json(odd), "{odd}");
        }
        let longest = KEYS.split('|').map(str::len).max();
        assert!(longest < Some(LONGEST_KEY / 2), "{longest:?}");
    }

    #[test]
    fn credentials_of_others_are_masked() {
        for (text, masked) in [
            (
                "GET https://x.blob.core.windows.net/in?sv=2024&sig=aB%2Fc%3D&se=2026 failed",
                "GET https://x.blob.core.windows.net/in?sv=2024&sig=[redacted]&se=2026 failed",
            ),
            (
                "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=Zm9v+/==;x",
                "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=[redacted];x",
            ),
            (
                r#"{"user": "etl", "password": "hunter2!"}"#,
                r#"{"user": "etl", "password": "[redacted]"}"#,
            ),
            (
                "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123",
                "Authorization: Bearer [redacted]",
            ),
            (
                "token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-x was refused",
                "token [redacted] was refused",
            ),
        ] {
            assert_eq!(mask(text), masked);
        }
    }

    #[test]
    fn words_about_credentials_stay() {
        for text in [
            "The password is wrong; the secret has expired.",
            "Use bearer authentication.",
            "The signature: not valid. AccountKey is missing",
            "https://ns.adobe.com/x?design=1&assignment=2",
            "",
        ] {
            assert_eq!(mask(text), text);
            assert!(matches!(mask(text), Cow::Borrowed(_)));
        }
    }
}
