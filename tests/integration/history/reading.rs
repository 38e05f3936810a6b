//! What is read, and what a failure leaves.

use headgate::domain::{DAY_MS, RunOutcome};
use headgate::emulator::SeedOptions;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::history::RefreshError;
use headgate::platform::{Call, ObjectKind};
use headgate::store::runs;
use headgate::store::sync_state::{self, FailedTry, SyncTopic};

use crate::support::stored::runs_of;
use crate::support::watched::{HOUR_MS, MINUTE_MS, Watched};

/// The ids of all stored runs of some flows.
pub(super) async fn stored(watched: &Watched, flow_ids: &[String]) -> Vec<String> {
    let mut ids = Vec::new();
    for flow in flow_ids {
        let store = watched.app.store();
        let found = runs_of(store, &watched.environment.id, flow).await;
        ids.extend(found.into_iter().map(|run| run.id));
    }
    ids.sort_unstable();
    ids
}

pub(super) async fn same_runs_as_the_platform(watched: &Watched, flows: &[String]) {
    let expected = watched.runs_at_the_platform().await;
    assert!(!expected.is_empty());
    watched
        .eventually("the same runs are stored", async || {
            (stored(watched, flows).await == expected).then_some(())
        })
        .await;
}

#[tokio::test]
async fn flows_made_elsewhere_appear_with_what_their_connections_say_and_stay_when_they_are_gone() {
    let watched = Watched::start().await;
    let mut changes = watched.app.running.state.history.changes();
    let mut is_told = |id: &str| {
        let told = std::iter::from_fn(|| changes.try_recv().ok());
        told.filter(|change| change.flow_ids.contains(id)).count() > 0
    };
    let id = watched.flow("Loyalty", "hour", Some(2)).await;
    watched.read().await;
    assert!(is_told(&id), "a new one");
    let flow = watched.mirrored(&id).await;
    let record = &flow.record;
    assert_eq!(
        (record.name.as_str(), record.state.as_str()),
        ("Loyalty", "enabled")
    );
    assert_eq!(record.connector.as_deref(), Some("amazon-s3"));
    assert_eq!(record.source_path.as_deref(), Some("acme/in"));
    assert_eq!(record.dataset_id.as_ref().map(String::len), Some(24));
    assert_eq!(
        (record.frequency.as_deref(), record.interval_count),
        (Some("hour"), Some(2))
    );
    assert_eq!(flow.gone_at, None);

    watched
        .client()
        .send(&Call::delete(ObjectKind::Flow, &id), "elsewhere")
        .await;
    watched.read().await;
    let flow = watched.mirrored(&id).await;
    assert!(flow.gone_at.is_some());
    assert!(is_told(&id), "one that is gone");
    assert_eq!(
        flow.record.source_path.as_deref(),
        Some("acme/in"),
        "what was known stays"
    );
}

#[tokio::test]
async fn a_run_is_followed_from_its_start_to_its_end() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    let mut seen: Vec<RunOutcome> = Vec::new();
    for _ in 0..40 {
        watched.advance(MINUTE_MS / 2);
        watched.read().await;
        let found = runs_of(watched.app.store(), &watched.environment.id, &flow).await;
        if let Some(run) = found.first()
            && seen.last() != Some(&run.outcome)
        {
            seen.push(run.outcome);
        }
        if seen.last().is_some_and(|outcome| outcome.is_final()) {
            break;
        }
    }
    assert_eq!(seen.first(), Some(&RunOutcome::Running), "{seen:?}");
    assert_eq!(seen.len(), 2, "{seen:?}");
    let flow = watched.mirrored(&flow).await;
    assert_eq!(flow.last_run_outcome, seen.last().copied());
}

#[tokio::test]
async fn a_long_history_is_filled_and_a_gap_is_closed_without_losing_or_doubling_a_run() {
    let seed = SeedOptions {
        flows: 6,
        days: 20,
        runs_per_day: Some(6),
    };
    let watched = Watched::with(Some(seed)).await;
    watched.read().await;
    let flows: Vec<String> = flow_ids(&watched).await;
    assert_eq!(flows.len(), 2);
    same_runs_as_the_platform(&watched, &flows).await;

    // As after a week in which this server did not run.
    watched.advance(7 * DAY_MS);
    watched.read().await;
    same_runs_as_the_platform(&watched, &flows).await;
    let state = sync_state::get(watched.app.store(), &watched.environment.id, SyncTopic::Runs).await;
    let watermark = state.unwrap().unwrap().watermark_at;
    assert!(watched.now_ms() - watermark < HOUR_MS, "the gap is closed");

    for flow in &flows {
        let (store, id) = (watched.app.store(), &watched.environment.id);
        let sums = runs::counts(store, id, flow).await.unwrap();
        let counted = sums.succeeded + sums.partial + sums.failed + sums.unfinished;
        let rows = runs_of(store, id, flow).await;
        assert_eq!(
            usize::try_from(counted),
            Ok(rows.len()),
            "the day sums hold each run once"
        );
    }
}

async fn flow_ids(watched: &Watched) -> Vec<String> {
    use futures_util::TryStreamExt;
    let pages: Vec<_> = watched.client().flows().try_collect().await.unwrap();
    pages
        .into_iter()
        .flat_map(|page| page.items)
        .map(|flow| flow.id)
        .collect()
}

#[tokio::test]
async fn r3_an_hour_without_the_platform_erases_nothing_and_is_told_with_its_reason() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.advance(30 * MINUTE_MS);
    watched.read().await;
    let before = stored(&watched, std::slice::from_ref(&flow)).await;
    assert_eq!(before.len(), 1);

    let fault = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/flowservice/**").times(0).then(fault));
    let failed_at = watched.now_ms();
    watched.advance(HOUR_MS);
    let state = watched
        .as_time_passes("the failure is noted", async || {
            let (store, id) = (watched.app.store(), &watched.environment.id);
            let state = sync_state::get(store, id, SyncTopic::Flows)
                .await
                .unwrap()
                .unwrap();
            state.failing_since_at.is_some().then_some(state)
        })
        .await;
    assert!(state.problem.unwrap().contains("403"));
    let runs = watched
        .as_time_passes("that the runs cannot be read is noted too", async || {
            let (store, id) = (watched.app.store(), &watched.environment.id);
            let state = sync_state::get(store, id, SyncTopic::Runs).await.unwrap()?;
            state.failing_since_at.is_some().then_some(state)
        })
        .await;
    assert!(runs.succeeded_at.unwrap() <= failed_at && runs.problem.is_some());
    let mut vera = watched.app.visitor("vera").await;
    for page in ["/".to_owned(), "/flows".to_owned(), format!("/flows/{flow}")] {
        assert_eq!(vera.get(&page).await.status, 200, "{page}");
    }
    // The hour's run would be late by now; that it could not be seen is no reason to say so.
    let overview = vera.get("/").await;
    assert!(overview.has("a.pill[href='/flows?health=well']"));
    assert!(!overview.has("a.pill[href='/flows?health=late']"));
    let board = vera.get("/board").await.text();
    assert!(board.contains("1 Healthy") && !board.contains("Late"), "{board}");
    let late = vera.get("/flows?health=late").await;
    assert!(!late.has(&format!("a[href='/flows/{flow}']")), "{}", late.text());
    assert!(state.succeeded_at.unwrap() <= failed_at, "the last success stays");
    assert_eq!(stored(&watched, std::slice::from_ref(&flow)).await, before);
    assert_eq!(
        watched.mirrored(&flow).await.gone_at,
        None,
        "a list that failed proves nothing"
    );

    watched.app.emulator.control().disarm();
    watched.advance(10 * MINUTE_MS);
    watched.read().await;
    let state = sync_state::get(watched.app.store(), &watched.environment.id, SyncTopic::Flows).await;
    let state = state.unwrap().unwrap();
    assert_eq!((state.failing_since_at, state.problem), (None, None));
    assert_eq!(stored(&watched, &[flow]).await.len(), 2);
}

#[tokio::test]
async fn r3_while_calls_are_held_back_the_reason_is_what_the_platform_said() {
    let watched = Watched::start().await;
    watched.read().await;
    let unwell = Fault::Status {
        status: 503,
        body: BodyForm::default(),
    };
    let control = watched.app.emulator.control();
    control.arm(Rule::on("GET", "**/flowservice/**").times(0).then(unwell));
    let (history, id) = (&watched.app.running.state.history, &watched.environment.id);
    let mut tries = 0;
    loop {
        let sent = control.ledger().len();
        let Err(RefreshError::Failed(why)) = history.refresh(id).await else {
            panic!("it was read");
        };
        assert!(why.contains("503"), "{why}");
        if control.ledger().len() == sent {
            break;
        }
        tries += 1;
        assert!(tries < 40, "calls go on to be sent");
    }
    for topic in [SyncTopic::Flows, SyncTopic::Runs] {
        let state = sync_state::get(watched.app.store(), id, topic).await.unwrap();
        let problem = state.and_then(|state| state.problem).unwrap();
        assert!(problem.contains("503"), "{problem}");
    }
}

#[tokio::test]
async fn r3_pages_tell_why_older_runs_are_not_there_and_when_they_are_tried_again() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let (id, at) = (&watched.environment.id, watched.now_ms());
    let unwell = Fault::Status {
        status: 500,
        body: BodyForm::default(),
    };
    let past = Rule::on("GET", "**/runs").query_contains("startedAtUTC%3C");
    watched.app.emulator.control().arm(past.times(0).then(unwell));
    let mut tx = watched.app.store().begin().await.unwrap();
    sync_state::begin_fill(&mut tx, id, SyncTopic::Runs, at - HOUR_MS, at - 90 * 24 * HOUR_MS)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    watched
        .as_time_passes("it is noted that older runs cannot be read", async || {
            let state = sync_state::get(watched.app.store(), id, SyncTopic::Runs)
                .await
                .unwrap()?;
            state.fill_problem
        })
        .await;
    let mut vera = watched.app.visitor("vera").await;
    for page in [
        "/",
        "/flows",
        "/runs",
        &format!("/flows/{flow}"),
        &format!("/environments/{id}"),
    ] {
        let text = vera.get(page).await.text();
        assert!(
            text.contains("Retail dev: older runs cannot be read from Adobe since"),
            "{page}: {text}"
        );
        assert!(text.contains("Flow Service answered 500"), "{page}");
        assert!(text.contains("Headgate goes on trying, next at"), "{page}");
        assert!(!text.contains("are being read"), "{page}");
    }
}

#[tokio::test]
async fn an_environment_that_cannot_be_read_is_not_said_to_work() {
    let watched = Watched::start().await;
    watched.read().await;
    let (id, at) = (&watched.environment.id, watched.now_ms());
    let mut tx = watched.app.store().begin().await.unwrap();
    let failed = FailedTry {
        problem: "Flow Service did not answer in time.",
        at,
        next_try_at: at + MINUTE_MS,
    };
    sync_state::record_failure(&mut tx, id, SyncTopic::Flows, failed)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut vera = watched.app.visitor("vera").await;
    for page in ["/environments".to_owned(), format!("/environments/{id}")] {
        let text = vera.get(&page).await.text();
        assert!(
            text.contains("Cannot be read") && !text.contains("Works"),
            "{page}: {text}"
        );
    }
    let text = vera.get(&format!("/environments/{id}")).await.text();
    assert!(text.contains("Flow Service did not answer in time."), "{text}");
    assert!(!text.contains("Look at the environment"), "{text}");
}

#[tokio::test]
async fn one_run_that_cannot_be_read_is_no_reason_to_say_so_of_the_environment() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let unwell = Fault::Status {
        status: 500,
        body: BodyForm::default(),
    };
    // The lists by start do not show it any more, and by itself it cannot be read.
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**/runs/*").times(0).then(unwell));
    let mut tx = watched.app.store().begin().await.unwrap();
    let mut old = crate::flows::list::run(&watched, 1, RunOutcome::Running);
    old.row.flow_id = flow;
    old.row.started_at = watched.now_ms() - 3 * HOUR_MS;
    runs::upsert_many(&mut tx, &[old]).await.unwrap();
    tx.commit().await.unwrap();
    let asked = async || {
        let ledger = watched.app.emulator.control().ledger();
        let asked = ledger.iter().filter(|entry| entry.target.contains("/runs/"));
        (asked.count() > 3).then_some(())
    };
    watched.as_time_passes("it is asked for", asked).await;
    watched.read().await;
    let state = sync_state::get(watched.app.store(), &watched.environment.id, SyncTopic::Runs).await;
    assert_eq!(state.unwrap().unwrap().problem, None);
}
