//! Whatever a reply turns into on its way, reading it never panics and never confirms without an id
//! of the documented form.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::platform::{Flow, ObjectKind, Reply, Run, Service, schema_with_that_title};

fn recorded() -> Vec<Value> {
    vec![
        json!({"id": "89ff50ef-b082-426e-bf50-efb082d26e78", "etag": "\"890070b8-0000-0200-0000-5e743c040000\""}),
        json!(["@/dataSets/5e7439b1ad55a618ad4c5102"]),
        json!({"$id": "https://ns.adobe.com/t/schemas/0238be93", "meta:altId": "_t.schemas.1", "title": "Leads"}),
        json!({"id": "f", "name": "Leads", "state": "enabled", "createdAt": 1_584_675_844_000_i64, "flowSpec": {"id": "s"},
            "sourceConnectionIds": ["a"], "targetConnectionIds": ["b"],
            "scheduleParams": {"startTime": "1584675000", "interval": "15", "backfill": "true"},
            "inheritedAttributes": {"sourceConnections": [{"connectionSpec": {"id": "x"}}]},
            "lastRunDetails": {"state": "success", "startedAtUTC": 1_584_676_000_000_i64}}),
        json!({"id": "r", "flowId": "f", "metrics": {"durationSummary": {"startedAtUTC": 1_596_656_058_198_i64},
            "sizeSummary": {"inputBytes": 24012}, "recordSummary": {"inputRecordCount": 100},
            "statusSummary": {"status": "success", "errors": [{"code": "C-1", "message": "m"}]}},
            "activities": [{"durationSummary": {"extensions": {"windowStart": 1_596_653_708_000_i64}},
                "statusSummary": {"extensions": {"errors": [{"code": "133", "message": "m"}]}},
                "targetInfo": [{"reference": {"type": "Batch", "ids": ["b"]}}]}]}),
        json!({"type": "https://ns.adobe.com/aep/errors/XDM-1521-400", "title": "Title not unique", "status": 400,
            "report": {"registryRequestId": "r", "detailed-message":
                "An object https://ns.adobe.com/t/schemas/1 already exists with the same title"}}),
        json!({"error_code": "403025", "message": "Profile is not valid"}),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof![
            Just("-1"),
            Just("true"),
            Just("@/dataSets/"),
            Just("https://ns.adobe.com/"),
            Just("\u{202e}")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("(id|name|etag|metrics|errors|items)", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// All places in a body, by JSON pointer.
fn places(body: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match body {
        Value::Array(elements) => {
            elements
                .iter()
                .enumerate()
                .for_each(|(n, element)| places(element, &format!("{at}/{n}"), found));
        }
        Value::Object(members) => members.iter().for_each(|(key, member)| {
            places(
                member,
                &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                found,
            );
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_replies_never_panic(which in 0..recorded().len(), place: prop::sample::Index, change in any_json()) {
        let mut body = recorded().swap_remove(which);
        let mut all = Vec::new();
        places(&body, "", &mut all);
        *body.pointer_mut(&all[place.index(all.len())]).unwrap() = change;

        if let Ok(flow) = Flow::from_json(&body) {
            prop_assert!(!flow.id.is_empty());
        }
        if let Ok(run) = Run::from_json(&body.to_string()) {
            prop_assert!(run.bytes_in.is_none_or(|bytes| bytes >= 0));
            prop_assert!(run.errors.iter().all(|error| !error.message.contains('\n')));
        }
        if let Some(reply) = Reply::parse(Service::FlowService, 400, None, &body) {
            prop_assert!(reply.message.len() <= 2048 && !reply.message.chars().any(char::is_control));
            schema_with_that_title(&crate::platform::PlatformError::Refused(Box::new(reply)));
        }
        for kind in ObjectKind::ALL {
            if let Some(id) = kind.id_from(&body) {
                prop_assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id:?}");
                prop_assert!(body.to_string().contains(&id));
            }
        }
    }

    #[test]
    fn torn_replies_never_panic(which in 0..recorded().len(), cut: prop::sample::Index, byte: u8) {
        let mut bytes = recorded().swap_remove(which).to_string().into_bytes();
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        if let Ok(body) = serde_json::from_slice::<Value>(&bytes) {
            Flow::from_json(&body).ok();
            Run::from_json(&body.to_string()).ok();
        }
        bytes.truncate(at);
    }
}
