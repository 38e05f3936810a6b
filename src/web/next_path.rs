//! Where to go after signing in: only to a page of ours.

use url::Url;

/// Where people land when nothing else is asked for, or when what is asked for is not a page of ours.
pub const HOME: &str = "/";

const LONGEST: usize = 1024;

/// The path and query to go to, from the decoded value of `next`: itself if it is harmless and `is_page`
/// knows its path, otherwise [`HOME`].
pub fn after_sign_in(next: Option<&str>, is_page: impl Fn(&str) -> bool) -> &str {
    let harmless = next.filter(|next| is_harmless(next));
    harmless.filter(|next| is_page(path_of(next))).unwrap_or(HOME)
}

/// Whether a text is a path of ours with perhaps a query, in plain ASCII, that no browser or proxy
/// can read as the address of another server.
pub fn is_harmless(next: &str) -> bool {
    let path = path_of(next);
    let query = &next[path.len()..];
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\\@#<>\"'`".contains(&byte))
    };
    let segments_are_plain = || {
        path.split('/')
            .skip(1)
            .all(|segment| segment != "." && segment != "..")
            && !path.contains("//")
            && !path.contains([':', '%', '*'])
    };
    next.len() <= LONGEST
        && path.starts_with('/')
        && plain(path)
        && plain(query)
        && segments_are_plain()
        && stays_here(next)
}

fn path_of(next: &str) -> &str {
    next.split('?').next().unwrap_or_default()
}

/// What the URL standard, which browsers follow, makes of it.
fn stays_here(next: &str) -> bool {
    let resolved = Url::parse("https://headgate.invalid/sign-in").and_then(|here| here.join(next));
    resolved.is_ok_and(|url| {
        url.scheme() == "https" && url.host_str() == Some("headgate.invalid") && url.path() == path_of(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(next: &str) -> &str {
        after_sign_in(Some(next), |path| path == "/flows" || path.starts_with("/flows/"))
    }

    #[test]
    fn pages_of_ours_are_kept() {
        for next in [
            "/flows",
            "/flows?status=failed&page=2",
            "/flows/0192-ab?tab=runs",
            "/flows?q=a%20b%2Fc",
            "/flows?u=https://x",
        ] {
            assert_eq!(go(next), next);
        }
        assert_eq!(after_sign_in(None, |_| true), HOME);
    }

    #[test]
    fn everything_else_leads_home() {
        let long = format!("/flows?{}", "a".repeat(LONGEST));
        let payloads = [
            "",
            " ",
            "flows",
            "//evil.example",
            "///evil.example",
            "////evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "\\/evil.example",
            "/\\/evil.example",
            "https://evil.example",
            "http:evil.example",
            "HTTPS://evil.example",
            "//evil.example/flows",
            "/flows//evil.example",
            "/flows/../../evil.example",
            "/flows/..//evil.example",
            "/./evil.example",
            "/flows/.",
            "/.//evil.example",
            "/%2f%2fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "/flows\r\nSet-Cookie: a=b",
            "/flows\0",
            "\t//evil.example",
            "\u{a0}//evil.example",
            "/\u{2028}/evil.example",
            "/flows\u{202e}",
            "/flöws",
            "/@evil.example",
            "/flows@evil.example",
            "//user@evil.example",
            "/flows?next=@evil",
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://evil.example",
            "mailto:a@b",
            "?next=/flows",
            "#/flows",
            "/flows#//evil.example",
            "/flows:80",
            "/http://evil.example",
            "/flows/%2e%2e/evil",
            "/flows%00",
            "/flows/<script>",
            "/flows?q=\"><script>",
            "/flows?q='",
            "/flows ",
            " /flows",
            "/unknown",
            "/sign-out",
            "/flowsx",
            "/*",
            "/flows/*",
            "//[::1]/",
            "/ /evil.example",
            "//evil%E3%80%82example",
            "/\u{ff0f}evil.example",
            "\u{feff}/flows",
            "/;@evil.example",
            "/flows?a\u{85}b",
            &long,
        ];
        assert!(payloads.len() >= 60);
        for next in payloads {
            assert_eq!(go(next), HOME, "{next:?}");
        }
    }
}
