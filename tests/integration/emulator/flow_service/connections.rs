//! Specifications, connections, and what their storages hold.

use std::collections::BTreeSet;

use headgate::emulator::faults::{Fault, Rule};
use serde_json::json;

use super::{changed, without};
use crate::emulator::{Bench, DATA_LAKE, FLOW_SERVICE, ORGANIZATION, S3, connection_body, keys, read};

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
        .header("x-gw-ims-org-id", ORGANIZATION);
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
