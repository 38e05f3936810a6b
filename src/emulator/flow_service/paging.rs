//! Lists of Flow Service: filters, order, limit, count and the opaque token of the next page.

use std::cell::RefCell;

use data_encoding::BASE64;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::ids::number_of;
use super::super::refusal::Refusal;
use super::super::wire::{Call, ok};
use super::filters::{Field, Filter};
use axum::response::Response;

/// Items on a page when nothing is asked for. What the platform does is documented nowhere.
const USUAL_LIMIT: usize = 20;
/// Items on a page at most. What the platform does is documented nowhere.
const LARGEST_LIMIT: usize = 100;

/// The value that a list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Number(i64),
    Text(String),
}

impl Key {
    /// The key of a document; what has no such member comes first.
    pub fn of(document: &Value, path: &str) -> Self {
        let found = path.split('.').try_fold(document, |value, name| value.get(name));
        match found {
            Some(Value::Number(number)) => Self::Number(number.as_i64().unwrap_or_default()),
            Some(Value::String(text)) => Self::Text(text.clone()),
            _ => Self::Number(i64::MIN),
        }
    }
}

/// What a list call asks for.
#[derive(Debug)]
pub struct ListQuery {
    pub filters: Vec<Filter>,
    /// The field to order by; the order of making when `None`.
    pub order: Option<String>,
    descending: bool,
    limit: usize,
    count_only: bool,
    after: Option<(Key, u64)>,
    /// Stands for filters and order: a token is good for the list it came from only.
    fingerprint: u64,
    path: String,
    carried: String,
}

impl ListQuery {
    /// Reads the query of a list.
    ///
    /// # Errors
    /// 1401 limit with count, 1432 and 1433 order, 1451 unknown parameter, and those of [`Filter::parse`].
    pub fn parse(call: &Call, fields: &[Field], orders: &[&str]) -> Result<Self, Refusal> {
        let query = &call.query;
        if let Some(unknown) =
            query.first_unknown(&["property", "limit", "orderby", "continuationToken", "count"])
        {
            return Err(Refusal::flow(
                "1451-400",
                format!("The query parameter '{unknown}' is not supported."),
            ));
        }
        let count_only = match query.get("count") {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => return Err(Refusal::flow_own("The count must be true or false.")),
        };
        if count_only && query.get("limit").is_some() {
            return Err(Refusal::flow(
                "1401-400",
                "The limit and count parameters cannot be given together in the same request. Please provide either only the limit or the count parameter and try again.",
            ));
        }
        let limit = match query.get("limit") {
            None => USUAL_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                .ok_or_else(|| {
                    Refusal::flow_own(format!(
                        "The limit must be a whole number from 1 to {LARGEST_LIMIT}."
                    ))
                })?,
        };
        let filters = query
            .all("property")
            .map(|text| Filter::parse(text, fields))
            .collect::<Result<Vec<_>, _>>()?;
        let (order, descending) = order(query.get("orderby"), orders)?;
        let carried = carried(call);
        let mut narrowed: Vec<&str> = query.all("property").collect();
        narrowed.sort_unstable();
        let fingerprint = number_of(&format!("{} {narrowed:?} {order:?} {descending}", call.sandbox));
        let after = query
            .get("continuationToken")
            .map(|token| read_token(token, fingerprint))
            .transpose()?;
        let path = call
            .path
            .trim_start_matches("/data/foundation/flowservice")
            .trim_end_matches('/')
            .to_owned();
        Ok(Self {
            filters,
            order,
            descending,
            limit,
            count_only,
            after,
            fingerprint,
            path,
            carried,
        })
    }

    /// Whether an item comes after those that the pages before have shown.
    pub fn is_to_come(&self, key: &Key, place: u64) -> bool {
        self.after.as_ref().is_none_or(|(last_key, last_place)| {
            let past = (key, place).cmp(&(last_key, *last_place));
            if self.descending {
                past.is_lt()
            } else {
                past.is_gt()
            }
        })
    }

    /// Where a list by rising numbers goes on: nothing with a lower one is to come.
    pub fn goes_on_from(&self) -> Option<i64> {
        match self.after {
            Some((Key::Number(number), _)) if !self.descending => Some(number),
            _ => None,
        }
    }

    /// So many of the rows to come are enough for an answer, if they rise by their keys: a page, and one that tells
    /// that there are more.
    pub fn enough_rising(&self) -> usize {
        if self.count_only || self.descending {
            usize::MAX
        } else {
            self.limit + 1
        }
    }

    /// Answers a list from its rows: key, place in the order of making, item.
    pub fn answer<T>(&self, mut rows: Vec<(Key, u64, T)>, render: impl Fn(T) -> Value) -> Response {
        if self.count_only {
            return ok(&json!({ "count": rows.len() }));
        }
        rows.retain(|(key, place, _)| self.is_to_come(key, *place));
        rows.sort_unstable_by(|a, b| {
            let order = (&a.0, a.1).cmp(&(&b.0, b.1));
            if self.descending { order.reverse() } else { order }
        });
        let more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let token = rows
            .last()
            .filter(|_| more)
            .map(|(key, place, _)| token(self.fingerprint, key, *place));
        let links = match token {
            None => json!({}),
            Some(token) => json!({ "next": { "href": self.href(&token) } }),
        };
        ok(&Page {
            links,
            items: Items(RefCell::new(rows.into_iter().map(|(_, _, item)| render(item)))),
        })
    }

    /// Relative to the base of Flow Service, as documented.
    fn href(&self, token: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(self.carried.clone());
        format!(
            "{}?{}",
            self.path,
            query.append_pair("continuationToken", token).finish()
        )
    }
}

#[derive(Serialize)]
struct Page<I: Iterator<Item = Value>> {
    #[serde(rename = "_links")]
    links: Value,
    #[serde(bound = "")]
    items: Items<I>,
}

/// Each is written as soon as it is made: a hundred documents take a multiple of their text. Good for once.
struct Items<I>(RefCell<I>);

impl<I: Iterator<Item = Value>> Serialize for Items<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&mut *self.0.borrow_mut())
    }
}

/// The parameters that every page of a list repeats, encoded.
fn carried(call: &Call) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in call
        .query
        .pairs()
        .filter(|(name, _)| matches!(*name, "property" | "orderby" | "limit"))
    {
        query.append_pair(name, value);
    }
    query.finish()
}

fn order(text: Option<&str>, orders: &[&str]) -> Result<(Option<String>, bool), Refusal> {
    let Some(text) = text else {
        return Ok((None, false));
    };
    let (field, descending) = match text.chars().next() {
        Some('-') => (&text[1..], true),
        Some('+') => (&text[1..], false),
        Some(letter) if letter.is_ascii_alphabetic() => (text, false),
        // A + that was not encoded arrives as a space.
        _ => {
            return Err(Refusal::flow(
                "1432-400",
                "The orderby may begin with + (encoded as %2B) or - only.",
            ));
        }
    };
    if !orders.contains(&field) {
        return Err(Refusal::flow(
            "1433-400",
            format!("The field '{field}' cannot be used in orderby."),
        ));
    }
    Ok((Some(field.to_owned()), descending))
}

/// Bytes whose Base64 text has `+` and `/` in it, so that only clients that encode it properly get the next page.
const MARK: [u8; 3] = [0xfb, 0xff, 0xbf];

fn token(fingerprint: u64, key: &Key, place: u64) -> String {
    let key = match key {
        Key::Number(number) => json!(number),
        Key::Text(text) => json!(text),
    };
    let mut bytes = MARK.to_vec();
    bytes.extend(json!([fingerprint, key, place]).to_string().into_bytes());
    // A length that leaves a rest of one gives two characters of padding.
    while bytes.len() % 3 != 1 {
        bytes.push(b' ');
    }
    BASE64.encode(&bytes)
}

fn read_token(token: &str, fingerprint: u64) -> Result<(Key, u64), Refusal> {
    let refuse = || Refusal::flow_own("The continuationToken is not one that this list has given.");
    let bytes = BASE64.decode(token.as_bytes()).map_err(|_| refuse())?;
    let (_, key, place) = bytes
        .strip_prefix(&MARK)
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .filter(|(given, _, _): &(u64, Value, u64)| *given == fingerprint)
        .ok_or_else(refuse)?;
    let key = match key {
        Value::Number(number) => Key::Number(number.as_i64().ok_or_else(refuse)?),
        Value::String(text) => Key::Text(text),
        _ => return Err(refuse()),
    };
    Ok((key, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_needs_encoding_and_leads_back() {
        for key in [Key::Number(-5), Key::Text("Ä name".to_owned())] {
            let text = token(7, &key, 3);
            assert!(
                text.contains('+') && text.contains('/') && text.ends_with("=="),
                "{text}"
            );
            assert_eq!(read_token(&text, 7), Ok((key, 3)));
            assert!(read_token(&text, 8).is_err());
            assert!(read_token(text.trim_end_matches('='), 7).is_err());
            assert!(read_token(&text.replace('+', " "), 7).is_err());
        }
        assert!(read_token("", 7).is_err());
    }

    #[test]
    fn orders() {
        let known = ["name"];
        assert_eq!(order(Some("-name"), &known), Ok((Some("name".to_owned()), true)));
        assert_eq!(order(Some("+name"), &known), Ok((Some("name".to_owned()), false)));
        assert!(order(Some(" name"), &known).is_err());
        assert!(order(Some("size"), &known).is_err());
        assert!(order(Some(""), &known).is_err());
    }
}
