//! The `Retry-After` header (RFC 9110): a number of seconds or a date.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// No wait is shorter: a promise of "now" from somebody who just refused us is not to be believed.
const SHORTEST: Duration = Duration::from_secs(1);
/// No wait is longer; a caller who has to wait this long shows it and asks again then.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long the answer with these headers asks us to wait, clamped to 1 s … 15 min. A date counts from the
/// answer's own `Date`, so that neither side's clock has to be right. Junk, a date that has passed, and a
/// date without `Date` beside it are `None`: the caller backs off by itself.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a definite "long".
        value.parse().map_or(LONGEST, Duration::from_secs)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
        until.duration_since(now).ok().filter(|wait| !wait.is_zero())?
    };
    Some(wait.clamp(SHORTEST, LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_or_left_alone() {
        const NOON: &str = "Sun, 06 Nov 2022 12:00:00 GMT";
        let cases: [(&str, Option<&str>, Option<u64>); 15] = [
            ("7", Some(NOON), Some(7)),
            (" 7 ", None, Some(7)),
            ("0", None, Some(1)),
            ("900", None, Some(900)),
            ("86400", None, Some(900)),
            ("99999999999999999999999999", None, Some(900)),
            ("Sun, 06 Nov 2022 12:00:30 GMT", Some(NOON), Some(30)),
            ("Sunday, 06-Nov-22 12:01:00 GMT", Some(NOON), Some(60)),
            ("Sun Nov  6 12:00:05 2022", Some(NOON), Some(5)),
            ("Sun, 06 Nov 2022 18:00:00 GMT", Some(NOON), Some(900)),
            ("Sun, 06 Nov 2022 11:59:00 GMT", Some(NOON), None),
            ("Sun, 06 Nov 2022 12:00:30 GMT", None, None),
            ("-5", Some(NOON), None),
            ("1.5", Some(NOON), None),
            ("soon", Some(NOON), None),
        ];
        for (value, date, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(
                retry_after(&headers),
                seconds.map(Duration::from_secs),
                "{value:?} at {date:?}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
        let mut binary = HeaderMap::new();
        binary.insert(
            RETRY_AFTER,
            reqwest::header::HeaderValue::from_bytes(b"\xff\xfe").unwrap(),
        );
        assert_eq!(retry_after(&binary), None);
        let mut empty = HeaderMap::new();
        empty.insert(RETRY_AFTER, "".parse().unwrap());
        assert_eq!(retry_after(&empty), None);
    }
}
