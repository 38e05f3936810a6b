//! Schema Registry, Catalog and Data Prep.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Bench, Reply, dataset_body, keys, read, schema_body};

const SCHEMAS: &str = "/data/foundation/schemaregistry/tenant/schemas";
const DATASETS: &str = "/data/foundation/catalog/dataSets";
const ID: &str = "application/vnd.adobe.xed-id+json";
const ONE: &str = "application/vnd.adobe.xed+json;version=1";

async fn with_accept(bench: &Bench, path: &str, query: &[(&str, &str)], accept: &str) -> Reply {
    read(
        bench
            .request(Method::GET, path)
            .query(query)
            .header("accept", accept),
    )
    .await
}

fn encoded(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

#[tokio::test]
async fn accept_decides_lists_and_look_ups() {
    let bench = Bench::start().await;
    let id = bench.schema("Hotels").await;
    let list = with_accept(&bench, SCHEMAS, &[], ID).await.expect(200);
    assert_eq!(keys(&list.body), ["_links", "_page", "results"]);
    assert_eq!(
        keys(&list.body["results"][0]),
        ["$id", "meta:altId", "title", "version"]
    );
    assert_eq!(
        list.body["_page"],
        json!({ "orderby": "title", "next": null, "count": 1 })
    );
    let whole = with_accept(&bench, SCHEMAS, &[], "application/vnd.adobe.xed+json")
        .await
        .expect(200);
    assert_eq!(
        whole.body["results"][0]["meta:class"],
        "https://ns.adobe.com/xdm/context/profile"
    );
    let one = format!("{SCHEMAS}/{}", encoded(&id));
    assert_eq!(
        with_accept(&bench, &one, &[], ONE).await.expect(200).body["$id"],
        id.as_str()
    );
    let alt = format!(
        "{SCHEMAS}/{}",
        whole.body["results"][0]["meta:altId"].as_str().unwrap()
    );
    with_accept(
        &bench,
        &alt,
        &[],
        "application/vnd.adobe.xed-full+json; version=1",
    )
    .await
    .expect(200);
    for accept in ["*/*", "application/json", ONE] {
        let answer = with_accept(&bench, SCHEMAS, &[], accept)
            .await
            .refused(400, "XDM-1006-400");
        assert_eq!(
            keys(&answer.body),
            ["detail", "report", "status", "title", "type"]
        );
        assert_eq!(
            keys(&answer.body["report"]),
            ["detailed-message", "registryRequestId", "sub-errors", "timestamp"]
        );
    }
    with_accept(&bench, &one, &[], "application/vnd.adobe.xed+json")
        .await
        .refused(400, "XDM-1007-400");
    with_accept(&bench, &one, &[], "application/vnd.adobe.xed+json;version=7")
        .await
        .refused(406, "XDM-0000-406");
    with_accept(&bench, &format!("{SCHEMAS}/nothing"), &[], ONE)
        .await
        .refused(404, "XDM-1010-404");
    let stats = bench
        .get("/data/foundation/schemaregistry/stats")
        .await
        .expect(200);
    assert_eq!(
        keys(&stats.body),
        [
            "classUsage",
            "counts",
            "imsOrg",
            "recentlyCreatedResources",
            "recentlyUpdatedResources",
            "tenantId"
        ]
    );
    assert_eq!(
        (&stats.body["tenantId"], &stats.body["counts"]["schemas"]),
        (&json!("headgatedemo"), &json!(1))
    );
}

#[tokio::test]
async fn titles_are_unique_and_the_answer_names_the_other() {
    let bench = Bench::start().await;
    let id = bench.schema("Hotels").await;
    let answer = bench
        .post(SCHEMAS, &schema_body("Hotels"))
        .await
        .refused(400, "XDM-1521-400");
    assert!(answer.body["detail"].as_str().unwrap().contains(&id));
    bench.post(SCHEMAS, &schema_body("Hotels 2")).await.expect(201);
    for broken in [
        json!({ "allOf": [] }),
        json!({ "title": "" }),
        json!({ "type": "string" }),
        json!({ "description": null }),
        json!({ "meta:class": "https://ns.adobe.com/xdm/context/experienceevent" }),
    ] {
        let mut body = schema_body("Broken");
        body.as_object_mut()
            .unwrap()
            .extend(broken.as_object().unwrap().clone());
        bench.post(SCHEMAS, &body).await.refused(400, "XDM-0000-400");
    }
}

#[tokio::test]
async fn schemas_are_found_by_title_page_by_page() {
    let bench = Bench::start().await;
    for number in 0..7 {
        bench.schema(&format!("Schema {number}")).await;
    }
    let found = with_accept(&bench, SCHEMAS, &[("property", "title==Schema 3")], ID)
        .await
        .expect(200);
    assert_eq!(found.body["_page"]["count"], 1);
    let (mut titles, mut start) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("orderby", "title"), ("limit", "3")];
        if let Some(start) = &start {
            query.push(("start", start));
        }
        let page = with_accept(&bench, SCHEMAS, &query, ID).await.expect(200);
        titles.extend(
            page.body["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|schema| schema["title"].as_str().unwrap().to_owned()),
        );
        match page.body["_page"]["next"].as_str() {
            Some(next) => start = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(
        titles,
        (0..7)
            .map(|number| format!("Schema {number}"))
            .collect::<Vec<_>>()
    );
    with_accept(&bench, SCHEMAS, &[("limit", "3")], ID)
        .await
        .refused(400, "XDM-0000-400");
}

#[tokio::test]
async fn schemas_in_use_stay() {
    let bench = Bench::start().await;
    let schema = bench.schema("Hotels").await;
    let dataset = bench.dataset("Hotels", &schema).await;
    let path = format!("{SCHEMAS}/{}", encoded(&schema));
    bench.delete(&path).await.refused(400, "XDM-0000-400");
    assert_eq!(
        bench
            .delete(&format!("{DATASETS}/{dataset}"))
            .await
            .expect(200)
            .body,
        json!([format!("@/dataSets/{dataset}")])
    );
    bench.delete(&path).await.expect(204);
    bench.delete(&path).await.refused(404, "XDM-1010-404");
    bench.get(&format!("{DATASETS}/{dataset}")).await.expect(404);
}

#[tokio::test]
async fn datasets_are_keyed_by_id_and_found_by_name_and_tag() {
    let bench = Bench::start().await;
    let schema = bench.schema("Hotels").await;
    let mut body = dataset_body("Tagged", &schema);
    body["tags"] = json!({ "headgate": ["hg1-abc"] });
    let tagged = bench.post(DATASETS, &body).await.expect(201).body[0]
        .as_str()
        .unwrap()
        .replace("@/dataSets/", "");
    bench.dataset("Plain", &schema).await;
    let one = bench.get(&format!("{DATASETS}/{tagged}")).await.expect(200);
    assert_eq!(keys(&one.body), [tagged.as_str()]);
    assert_eq!(
        keys(&one.body[&tagged]),
        [
            "created",
            "createdClient",
            "createdUser",
            "fileDescription",
            "files",
            "imsOrg",
            "name",
            "observableSchema",
            "schemaRef",
            "tags",
            "updated",
            "updatedUser",
            "version",
            "viewId"
        ]
    );
    for (query, expected) in [
        ("?tags=headgate:hg1-abc", 1),
        ("?tags=headgate:hg1-*", 1),
        ("?tags=headgate:other", 0),
        ("?name=Plain", 1),
        ("?name=Pla", 0),
        ("?limit=1", 1),
        ("?limit=1&start=1", 1),
        ("?start=2", 0),
        ("", 2),
    ] {
        assert_eq!(
            keys(&bench.get(&format!("{DATASETS}{query}")).await.expect(200).body).len(),
            expected,
            "{query}"
        );
    }
    let lean = bench
        .get(&format!("{DATASETS}?properties=name,tags&tags=headgate:*"))
        .await
        .expect(200);
    assert_eq!(
        lean.body,
        json!({ tagged: { "name": "Tagged", "tags": { "headgate": ["hg1-abc"] } } })
    );
    for query in [
        "?limit=0",
        "?limit=101",
        "?tags=headgate",
        "?colour=red",
        "?orderBy=up:created",
    ] {
        bench.get(&format!("{DATASETS}{query}")).await.expect(400);
    }
    for broken in [
        json!({ "tags": { "adobe/x": ["1"] } }),
        json!({ "tags": { "x": "1" } }),
        json!({ "schemaRef": { "id": "https://ns.adobe.com/other/schemas/1", "contentType": "application/vnd.adobe.xed+json;version=1" } }),
        json!({ "name": " " }),
        json!({ "colour": "red" }),
    ] {
        let mut body = dataset_body("Broken", &schema);
        body.as_object_mut()
            .unwrap()
            .extend(broken.as_object().unwrap().clone());
        assert_eq!(
            keys(&bench.post(DATASETS, &body).await.expect(400).body),
            ["detail", "status", "title", "type"]
        );
    }
}

#[tokio::test]
async fn mapping_sets_in_both_vocabularies() {
    let bench = Bench::start().await;
    let path = "/data/foundation/conversion/mappingSets";
    let schema = bench.schema("Hotels").await;
    let legacy = json!({
        "version": 0, "xdmSchema": schema, "xdmVersion": "1.0", "id": null,
        "mappings": [{ "destinationXdmPath": "_id", "sourceAttribute": "Id", "identity": false, "identityGroup": null, "namespaceCode": null, "version": 0 }],
    });
    let current = json!({
        "outputSchema": { "schemaRef": { "id": schema, "contentType": "application/vnd.adobe.xed-full+json;version=1" } },
        "mappings": [{ "sourceType": "ATTRIBUTE", "source": "id", "destination": "_id", "name": "id" }],
    });
    for body in [&legacy, &current] {
        let made = bench.post(path, body).await.expect(200);
        assert_eq!(
            keys(&made.body),
            [
                "createdBy",
                "createdDate",
                "id",
                "modifiedBy",
                "modifiedDate",
                "version"
            ]
        );
        assert_eq!((made.id().len(), &made.body["version"]), (32, &json!(0)));
        let read = bench.get(&format!("{path}/{}", made.id())).await.expect(200);
        assert_eq!(read.body["mappings"], body["mappings"]);
        let valid = bench.post(&format!("{path}/validate"), body).await.expect(200);
        assert_eq!(
            valid.body,
            json!({ "validationResponse": [{ "status": "SUCCESS", "errors": null }] })
        );
    }
    let list = bench.get(&format!("{path}?limit=1&start=0")).await.expect(200);
    assert_eq!(
        (
            list.body["data"].as_array().map(Vec::len),
            &list.body["_page"]["count"]
        ),
        (Some(1), &json!(1))
    );
    let mut unknown: Value = current.clone();
    unknown["outputSchema"]["schemaRef"]["id"] = json!("https://ns.adobe.com/x/schemas/y");
    bench.post(path, &unknown).await.expect(400);
    bench
        .post(
            path,
            &json!({ "xdmSchema": schema, "mappings": [{ "source": "a" }] }),
        )
        .await
        .expect(400);
    bench.get(&format!("{path}/nothing")).await.expect(404);
}
