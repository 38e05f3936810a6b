//! The history an emulator begins with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use headgate::emulator::SeedOptions;
use serde_json::{Value, json};

use super::{Bench, DAY_MS, FLOW_SERVICE, HOUR_MS, keys};

async fn items(bench: &Bench, kind: &str, query: &[(&str, &str)]) -> Vec<Value> {
    let mut page = bench.list(kind, query).await.expect(200).body;
    let mut all = Vec::new();
    loop {
        all.extend(page["items"].as_array().unwrap().clone());
        match page["_links"]["next"]["href"].as_str() {
            Some(href) => page = bench.get(&format!("{FLOW_SERVICE}{href}")).await.expect(200).body,
            None => return all,
        }
    }
}

async fn seeded() -> Bench {
    Bench::with(|options| options.seed = Some(SeedOptions::default())).await
}

#[tokio::test]
async fn twelve_flows_of_five_connectors_in_two_sandboxes() {
    let begun = Instant::now();
    let bench = seeded().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let flows = items(&bench, "flows", &[("limit", "100")]).await;
    assert_eq!(flows.len(), 8);
    let dev = super::read(
        bench
            .http
            .get(format!("{}{FLOW_SERVICE}/flows?count=true", bench.running.url()))
            .bearer_auth(&bench.token)
            .header("x-api-key", "headgate-demo")
            .header("x-gw-ims-org-id", super::ORGANIZATION)
            .header("x-sandbox-name", "dev"),
    )
    .await;
    assert_eq!(dev.expect(200).body, json!({ "count": 4 }));
    let specs: BTreeSet<_> = flows
        .iter()
        .map(|flow| {
            flow["inheritedAttributes"]["sourceConnections"][0]["connectionSpec"]["id"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(specs.len(), 5);
    let states: Vec<_> = flows
        .iter()
        .filter(|flow| flow["state"] == "disabled")
        .map(|flow| flow["name"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["Gift cards"]);
    assert!(flows.iter().all(|flow| flow["lastRunDetails"]["id"].is_string()));
    // Every part of a seeded flow is one that the service itself would have taken.
    for flow in &flows {
        let etag = flow["etag"].as_str().unwrap();
        let path = format!("{FLOW_SERVICE}/flows/{}", flow["id"].as_str().unwrap());
        bench
            .patch(
                &path,
                etag,
                &json!([{ "op": "replace", "path": "/name", "value": flow["name"] }]),
            )
            .await
            .expect(200);
        for (kind, list) in [
            ("sourceConnections", "sourceConnectionIds"),
            ("targetConnections", "targetConnectionIds"),
        ] {
            let path = format!("{FLOW_SERVICE}/{kind}/{}", flow[list][0].as_str().unwrap());
            let part = bench.get(&path).await.expect(200).body["items"][0].clone();
            bench
                .patch(
                    &path,
                    part["etag"].as_str().unwrap(),
                    &json!([{ "op": "replace", "path": "/name", "value": "n" }]),
                )
                .await
                .expect(200);
        }
    }
    for connection in items(&bench, "connections", &[]).await {
        let path = format!(
            "{FLOW_SERVICE}/connections/{}",
            connection["id"].as_str().unwrap()
        );
        bench
            .patch(
                &path,
                connection["etag"].as_str().unwrap(),
                &json!([{ "op": "replace", "path": "/name", "value": "n" }]),
            )
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn its_runs_tell_five_stories_and_go_on() {
    let bench = seeded().await;
    let runs = items(&bench, "runs", &[("limit", "100")]).await;
    let names: BTreeMap<String, String> = items(&bench, "flows", &[("limit", "100")])
        .await
        .iter()
        .map(|flow| {
            (
                flow["id"].as_str().unwrap().to_owned(),
                flow["name"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let started = |run: &Value| {
        run["metrics"]["durationSummary"]["startedAtUTC"]
            .as_i64()
            .unwrap()
    };
    let of = |name: &str, since_ms: i64| -> Vec<&Value> {
        runs.iter()
            .filter(|run| {
                names[run["flowId"].as_str().unwrap()] == name && started(run) > bench.now_ms() - since_ms
            })
            .collect()
    };
    let (day, hour) = (i64::from(DAY_MS), i64::from(HOUR_MS));
    assert!(
        runs.iter()
            .all(|run| run["updatedAt"].as_i64().unwrap() <= bench.now_ms())
    );
    assert!(runs.iter().map(started).min().unwrap() < bench.now_ms() - 29 * day);
    let ended = |run: &&&Value| run["metrics"]["durationSummary"]["completedAtUTC"].is_i64();
    assert!(
        of("Web orders", day - hour)
            .iter()
            .filter(ended)
            .all(|run| run["metrics"]["statusSummary"]["status"] == "failed")
    );
    assert!(of("Web orders", day - hour).len() > 20);
    let dry = of("Product returns", 2 * day - hour);
    assert!(
        dry.iter()
            .filter(ended)
            .filter(|run| run["metrics"]["statusSummary"]["status"] == "success")
            .all(|run| run["metrics"]["recordSummary"]["inputRecordCount"] == 0)
    );
    assert!(of("Gift cards", 3 * day - hour).is_empty() && of("Gift cards", 6 * day).len() >= 2);
    assert!(of("Store sales hourly", 5 * hour).is_empty() && of("Store sales hourly", 8 * hour).len() >= 2);
    let records = |run: &&Value| run["metrics"]["recordSummary"]["outputRecordCount"].as_i64();
    let thin = of("Newsletter consents", day);
    assert!(thin.len() == 1 && thin.iter().filter_map(records).all(|count| count < 700));
    assert!(
        of("Newsletter consents", 9 * day)
            .iter()
            .filter_map(records)
            .filter(|count| *count > 2_000)
            .count()
            >= 7
    );
    let total = runs.len();
    let share = |count: usize| count as f64 / total as f64;
    let failed = runs
        .iter()
        .filter(|run| run["metrics"]["statusSummary"]["status"] == "failed")
        .count();
    let rejecting = runs
        .iter()
        .filter(|run| {
            run["metrics"]["recordSummary"]["failedRecordCount"]
                .as_i64()
                .is_some_and(|n| n > 0)
                && run["metrics"]["statusSummary"]["status"] == "success"
        })
        .count();
    assert!(
        (0.02..0.10).contains(&share(failed)) && (0.02..0.07).contains(&share(rejecting)),
        "{failed} {rejecting} of {total}"
    );
    bench.control().advance(DAY_MS).unwrap();
    assert!(items(&bench, "runs", &[("limit", "100")]).await.len() > total + 130);
}

#[tokio::test]
async fn the_seeded_ids_are_the_same_without_a_random_seed() {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let bench = Bench::with(|options| {
            options.seed = Some(SeedOptions {
                flows: 2,
                days: 2,
                runs_per_day: None,
            });
            options.random_seed = None;
        })
        .await;
        let flows = items(&bench, "flows", &[]).await;
        ids.push((flows[0]["id"].clone(), bench.connection("Made by a call").await));
    }
    assert_eq!(ids[0].0, ids[1].0);
    assert_ne!(ids[0].1, ids[1].1);
}

#[tokio::test]
async fn a_larger_history_has_as_many_runs_as_asked_for() {
    let bench = Bench::with(|options| {
        options.seed = Some(SeedOptions {
            flows: 40,
            days: 10,
            runs_per_day: Some(24),
        })
    })
    .await;
    assert_eq!(
        bench.list("flows", &[("count", "true")]).await.body,
        json!({ "count": 27 })
    );
    let count = bench.list("runs", &[("count", "true")]).await.body["count"]
        .as_u64()
        .unwrap();
    assert!((6000..6700).contains(&count), "{count}");
    let page = bench
        .list("runs", &[("limit", "100"), ("orderby", "-createdAt")])
        .await
        .expect(200)
        .body;
    assert_eq!(keys(&page["_links"]), ["next"]);
}
