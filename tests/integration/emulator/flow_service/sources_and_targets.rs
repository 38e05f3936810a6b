//! Source and target connections, patching, and the order of deletion.

use headgate::emulator::faults::{Fault, Rule};
use reqwest::Method;
use serde_json::{Value, json};

use super::{changed, without};
use crate::emulator::{Bench, DATA_LAKE, FLOW_SERVICE, S3, keys, read, source_body, target_body};

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
