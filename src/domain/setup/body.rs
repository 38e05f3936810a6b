//! Bodies of planned calls: JSON with references that are filled in when the call is sent.
//!
//! A reference is an object with one of the keys `$step` (an id that an earlier step makes), `$secret` (a sealed
//! value) or `$start` (a start time that depends on when the call is sent).

use serde_json::{Map, Value, json};

use super::StepKind;
use crate::domain::schedule::Start;

/// A value that is known only when the call is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Id of the object that a step makes.
    Step(StepKind),
    /// A sealed value, by the name under which it is sealed.
    Secret(String),
    /// Adobe's `startTime` in epoch seconds.
    Start(Start),
}

impl Reference {
    /// The reference as JSON.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Step(kind) => json!({ "$step": kind }),
            Self::Secret(name) => json!({ "$secret": name }),
            Self::Start(start) => json!({ "$start": start }),
        }
    }

    fn read(object: &Map<String, Value>) -> Option<Self> {
        let (key, value) = object.iter().next().filter(|_| object.len() == 1)?;
        match key.as_str() {
            "$step" => serde_json::from_value(value.clone()).ok().map(Self::Step),
            "$secret" => value.as_str().map(|name| Self::Secret(name.to_owned())),
            "$start" => serde_json::from_value(value.clone()).ok().map(Self::Start),
            _ => None,
        }
    }
}

/// The body with every reference replaced by what `value_of` gives for it.
///
/// The first error of `value_of` ends the work.
pub fn fill<E>(body: &Value, value_of: &mut impl FnMut(&Reference) -> Result<Value, E>) -> Result<Value, E> {
    match body {
        Value::Object(object) => match Reference::read(object) {
            Some(reference) => value_of(&reference),
            None => object
                .iter()
                .map(|(key, value)| Ok((key.clone(), fill(value, value_of)?)))
                .collect::<Result<Map<_, _>, E>>()
                .map(Value::Object),
        },
        Value::Array(items) => items
            .iter()
            .map(|item| fill(item, value_of))
            .collect::<Result<_, E>>()
            .map(Value::Array),
        plain => Ok(plain.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_survive_storage_and_are_filled_in_anywhere() {
        let body = json!({
            "plain": 1,
            "ids": [Reference::Step(StepKind::Schema).to_json()],
            "auth": {"params": {"key": Reference::Secret("auth.key".into()).to_json()}},
            "when": Reference::Start(Start::Soon).to_json(),
            "looks_like_one": {"$step": "nowhere"},
        });
        let stored: Value = serde_json::from_str(&body.to_string()).unwrap();
        let mut seen = Vec::new();
        let filled = fill::<()>(&stored, &mut |reference| {
            seen.push(reference.clone());
            Ok(json!("filled"))
        })
        .unwrap();
        assert_eq!(seen.len(), 3);
        assert_eq!(filled["ids"][0], "filled");
        assert_eq!(filled["auth"]["params"]["key"], "filled");
        assert_eq!(filled["looks_like_one"], json!({"$step": "nowhere"}));
        assert_eq!(fill(&stored, &mut |_| Err("no")), Err("no"));
    }
}
