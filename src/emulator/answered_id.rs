//! The id of the object that an answer speaks of. A long list is skimmed, not read.

use std::fmt;

use serde::Deserializer;
use serde::de::{Deserialize, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The id of the first object in an answer, if there is one.
pub fn answered_id(body: &[u8]) -> Option<String> {
    let Named(id) = serde_json::from_slice(body).ok()?;
    let id = id?;
    Some(id.rsplit("@/dataSets/").next().unwrap_or(&id).to_owned())
}

/// An object's id, a list's first one, or a text itself.
struct Named(Option<String>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Naming).map(Self)
    }
}

struct Naming;

impl<'de> Visitor<'de> for Naming {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let (mut of_schema, mut id, mut of_list) = (None, None, None);
        while let Some(key) = members.next_key::<String>()? {
            let place = match key.as_str() {
                "$id" => &mut of_schema,
                "id" => &mut id,
                "items" => &mut of_list,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = members.next_value::<Named>()?.0;
        }
        Ok(of_list.or(of_schema).or(id))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let first = elements.next_element::<Named>()?;
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first.and_then(|Named(id)| id))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_object_is_meant() {
        for (body, id) in [
            (r#"{"id": "c-1", "etag": "x"}"#, Some("c-1")),
            (
                r#"{"title": "Leads", "$id": "https://s/1", "id": "other"}"#,
                Some("https://s/1"),
            ),
            (
                r#"{"items": [{"name": {"id": "x"}, "id": "f-1"}, {"id": "f-2"}], "_links": {}}"#,
                Some("f-1"),
            ),
            (r#"["@/dataSets/5c8c3c55"]"#, Some("5c8c3c55")),
            (r#"{"items": [], "_links": {"id": 3}}"#, None),
            (r#"{"id": 7}"#, None),
            ("[]", None),
            ("true", None),
            ("no JSON", None),
        ] {
            assert_eq!(answered_id(body.as_bytes()).as_deref(), id, "{body}");
        }
    }
}
