//! Taking what looks like a credential out of a text that comes from outside, whosever it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr2;
use memchr::memmem::Finder;
use regex::Regex;

/// Keys whose values are credentials, in addresses, connection strings and JSON.
const KEYS: &str = "sig|accountkey|sharedaccesskey|sharedaccesssignature|password|passwd|pwd|passphrase|secret|\\
    client_?secret|secret_?access_?key|s3_?secret_?key|session_?token|access_?token|refresh_?token|\\
    x-amz-signature|x-amz-security-token|x-amz-credential|api_?key";

/// What a credential looks like, with what stands in its place.
static LOOKS: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    let keys = KEYS.replace([' ', '\\', '\n'], "");
    #[expect(
        clippy::expect_used,
        reason = "the patterns are constant and used by a unit test"
    )]
    let pattern = |text: &str| Regex::new(text).expect("a pattern");
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

/// What stands in all that the first two look for. A quotation mark or an equals sign stands in the rest.
static BEGINNINGS: LazyLock<[Finder<'_>; 2]> = LazyLock::new(|| [Finder::new("eyJ"), Finder::new("earer")]);

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

#[cfg(test)]
mod tests {
    use super::*;

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
