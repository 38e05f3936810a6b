//! Asking Adobe for a run: once more, or over a window of time.

use headgate::domain::RunOutcome;
use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{Fault, Rule};
use headgate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use headgate::store::runs::Run;
use headgate::store::{audit::AuditPhase, run_requests};
use reqwest::StatusCode;

use crate::support::app::{Answer, TEAM};
use crate::support::stored;
use crate::support::watched::{MINUTE_MS, Watched};

/// POSTs that ask for a run, as the platform saw them.
fn asked(watched: &Watched) -> usize {
    let ledger = watched.app.emulator.control().ledger();
    ledger
        .iter()
        .filter(|entry| {
            entry.method == "POST" && (entry.target.contains("re-trigger") || entry.target.ends_with("/runs"))
        })
        .count()
}

async fn runs_of(watched: &Watched, flow: &str) -> Vec<Run> {
    stored::runs_of(watched.app.store(), &watched.environment.id, flow).await
}

/// A seeded history, read to its end, with a flow of which one run failed: the flow and that run.
async fn with_a_failed_run() -> (Watched, String, Run) {
    let seed = SeedOptions {
        flows: 12,
        days: 3,
        runs_per_day: None,
    };
    let watched = Watched::with(Some(seed)).await;
    let found = watched
        .as_time_passes("a failed run in the mirror", async || {
            let team = watched.app.team_id(TEAM).await;
            let all = flow_lists::list(
                watched.app.store(),
                &team,
                FlowFilter::default(),
                FlowSort::Name,
                watched.now_ms(),
                FlowPage::First,
                50,
            )
            .await
            .unwrap();
            for flow in all.into_iter().filter(|flow| flow.state == "enabled") {
                let runs = runs_of(&watched, &flow.id).await;
                let idle = runs.iter().all(|run| run.outcome.is_final());
                let stored = runs.iter().any(|run| run.records_out.unwrap_or(0) > 0);
                if let Some(run) = runs.into_iter().find(|run| run.outcome == RunOutcome::Failed)
                    && idle
                    && stored
                {
                    return Some((flow.id, run));
                }
            }
            None
        })
        .await;
    (watched, found.0, found.1)
}

fn again_form(page: &Answer) -> Option<String> {
    page.attributes("form", "action")
        .into_iter()
        .find(|action| action.ends_with("/again"))
}

#[tokio::test]
async fn a_failed_run_is_run_again_once_however_often_the_button_is_pressed() {
    let (watched, flow, run) = with_a_failed_run().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}/runs/{}", run.id)).await;
    let action = again_form(&page).expect("a button");
    let fields = page.form(&action);
    let first = ana.post(&action, &fields).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER, "{}", first.text());
    let second = ana.post(&action, &fields).await;
    assert_eq!(second.location(), first.location(), "the first answer again");
    let other = action.replace(&run.id, "another-run");
    let refused = ana.post(&other, &fields).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "the answer to another wish");
    assert_eq!(asked(&watched), 1);
    assert!(
        ana.follow(&first)
            .await
            .text()
            .contains("Adobe started a run. It appears here by itself.")
    );

    let request = run_requests::last_of_flow(watched.app.store(), &watched.environment.id, &flow)
        .await
        .unwrap()
        .expect("a request");
    let new = request.run_id.expect("the run that was started");
    let known = runs_of(&watched, &flow).await;
    let new = known.iter().find(|run| run.id == new);
    let new = new.expect("shown without waiting");
    let by = run_requests::of_run(watched.app.store(), new).await.unwrap();
    assert_eq!(by.map(|by| by.retried_run_id), Some(Some(run.id.clone())));

    // While it is going on there is a reason in the button's place.
    let page = ana.get(&format!("/flows/{flow}/runs/{}", run.id)).await;
    assert_eq!(again_form(&page), None);
    assert!(
        page.text().contains("A run of this dataflow is going on."),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn once_a_later_run_has_brought_its_files_a_failed_run_is_not_run_again() {
    let (watched, flow, _) = with_a_failed_run().await;
    let mut ana = watched.app.visitor("ana").await;
    let flow_page = ana.get(&format!("/flows/{flow}")).await;
    let links = flow_page.attributes("#missing a", "href");
    let path = links.last().expect("a run whose files are missing").clone();
    let failed = path.rsplit('/').next().unwrap();
    let page = ana.get(&path).await;
    assert!(!page.has("#later-runs"));
    let action = again_form(&page).expect("a button");
    let fields = page.form(&action);
    assert_eq!(ana.post(&action, &fields).await.status, StatusCode::SEE_OTHER);
    watched.advance(30 * MINUTE_MS);
    let new = watched
        .as_time_passes("the run was made again and has ended well", async || {
            let request = run_requests::last_of_flow(watched.app.store(), &watched.environment.id, &flow);
            let new = request.await.unwrap()?.run_id?;
            let runs = runs_of(&watched, &flow).await;
            let is_good = |run: &&Run| run.id == new && run.outcome == RunOutcome::Succeeded;
            runs.iter().find(is_good).map(|run| run.id.clone())
        })
        .await;
    let page = ana.get(&path).await;
    assert_eq!(again_form(&page), None);
    assert!(
        page.text()
            .contains("A later run has brought the files of this one"),
        "{}",
        page.text()
    );
    assert!(page.has(&format!("#later-runs a[href='/flows/{flow}/runs/{new}']")));
    // The rule holds for an old form, too.
    let mut old = fields.clone();
    for (name, value) in &mut old {
        if name == "key" {
            *value = "another-key".into();
        }
    }
    assert_eq!(ana.post(&action, &old).await.status, StatusCode::CONFLICT);
    let again = ana.get(&format!("/flows/{flow}/runs/{new}")).await;
    assert!(again.text().contains("by Ana at"), "{}", again.text());
    assert!(again.has(&format!("dd a[href='{path}']")));
    let flow_page = ana.get(&format!("/flows/{flow}")).await;
    assert!(!flow_page.has(&format!("#missing a[href$='{failed}']")));
    let history = ana.get(&format!("/flows/{flow}/history")).await;
    for id in [failed, &new] {
        assert!(history.has(&format!("a[href='/flows/{flow}/runs/{id}']")), "{id}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_never_sent_again_and_nobody_asks_until_the_run_would_show() {
    let (watched, flow, run) = with_a_failed_run().await;
    let control = watched.app.emulator.control();
    control.arm(Rule::on("POST", "**/action").then(Fault::LoseRequest));
    let mut ana = watched.app.visitor("ana").await;
    let path = format!("/flows/{flow}/runs/{}", run.id);
    let page = ana.get(&path).await;
    let action = again_form(&page).expect("a button");
    let answer = ana.submit(&page, &action, &[]).await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(
        answer.text().contains("A run may have begun"),
        "{}",
        answer.text()
    );
    let page = ana.get(&path).await;
    assert_eq!(again_form(&page), None);
    assert!(page.text().contains("The answer to an earlier request was lost"));
    assert_eq!(asked(&watched), 1);
    control.disarm();
    watched.advance(6 * MINUTE_MS);
    assert!(again_form(&ana.get(&path).await).is_some());
}

#[tokio::test]
async fn a_run_that_began_although_the_answer_was_lost_says_who_asked_for_it() {
    let (watched, flow, _) = with_a_failed_run().await;
    let control = watched.app.emulator.control();
    control.arm(Rule::on("POST", "**/action").then(Fault::LoseAnswer));
    let mut ana = watched.app.visitor("ana").await;
    let flow_page = ana.get(&format!("/flows/{flow}")).await;
    let links = flow_page.attributes("#missing a", "href");
    let path = links.first().expect("a run whose files are missing").clone();
    let known = runs_of(&watched, &flow).await;
    let page = ana.get(&path).await;
    let answer = ana
        .submit(&page, &again_form(&page).expect("a button"), &[])
        .await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    control.disarm();
    let new = watched
        .as_time_passes("the run that began", async || {
            let runs = runs_of(&watched, &flow).await;
            runs.into_iter()
                .find(|one| known.iter().all(|known| known.id != one.id))
        })
        .await;
    let page = ana.get(&format!("/flows/{flow}/runs/{}", new.id)).await;
    assert!(
        page.text()
            .contains("answer was lost, and this run has the files that were asked for"),
        "{}",
        page.text()
    );
    assert!(page.has(&format!("dd a[href='{path}']")));
    let repeated = ana.get(&path).await;
    assert!(!repeated.text().contains("Asked for"), "{}", repeated.text());
    assert!(
        !repeated
            .text()
            .contains("The answer to an earlier request was lost"),
        "it has begun"
    );
}

#[tokio::test]
async fn what_brought_records_is_not_run_again_and_a_viewer_is_told_who_may() {
    let (watched, flow, run) = with_a_failed_run().await;
    let good = runs_of(&watched, &flow)
        .await
        .into_iter()
        .find(|run| run.records_out.unwrap_or(0) > 0)
        .expect("a good run");
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}/runs/{}", good.id)).await;
    assert_eq!(again_form(&page), None);
    assert!(
        page.text().contains("this run has stored some"),
        "{}",
        page.text()
    );
    // The rule holds for whoever makes the form up, too.
    let failed = ana.get(&format!("/flows/{flow}/runs/{}", run.id)).await;
    let fields = failed.form(&again_form(&failed).expect("a button"));
    let answer = ana
        .post(&format!("/flows/{flow}/runs/{}/again", good.id), &fields)
        .await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("Adobe was not asked."));

    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get(&format!("/flows/{flow}/runs/{}", run.id)).await;
    assert_eq!(again_form(&page), None);
    assert!(
        page.text()
            .contains("An editor of the team can ask Adobe for a run.")
    );
    assert_eq!(asked(&watched), 0);
}

#[tokio::test]
async fn a_flow_scheduled_once_runs_over_a_window() {
    let watched = Watched::start().await;
    let flow = watched.flow("Backfill", "once", None).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let path = format!("/flows/{flow}/runs/new");
    let page = ana.get(&path).await;
    let wrong = ana
        .submit(
            &page,
            &path,
            &[("from", "2026-02-28T10:00"), ("to", "2026-02-28T09:00")],
        )
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text().contains("The end must lie after the begin."));
    assert_eq!(
        wrong.attributes("input[name=from]", "value"),
        ["2026-02-28T10:00"],
        "what was typed stays"
    );
    let nonsense = ana.submit(&wrong, &path, &[("from", "yesterday")]).await;
    assert_eq!(nonsense.status, StatusCode::UNPROCESSABLE_ENTITY);

    let window = [("from", "2026-02-28T08:00"), ("to", "2026-02-28T09:00")];
    let answer = ana.submit(&nonsense, &path, &window).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(asked(&watched), 1);
    let ledger = watched.app.emulator.control().ledger();
    let sent = ledger
        .iter()
        .find(|entry| entry.method == "POST" && entry.target.ends_with("/runs"))
        .map(|entry| entry.body.clone())
        .expect("the call");
    assert!(
        sent.to_string().contains("windowStartTime"),
        "seconds as Adobe's samples have them: {sent}"
    );
    let request = run_requests::last_of_flow(watched.app.store(), &watched.environment.id, &flow)
        .await
        .unwrap()
        .expect("a request");
    assert!(request.run_id.is_some());
    let team = watched.app.team_id(TEAM).await;
    let events = headgate::store::audit::for_object(watched.app.store(), &team, "flow", &flow, None, 10)
        .await
        .unwrap();
    let phases: Vec<_> = events
        .iter()
        .filter(|event| event.facts.event == "flow.window_run")
        .map(|event| event.facts.phase)
        .collect();
    assert_eq!(phases, [AuditPhase::Outcome, AuditPhase::Intent]);
}

#[tokio::test]
async fn a_scheduled_flow_says_why_it_has_no_window() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get(&format!("/flows/{flow}/runs/new")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text().contains("runs every hour by itself"),
        "{}",
        page.text()
    );
    assert!(!page.has("input[name=from]"));
}

#[tokio::test]
async fn a_request_whose_process_died_is_told_as_not_known() {
    let (watched, flow, run) = with_a_failed_run().await;
    let store = watched.app.store();
    let team = watched.app.team_id(TEAM).await;
    let ana = headgate::store::people::user_by_login(store, "ana")
        .await
        .unwrap()
        .expect("ana");
    let request = run_requests::RunRequest {
        id: "left-over".into(),
        team_id: team,
        environment_id: watched.environment.id.clone(),
        flow_id: flow.clone(),
        retried_run_id: Some(run.id.clone()),
        window_start_at: None,
        window_end_at: None,
        requested_by: ana.id,
        requested_at: watched.now_ms(),
        state: headgate::domain::run_request::RequestState::Sent,
        answered_at: None,
        run_id: None,
        problem: None,
    };
    let mut tx = store.begin().await.unwrap();
    run_requests::insert(&mut tx, &request).await.unwrap();
    tx.commit().await.unwrap();
    watched
        .app
        .running
        .state
        .history
        .give_up_old_wishes()
        .await
        .unwrap();
    let mut visitor = watched.app.visitor("ana").await;
    let page = visitor.get(&format!("/flows/{flow}/runs/{}", run.id)).await;
    assert!(page.text().contains("The answer to an earlier request was lost"));
    assert_eq!(asked(&watched), 0);
}
