//! Lists are read to their end or prove nothing.

use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::client;
use super::fake_server::{FakeServer, Say, Seen};
use crate::platform::{Lookup, ObjectKind, PlatformError, RunFilter, RunOrder, Selector};

/// The decoded query of a request.
fn query(seen: &Seen) -> Vec<(String, String)> {
    let (_, query) = seen.target.split_once('?').unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

fn param(seen: &Seen, key: &str) -> Option<String> {
    query(seen)
        .into_iter()
        .find(|(other, _)| other == key)
        .map(|(_, value)| value)
}

fn flow_page(items: Value, next: Option<&str>) -> Say {
    let links = next.map_or_else(|| json!({}), |href| json!({"next": {"href": href}}));
    Say::Json(200, json!({"items": items, "_links": links}))
}

async fn found(server: &FakeServer, kind: ObjectKind, selector: Selector) -> Vec<String> {
    match client(server).find(kind, &selector).await {
        Lookup::Complete(found) => found.into_iter().map(|found| found.id).collect(),
        Lookup::Incomplete(error) => panic!("{error}"),
    }
}

async fn is_incomplete(server: &FakeServer, kind: ObjectKind, selector: Selector) -> PlatformError {
    match client(server).find(kind, &selector).await {
        Lookup::Incomplete(error) => error,
        Lookup::Complete(found) => panic!("{found:?}"),
    }
}

fn by_name() -> Selector {
    Selector::ByName("hg1-a".to_owned())
}

#[tokio::test]
async fn the_last_of_many_pages_is_found_and_lookalikes_are_not() {
    // A service that ignores the filter: 500 others, pages of 20.
    let server = FakeServer::start(|seen, _| {
        let page: usize = param(seen, "continuationToken")
            .map_or(0, |token| token.trim_end_matches("+=&").parse().unwrap());
        let mut items: Vec<Value> = (0..20)
            .map(|n| json!({"id": format!("f-{page}-{n}"), "name": format!("my hg1-a {n}")}))
            .collect();
        if page == 24 {
            items.push(json!({"id": "the-one", "name": "hg1-a", "etag": "\"e\""}));
            return flow_page(json!(items), None);
        }
        flow_page(
            json!(items),
            Some(&format!(
                "https://evil.example/x?continuationToken={}%2B%3D%26",
                page + 1
            )),
        )
    })
    .await;
    assert_eq!(found(&server, ObjectKind::Flow, by_name()).await, ["the-one"]);
    let seen = server.calls();
    assert_eq!(seen.len(), 25);
    assert!(
        seen.iter()
            .all(|seen| seen.target.starts_with("/data/foundation/flowservice/flows?"))
    );
    assert!(
        seen.iter()
            .all(|seen| param(seen, "property").as_deref() == Some("name==hg1-a"))
    );
}

#[tokio::test]
async fn datasets_are_found_by_tag_over_offsets() {
    let server = FakeServer::start(|seen, _| {
        let start: usize = param(seen, "start").unwrap().parse().unwrap();
        assert_eq!(param(seen, "limit").as_deref(), Some("100"));
        let count = if start == 200 { 7 } else { 100 };
        let mut page = serde_json::Map::new();
        for n in start..start + count {
            let marker = if n == 206 { "hg1-a" } else { "hg1-b" };
            page.insert(
                format!("{n:024x}"),
                json!({"name": "d", "tags": {"headgate": [marker]}}),
            );
        }
        Say::Json(200, Value::Object(page))
    })
    .await;
    let tag = Selector::ByTag {
        key: "headgate".to_owned(),
        value: "hg1-a".to_owned(),
    };
    assert_eq!(
        found(&server, ObjectKind::Dataset, tag).await,
        [format!("{:024x}", 206)]
    );
    assert_eq!(server.calls().len(), 3);
    assert_eq!(
        param(&server.calls()[0], "tags").as_deref(),
        Some("headgate:hg1-a")
    );
}

#[tokio::test]
async fn schemas_are_found_by_title_over_sort_keys() {
    let server = FakeServer::start(|seen, _| {
        assert_eq!(seen.headers["accept"], "application/vnd.adobe.xed+json");
        assert_eq!(param(seen, "orderby").as_deref(), Some("title"));
        let (title, next) = match param(seen, "start").as_deref() {
            None => ("Leads & more", json!("Leads")),
            Some("Leads") => ("Leads", Value::Null),
            other => panic!("{other:?}"),
        };
        let schema =
            json!({"$id": format!("https://ns.adobe.com/t/schemas/{}", title.len()), "title": title});
        Say::Json(
            200,
            json!({"results": [schema], "_page": {"next": next, "count": 1}, "_links": {}}),
        )
    })
    .await;
    let found = found(&server, ObjectKind::Schema, Selector::ByTitle("Leads".to_owned())).await;
    assert_eq!(found, ["https://ns.adobe.com/t/schemas/5"]);
}

#[tokio::test]
async fn mapping_sets_and_target_connections_are_found() {
    let server = FakeServer::start(|_, _| {
        Say::Json(200, json!({"data": [{"id": "m-1", "name": "hg1-a"}, {"id": "m-2"}], "_page": {"count": 2, "limit": 100}}))
    })
    .await;
    assert_eq!(found(&server, ObjectKind::MappingSet, by_name()).await, ["m-1"]);

    let server = FakeServer::start(|_, _| {
        flow_page(
            json!([{"id": "t-1", "params": {"dataSetId": "d"}}, {"id": "t-2", "params": {"dataSetId": "e"}}]),
            None,
        )
    })
    .await;
    assert_eq!(
        found(
            &server,
            ObjectKind::TargetConnection,
            Selector::ByDataset("d".to_owned())
        )
        .await,
        ["t-1"]
    );
    assert_eq!(
        param(&server.calls()[0], "property").as_deref(),
        Some("params.dataSetId==d")
    );
}

#[tokio::test]
async fn nothing_but_a_whole_list_proves_absence() {
    let empty = FakeServer::start(|_, _| flow_page(json!([]), None)).await;
    assert!(found(&empty, ObjectKind::Flow, by_name()).await.is_empty());

    let answers: Vec<Say> = vec![
        Say::Json(401, json!({"error_code": "401013", "message": "x"})),
        Say::Json(403, json!({"error_code": "403025", "message": "x"})),
        Say::Json(404, json!({"errorMessage": "no such collection"})),
        Say::Json(503, json!({})),
        Say::Json(200, json!({})),
        Say::Json(200, json!({"count": 0})),
        Say::Json(200, json!([])),
        Say::With(200, vec![], "<html>".to_owned()),
        Say::With(200, vec![], String::new()),
        Say::Reset,
        flow_page(json!([{"id": "f", "name": "x", "sandboxName": "prod"}]), None),
        flow_page(json!([{"name": "hg1-a"}]), None),
        flow_page(json!([]), Some("/flows")),
        flow_page(json!([]), Some("/flows?continuationToken=same")),
    ];
    for say in answers {
        let told = format!("{say:?}");
        let server = FakeServer::start(move |_, _| say.clone()).await;
        let error = is_incomplete(&server, ObjectKind::Flow, by_name()).await;
        assert!(!error.to_string().is_empty(), "{told}");
    }
    for (kind, body) in [
        (ObjectKind::Schema, json!({"results": []})),
        (ObjectKind::Dataset, json!({"error_code": "403"})),
        (ObjectKind::MappingSet, json!({"items": []})),
    ] {
        let server = FakeServer::start(move |_, _| Say::Json(200, body.clone())).await;
        let selector = if kind == ObjectKind::Schema {
            Selector::ByTitle("t".to_owned())
        } else {
            by_name()
        };
        is_incomplete(&server, kind, selector).await;
    }
}

#[tokio::test]
async fn half_a_chain_of_pages_proves_nothing() {
    let server = FakeServer::start(|_, nth| match nth {
        0 => flow_page(
            json!([{"id": "f", "name": "x"}]),
            Some("/flows?continuationToken=2"),
        ),
        _ => Say::Json(403, json!({"errorMessage": "no"})),
    })
    .await;
    is_incomplete(&server, ObjectKind::Flow, by_name()).await;
}

#[tokio::test]
async fn endless_lists_end_at_the_ceiling() {
    let server = FakeServer::start(|_, nth| {
        flow_page(
            json!([{"id": format!("f-{nth}"), "name": "x"}]),
            Some(&format!("/flows?continuationToken={nth}")),
        )
    })
    .await;
    let error = is_incomplete(&server, ObjectKind::Flow, by_name()).await;
    assert!(matches!(error, PlatformError::Incomplete { .. }), "{error:?}");
    assert_eq!(server.calls().len(), 200);

    // A Catalog that ignores `start` sends its first page for ever.
    let server = FakeServer::start(|_, _| {
        let page = (0..100)
            .map(|n| (format!("{n:024x}"), json!({"name": "x"})))
            .collect();
        Say::Json(200, Value::Object(page))
    })
    .await;
    is_incomplete(&server, ObjectKind::Dataset, by_name()).await;
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_value_with_a_meaning_of_its_own_is_never_sent() {
    let server = FakeServer::start(|_, _| flow_page(json!([]), None)).await;
    for name in ["a,b", "a\"b", "a==b", ""] {
        is_incomplete(&server, ObjectKind::Flow, Selector::ByName(name.to_owned())).await;
    }
    assert!(server.calls().is_empty());
    found(
        &server,
        ObjectKind::Flow,
        Selector::ByName("R&D #1 + März".to_owned()),
    )
    .await;
    assert_eq!(
        param(&server.calls()[0], "property").as_deref(),
        Some("name==R&D #1 + März")
    );
}

#[tokio::test]
async fn runs_are_listed_by_flow_and_window() {
    let server = FakeServer::start(|_, nth| match nth {
        0 => flow_page(
            json!([{"id": "r-1", "flowId": "f"}]),
            Some("/runs?continuationToken=2"),
        ),
        _ => flow_page(
            json!([{"id": "r-2", "flowId": "f"}, {"id": "r-3", "flowId": "f"}]),
            None,
        ),
    })
    .await;
    let filter = RunFilter {
        flow_id: Some("f".to_owned()),
        started_after: Some(5),
        ..RunFilter::default()
    };
    let pages: Vec<_> = client(&server).runs(&filter).try_collect().await.unwrap();
    assert_eq!(
        pages
            .iter()
            .map(|page| (page.items.len(), page.fetched))
            .collect::<Vec<_>>(),
        [(1, 1), (2, 3)]
    );
    let filters: Vec<_> = query(&server.calls()[1])
        .into_iter()
        .filter(|(key, _)| key == "property")
        .collect();
    assert_eq!(filters[0].1, "flowId==f");
    assert_eq!(filters[1].1, "metrics.durationSummary.startedAtUTC>5");
}

#[tokio::test]
async fn where_the_order_is_refused_runs_are_listed_without_one() {
    for code in ["FLOW-1432-400", "FLOW-1433-400"] {
        let server = FakeServer::start(move |seen, _| {
            if !seen.target.contains("orderby") {
                return flow_page(json!([{"id": "r-1", "flowId": "f"}]), None);
            }
            let refusal =
                json!({"type": format!("https://ns.adobe.com/aep/errors/{code}"), "title": "orderby"});
            Say::Json(400, refusal)
        })
        .await;
        let client = client(&server);
        for calls in [2, 3] {
            let pages: Vec<_> = client.runs(&RunFilter::default()).try_collect().await.unwrap();
            assert_eq!(pages.len(), 1);
            assert_eq!(server.calls().len(), calls, "it is asked for once");
        }
    }
}

#[tokio::test]
async fn some_runs_are_listed_by_their_ids_and_the_newest_first() {
    let server = FakeServer::start(|_, _| flow_page(json!([]), None)).await;
    let filter = RunFilter {
        ids: vec!["r-1".to_owned(), "r-2".to_owned()],
        order: RunOrder::NewestFirst,
        ..RunFilter::default()
    };
    let _: Vec<_> = client(&server).runs(&filter).try_collect().await.unwrap();
    let query = query(&server.calls()[0]);
    let value = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(value("property"), Some("id==r-1,r-2"));
    assert_eq!(value("orderby"), Some("-metrics.durationSummary.startedAtUTC"));
}

#[tokio::test]
async fn one_unreadable_item_ends_a_list_with_an_error() {
    let of_another_flow = RunFilter {
        flow_id: Some("f,g".to_owned()),
        ..RunFilter::default()
    };
    for (filter, item) in [
        (RunFilter::default(), json!({"id": "r-1"})),
        (of_another_flow, json!({"id": "r-1", "flowId": "g"})),
    ] {
        let server = FakeServer::start(move |_, _| flow_page(json!([item]), None)).await;
        let mut pages = pin!(client(&server).runs(&filter));
        assert!(matches!(
            pages.try_next().await,
            Err(PlatformError::Unreadable { .. })
        ));
    }
}

#[tokio::test]
async fn single_things_are_unwrapped_from_their_lists() {
    let server = FakeServer::start(|seen, _| {
        let answer = match seen.target.rsplit('/').next().unwrap() {
            "f-1" => json!({"items": [{"id": "f-1", "name": "Leads"}]}),
            "f-2" => json!({"id": "f-2"}),
            "f-3" => json!({"items": []}),
            "d-1" => json!({"d-1": {"name": "Data"}}),
            "d-2" => json!({"other": {"name": "Data"}}),
            "batches?dataSet=d-1&limit=100" => json!({"b": {"status": "failed"}}),
            "batches?dataSet=d-2&limit=100" => json!({}),
            _ => {
                return Say::Json(
                    404,
                    json!({"type": "https://ns.adobe.com/aep/errors/FLOW-1439-404", "title": "x"}),
                );
            }
        };
        Say::Json(200, answer)
    })
    .await;
    let client = client(&server);
    assert_eq!(client.flow("f-1").await.unwrap().name, "Leads");
    assert_eq!(client.flow("f-2").await.unwrap().id, "f-2");
    assert!(!client.flow("f-3").await.unwrap_err().is_not_found());
    assert!(client.flow("f-4").await.unwrap_err().is_not_found());
    assert_eq!(client.dataset("d-1").await.unwrap().name, "Data");
    assert!(client.dataset("d-2").await.is_err());
    assert!(client.dataset_batches("d-1").await.unwrap() > 0);
    assert_eq!(client.dataset_batches("d-2").await.unwrap(), 0);
}

#[tokio::test]
async fn a_flow_spec_is_unique_or_an_error() {
    for (names, works) in [
        (vec!["CloudStorageToAEP", "Other"], true),
        (vec![], false),
        (vec!["CloudStorageToAEP"; 2], false),
    ] {
        let items: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| json!({"id": n, "name": name}))
            .collect();
        let server = FakeServer::start(move |_, _| flow_page(json!(items), None)).await;
        let spec = client(&server).flow_spec_named("CloudStorageToAEP").await;
        assert_eq!(spec.is_ok(), works, "{names:?}");
    }
}
