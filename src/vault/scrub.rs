//! Taking known secrets out of a text that comes from outside, in every form in which a service may echo them.

use std::collections::BTreeSet;

use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// What stands in the place of a secret.
const MASK: &str = "[redacted]";
/// Shorter secrets are left alone: masking them would hide ordinary words and give the secret away by the gaps.
const SHORTEST: usize = 8;

/// Replaces each of the secrets in a text: as it is, percent-encoded, in base64 and base64url (also
/// inside a longer encoded text), in hexadecimal, and escaped for JSON and HTML. Call it before
/// truncating, logging or storing.
pub fn scrub(text: &str, secrets: &[SecretString]) -> String {
    let secrets = secrets
        .iter()
        .map(|secret| secret.expose_secret())
        .filter(|secret| secret.len() >= SHORTEST);
    let mut forms: Vec<String> = secrets
        .flat_map(forms)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    // The longest first, so that no form eats a part of another and leaves the rest.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms
        .iter()
        .fold(text.to_owned(), |text, form| text.replace(form, MASK))
}

fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        HEXLOWER.encode(secret.as_bytes()),
        HEXUPPER.encode(secret.as_bytes()),
    ];
    forms.extend(percent_forms(secret));
    forms.extend((0..3).flat_map(|offset| base64_forms(secret, offset)));
    forms.extend(json_forms(secret));
    forms.extend(html_forms(secret));
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

fn percent_forms(secret: &str) -> Vec<String> {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let component = form.replace('+', "%20").replace("%7E", "~");
    let strict = escaped(
        secret,
        |c| !c.is_ascii_alphanumeric(),
        |c| c.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect(),
    );
    let mut forms = vec![
        secret.to_owned(),
        form,
        component.replace('*', "%2A"),
        component,
        strict,
    ];
    forms.extend(forms.clone().iter().map(|form| lower_hex(form)));
    // A secret that was entered encoded, such as the signature of a SAS URI, may come back decoded.
    let only_percent = secret.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(only_percent.as_bytes()).map(|(text, _)| text.into_owned());
    forms.extend(decoded);
    forms
}

/// `%2B` as `%2b`, and nothing else.
fn lower_hex(encoded: &str) -> String {
    let mut left = 0;
    let lower = |c: char| {
        left = if c == '%' {
            2
        } else if left > 0 {
            left - 1
        } else {
            return c;
        };
        c.to_ascii_lowercase()
    };
    encoded.chars().map(lower).collect()
}

/// How the secret looks in base64 when `offset` other bytes stand before it: the letters that belong to it alone.
fn base64_forms(secret: &str, offset: usize) -> Vec<String> {
    let bytes = [&[0; 2][..offset], secret.as_bytes()].concat();
    let first = (offset * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    [BASE64, BASE64URL]
        .iter()
        .map(|encoding| encoding.encode(&bytes)[first..last].to_owned())
        .collect()
}

fn json_forms(secret: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(secret).to_string();
    let plain = quoted[1..quoted.len() - 1].to_owned();
    let unicode = |c: char| {
        c.encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect()
    };
    let ascii = escaped(&plain, |c| !c.is_ascii(), unicode);
    let for_html = escaped(&ascii, |c| "<>&='".contains(c), unicode);
    vec![plain.replace('/', "\\/"), plain, ascii, for_html]
}

fn html_forms(secret: &str) -> Vec<String> {
    let named = |c| {
        let name = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            _ => "&#39;",
        };
        name.to_owned()
    };
    let special = |c| "&<>\"'".contains(c);
    vec![
        escaped(secret, special, named),
        escaped(secret, special, |c| format!("&#{};", u32::from(c))),
        escaped(secret, special, |c| format!("&#x{:x};", u32::from(c))),
        escaped(secret, |c| "&<>\"".contains(c), named),
    ]
}

fn escaped(text: &str, special: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> String {
    text.chars()
        .map(|c| if special(c) { escape(c) } else { c.to_string() })
        .collect()
}
