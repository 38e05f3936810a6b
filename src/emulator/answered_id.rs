//! The id of the object that an answer speaks of. A long list is skimmed, not read.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Value};

/// The id of the first object in an answer, if there is one.
pub fn answered_id(body: &[u8]) -> Option<String> {
    let mut id = None;
    // An error says that it is no answer, or that the id of a list's first object was found before its end.
    let _ = Naming(&mut id).deserialize(&mut Deserializer::from_slice(body));
    let id = id?;
    Some(id.rsplit("@/dataSets/").next().unwrap_or(&id).to_owned())
}

/// Looks for an object's id, a list's first one, or a text itself.
struct Naming<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Naming<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Naming<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut of_schema, mut id) = (None, None);
        while let Some(key) = members.next_key::<String>()? {
            match key.as_str() {
                "$id" => of_schema = text(members.next_value()?),
                "id" => id = text(members.next_value()?),
                "items" => members.next_value_seed(Naming(self.0))?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        *self.0 = of_schema.or(id);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        elements.next_element_seed(Naming(self.0))?;
        if self.0.is_some() {
            return Err(A::Error::custom("the rest is not looked at"));
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        *self.0 = Some(text.to_owned());
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
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
