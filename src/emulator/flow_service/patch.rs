//! JSON Patch as Flow Service takes it: add, replace and remove.

use serde_json::{Map, Value};

use super::super::refusal::Refusal;

/// Applies a patch to the members that a client may change. Nothing is changed when an operation is refused.
///
/// # Errors
/// 1405 empty, 1434 operation unsupported, 1455 a path that is not there; the emulator's own words for shapes
/// that are no patch.
pub fn apply(content: &Map<String, Value>, patch: &Value) -> Result<Map<String, Value>, Refusal> {
    let operations = patch
        .as_array()
        .ok_or_else(|| Refusal::flow_own("The patch must be an array of operations."))?;
    if operations.is_empty() {
        return Err(Refusal::flow(
            "1405-400",
            "The patch has no operation. Please provide one and try again.",
        ));
    }
    let mut document = Value::Object(content.clone());
    for operation in operations {
        apply_one(&mut document, operation)?;
    }
    match document {
        Value::Object(members) => Ok(members),
        _ => Err(Refusal::flow_own("The patch does not leave an object.")),
    }
}

/// The paths of a patch.
pub fn paths(patch: &Value) -> impl Iterator<Item = &str> {
    patch
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|operation| operation.get("path").and_then(Value::as_str))
}

fn apply_one(document: &mut Value, operation: &Value) -> Result<(), Refusal> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let op = text("op")
        .ok_or_else(|| Refusal::flow_own("A patch operation needs an op."))?
        .to_ascii_lowercase();
    if !["add", "replace", "remove"].contains(&op.as_str()) {
        return Err(Refusal::flow(
            "1434-400",
            format!("The patch operation '{op}' is not supported."),
        ));
    }
    let path = text("path")
        .filter(|path| path.len() > 1 && path.starts_with('/'))
        .ok_or_else(|| Refusal::flow_own("A patch operation needs a path that begins with a slash."))?;
    let missing = || {
        Refusal::flow(
            "1455-400",
            format!("The patch path '{path}' refers to a field that is not there."),
        )
    };
    let (parent, last) = path.rsplit_once('/').ok_or_else(missing)?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let value = operation.get("value");
    if op != "remove" && value.is_none() {
        return Err(Refusal::flow_own(format!(
            "The patch operation on '{path}' needs a value."
        )));
    }
    let parent = document.pointer_mut(parent).ok_or_else(missing)?;
    match (parent, value.filter(|_| op != "remove")) {
        (Value::Object(members), Some(value)) => {
            if op == "replace" && !members.contains_key(&last) {
                return Err(missing());
            }
            members.insert(last, value.clone());
        }
        (Value::Object(members), None) => {
            members.remove(&last).ok_or_else(missing)?;
        }
        (Value::Array(items), value) => {
            let length = items.len();
            let at = if last == "-" && op == "add" {
                length
            } else {
                last.parse().map_err(|_| missing())?
            };
            match value {
                Some(value) if op == "add" && at <= length => items.insert(at, value.clone()),
                Some(value) if op == "replace" && at < length => items[at] = value.clone(),
                None if at < length => {
                    items.remove(at);
                }
                _ => return Err(missing()),
            }
        }
        _ => return Err(missing()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(patch: Value) -> Result<Value, String> {
        let content = json!({ "name": "n", "transformations": [{ "name": "Mapping" }], "scheduleParams": { "interval": 15 }, "a/b": 1 });
        apply(content.as_object().unwrap(), &patch)
            .map(Value::Object)
            .map_err(|refusal| {
                refusal.body("", 0)["type"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
    }

    #[test]
    fn the_three_operations_in_either_case() {
        let done = patched(json!([
            { "op": "REPLACE", "path": "/name", "value": "new" },
            { "op": "add", "path": "/description", "value": "d" },
            { "op": "add", "path": "/transformations/-", "value": { "name": "Encryption" } },
            { "op": "replace", "path": "/transformations/0", "value": { "name": "Other" } },
            { "op": "remove", "path": "/scheduleParams/interval" },
            { "op": "remove", "path": "/a~1b" },
        ]));
        assert_eq!(
            done,
            Ok(
                json!({ "name": "new", "description": "d", "scheduleParams": {}, "transformations": [{ "name": "Other" }, { "name": "Encryption" }] })
            )
        );
    }

    #[test]
    fn refused_with_their_codes() {
        for (patch, code) in [
            (json!([]), "1405-400"),
            (json!({ "op": "add", "path": "/x", "value": 1 }), "0000-400"),
            (
                json!([{ "op": "move", "path": "/name", "from": "/x" }]),
                "1434-400",
            ),
            (
                json!([{ "op": "replace", "path": "/nome", "value": 1 }]),
                "1455-400",
            ),
            (
                json!([{ "op": "remove", "path": "/scheduleParams/nome" }]),
                "1455-400",
            ),
            (
                json!([{ "op": "add", "path": "/transformations/7", "value": 1 }]),
                "1455-400",
            ),
            (json!([{ "op": "replace", "path": "/name" }]), "0000-400"),
            (json!([{ "op": "replace", "path": "", "value": {} }]), "0000-400"),
            (json!([7]), "0000-400"),
        ] {
            assert_eq!(
                patched(patch.clone()),
                Err(format!("https://ns.adobe.com/aep/errors/FLOW-{code}")),
                "{patch}"
            );
        }
    }
}
