//! Adobe's "Ingest Parquet data from a third-party cloud storage system" tutorial, call by call, with the
//! defects of its samples repaired: what it prints is what the emulator answers.

use serde_json::json;

use super::{Bench, DATA_LAKE, FLOW_SERVICE, FLOW_SPEC, S3, keys};

#[tokio::test]
async fn the_calls_of_the_tutorial_get_its_answers() {
    let bench = Bench::start().await;
    let guid = "8d96a964-aad8-43c5-a73a-c8b9b1ccbfb1";

    // The base connection that the tutorial takes for granted.
    let base = bench
        .post(
            &format!("{FLOW_SERVICE}/connections"),
            &json!({
                "name": "Amazon S3 base connection", "description": "Amazon S3 base connection",
                "auth": { "specName": "Access Key", "params": { "s3AccessKey": "{S3_ACCESS_KEY}", "s3SecretKey": "{S3_SECRET_KEY}" } },
                "connectionSpec": { "id": S3, "version": "1.0" },
            }),
        )
        .await
        .expect(201);
    assert_eq!(keys(&base.body), ["etag", "id"]);
    assert_eq!(
        base.header("location"),
        format!("{FLOW_SERVICE}/connections/{}", base.id())
    );

    let refs = [
        "profile",
        "profile-person-details",
        "profile-personal-details",
        "profile-work-details",
        "profile-subscriptions",
        "identitymap",
    ];
    let all_of: Vec<_> = refs
        .iter()
        .map(|name| json!({ "$ref": format!("https://ns.adobe.com/xdm/context/{name}") }))
        .collect();
    let schema = bench
        .post(
            "/data/foundation/schemaregistry/tenant/schemas",
            &json!({
                "type": "object", "title": format!("Sample Demo Profile XDM {guid}"), "description": "", "allOf": all_of,
                "meta:containerId": "tenant", "meta:resourceType": "schemas", "meta:xdmType": "object",
                "meta:class": "https://ns.adobe.com/xdm/context/profile",
            }),
        )
        .await
        .expect(201);
    assert_eq!(
        keys(&schema.body),
        [
            "$id",
            "allOf",
            "description",
            "imsOrg",
            "meta:abstract",
            "meta:altId",
            "meta:class",
            "meta:containerId",
            "meta:extends",
            "meta:extensible",
            "meta:registryMetadata",
            "meta:resourceType",
            "meta:tenantNamespace",
            "meta:xdmType",
            "refs",
            "title",
            "type",
            "version",
        ]
    );
    assert_eq!(keys(&schema.body["allOf"][0]), ["$ref", "meta:xdmType", "type"]);
    assert_eq!(
        keys(&schema.body["meta:registryMetadata"]),
        [
            "eTag",
            "repo:createdDate",
            "repo:lastModifiedDate",
            "xdm:createdClientId",
            "xdm:createdUserId",
            "xdm:lastModifiedClientId",
            "xdm:lastModifiedUserId",
        ]
    );
    let schema_id = schema.body["$id"].as_str().unwrap();
    let hash = schema_id
        .strip_prefix("https://ns.adobe.com/headgatedemo/schemas/")
        .unwrap();
    assert_eq!(schema.body["meta:altId"], format!("_headgatedemo.schemas.{hash}"));
    assert_eq!((hash.len(), &schema.body["version"]), (48, &json!("1.0")));

    let schema_ref = json!({ "id": schema_id, "version": "application/vnd.adobe.xed-full+json;version=1.0" });
    let source = bench
        .post(
            &format!("{FLOW_SERVICE}/sourceConnections"),
            &json!({
                "name": format!("Source Connection S3 {guid}"), "baseConnectionId": base.id(),
                "connectionSpec": { "id": S3, "version": 1 },
                "data": { "format": "parquet_xdm", "schema": schema_ref },
                "params": { "path": "partners-demo/samples", "recursive": "true" },
            }),
        )
        .await
        .expect(201);
    assert_eq!(keys(&source.body), ["etag", "id"]);

    let lake = bench
        .post(
            &format!("{FLOW_SERVICE}/connections"),
            &json!({
                "name": "Dataset Base Connection", "description": "Dataset Base Connection",
                "connectionSpec": { "id": DATA_LAKE, "version": "1.0" },
            }),
        )
        .await
        .expect(201);
    assert_eq!(keys(&lake.body), ["etag", "id"]);

    let dataset = bench
        .post(
            "/data/foundation/catalog/dataSets?requestDataSource=true",
            &json!({
                "name": format!("Leads Dataset {guid}"),
                "schemaRef": { "id": schema_id, "contentType": "application/vnd.adobe.xed-full-notext+json; version=1" },
                "fileDescription": { "format": "parquet" },
            }),
        )
        .await
        .expect(201);
    let reference = dataset.body[0].as_str().unwrap();
    assert_eq!(dataset.body.as_array().unwrap().len(), 1);
    let dataset_id = reference.strip_prefix("@/dataSets/").unwrap();
    assert_eq!(dataset_id.len(), 24);
    assert_eq!(
        dataset.header("location"),
        format!("/data/foundation/catalog/dataSets/{dataset_id}")
    );

    let target = bench
        .post(
            &format!("{FLOW_SERVICE}/targetConnections"),
            &json!({
                "baseConnectionId": lake.id(), "connectionSpec": { "id": DATA_LAKE, "version": "1.0" },
                "name": format!("Target Connection {guid}"), "data": { "format": "parquet_xdm", "schema": schema_ref },
                "params": { "dataSetId": dataset_id },
            }),
        )
        .await
        .expect(201);
    assert_eq!(keys(&target.body), ["etag", "id"]);

    let flow = bench
        .post(
            &format!("{FLOW_SERVICE}/flows"),
            &json!({
                "name": format!("Demo Parquet Ingestion Flow {guid}"), "flowSpec": { "id": FLOW_SPEC, "version": "1.0" },
                "sourceConnectionIds": [source.id()], "targetConnectionIds": [target.id()],
                // {{$timestamp}}: the time of sending, which has passed when the call arrives.
                "scheduleParams": { "startTime": bench.now_s() - 1, "frequency": "minute", "interval": 1000, "backfill": true },
            }),
        )
        .await
        .expect(201);
    assert_eq!(keys(&flow.body), ["etag", "id"]);
    let etag = flow.body["etag"].as_str().unwrap();
    assert!(
        etag.starts_with('"') && etag.ends_with('"') && etag.contains("-0000-0200-0000-"),
        "{etag}"
    );
    assert_eq!(
        flow.header("location"),
        format!("{FLOW_SERVICE}/flows/{}", flow.id())
    );
    for part in [base.id(), source.id(), lake.id(), target.id(), flow.id()] {
        assert_eq!(
            part.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12],
            "{part}"
        );
    }
}

/// The tutorial's bodies as printed, with the defects that make them no JSON or no request.
#[tokio::test]
async fn the_defects_of_the_tutorial_are_refused() {
    let bench = Bench::start().await;
    let raw = async |path: &str, body: &'static str| {
        super::read(
            bench
                .request(reqwest::Method::POST, path)
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    };
    let twice = r#"{"name":"s","data":{"format":"parquet_xdm","schema":{"id":"https://ns.adobe.com/t/schemas/1","id":""}}}"#;
    let answer = raw("/data/foundation/flowservice/sourceConnections", twice)
        .await
        .refused(400, "FLOW-0000-400");
    assert!(
        answer.body["errorMessage"]
            .as_str()
            .unwrap()
            .contains("'id' appears twice")
    );
    let quotes =
        r#"{"name":"Leads","schemaRef":{"id":""https://ns.adobe.com/t/schemas/1"","contentType":"x"}}"#;
    raw("/data/foundation/catalog/dataSets", quotes).await.expect(400);
    let timestamp = r#"{"name":"f","scheduleParams":{"startTime":{{$timestamp}},"frequency":"once"}}"#;
    raw("/data/foundation/flowservice/flows", timestamp)
        .await
        .refused(400, "FLOW-0000-400");
    let no_token = bench
        .http
        .post(format!("{}{FLOW_SERVICE}/flows", bench.running.url()))
        .json(&json!({}));
    super::read(no_token).await.refused(403, "403010");
}
