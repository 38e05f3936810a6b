//! Lists: filters, order, counts and pages.

use std::collections::BTreeSet;

use serde_json::json;

use crate::emulator::{Bench, FLOW_SERVICE, S3};

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
