//! Lenient reading of the platform's JSON. Adobe's pages and API files disagree on types (numbers and
//! booleans as strings), units and spellings, so every value is looked up by JSON pointer and taken in
//! any documented form; what is missing or odd is `None`, never a panic.

use serde_json::{Number, Value};

/// Values below this are epoch seconds, above it epoch milliseconds (10 against 13 digits).
const SECONDS_LIMIT: i64 = 100_000_000_000;

/// The value at a pointer. Ours need no escapes, which the library's own would look for each time.
pub(crate) fn at<'a>(body: &'a Value, pointer: &str) -> Option<&'a Value> {
    pointer
        .split('/')
        .skip(1)
        .try_fold(body, |value, key| match value {
            Value::Object(members) => members.get(key),
            Value::Array(elements) => elements.get(key.parse::<usize>().ok()?),
            _ => None,
        })
}

/// A text; numbers count too (`"version": 1` beside `"version": "1.0"`).
pub(crate) fn text(body: &Value, pointer: &str) -> Option<String> {
    match at(body, pointer)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Changes every text of a document in place; keys stay as they are.
pub(super) fn each_text(body: &mut Value, change: &mut impl FnMut(&mut String)) {
    match body {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A whole number, also as a string or with a fraction of zero.
pub(crate) fn number(body: &Value, pointer: &str) -> Option<i64> {
    match at(body, pointer)? {
        Value::Number(number) => whole_number(number),
        Value::String(text) => whole_text(text),
        _ => None,
    }
}

pub(super) fn whole_text(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

pub(super) fn whole_number(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| whole(number.as_f64()?))
}

fn whole(number: f64) -> Option<i64> {
    // Beyond 2^53 a double no longer tells neighbouring whole numbers apart.
    let exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and within 2^53"
    )]
    exact.then_some(number as i64)
}

/// A count or a size in bytes; the platform says -1 for "not known".
pub(crate) fn count(body: &Value, pointer: &str) -> Option<i64> {
    number(body, pointer).and_then(as_count)
}

/// No count, and no number of bytes, is larger: what is says nothing, and many of it would not fit into a sum.
const MOST_COUNTED: i64 = 1_000_000_000_000_000;

pub(super) fn as_count(value: i64) -> Option<i64> {
    (0..=MOST_COUNTED).contains(&value).then_some(value)
}

/// A boolean, also as a string.
pub(crate) fn boolean(body: &Value, pointer: &str) -> Option<bool> {
    match at(body, pointer)? {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// A moment as UTC epoch milliseconds, whether given in seconds or milliseconds; zero means "never".
pub(crate) fn moment(body: &Value, pointer: &str) -> Option<i64> {
    number(body, pointer).and_then(as_moment)
}

pub(super) fn as_moment(value: i64) -> Option<i64> {
    match value {
        ..=0 => None,
        1..SECONDS_LIMIT => Some(value * 1000),
        _ => Some(value),
    }
}

/// The elements of an array; none when it is absent or something else.
pub(crate) fn elements<'a>(body: &'a Value, pointer: &str) -> &'a [Value] {
    at(body, pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The texts of an array.
pub(crate) fn texts(body: &Value, pointer: &str) -> Vec<String> {
    elements(body, pointer)
        .iter()
        .filter_map(|element| text(element, ""))
        .collect()
}

/// The etag of an object with its inner quotes. Spelt in two ways; Schema Registry keeps it elsewhere.
pub(super) fn etag(body: &Value) -> Option<String> {
    ["/etag", "/eTag", "/meta:registryMetadata/eTag"]
        .into_iter()
        .find_map(|pointer| text(body, pointer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_come_in_any_dress() {
        let body =
            json!({"a": 15, "b": "15", "c": 15.0, "d": 15.5, "e": "x", "f": -1, "g": null, "h": 1e300});
        for key in ["/a", "/b", "/c"] {
            assert_eq!(number(&body, key), Some(15), "{key}");
        }
        for key in ["/d", "/e", "/g", "/h", "/none"] {
            assert_eq!(number(&body, key), None, "{key}");
        }
        assert_eq!(number(&body, "/f"), Some(-1));
        assert_eq!(count(&body, "/f"), None);
        let huge = json!({"most": MOST_COUNTED, "more": MOST_COUNTED + 1, "max": i64::MAX});
        assert_eq!(count(&huge, "/most"), Some(MOST_COUNTED));
        assert_eq!((count(&huge, "/more"), count(&huge, "/max")), (None, None));
    }

    #[test]
    fn booleans_and_versions_come_as_strings_too() {
        let body = json!({"a": true, "b": "true", "c": "False", "d": "yes", "v": 1, "w": "1.0"});
        assert_eq!(boolean(&body, "/a"), Some(true));
        assert_eq!(boolean(&body, "/b"), Some(true));
        assert_eq!(boolean(&body, "/c"), Some(false));
        assert_eq!(boolean(&body, "/d"), None);
        assert_eq!(text(&body, "/v").as_deref(), Some("1"));
        assert_eq!(text(&body, "/w").as_deref(), Some("1.0"));
    }

    #[test]
    fn seconds_and_milliseconds_are_told_apart_by_their_digits() {
        let body = json!({"s": 1_590_512_053, "ms": 1_590_512_053_123_i64, "text": "1590512053", "zero": 0});
        assert_eq!(moment(&body, "/s"), Some(1_590_512_053_000));
        assert_eq!(moment(&body, "/ms"), Some(1_590_512_053_123));
        assert_eq!(moment(&body, "/text"), Some(1_590_512_053_000));
        assert_eq!(moment(&body, "/zero"), None);
    }

    #[test]
    fn pointers_lead_as_the_library_s_own_do() {
        let body = json!({"a": [{"b": 1}, 2], "": {"c:d": null}});
        for pointer in [
            "", "/a", "/a/0/b", "/a/1", "/a/2", "/a/b", "//c:d", "/a/0/b/c", "/x",
        ] {
            assert_eq!(at(&body, pointer), body.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn etags_keep_their_quotes() {
        assert_eq!(etag(&json!({"etag": "\"a-b\""})).as_deref(), Some("\"a-b\""));
        assert_eq!(etag(&json!({"eTag": "\"a-b\""})).as_deref(), Some("\"a-b\""));
        assert_eq!(etag(&json!({})), None);
    }
}
