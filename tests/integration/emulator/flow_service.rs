//! Flow Service: specifications, connections, source and target connections, flows.

use std::collections::BTreeSet;

use headgate::emulator::faults::{Fault, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Bench, DATA_LAKE, DAY_MS, FLOW_SERVICE, FLOW_SPEC, HOUR_MS, S3, connection_body, flow_body, keys, read,
    source_body, target_body,
};

fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[name] = value;
    body
}

fn without(mut body: Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    body.pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove(name);
    body
}

#[tokio::test]
async fn specifications() {
    let bench = Bench::start().await;
    let all = bench
        .get(&format!("{FLOW_SERVICE}/connectionSpecs"))
        .await
        .expect(200);
    assert_eq!(all.body["items"].as_array().unwrap().len(), 11);
    let one = bench
        .list("connectionSpecs", &[("property", "name==\"azure-file-storage\"")])
        .await
        .expect(200);
    let spec = &one.body["items"][0];
    assert_eq!(
        keys(spec),
        [
            "attributes",
            "authSpec",
            "exploreSpec",
            "id",
            "name",
            "permissionsInfo",
            "providerId",
            "sourceSpec",
            "version"
        ]
    );
    assert_eq!(keys(&spec["authSpec"][0]), ["name", "spec", "type"]);
    assert_eq!(
        keys(&spec["authSpec"][0]["spec"]["properties"]),
        ["host", "password", "userid"]
    );
    assert_eq!(
        spec["authSpec"][0]["spec"]["properties"]["password"]["format"],
        "password"
    );
    let lake = bench
        .get(&format!("{FLOW_SERVICE}/connectionSpecs/{DATA_LAKE}"))
        .await
        .expect(200);
    assert_eq!(
        keys(&lake.body["items"][0]),
        [
            "attributes",
            "id",
            "name",
            "permissionsInfo",
            "providerId",
            "targetSpec",
            "version"
        ]
    );
    bench
        .get(&format!("{FLOW_SERVICE}/connectionSpecs/nothing"))
        .await
        .refused(404, "FLOW-1439-404");
    let flow = bench
        .list("flowSpecs", &[("property", "name==\"CloudStorageToAEP\"")])
        .await
        .expect(200);
    assert_eq!(
        keys(&flow.body["items"][0]),
        [
            "attributes",
            "id",
            "name",
            "optionSpec",
            "permissionsInfo",
            "providerId",
            "runSpec",
            "scheduleSpec",
            "sourceConnectionSpecIds",
            "targetConnectionSpecIds",
            "transformationSpecs",
            "version",
        ]
    );
    let none = bench
        .list("flowSpecs", &[("property", "name==Other")])
        .await
        .expect(200);
    assert_eq!(none.body, json!({ "items": [] }));
    bench
        .list("flowSpecs", &[("limit", "1")])
        .await
        .refused(400, "FLOW-1451-400");
    let role = bench
        .get(&format!(
            "{FLOW_SERVICE}/connectionSpecs/{S3}/configs?authType=IamBasedAuthentication"
        ))
        .await
        .expect(200);
    assert_eq!(keys(&role.body["configParams"]), ["IAMRole"]);
}

#[tokio::test]
async fn a_connection_shows_no_secret_and_tests_well() {
    let bench = Bench::start().await;
    let id = bench.connection("Bucket").await;
    let path = format!("{FLOW_SERVICE}/connections/{id}");
    let shown = bench.get(&path).await.expect(200);
    let item = &shown.body["items"][0];
    assert_eq!(
        keys(item),
        [
            "auth",
            "connectionSpec",
            "createdAt",
            "createdBy",
            "createdClient",
            "description",
            "etag",
            "id",
            "imsOrgId",
            "name",
            "sandboxId",
            "sandboxName",
            "state",
            "updatedAt",
            "updatedBy",
            "updatedClient",
            "version",
        ]
    );
    assert_eq!(
        item["auth"]["params"],
        json!({ "s3AccessKey": "AKIA", "s3SecretKey": "****" })
    );
    assert_eq!(
        (&item["state"], &item["version"]),
        (&json!("enabled"), &item["etag"])
    );
    assert_eq!(
        bench.get(&format!("{path}/test")).await.expect(200).body,
        json!({ "result": true })
    );
    bench
        .control()
        .arm(Rule::on("GET", "**/test").then(Fault::Answer {
            status: 200,
            body: json!({ "result": false }),
        }));
    assert_eq!(
        bench.get(&format!("{path}/test")).await.expect(200).body,
        json!({ "result": false })
    );
    let other_sandbox = bench
        .http
        .get(format!("{}{path}", bench.running.url()))
        .bearer_auth(&bench.token);
    let other_sandbox = other_sandbox
        .header("x-api-key", "headgate-demo")
        .header("x-gw-ims-org-id", super::ORGANIZATION);
    read(other_sandbox.header("x-sandbox-name", "dev"))
        .await
        .refused(404, "FLOW-1439-404");
}

#[tokio::test]
async fn connections_that_are_refused() {
    let bench = Bench::start().await;
    let body = || connection_body("Bucket");
    let path = format!("{FLOW_SERVICE}/connections");
    let cases = [
        (
            changed(
                body(),
                "/connectionSpec/id",
                json!("0ed90a81-07f4-4586-8190-b40eccef1c5a"),
            ),
            "1413",
        ),
        (
            changed(
                body(),
                "/connectionSpec/id",
                json!("bf367b0d-3d9b-4060-b67b-0d3d9bd06094"),
            ),
            "1413",
        ),
        (without(body(), "/connectionSpec/id"), "1413"),
        (changed(body(), "/auth/specName", json!("Basic")), "1415"),
        (without(body(), "/auth/params/s3SecretKey"), "0000"),
        (changed(body(), "/auth/params/bucket", json!("x")), "0000"),
        (
            changed(body(), "/auth/params/s3SecretKey", json!(["S3CRETCANARY"])),
            "0000",
        ),
        (without(body(), "/auth"), "0000"),
        (without(body(), "/name"), "0000"),
        (changed(body(), "/colour", json!("red")), "0000"),
        (changed(body(), "/state", json!("enabled")), "1410"),
        (
            json!({ "name": "lake", "connectionSpec": { "id": DATA_LAKE }, "auth": {} }),
            "0000",
        ),
    ];
    for (body, code) in cases {
        let answer = bench
            .post(&path, &body)
            .await
            .refused(400, &format!("FLOW-{code}-400"));
        assert!(
            !answer.body.to_string().contains("S3CRETCANARY"),
            "{}",
            answer.body
        );
    }
    let sas = json!({ "name": "b", "connectionSpec": { "id": "4c10e202-c428-4796-9208-5f1f5732b1cf" }, "auth": { "specName": "SasURIAuthentication", "params": {} } });
    bench.post(&path, &sas).await.refused(400, "FLOW-1415-400");
    for user in ["userid", "userId"] {
        let files = json!({ "name": "f", "connectionSpec": { "id": "be5ec48c-5b78-49d5-b8fa-7c89ec4569b8" }, "auth": { "specName": "Basic Authentication", "params": { "host": "h", user: "u", "password": "p" } } });
        bench.post(&path, &files).await.expect(201);
    }
}

#[tokio::test]
async fn patching_needs_the_etag_with_or_without_its_quotes() {
    let bench = Bench::start().await;
    let id = bench.connection("Bucket").await;
    let path = format!("{FLOW_SERVICE}/connections/{id}");
    let etag = async || {
        bench.get(&path).await.body["items"][0]["etag"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let rename = |name: &str| json!([{ "op": "replace", "path": "/name", "value": name }]);
    read(bench.request(Method::PATCH, &path).json(&rename("x")))
        .await
        .refused(400, "FLOW-1403-400");
    let first = etag().await;
    let answer = bench.patch(&path, &first, &rename("Renamed")).await.expect(200);
    assert_eq!(keys(&answer.body), ["etag", "id"]);
    assert_ne!(answer.body["etag"], first.as_str());
    bench
        .patch(&path, &first, &rename("late"))
        .await
        .refused(412, "FLOW-1404-412");
    bench
        .patch(
            &path,
            etag().await.trim_matches('"'),
            &json!([{ "op": "ADD", "path": "/description", "value": "d" }]),
        )
        .await
        .expect(200);
    let secret = json!([{ "op": "replace", "path": "/auth/params/s3SecretKey", "value": "NEWCANARY" }]);
    bench.patch(&path, &etag().await, &secret).await.expect(200);
    let shown = bench.get(&path).await.body;
    assert_eq!(
        (&shown["items"][0]["name"], &shown["items"][0]["description"]),
        (&json!("Renamed"), &json!("d"))
    );
    assert!(!shown.to_string().contains("NEWCANARY"));
    for (operation, code) in [
        (
            json!({ "op": "move", "path": "/name", "from": "/description" }),
            "1434",
        ),
        (json!({ "op": "replace", "path": "/nome", "value": "x" }), "1455"),
        (
            json!({ "op": "replace", "path": "/connectionSpec/id", "value": "x" }),
            "1414",
        ),
        (
            json!({ "op": "replace", "path": "/auth/specName", "value": "IAMRole Based" }),
            "0000",
        ),
        (
            json!({ "op": "remove", "path": "/auth/params/s3SecretKey" }),
            "0000",
        ),
    ] {
        bench
            .patch(&path, &etag().await, &json!([operation]))
            .await
            .refused(400, &format!("FLOW-{code}-400"));
    }
    bench
        .control()
        .arm(Rule::on("PATCH", "**/connections/*").then(Fault::StaleEtag));
    bench
        .patch(&path, &etag().await, &rename("y"))
        .await
        .refused(412, "FLOW-1404-412");
    bench.patch(&path, &etag().await, &rename("y")).await.expect(200);
}

#[tokio::test]
async fn sources_and_targets_that_are_refused() {
    let bench = Bench::start().await;
    let parts = bench.parts("Part").await;
    let source = || source_body("Source", &parts.connection);
    let sources = [
        (
            changed(source(), "/baseConnectionId", json!("nothing")),
            404,
            "1439-404",
        ),
        (without(source(), "/baseConnectionId"), 400, "0000-400"),
        (
            changed(
                source(),
                "/connectionSpec/id",
                json!("b7bf2577-4520-42c9-bae9-cad01560f7bc"),
            ),
            400,
            "0000-400",
        ),
        (
            changed(source(), "/connectionSpec/id", json!(DATA_LAKE)),
            400,
            "1413-400",
        ),
        (changed(source(), "/data/format", json!("xml")), 400, "0000-400"),
        (
            changed(source(), "/data/properties", json!({ "columnDelimiter": "," })),
            400,
            "0000-400",
        ),
        (
            changed(
                source(),
                "/data/schema",
                json!({ "id": "https://ns.adobe.com/x/schemas/1", "version": "application/vnd.adobe.xed-full+json;version=1" }),
            ),
            400,
            "0000-400",
        ),
        (
            changed(source(), "/params/recursive", json!("yes")),
            400,
            "0000-400",
        ),
        (
            changed(source(), "/params/cdcEnabled", json!(true)),
            400,
            "0000-400",
        ),
        (without(source(), "/params/path"), 400, "0000-400"),
        (without(source(), "/name"), 400, "0000-400"),
    ];
    for (body, status, code) in sources {
        bench
            .post(&format!("{FLOW_SERVICE}/sourceConnections"), &body)
            .await
            .refused(status, &format!("FLOW-{code}"));
    }
    let target = || target_body("Target", &parts.dataset, &parts.schema);
    let targets = [
        (
            changed(target(), "/params/dataSetId", json!("nothing")),
            "0000-400",
        ),
        (changed(target(), "/connectionSpec/id", json!(S3)), "1413-400"),
        (
            changed(
                target(),
                "/data/schema/version",
                json!("application/vnd.adobe.xed-full+json;version=2"),
            ),
            "0000-400",
        ),
        (changed(target(), "/params/path", json!("x")), "0000-400"),
    ];
    for (body, code) in targets {
        bench
            .post(&format!("{FLOW_SERVICE}/targetConnections"), &body)
            .await
            .refused(400, &format!("FLOW-{code}"));
    }
    let delimited = changed(
        source(),
        "/data",
        json!({ "format": "delimited", "properties": { "columnDelimiter": ";", "encoding": "UTF-8", "compressionType": "gzip" } }),
    );
    let made = bench
        .post(&format!("{FLOW_SERVICE}/sourceConnections"), &delimited)
        .await
        .expect(201);
    let shown = bench
        .get(&format!("{FLOW_SERVICE}/sourceConnections/{}", made.id()))
        .await
        .expect(200);
    assert_eq!(keys(&shown.body), ["_links", "items"]);
    assert_eq!(
        shown.body["items"][0]["inheritedAttributes"]["baseConnection"]["id"],
        parts.connection.as_str()
    );
    let landing = json!({ "name": "dlz", "data": { "format": "delimited" }, "params": { "path": "dlz-user-container/a.csv" }, "connectionSpec": { "id": "26f526f2-58f4-4712-961d-e41bf1ccc0e8" } });
    bench
        .post(&format!("{FLOW_SERVICE}/sourceConnections"), &landing)
        .await
        .expect(201);
}

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
async fn what_is_in_use_is_deleted_in_order() {
    let bench = Bench::start().await;
    let (flow, parts) = bench.flow("Loyalty", "day", Some(1)).await;
    let at = |kind: &str, id: &str| format!("{FLOW_SERVICE}/{kind}/{id}");
    bench
        .delete(&at("connections", &parts.connection))
        .await
        .refused(400, "FLOW-1418-400");
    bench
        .delete(&at("sourceConnections", &parts.source))
        .await
        .refused(400, "FLOW-1447-400");
    bench
        .delete(&at("targetConnections", &parts.target))
        .await
        .refused(400, "FLOW-1447-400");
    for (kind, id) in [
        ("flows", &flow),
        ("sourceConnections", &parts.source),
        ("targetConnections", &parts.target),
        ("connections", &parts.connection),
    ] {
        let gone = bench.delete(&format!("{}/", at(kind, id))).await.expect(204);
        assert_eq!(gone.body, Value::Null);
        let missing = bench.get(&at(kind, id)).await.refused(404, "FLOW-1439-404");
        assert_eq!(
            (&missing.body["report"]["type"], &missing.body["report"]["id"]),
            (&json!(kind), &json!(id))
        );
        bench.delete(&at(kind, id)).await.refused(404, "FLOW-1439-404");
    }
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

#[tokio::test]
async fn lists_are_filtered_ordered_counted_and_paged() {
    let bench = Bench::start().await;
    for number in 0..45 {
        bench.connection(&format!("Connection {number:02}")).await;
    }
    bench.connection("Connection 07 and more").await;
    let one = bench
        .list("connections", &[("property", "name==Connection 07")])
        .await
        .expect(200);
    assert_eq!(
        (one.body["items"].as_array().map(Vec::len), &one.body["_links"]),
        (Some(1), &json!({}))
    );
    assert_eq!(
        bench.list("connections", &[("count", "true")]).await.body,
        json!({ "count": 46 })
    );
    bench
        .list("connections", &[("count", "true"), ("limit", "5")])
        .await
        .refused(400, "FLOW-1401-400");
    bench
        .list("connections", &[("count", "false"), ("limit", "5")])
        .await
        .expect(200);
    for (query, code) in [
        (("property", "colour==red"), "1423"),
        (("property", "name~Connection"), "1440"),
        (("start", "0"), "1451"),
        (("orderby", "colour"), "1433"),
        (("orderby", "*name"), "1432"),
        (("limit", "0"), "0000"),
        (("limit", "101"), "0000"),
        (("continuationToken", "made up"), "0000"),
    ] {
        bench
            .list("connections", &[query])
            .await
            .refused(400, &format!("FLOW-{code}-400"));
    }
    bench
        .list("sourceConnections", &[("property", "name==x")])
        .await
        .refused(400, "FLOW-1423-400");

    for order in ["-name", "+name", "createdAt"] {
        let (mut names, mut path) = (Vec::new(), None::<String>);
        loop {
            let page = match &path {
                None => {
                    bench
                        .list(
                            "connections",
                            &[
                                ("orderby", order),
                                ("property", &format!("connectionSpec.id=={S3}")),
                            ],
                        )
                        .await
                }
                Some(path) => bench.get(&format!("{FLOW_SERVICE}{path}")).await,
            };
            let page = page.expect(200).body;
            names.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["name"].as_str().unwrap().to_owned()),
            );
            match page["_links"]["next"]["href"].as_str() {
                Some(href) => {
                    assert!(
                        href.starts_with("/connections?") && href.contains("%2B") && href.contains("%3D"),
                        "{href}"
                    );
                    path = Some(href.to_owned());
                }
                None => break,
            }
        }
        let mut sorted = names.clone();
        sorted.sort();
        if order == "-name" {
            sorted.reverse();
        }
        if order != "createdAt" {
            assert_eq!(names, sorted, "{order}");
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 46);
    }
}

#[tokio::test]
async fn a_token_belongs_to_its_list_and_wants_exact_copying() {
    let bench = Bench::start().await;
    for number in 0..5 {
        bench.connection(&format!("Connection {number}")).await;
    }
    let first = bench
        .list("connections", &[("limit", "2")])
        .await
        .expect(200)
        .body;
    let href = first["_links"]["next"]["href"].as_str().unwrap();
    let token = url::form_urlencoded::parse(href.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "continuationToken")
        .map(|(_, value)| value.into_owned())
        .unwrap();
    let page = async |token: &str| {
        bench
            .list("connections", &[("limit", "2"), ("continuationToken", token)])
            .await
    };
    assert_eq!(
        page(&token).await.expect(200).body["items"][0]["name"],
        "Connection 2"
    );
    page(token.trim_end_matches('='))
        .await
        .refused(400, "FLOW-0000-400");
    bench
        .get(&format!(
            "{FLOW_SERVICE}/connections?limit=2&continuationToken={token}"
        ))
        .await
        .refused(400, "FLOW-0000-400");
    bench
        .list(
            "connections",
            &[("continuationToken", &token), ("property", "state==enabled")],
        )
        .await
        .refused(400, "FLOW-0000-400");
}

#[tokio::test]
async fn a_storage_is_explored_from_its_root_to_a_row() {
    let bench = Bench::start().await;
    let id = bench.connection("Bucket").await;
    let explore =
        async |query: &[(&str, &str)]| bench.list(&format!("connections/{id}/explore"), query).await;
    let root = explore(&[("objectType", "root")]).await.expect(200).body;
    assert_eq!(
        keys(&root[0]),
        ["canFetchSchema", "canPreview", "name", "path", "type"]
    );
    assert_eq!(root, explore(&[("OBJECTTYPE", "ROOT")]).await.expect(200).body);
    let folder = root
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["type"] == "folder")
        .unwrap();
    assert!(folder["path"].as_str().unwrap().ends_with('/'));
    let inner = explore(&[
        ("objectType", "folder"),
        ("object", folder["path"].as_str().unwrap()),
    ])
    .await
    .expect(200)
    .body;
    let files = explore(&[
        ("objectType", "folder"),
        ("object", inner[0]["path"].as_str().unwrap()),
    ])
    .await
    .expect(200)
    .body;
    let path = |end: &str| {
        files
            .as_array()
            .unwrap()
            .iter()
            .find_map(|file| file["path"].as_str().filter(|path| path.ends_with(end)))
            .unwrap()
            .to_owned()
    };
    let csv = explore(&[
        ("objectType", "file"),
        ("object", &path(".csv")),
        ("fileType", "delimited"),
        ("preview", "true"),
    ])
    .await
    .expect(200)
    .body;
    assert_eq!(
        (keys(&csv), &csv["format"]),
        (vec!["data", "format", "schema"], &json!("flat"))
    );
    assert_eq!(keys(&csv["schema"]["columns"][0]), ["name", "type", "xdm"]);
    let columns: BTreeSet<_> = csv["schema"]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns, keys(&csv["data"][0]).into_iter().collect());
    let parquet = explore(&[
        ("objectType", "file"),
        ("object", &path(".parquet")),
        ("fileType", "parquet"),
        ("preview", "true"),
    ])
    .await
    .expect(200)
    .body;
    assert_eq!(parquet["data"], json!([]));
    let guessed = explore(&[
        ("objectType", "file"),
        ("object", &path(".json")),
        ("determineProperties", "true"),
    ])
    .await
    .expect(200)
    .body;
    assert_eq!(guessed["properties"]["fileType"], "json");
    explore(&[("objectType", "file"), ("object", &path(".csv"))])
        .await
        .refused(400, "FLOW-0000-400");
    explore(&[
        ("objectType", "file"),
        ("object", &path(".csv")),
        ("fileType", "delimited"),
        ("determineProperties", "true"),
    ])
    .await
    .refused(400, "FLOW-0000-400");
    explore(&[("objectType", "folder"), ("object", "nowhere/")])
        .await
        .refused(404, "FLOW-1101-404");
    explore(&[("objectType", "shelf")])
        .await
        .refused(400, "FLOW-0000-400");
    explore(&[("objectType", "root"), ("colour", "red")])
        .await
        .refused(400, "FLOW-1451-400");
    let zone = "connectionSpecs/26f526f2-58f4-4712-961d-e41bf1ccc0e8/explore";
    let zone = bench.list(zone, &[("objectType", "root")]).await.expect(200).body;
    assert!(
        zone[0]["path"]
            .as_str()
            .unwrap()
            .starts_with("dlz-user-container/")
    );
}
