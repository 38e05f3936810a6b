//! Flows: how they are read, refused, changed and asked to act.

use serde_json::{Value, json};

use super::{changed, without};
use crate::emulator::{
    Bench, DATA_LAKE, DAY_MS, FLOW_SERVICE, FLOW_SPEC, HOUR_MS, S3, flow_body, keys, source_body, target_body,
};

#[tokio::test]
async fn a_flow_as_it_is_read() {
    let bench = Bench::start().await;
    let (id, parts) = bench.flow("Loyalty", "minute", Some(15)).await;
    let item = bench
        .get(&format!("{FLOW_SERVICE}/flows/{id}"))
        .await
        .expect(200)
        .body["items"][0]
        .clone();
    assert_eq!(
        keys(&item),
        [
            "createdAt",
            "createdBy",
            "createdClient",
            "description",
            "etag",
            "flowSpec",
            "id",
            "imsOrgId",
            "inheritedAttributes",
            "lastOperation",
            "name",
            "runs",
            "sandboxId",
            "sandboxName",
            "scheduleParams",
            "sourceConnectionIds",
            "state",
            "targetConnectionIds",
            "transformations",
            "updatedAt",
            "updatedBy",
            "updatedClient",
            "version",
        ]
    );
    assert_eq!(
        item["scheduleParams"],
        json!({ "startTime": (bench.now_s() + 60).to_string(), "frequency": "minute", "interval": "15" })
    );
    assert_eq!(item["runs"], format!("/flows/{id}/runs"));
    assert_eq!(item["lastOperation"]["operation"], "create");
    let inherited = &item["inheritedAttributes"];
    assert_eq!(inherited["properties"], json!({ "isSourceFlow": true }));
    assert_eq!(
        inherited["sourceConnections"][0]["baseConnection"]["id"],
        parts.connection.as_str()
    );
    assert_eq!(
        inherited["targetConnections"][0]["connectionSpec"]["id"],
        DATA_LAKE
    );
}

#[tokio::test]
async fn flows_that_are_refused() {
    let bench = Bench::start().await;
    let parts = bench.parts("Part").await;
    let others = bench.parts("Other").await;
    let soon = bench.now_s() + 60;
    let flow = || flow_body("Flow", &parts, soon, "day", Some(1));
    let mapping = |id: &str, version: Value| json!([{ "name": "Mapping", "params": { "mappingId": id, "mappingVersion": version } }]);
    let set =
        |schema: &str| json!({ "xdmSchema": schema, "mappings": [{ "source": "a", "destination": "_id" }] });
    let fitting = bench
        .post("/data/foundation/conversion/mappingSets", &set(&parts.schema))
        .await
        .id();
    let foreign = bench
        .post("/data/foundation/conversion/mappingSets", &set(&others.schema))
        .await
        .id();
    let crossed = target_body("Crossed", &parts.dataset, &others.schema);
    let crossed = bench
        .post(&format!("{FLOW_SERVICE}/targetConnections"), &crossed)
        .await
        .expect(201)
        .id();
    let csv = changed(
        source_body("Csv", &parts.connection),
        "/data/format",
        json!("delimited"),
    );
    let csv = bench
        .post(&format!("{FLOW_SERVICE}/sourceConnections"), &csv)
        .await
        .expect(201)
        .id();
    let cases = [
        (changed(flow(), "/state", json!("disabled")), "1410-400"),
        (changed(flow(), "/flowSpec/id", json!("x")), "1413-400"),
        (changed(flow(), "/sourceConnectionIds", json!([])), "0000-400"),
        (
            changed(
                flow(),
                "/sourceConnectionIds",
                json!([parts.source, parts.source]),
            ),
            "0000-400",
        ),
        (
            changed(flow(), "/targetConnectionIds", json!([parts.source])),
            "1439-404",
        ),
        (
            changed(flow(), "/transformations", mapping("nothing", json!(0))),
            "1419-400",
        ),
        (
            changed(flow(), "/transformations", mapping(&fitting, json!(1))),
            "1412-400",
        ),
        (
            changed(flow(), "/transformations", mapping(&foreign, json!("0"))),
            "1425-400",
        ),
        (
            changed(flow(), "/targetConnectionIds", json!([crossed])),
            "1425-400",
        ),
        (changed(flow(), "/sourceConnectionIds", json!([csv])), "0000-400"),
        (
            changed(flow(), "/scheduleParams/startTime", json!(soon - 3600)),
            "1360-400",
        ),
        (
            changed(flow(), "/scheduleParams/startTime", json!(soon * 1000)),
            "0000-400",
        ),
        (
            changed(
                flow(),
                "/scheduleParams",
                json!({ "startTime": soon, "frequency": "minute", "interval": 14 }),
            ),
            "0000-400",
        ),
        (
            changed(
                flow(),
                "/scheduleParams",
                json!({ "startTime": soon, "frequency": "once", "interval": 15 }),
            ),
            "0000-400",
        ),
        (
            changed(
                flow(),
                "/scheduleParams",
                json!({ "startTime": soon, "frequency": "once", "backfill": false }),
            ),
            "0000-400",
        ),
        (without(flow(), "/scheduleParams"), "0000-400"),
        (changed(flow(), "/options", json!({})), "0000-400"),
    ];
    for (body, code) in cases {
        let status = code[5..].parse().unwrap();
        bench
            .post(&format!("{FLOW_SERVICE}/flows"), &body)
            .await
            .refused(status, &format!("FLOW-{code}"));
    }
    let mapped = changed(
        changed(flow(), "/sourceConnectionIds", json!([csv])),
        "/transformations",
        mapping(&fitting, json!(0)),
    );
    let mapped = bench
        .post(&format!("{FLOW_SERVICE}/flows"), &mapped)
        .await
        .expect(201)
        .id();
    let shown = bench.get(&format!("{FLOW_SERVICE}/flows/{mapped}")).await.body;
    assert_eq!(
        shown["items"][0]["transformations"][0]["params"]["mappingVersion"],
        "0"
    );
}

#[tokio::test]
async fn actions_and_drafts() {
    let bench = Bench::start().await;
    let (flow, parts) = bench.flow("Loyalty", "day", Some(1)).await;
    let act = async |op: &str| {
        bench
            .act(&format!("{FLOW_SERVICE}/flows/{flow}/action?op={op}"))
            .await
    };
    act("enable").await.refused(400, "FLOW-1422-400");
    assert_eq!(keys(&act("DISABLE").await.expect(200).body), ["etag", "id"]);
    act("disable").await.refused(400, "FLOW-1422-400");
    assert_eq!(
        bench.get(&format!("{FLOW_SERVICE}/flows/{flow}")).await.body["items"][0]["state"],
        "disabled"
    );
    act("enable").await.expect(200);
    act("finalize").await.refused(400, "FLOW-1402-400");
    act("explode").await.refused(400, "FLOW-1435-400");
    act("publish").await.refused(400, "FLOW-1444-400");

    let draft = json!({ "name": "Draft source", "connectionSpec": { "id": S3 } });
    let source = bench
        .post(&format!("{FLOW_SERVICE}/sourceConnections?mode=draft"), &draft)
        .await
        .expect(201)
        .id();
    let body = json!({ "name": "Draft flow", "flowSpec": { "id": FLOW_SPEC }, "sourceConnectionIds": [source], "targetConnectionIds": [parts.target] });
    let flow = bench
        .post(&format!("{FLOW_SERVICE}/flows?mode=draft"), &body)
        .await
        .expect(201);
    let path = format!("{FLOW_SERVICE}/flows/{}", flow.id());
    bench
        .act(&format!("{path}/action?op=publish"))
        .await
        .refused(400, "FLOW-0000-400");
    let source_path = format!("{FLOW_SERVICE}/sourceConnections/{source}");
    let etag = bench.get(&source_path).await.body["items"][0]["etag"]
        .as_str()
        .unwrap()
        .to_owned();
    let rest = json!([
        { "op": "add", "path": "/data", "value": { "format": "parquet" } },
        { "op": "add", "path": "/params", "value": { "path": "acme" } },
    ]);
    bench.patch(&source_path, &etag, &rest).await.expect(200);
    bench
        .act(&format!("{source_path}/action?op=publish"))
        .await
        .refused(400, "FLOW-0000-400");
    bench.delete(&source_path).await.expect(204);
}

#[tokio::test]
async fn a_schedule_is_changed_by_patch_until_it_has_begun() {
    let bench = Bench::start().await;
    let (flow, _) = bench.flow("Loyalty", "day", Some(1)).await;
    let path = format!("{FLOW_SERVICE}/flows/{flow}");
    let patch = async |operations: Value| {
        let etag = bench.get(&path).await.body["items"][0]["etag"]
            .as_str()
            .unwrap()
            .to_owned();
        bench.patch(&path, &etag, &operations).await
    };
    let start =
        |seconds: i64| json!([{ "op": "replace", "path": "/scheduleParams/startTime", "value": seconds }]);
    patch(start(bench.now_s() - 3600))
        .await
        .refused(400, "FLOW-1360-400");
    patch(start(bench.now_s() + 120)).await.expect(200);
    patch(json!([{ "op": "replace", "path": "/scheduleParams/frequency", "value": "minute" }]))
        .await
        .refused(400, "FLOW-0000-400");
    patch(json!([{ "op": "replace", "path": "/scheduleParams/interval", "value": "2" }]))
        .await
        .expect(200);
    patch(json!([{ "op": "replace", "path": "/state", "value": "asleep" }]))
        .await
        .refused(400, "FLOW-1456-400");
    patch(json!([{ "op": "replace", "path": "/flowSpec/id", "value": "x" }]))
        .await
        .refused(400, "FLOW-0000-400");
    bench.control().advance(200_000).unwrap();
    patch(start(bench.now_s() + 120))
        .await
        .refused(400, "FLOW-0000-400");
    patch(json!([{ "op": "replace", "path": "/name", "value": "Loyalty 2" }]))
        .await
        .expect(200);
    let item = bench.get(&path).await.body["items"][0].clone();
    assert_eq!(
        (&item["scheduleParams"]["interval"], &item["name"]),
        (&json!("2"), &json!("Loyalty 2"))
    );
    assert_eq!(
        (
            &item["lastOperation"]["operation"],
            &item["lastOperation"]["ops"][0]["path"]
        ),
        (&json!("update"), &json!("/name"))
    );
    bench.control().advance(4 * DAY_MS + HOUR_MS).unwrap();
    let runs = bench
        .list(
            "runs",
            &[("property", &format!("flowId=={flow}")), ("count", "true")],
        )
        .await;
    assert_eq!(runs.expect(200).body, json!({ "count": 3 }));
}
