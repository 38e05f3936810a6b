//! What arrived and what was answered. Never holds a secret: tokens are not recorded, credentials are masked.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::wire::Query;

/// Calls kept; older ones are dropped.
const KEPT: usize = 20_000;
/// Request bodies over this size (bytes) are recorded by their size only.
const LARGEST_BODY: usize = 64 * 1024;
const MASK: &str = "****";

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts calls from 1 since the start or the last reset.
    pub sequence: u64,
    /// Wall time of arrival, epoch milliseconds UTC, also with a manual clock.
    pub arrived_at_ms: i64,
    /// Wall time when the call had been acted on and answered; `None` until then, and for a call that is never answered.
    pub completed_at_ms: Option<i64>,
    /// HTTP method.
    pub method: String,
    /// Path with its query; a client secret in it is masked.
    pub target: String,
    /// `x-sandbox-name`.
    pub sandbox: Option<String>,
    /// `x-request-id` of the request.
    pub request_id: Option<String>,
    /// The body as JSON with credentials masked; a text when it was something else.
    pub body: Value,
    /// Status the client got; `None` when the answer was lost or not yet given.
    pub status: Option<u16>,
    /// Status of the service itself, if the call was acted on.
    pub acted: Option<u16>,
    /// Id of the object in the service's answer.
    pub object_id: Option<String>,
    /// The kind of the fault that a rule applied.
    pub fault: Option<String>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only this method.
    pub method: Option<String>,
    /// Only targets whose path matches this pattern (`*` within a segment, `**` across segments).
    pub path: Option<String>,
    /// Only entries with a greater sequence.
    pub after: u64,
}

/// The entries.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: VecDeque<Entry>,
    last: u64,
}

impl Ledger {
    /// Writes an arrival down and answers its sequence.
    pub fn open(&mut self, entry: Entry) -> u64 {
        self.last += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry {
            sequence: self.last,
            ..entry
        });
        self.last
    }

    /// Changes an entry that is still kept.
    pub fn amend(&mut self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        let first = self.entries.front().map_or(0, |entry| entry.sequence);
        let position = sequence
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = position.and_then(|place| self.entries.get_mut(place)) {
            change(entry);
        }
    }

    /// The entries asked for, oldest first.
    pub fn read(&self, wanted: &Wanted) -> Vec<Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.sequence > wanted.after)
            .filter(|entry| {
                wanted
                    .method
                    .as_ref()
                    .is_none_or(|method| method.eq_ignore_ascii_case(&entry.method))
            })
            .filter(|entry| {
                let path = entry.target.split('?').next().unwrap_or_default();
                wanted
                    .path
                    .as_ref()
                    .is_none_or(|pattern| super::faults::path_matches(pattern, path))
            })
            .cloned()
            .collect()
    }
}

/// A request body as the ledger keeps it.
pub fn masked_body(content_type: &str, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if body.len() > LARGEST_BODY {
        return json!(format!("{} bytes", body.len()));
    }
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let form = url::form_urlencoded::parse(body)
            .map(|(name, value)| (name.to_string(), json!(if keeps(&name) { &value } else { MASK })))
            .collect::<Map<_, _>>();
        return Value::Object(form);
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut document) => {
            mask(&mut document);
            document
        }
        Err(_) => json!(format!("{} bytes that are not JSON", body.len())),
    }
}

/// A request target as the ledger keeps it.
pub fn masked_target(path: &str, query: Option<&str>) -> String {
    match query {
        None => path.to_owned(),
        Some(query) if Query::parse(query).get("client_secret").is_some() => format!("{path}?{MASK}"),
        Some(query) => format!("{path}?{query}"),
    }
}

fn keeps(form_field: &str) -> bool {
    matches!(form_field, "grant_type" | "client_id" | "scope")
}

/// Masks what stands under a member `auth` (its `specName` stays), and the values of patch operations on `/auth`.
fn mask(document: &mut Value) {
    match document {
        Value::Object(members) => {
            if members
                .get("path")
                .and_then(Value::as_str)
                .is_some_and(|path| path.starts_with("/auth"))
            {
                members.get_mut("value").into_iter().for_each(mask_all);
            }
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("auth", Value::Object(auth)) => {
                        auth.iter_mut()
                            .filter(|(name, _)| *name != "specName")
                            .for_each(|(_, value)| mask_all(value));
                    }
                    ("auth", other) => mask_all(other),
                    (_, other) => mask(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

fn mask_all(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(mask_all),
        Value::Array(items) => items.iter_mut().for_each(mask_all),
        other => *other = json!(MASK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked_wherever_they_are_sent() {
        let json_body = br#"{"name":"n","auth":{"specName":"Access Key","params":{"s3SecretKey":"CANARY","s3AccessKey":"CANARY"}}}"#;
        let patch = br#"[{"op":"replace","path":"/auth/params","value":{"password":"CANARY","port":["CANARY"]}},{"op":"replace","path":"/name","value":"kept"}]"#;
        let form =
            b"grant_type=client_credentials&client_id=me&client_secret=CANARY&scope=openid&other=CANARY";
        let kept = [
            masked_body("application/json", json_body),
            masked_body("application/json", patch),
            masked_body("application/x-www-form-urlencoded", form),
            masked_body("application/json", b"{\"auth\":{\"params\":{\"x\":\"CANARY\"}"),
            json!(masked_target("/ims/token/v3", Some("client_secret=CANARY"))),
        ];
        for value in &kept {
            assert!(!value.to_string().contains("CANARY"), "{value}");
        }
        assert_eq!(kept[0]["auth"]["specName"], "Access Key");
        assert_eq!(kept[1][1]["value"], "kept");
        assert_eq!(kept[2]["client_id"], "me");
    }
}
