//! The page of a flow and of its runs.

use headgate::domain::RunOutcome;
use headgate::domain::setup::SetupState;
use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::store::setups::Setup;
use headgate::store::{self};
use reqwest::StatusCode;

use crate::support::app::Answer;
use crate::support::stored::runs_of;
use crate::support::watched::{HOUR_MS, MINUTE_MS, Watched};

/// Where the page asks for what is new.
fn next_look(page: &Answer) -> String {
    page.attributes("#live", "hx-get").remove(0)
}

#[tokio::test]
async fn a_new_flow_waits_for_its_first_run_which_then_appears_in_the_fragment() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    let text = page.text();
    for words in [
        "Waiting for the first run",
        "1 Mar 2026, 00:01 UTC",
        "every hour",
        "acme/in",
        "elsewhere, not with Headgate",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(
        page.attributes("#live", "hx-trigger"),
        ["live from:body, every 15s"]
    );
    assert_eq!(
        ana.get(&next_look(&page)).await.status,
        StatusCode::NO_CONTENT,
        "nothing is new"
    );

    watched.advance(30 * MINUTE_MS);
    watched.read().await;
    let fragment = ana.get(&next_look(&page)).await;
    assert_eq!(fragment.status, StatusCode::OK);
    assert!(!fragment.text().contains("Waiting for the first run"));
    assert_eq!(fragment.attributes("#runs", "hx-swap-oob"), ["true"]);
    let run = runs_of(watched.app.store(), &watched.environment.id, &flow)
        .await
        .remove(0);
    let path = format!("/flows/{flow}/runs/{}", run.id);
    assert!(fragment.has(&format!("td a[href='{path}']")));
    assert!(
        fragment.has(&format!("svg a[href='{path}']")),
        "the chart leads to the run too"
    );

    let page = ana.get(&path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Copy from the source"), "{}", page.text());
    assert!(page.text().contains(&run.id));
}

#[tokio::test]
async fn a_first_run_that_does_not_come_is_late() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    let nothing = serde_json::json!({"items": [], "_links": {}});
    let fault = Fault::Answer {
        status: 200,
        body: nothing,
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/runs").times(0).then(fault));
    watched.advance(20 * MINUTE_MS);
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}")).await;
    assert!(
        page.text().contains("The first run has not appeared"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn every_outcome_is_shown_with_its_counts_and_errors_and_older_runs_are_paged() {
    let seed = SeedOptions {
        flows: 9,
        days: 20,
        runs_per_day: Some(6),
    };
    let watched = Watched::with(Some(seed)).await;
    watched.read().await;
    let page_of = |id: &str| format!("/flows/{id}");
    let mut ana = watched.app.visitor("ana").await;
    let list = ana.get("/flows").await;
    let flows = list.attributes("tbody td:first-child a", "href");
    assert_eq!(flows.len(), 3);
    let mut outcomes = std::collections::BTreeSet::new();
    for path in &flows {
        let id = path.rsplit('/').next().unwrap();
        let (store, environment) = (watched.app.store(), &watched.environment.id);
        let all = watched
            .eventually("the history is filled", async || {
                let all = runs_of(store, environment, id).await;
                (all.len() > 100).then_some(all)
            })
            .await;
        for run in all.iter().take(60) {
            if !outcomes.insert(run.outcome) {
                continue;
            }
            let page = ana.get(&format!("/flows/{id}/runs/{}", run.id)).await;
            let text = page.text();
            let word = run.outcome.as_str();
            assert!(text.to_lowercase().contains(word), "{word}: {text}");
            if let Some(code) = &run.error_code {
                assert!(text.contains(code), "{code}: {text}");
            }
        }
        let page = ana.get(&page_of(id)).await;
        assert_eq!(page.attributes("#runs tbody td:first-child a", "href").len(), 50);
        let older = page.attributes("a[rel=next]", "href").remove(0);
        let next = ana.get(&older).await;
        assert!(!next.has("#live"), "older runs are not followed");
        let (new, old) = (
            page.attributes("#runs tbody td:first-child a", "href"),
            next.attributes("#runs tbody td:first-child a", "href"),
        );
        assert!(old.iter().all(|run| !new.contains(run)));
        assert!(page.has("svg.chart-wide") && page.text().contains("succeeded"));
    }
    assert!(outcomes.contains(&RunOutcome::Succeeded), "{outcomes:?}");
    assert!(
        outcomes.iter().any(|o| *o != RunOutcome::Succeeded),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_platform_that_is_down_leaves_the_page_with_its_age() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.advance(30 * MINUTE_MS);
    watched.read().await;
    let fault = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/runs").times(0).then(fault));
    watched.advance(HOUR_MS / 2);
    let mut ana = watched.app.visitor("ana").await;
    let path = format!("/flows/{flow}");
    watched
        .as_time_passes("the page says since when", async || {
            let mut visitor = watched.app.visitor("ana").await;
            let page = visitor.get(&path).await;
            page.text()
                .contains("cannot be read from Adobe since")
                .then_some(())
        })
        .await;
    let page = ana.get(&path).await;
    assert!(page.text().contains("What is shown is as of"), "{}", page.text());
    assert_eq!(page.attributes("#runs tbody tr", "class").len(), 0);
    assert!(page.has("#runs tbody td a"), "the runs are still there");
    assert!(!page.text().contains("No run yet"));
}

#[tokio::test]
async fn an_unknown_flow_is_not_found() {
    let watched = Watched::start().await;
    let mut ana = watched.app.visitor("ana").await;
    for path in [
        "/flows/nothing",
        "/flows/nothing/status",
        "/flows/nothing/runs/none",
    ] {
        assert_eq!(ana.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let awaited = ana.get("/flows/nothing/status?version=awaited").await;
    assert_eq!(awaited.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_flow_that_a_setup_has_just_made_is_awaited_and_then_shown() {
    let watched = Watched::start().await;
    watched.read().await;
    let (store, flow) = (
        watched.app.store(),
        watched.flow("Loyalty", "hour", Some(1)).await,
    );
    let ana = store::people::user_by_login(store, "ana").await.unwrap().unwrap();
    let setup = Setup {
        id: "setup".into(),
        team_id: watched.environment.team_id.clone(),
        environment_id: watched.environment.id.clone(),
        template_version_id: None,
        draft_id: "draft".into(),
        flow_name: "Loyalty".into(),
        state: SetupState::Done,
        question: None,
        question_detail: None,
        undoing: false,
        retry_at: None,
        recipe: "{}".into(),
        answers: "{}".into(),
        flow_id: Some(flow.clone()),
        started_by: ana.id.clone(),
        driven_by: ana.id,
        platform_origin: None,
        created_at: 1,
        updated_at: 1,
        finished_at: Some(1),
    };
    let mut tx = store.begin().await.unwrap();
    store::setups::insert(&mut tx, &setup, &[]).await.unwrap();
    tx.commit().await.unwrap();

    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get(&format!("/flows/{flow}")).await;
    assert!(
        page.text().contains("is being read from Adobe"),
        "{}",
        page.text()
    );
    let look = page.attributes("[hx-get$=awaited]", "hx-get").remove(0);
    assert!(!vera.get(&look).await.headers.contains_key("hx-refresh"));
    watched.read().await;
    assert_eq!(vera.get(&look).await.headers["hx-refresh"], "true");
    let page = vera.get(&format!("/flows/{flow}")).await;
    assert!(page.has("a[href='/setups/setup']"), "{}", page.text());
}
