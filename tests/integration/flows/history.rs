//! What changed at a flow, and with which configuration its runs ran.

use headgate::domain::RunOutcome;
use headgate::store::{flow_versions, flows, runs};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::stored::runs_of;
use crate::support::watched::{HOUR_MS, MINUTE_MS, Watched};

/// Stores the flow as it would be after a change at Adobe, which the emulator's API has no call for.
async fn change(watched: &Watched, flow: &str, pointer: &str, value: &str) {
    let (store, environment) = (watched.app.store(), &watched.environment.id);
    let raw = flows::raw(store, environment, flow).await.unwrap().unwrap();
    let mut raw: Value = serde_json::from_str(&raw).unwrap();
    *raw.pointer_mut(pointer).unwrap() = value.into();
    let mut row = watched.mirrored(flow).await.record;
    (row.platform_updated_at, row.read_at) = (Some(watched.now_ms()), watched.now_ms());
    let changed = headgate::store::Mirrored {
        row,
        raw: raw.to_string(),
    };
    let mut tx = store.begin().await.unwrap();
    flows::upsert_many(&mut tx, &[changed]).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn changes_at_adobe_and_actions_here_stand_in_one_timeline() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    assert!(page.has(&format!("a[href='/flows/{flow}/configurations/1']")));
    assert!(page.has(&format!("a[href='/flows/{flow}/history']")));
    ana.submit(&page, &format!("/flows/{flow}/disable"), &[]).await;
    watched
        .as_time_passes("the change was seen", async || {
            let versions =
                flow_versions::list(watched.app.store(), &watched.environment.id, &flow, None, 9).await;
            (versions.unwrap().len() == 2).then_some(())
        })
        .await;

    let page = ana.get(&format!("/flows/{flow}/history")).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for words in [
        "Configuration 2",
        "State was enabled → , is now disabled",
        "Ana disabled the dataflow",
        "the first that Headgate knows",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (change, first) = (text.find("Configuration 2"), text.find("Configuration 1"));
    assert!(change < first, "the newest stands first: {text}");
    assert!(page.has("del") && page.has("ins"));

    let page = ana.get(&format!("/flows/{flow}/configurations/2")).await;
    assert!(page.text().contains("What changed"), "{}", page.text());
    assert!(page.has("a[rel=prev]") && !page.has("a[rel=next]"));
    let page = ana.get(&format!("/flows/{flow}/configurations/1")).await;
    assert!(page.text().contains("every hour"), "{}", page.text());
    assert!(page.has("a[rel=next]"));
    for path in ["configurations/3", "configurations/0", "configurations/-5"] {
        let answer = ana.get(&format!("/flows/{flow}/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_long_history_is_paged_without_a_gap() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    for interval in 2..=70 {
        watched.advance(1_000);
        change(&watched, &flow, "/scheduleParams/interval", &interval.to_string()).await;
    }
    let mut ana = watched.app.visitor("ana").await;
    let (mut path, mut seen) = (Some(format!("/flows/{flow}/history")), Vec::new());
    while let Some(next) = path.take() {
        let page = ana.get(&next).await;
        seen.extend(page.attributes("li[id^=configuration]", "id"));
        path = page.attributes("a[rel=next]", "href").pop();
    }
    // A reading in between may have set it back, which is a change too.
    let newest: i64 = seen[0].trim_start_matches("configuration-").parse().unwrap();
    assert!(newest >= 70, "{newest}");
    let expected: Vec<String> = (1..=newest).rev().map(|n| format!("configuration-{n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_run_tells_its_configuration_and_a_failure_the_change_before_it() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.advance(30 * MINUTE_MS);
    watched.read().await;
    let (store, environment) = (watched.app.store(), watched.environment.id.clone());
    let good = runs_of(store, &environment, &flow).await.remove(0);
    watched.advance(HOUR_MS / 2);
    change(&watched, &flow, "/name", "Renamed").await;
    watched.advance(MINUTE_MS);
    // A run of the platform's that fails afterwards.
    let mut failed = good.clone();
    (failed.id, failed.status) = ("failed-run".into(), "failed".into());
    (failed.outcome, failed.started_at) = (RunOutcome::Failed, watched.now_ms());
    failed.error_code = Some("CONNECTOR-1001-500".into());
    failed.error_message = Some("<b>no</b> entry".into());
    let mut old = failed.clone();
    (old.id, old.started_at) = ("old-run".into(), 1_000);
    let mirrored = |row| headgate::store::Mirrored {
        row,
        raw: "{}".into(),
    };
    let mut tx = store.begin().await.unwrap();
    runs::upsert_many(&mut tx, &[mirrored(failed), mirrored(old)])
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    let text = page.text();
    assert!(text.contains("The last run failed"), "{text}");
    assert!(text.contains("<b>no</b> entry"), "{text}");
    assert!(text.contains("Name was Loyalty → , is now Renamed"), "{text}");
    assert!(page.has("a[href='/help/errors/CONNECTOR-1001-500']"));
    assert!(page.has(&format!("#live a[href='/flows/{flow}/configurations/2']")));

    let path = |run: &str| format!("/flows/{flow}/runs/{run}");
    let page = ana.get(&path("failed-run")).await;
    assert!(
        page.has(&format!("aside a[href='/flows/{flow}/configurations/2']")),
        "{}",
        page.text()
    );
    let page = ana.get(&path(&good.id)).await;
    assert!(
        page.has(&format!("aside a[href='/flows/{flow}/configurations/1']")),
        "{}",
        page.text()
    );
    let page = ana.get(&path("old-run")).await;
    assert!(
        page.text().contains("older than the first configuration"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn the_pages_are_for_the_team_only() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut mallory = watched.app.visitor("mallory").await;
    for path in ["history", "configurations/1", "raw", "raw?download=true"] {
        let answer = mallory.get(&format!("/flows/{flow}/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}
