//! The page of one run.

use headgate::domain::RunOutcome;
use headgate::emulator::SeedOptions;
use headgate::store::runs::{self, Run};
use reqwest::StatusCode;

use crate::support::stored::runs_of;
use crate::support::watched::{MINUTE_MS, Watched};

async fn store_run(watched: &Watched, row: Run, raw: &str) {
    let mirrored = headgate::store::Mirrored { row, raw: raw.into() };
    let mut tx = watched.app.store().begin().await.unwrap();
    runs::upsert_many(&mut tx, &[mirrored]).await.unwrap();
    tx.commit().await.unwrap();
}

/// A flow with its first run, which has ended well.
async fn with_a_run() -> (Watched, String, Run) {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.advance(40 * MINUTE_MS);
    watched.read().await;
    let (store, environment) = (watched.app.store(), &watched.environment.id);
    let run = runs_of(store, environment, &flow).await.remove(0);
    (watched, flow, run)
}

#[tokio::test]
async fn a_good_run_says_that_all_is_stored_and_leads_to_its_neighbours_and_its_json() {
    let (watched, flow, run) = with_a_run().await;
    let mut later = run.clone();
    (later.id, later.started_at) = ("later".into(), run.started_at + MINUTE_MS);
    store_run(&watched, later, "{}").await;
    let mut ana = watched.app.visitor("ana").await;
    let path = format!("/flows/{flow}/runs/{}", run.id);
    let page = ana.get(&path).await;
    let text = page.text();
    let stored = run.records_out.unwrap();
    assert!(text.contains("records stored") && stored > 0, "{text}");
    for words in [
        "Copy from the source",
        "Load into the dataset",
        "Files from",
        "Read from Adobe",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.has("#run svg.span rect.m-ok"), "the stages have bars");
    assert!(!page.has("#run[hx-get]"), "an ended run is not followed");
    assert_eq!(
        page.attributes("a[rel=next]", "href"),
        [format!("/flows/{flow}/runs/later")]
    );
    assert!(!page.has("a[rel=prev]"));
    let back = ana.get(&format!("/flows/{flow}/runs/later")).await;
    assert_eq!(back.attributes("a[rel=prev]", "href")[0], path);
    assert!(
        back.text().contains("Adobe tells no stages of this run"),
        "{}",
        back.text()
    );

    let raw = ana.get(&format!("{path}/raw")).await;
    assert!(raw.text().contains("promotionActivity"), "{}", raw.text());
    let file = ana.get(&format!("{path}/raw?download=true")).await;
    assert_eq!(file.headers["content-type"], "application/json");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"run.json\""
    );
}

#[tokio::test]
async fn odd_runs_say_what_is_odd() {
    let (watched, flow, run) = with_a_run().await;
    let mut ana = watched.app.visitor("ana").await;
    let odd = |id: &str, status: &str, outcome| Run {
        id: id.into(),
        status: status.into(),
        outcome,
        records_out: None,
        error_code: None,
        error_message: None,
        ..run.clone()
    };
    store_run(&watched, odd("silent", "failed", RunOutcome::Failed), "{}").await;
    store_run(
        &watched,
        odd("strange", "teleported", RunOutcome::Unknown),
        "[[]]",
    )
    .await;
    store_run(
        &watched,
        odd("bare", "success", RunOutcome::Succeeded),
        "no JSON at all",
    )
    .await;
    let going_on = Run {
        completed_at: None,
        duration_ms: None,
        ended_at: None,
        ..odd("going-on", "inProgress", RunOutcome::Running)
    };
    store_run(&watched, going_on, r#"{"activities": []}"#).await;
    for (id, words) in [
        ("silent", "Adobe gives no reason"),
        ("strange", "Adobe calls this run “teleported”"),
        ("bare", "Adobe does not tell how many records"),
        ("going-on", "two to three minutes late"),
    ] {
        let page = ana.get(&format!("/flows/{flow}/runs/{id}")).await;
        assert_eq!(page.status, StatusCode::OK, "{id}");
        assert!(page.text().contains(words), "{id}: {}", page.text());
        assert_eq!(
            page.has("#run[hx-trigger='live from:body, every 5s']"),
            ["strange", "going-on"].contains(&id),
            "{id} is followed until it is final"
        );
    }
}

#[tokio::test]
async fn every_run_of_the_emulator_has_its_page_with_errors_by_code() {
    let seed = SeedOptions {
        flows: 9,
        days: 20,
        runs_per_day: Some(6),
    };
    let watched = Watched::with(Some(seed)).await;
    watched.read().await;
    let (store, environment) = (watched.app.store(), watched.environment.id.clone());
    let mut ana = watched.app.visitor("ana").await;
    let flows = ana
        .get("/flows")
        .await
        .attributes("tbody td:first-child a", "href");
    let mut codes = std::collections::BTreeSet::new();
    for path in &flows {
        let id = path.rsplit('/').next().unwrap();
        let all = watched
            .eventually("the history is filled", async || {
                let all = runs_of(store, &environment, id).await;
                (all.len() > 100).then_some(all)
            })
            .await;
        for run in all {
            let Some(code) = run.error_code.clone().filter(|code| !codes.contains(code)) else {
                continue;
            };
            let page = ana.get(&format!("/flows/{id}/runs/{}", run.id)).await;
            let listed = page.attributes("#errors a[href^='/help/errors/']", "href");
            assert!(
                listed.contains(&format!("/help/errors/{code}")),
                "{code}: {listed:?}"
            );
            assert!(page.text().contains("by the stage"), "{}", page.text());
            codes.insert(code);
        }
    }
    assert!(!codes.is_empty());
}
