//! Runs: made by time, listed, retried, asked for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Bench, DAY_MS, FLOW_SERVICE, HOUR_MS, MINUTE_MS, keys};

const STARTED: &str = "metrics.durationSummary.startedAtUTC";

async fn all_runs(bench: &Bench, query: &[(&str, &str)]) -> Vec<Value> {
    let mut page = bench.list("runs", query).await.expect(200).body;
    let mut runs = Vec::new();
    loop {
        runs.extend(page["items"].as_array().unwrap().clone());
        match page["_links"]["next"]["href"].as_str() {
            Some(href) => page = bench.get(&format!("{FLOW_SERVICE}{href}")).await.expect(200).body,
            None => return runs,
        }
    }
}

#[tokio::test]
async fn a_run_appears_late_and_goes_through_both_activities() {
    let bench = Bench::start().await;
    let (flow, parts) = bench.flow("Loyalty", "day", Some(1)).await;
    let by_flow = [("property", format!("flowId=={flow}"))];
    let by_flow: Vec<(&str, &str)> = by_flow
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    bench.control().advance(MINUTE_MS).unwrap();
    assert!(
        all_runs(&bench, &by_flow).await.is_empty(),
        "a run cannot be seen at once"
    );
    let mut seen = Vec::new();
    for _ in 0..60 {
        bench.control().advance(MINUTE_MS / 2).unwrap();
        if let Some(run) = all_runs(&bench, &by_flow).await.pop() {
            assert!(run["updatedAt"].as_i64().unwrap() <= bench.now_ms());
            let activities = run["activities"].as_array().unwrap().len();
            let state = run["metrics"]["statusSummary"]["status"]
                .as_str()
                .unwrap()
                .to_owned();
            if seen.last() != Some(&(state.clone(), activities)) {
                seen.push((state, activities));
            }
        }
    }
    let step = |state: &str, activities| (state.to_owned(), activities);
    assert_eq!(
        seen,
        [step("inProgress", 1), step("inProgress", 2), step("success", 2)]
    );
    let run = all_runs(&bench, &by_flow).await.pop().unwrap();
    assert_eq!(
        keys(&run),
        [
            "activities",
            "createdAt",
            "createdBy",
            "createdClient",
            "etag",
            "flowId",
            "flowSpec",
            "id",
            "imsOrgId",
            "metrics",
            "providerRefId",
            "sandboxId",
            "sandboxName",
            "updatedAt",
            "updatedBy",
            "updatedClient",
        ]
    );
    assert_eq!(
        keys(&run["metrics"]),
        [
            "durationSummary",
            "fileSummary",
            "recordSummary",
            "sizeSummary",
            "statusSummary"
        ]
    );
    assert_eq!(
        keys(&run["metrics"]["durationSummary"]),
        ["completedAtUTC", "startedAtUTC"]
    );
    for (activity, name, info) in [
        (0, "copyActivity", "sourceInfo"),
        (1, "promotionActivity", "targetInfo"),
    ] {
        let activity = &run["activities"][activity];
        assert_eq!(activity["id"], name);
        let mut expected = [
            "durationSummary",
            "fileSummary",
            "id",
            "recordSummary",
            "sizeSummary",
            "statusSummary",
            "updatedAtUTC",
            info,
        ];
        expected.sort_unstable();
        assert_eq!(keys(activity), expected);
    }
    assert_eq!(run["activities"][0]["sourceInfo"][0]["id"], parts.source.as_str());
    let batch = run["activities"][1]["targetInfo"][0]["reference"]["ids"][0]
        .as_str()
        .unwrap();
    let batches = bench
        .get(&format!(
            "/data/foundation/catalog/batches?dataSet={}",
            parts.dataset
        ))
        .await
        .expect(200);
    assert_eq!(keys(&batches.body), [batch]);
    let one = bench
        .get(&format!("/data/foundation/catalog/batches/{batch}"))
        .await
        .expect(200);
    assert_eq!(one.body[batch]["status"], "success");
    assert_eq!(
        one.body[batch]["recordCount"],
        run["metrics"]["recordSummary"]["outputRecordCount"]
    );
    let flow = bench.get(&format!("{FLOW_SERVICE}/flows/{flow}")).await.body;
    assert_eq!(flow["items"][0]["lastRunDetails"]["id"], run["id"]);
    assert_eq!(
        keys(&flow["items"][0]["lastRunDetails"]),
        ["completedAtUTC", "id", "startedAtUTC", "state"]
    );
    let id = run["id"].as_str().unwrap();
    assert_eq!(
        bench
            .get(&format!("{FLOW_SERVICE}/runs/{id}"))
            .await
            .expect(200)
            .body["items"][0],
        run
    );
    bench
        .get(&format!("{FLOW_SERVICE}/runs/nothing"))
        .await
        .refused(404, "FLOW-1439-404");
}

#[tokio::test]
async fn runs_are_filtered_by_flow_status_and_time() {
    let bench = Bench::start().await;
    let (hourly, _) = bench.flow("Hourly", "hour", Some(1)).await;
    let (often, _) = bench.flow("Often", "minute", Some(15)).await;
    bench.control().advance(4 * DAY_MS).unwrap();
    let runs = all_runs(&bench, &[("orderby", &format!("-{STARTED}")), ("limit", "100")]).await;
    let starts: Vec<i64> = runs
        .iter()
        .map(|run| {
            run["metrics"]["durationSummary"]["startedAtUTC"]
                .as_i64()
                .unwrap()
        })
        .collect();
    assert!(starts.is_sorted_by(|a, b| a >= b));
    assert_eq!(
        runs.iter()
            .map(|run| run["id"].as_str().unwrap())
            .collect::<BTreeSet<_>>()
            .len(),
        runs.len()
    );
    let of = |flow: &str| runs.iter().filter(|run| run["flowId"] == flow).count();
    assert_eq!((of(&hourly), of(&often)), (96, 384));

    let count = async |filters: &[&str]| {
        let mut query: Vec<(&str, &str)> = filters.iter().map(|filter| ("property", *filter)).collect();
        query.push(("count", "true"));
        bench.list("runs", &query).await.expect(200).body["count"]
            .as_u64()
            .unwrap()
    };
    let status = |run: &&Value, wanted: &str| run["metrics"]["statusSummary"]["status"] == wanted;
    let failed = runs.iter().filter(|run| status(run, "failed")).count() as u64;
    assert!(failed > 5, "{failed}");
    for filter in [
        "metrics.statusSummary.status==failed",
        "metrics.statusSummary.status==Failed",
        "state==failed",
    ] {
        assert_eq!(count(&[filter]).await, failed, "{filter}");
    }
    assert_eq!(
        count(&["state==failed,success"]).await + count(&["state==inProgress"]).await,
        480
    );
    let middle = starts[200];
    let later = starts.iter().filter(|start| **start > middle).count() as u64;
    assert_eq!(count(&[&format!("{STARTED}>{middle}")]).await, later);
    assert_eq!(
        count(&[&format!("{STARTED}>={middle}")]).await + count(&[&format!("{STARTED}<{middle}")]).await,
        480
    );
    assert_eq!(
        count(&[
            &format!("flowId=={often}"),
            &format!("{STARTED}>{middle}"),
            &format!("{STARTED}<={}", starts[0])
        ])
        .await,
        runs.iter()
            .zip(&starts)
            .filter(|(run, start)| run["flowId"] == often.as_str() && **start > middle)
            .count() as u64
    );
    for watermark in [middle, starts[10], bench.now_ms() - i64::from(HOUR_MS)] {
        let expected = runs
            .iter()
            .filter(|run| run["updatedAt"].as_i64().unwrap() > watermark)
            .count() as u64;
        assert_eq!(count(&[&format!("updatedAt>{watermark}")]).await, expected);
    }
    let id = runs[3]["id"].as_str().unwrap();
    assert_eq!(count(&[&format!("id=={id}")]).await, 1);
    assert_eq!(all_runs(&bench, &[("limit", "100")]).await.len(), 480);
    let of_flow = bench
        .get(&format!("{FLOW_SERVICE}/flows/{hourly}/runs?count=true"))
        .await
        .expect(200);
    assert_eq!(of_flow.body, json!({ "count": 96 }));
    bench
        .list("runs", &[("property", "flowName==x")])
        .await
        .refused(400, "FLOW-1423-400");
    bench
        .list("runs", &[("orderby", "name")])
        .await
        .refused(400, "FLOW-1433-400");
}

#[tokio::test]
async fn failed_and_rejecting_runs_carry_documented_codes() {
    let bench = Bench::start().await;
    bench.flow("Often", "minute", Some(15)).await;
    bench.control().advance(10 * DAY_MS).unwrap();
    let runs = all_runs(&bench, &[("limit", "100"), ("property", "state==failed,success")]).await;
    let mut shapes = BTreeSet::new();
    for run in &runs {
        let metrics = &run["metrics"];
        let (status, records) = (
            metrics["statusSummary"]["status"].as_str().unwrap(),
            &metrics["recordSummary"],
        );
        let activities: Vec<_> = run["activities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|activity| activity["id"].as_str().unwrap())
            .collect();
        let code = metrics["statusSummary"]["errors"][0]["code"]
            .as_str()
            .unwrap_or("none");
        let last = run["activities"].as_array().unwrap().last().unwrap();
        let provider = last["statusSummary"]["extensions"]["errors"][0]["code"]
            .as_str()
            .unwrap_or("none");
        shapes.insert(format!("{status} {} {code} {provider}", activities.join("+")));
        if status == "success" {
            let number = |name: &str| records[name].as_i64().unwrap();
            assert_eq!(
                number("inputRecordCount"),
                number("outputRecordCount") + number("failedRecordCount")
            );
            assert_eq!(number("failedRecordCount") > 0, code == "CONNECTOR-2001-500");
        }
    }
    let expected = [
        "failed copyActivity CONNECTOR-1001-500 CONNECTOR-1001-500",
        "failed copyActivity+promotionActivity CONNECTOR-2001-500 MAPPER-3700-400",
        "failed promotionActivity CONNECTOR-2001-500 133",
        "success copyActivity+promotionActivity CONNECTOR-2001-500 INGEST-1212-400",
        "success copyActivity+promotionActivity none none",
    ];
    assert_eq!(shapes.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn runs_on_demand_and_again() {
    let bench = Bench::start().await;
    let (once, _) = bench.flow("Once", "once", None).await;
    let (daily, _) = bench.flow("Daily", "minute", Some(15)).await;
    let body = |flow: &str, start: Value| json!({ "flowId": flow, "params": { "startTime": start, "windowStartTime": bench.now_s() - 7200, "windowEndTime": bench.now_s() - 3600 } });
    let path = format!("{FLOW_SERVICE}/runs");
    let made = bench
        .post(&path, &body(&once, json!((bench.now_s() + 60).to_string())))
        .await
        .expect(201);
    assert_eq!(
        (keys(&made.body), keys(&made.body["items"][0])),
        (vec!["items"], vec!["etag", "id"])
    );
    let id = made.body["items"][0]["id"].as_str().unwrap();
    let state = async || {
        bench.get(&format!("{path}/{id}")).await.expect(200).body["items"][0]["metrics"]["statusSummary"]["status"].clone()
    };
    assert_eq!(state().await, "scheduled");
    bench.control().advance(2 * MINUTE_MS).unwrap();
    assert_eq!(state().await, "inProgress");
    bench.control().advance(HOUR_MS).unwrap();
    assert!(["success", "failed"].contains(&state().await.as_str().unwrap()));

    bench
        .post(&path, &body("nothing", json!(1)))
        .await
        .refused(400, "FLOW-1430-400");
    bench
        .post(&path, &body("", json!(1)))
        .await
        .refused(400, "FLOW-1446-400");
    bench
        .post(&path, &body(&daily, json!(1)))
        .await
        .refused(400, "FLOW-0000-400");
    bench
        .post(&path, &body(&once, json!(bench.now_ms())))
        .await
        .refused(400, "FLOW-0000-400");
    let put = bench
        .request(reqwest::Method::PUT, &format!("{path}/{id}"))
        .json(&json!({}));
    super::read(put).await.refused(400, "FLOW-1427-400");

    bench.control().advance(4 * DAY_MS).unwrap();
    let failed = all_runs(
        &bench,
        &[
            ("property", "state==failed"),
            ("property", &format!("flowId=={daily}")),
        ],
    )
    .await;
    let again = bench
        .act(&format!(
            "{path}/{}/action?op=re-trigger",
            failed[0]["id"].as_str().unwrap()
        ))
        .await
        .expect(200);
    assert_eq!(keys(&again.body), ["etag", "id"]);
    assert_ne!(again.body["id"], failed[0]["id"]);
    bench.get(&format!("{path}/{}", again.id())).await.expect(200);
    let good = all_runs(
        &bench,
        &[
            ("property", "state==success"),
            ("property", &format!("flowId=={daily}")),
        ],
    )
    .await;
    let good = good
        .iter()
        .find(|run| {
            run["metrics"]["recordSummary"]["inputRecordCount"]
                .as_i64()
                .unwrap()
                > 0
        })
        .unwrap();
    bench
        .act(&format!(
            "{path}/{}/action?op=RE_TRIGGER",
            good["id"].as_str().unwrap()
        ))
        .await
        .refused(400, "FLOW-0000-400");
}

#[tokio::test]
async fn a_disabled_flow_rests_and_a_deleted_one_stops() {
    let bench = Bench::start().await;
    let (flow, _) = bench.flow("Hourly", "hour", Some(1)).await;
    let count = async || {
        bench.list("runs", &[("count", "true")]).await.expect(200).body["count"]
            .as_u64()
            .unwrap()
    };
    bench.control().advance(5 * HOUR_MS).unwrap();
    assert_eq!(count().await, 5);
    bench
        .act(&format!("{FLOW_SERVICE}/flows/{flow}/action?op=disable"))
        .await
        .expect(200);
    bench.control().advance(5 * HOUR_MS).unwrap();
    assert_eq!(count().await, 5);
    bench
        .act(&format!("{FLOW_SERVICE}/flows/{flow}/action?op=enable"))
        .await
        .expect(200);
    bench.control().advance(2 * HOUR_MS).unwrap();
    assert_eq!(count().await, 7);
    bench
        .delete(&format!("{FLOW_SERVICE}/flows/{flow}"))
        .await
        .expect(204);
    bench.control().advance(5 * HOUR_MS).unwrap();
    assert_eq!(count().await, 7, "its runs stay, no new ones come");
}

#[tokio::test]
async fn outcomes_are_repeatable() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let bench = Bench::start().await;
        bench.flow("Hourly", "hour", Some(1)).await;
        bench.control().advance(DAY_MS).unwrap();
        histories.push(all_runs(&bench, &[]).await);
    }
    assert_eq!(histories[0].len(), 24);
    assert_eq!(histories[0], histories[1]);
}

#[tokio::test]
async fn at_speed_nothing_is_dated_in_the_future() {
    let bench = Bench::with(|options| {
        options.manual_time = false;
        options.speed = 3600;
    })
    .await;
    let parts = bench.parts("Fast").await;
    let body = super::flow_body("Fast", &parts, bench.now_s() + 1, "hour", Some(1));
    bench
        .post(&format!("{FLOW_SERVICE}/flows"), &body)
        .await
        .expect(201);
    // An hour a second: two seconds bring the first runs.
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let runs = all_runs(&bench, &[]).await;
        let now_ms = bench.now_ms();
        for run in &runs {
            for time in [
                &run["createdAt"],
                &run["updatedAt"],
                &run["metrics"]["durationSummary"]["startedAtUTC"],
                &run["metrics"]["durationSummary"]["completedAtUTC"],
            ] {
                assert!(time.as_i64().is_none_or(|time| time <= now_ms), "{run}");
            }
        }
        if runs
            .iter()
            .filter(|run| run["metrics"]["durationSummary"]["completedAtUTC"].is_i64())
            .count()
            >= 2
        {
            return;
        }
    }
    panic!("no run ended");
}
