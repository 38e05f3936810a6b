//! Reading JSON straight into types, as leniently as [`super::wire`] reads a tree: what is missing, or has another
//! form than the one that is looked for, is as if it were not there. For what comes by the hundred thousand: no tree
//! is made of it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::wire;

/// Reads JSON into a type. A type refuses a member that stands twice in an object; a tree takes the last one, and so
/// does this.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    serde_json::from_str(json).or_else(|_| serde_json::from_value(serde_json::from_str(json)?))
}

/// A value in the form that we look for, else its default.
#[derive(Debug, Clone, Default)]
pub(super) struct Loose<T>(pub T);

/// What a value is read into; each form of JSON that it does not name gives its default.
pub(super) trait Form: Default {
    fn of_text(_text: &str) -> Self {
        Self::default()
    }

    fn of_number(_number: &Number) -> Self {
        Self::default()
    }

    fn of_members<'de, A: MapAccess<'de>>(mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn of_elements<'de, A: SeqAccess<'de>>(mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// A text; numbers count too.
impl Form for Option<String> {
    fn of_text(text: &str) -> Self {
        Some(text.to_owned())
    }

    fn of_number(number: &Number) -> Self {
        Some(number.to_string())
    }
}

/// A whole number, also as a string or with a fraction of zero.
impl Form for Option<i64> {
    fn of_text(text: &str) -> Self {
        wire::whole_text(text)
    }

    fn of_number(number: &Number) -> Self {
        wire::whole_number(number)
    }
}

/// An array, as long as its elements can be read.
impl<T: for<'de> Deserialize<'de>> Form for Vec<T> {
    fn of_elements<'de, A: SeqAccess<'de>>(mut elements: A) -> Result<Self, A::Error> {
        let mut found = Self::new();
        while let Some(element) = elements.next_element()? {
            found.push(element);
        }
        Ok(found)
    }
}

/// Lets types that are read from an object's members stand in a [`Loose`].
macro_rules! of_members {
    ($($object:ty),+) => {$(
        impl $crate::platform::loose::Form for $object {
            fn of_members<'de, A: serde::de::MapAccess<'de>>(members: A) -> Result<Self, A::Error> {
                serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(members))
            }
        }
    )+};
}
pub(super) use of_members;

impl<T> Deref for Loose<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Form> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader(PhantomData)).map(Self)
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: Form> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(T::of_number(&number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<T, E> {
        Ok(T::of_number(&number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(Number::from_f64(number).map_or_else(T::default, |number| T::of_number(&number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::of_text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::of_members(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<T, A::Error> {
        T::of_elements(elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Probe {
        count: Loose<Option<i64>>,
        name: Loose<Option<String>>,
        list: Loose<Vec<Loose<Option<String>>>>,
        inner: Loose<Inner>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        count: Loose<Option<i64>>,
    }
    of_members!(Inner);

    fn probe(json: &Value) -> Probe {
        read(&json.to_string()).unwrap()
    }

    #[test]
    fn every_value_is_read_as_from_a_tree() {
        let values = [
            json!(null),
            json!(true),
            json!(15),
            json!(-1),
            json!(u64::MAX),
            json!(15.0),
            json!(15.5),
            json!(1e300),
            json!("15"),
            json!(" 15 "),
            json!("x"),
            json!(""),
            json!([1, "a", null, [2]]),
            json!({"count": "7", "other": {"deep": [1]}}),
            json!({}),
            json!([]),
        ];
        for value in values {
            let tree = json!({"count": value, "name": value, "list": value, "inner": value, "more": value});
            let read = probe(&tree);
            assert_eq!(*read.count, wire::number(&tree, "/count"), "{value}");
            assert_eq!(*read.name, wire::text(&tree, "/name"), "{value}");
            let list: Vec<String> = read.list.iter().filter_map(|text| text.0.clone()).collect();
            assert_eq!(list, wire::texts(&tree, "/list"), "{value}");
            assert_eq!(*read.inner.count, wire::number(&tree, "/inner/count"), "{value}");
        }
        assert_eq!(*probe(&json!({})).count, None);
    }

    #[test]
    fn of_a_member_that_stands_twice_the_last_one_counts() {
        let json = r#"{"count": 1, "inner": {"count": 2, "count": 3}, "count": 4}"#;
        let tree: Value = serde_json::from_str(json).unwrap();
        let probe: Probe = read(json).unwrap();
        assert_eq!((*probe.count, *probe.inner.count), (Some(4), Some(3)));
        assert_eq!(*probe.inner.count, wire::number(&tree, "/inner/count"));
        assert!(read::<Probe>("{\"count\": 1, ").is_err());
    }
}
