use super::setups::{setup, step};
use super::*;
use crate::domain::setup::{SetupState, StepKind, StepState};
use crate::store::setups::{Setup, Step};
use crate::store::sweeps::{self, DueCheck};

#[tokio::test]
async fn an_environments_turn_comes_is_taken_once_and_comes_again() {
    let db = fixture().await;
    assert_eq!(
        sweeps::due(&db, 100).await.expect("a list"),
        [("env".to_owned(), None)]
    );
    commit!(db, |tx| {
        sweeps::plan(tx, "env", 200).await.expect("a plan");
        sweeps::plan(tx, "env", 100).await.expect("it has one");
    });
    assert_eq!(sweeps::due(&db, 199).await.expect("a list"), []);
    assert_eq!(
        sweeps::due(&db, 200).await.expect("a list"),
        [("env".to_owned(), Some(200))]
    );
    commit!(db, |tx| {
        assert!(!sweeps::begin(tx, "env", 199, 500).await.expect("a change"));
        assert!(sweeps::begin(tx, "env", 200, 500).await.expect("a change"));
        assert!(!sweeps::begin(tx, "env", 201, 500).await.expect("a change"));
    });
    // Lost half-way, it comes again at the time that was left.
    assert_eq!(sweeps::due(&db, 500).await.expect("a list").len(), 1);
    commit!(db, |tx| sweeps::end(tx, "env", 300, 900).await.expect("a change"));
    assert_eq!(sweeps::due(&db, 500).await.expect("a list"), []);
    commit!(db, |tx| envs::archive(tx, "team", "env", 950)
        .await
        .expect("a change"));
    assert_eq!(sweeps::due(&db, 1000).await.expect("a list"), []);
}

#[tokio::test]
async fn collections_tell_since_when_they_cannot_be_read() {
    let db = fixture().await;
    let states = sweeps::states_for(&db, "team").await.expect("a list");
    assert_eq!(
        (states.len(), states[0].collection, states[0].due_at),
        (1, None, None)
    );
    let record = async |kind, outcome: Result<(), &str>, at| {
        commit!(db, |tx| sweeps::record_collection(tx, "env", kind, outcome, at)
            .await
            .expect("a change"));
    };
    record(StepKind::Dataset, Ok(()), 10).await;
    record(StepKind::Dataset, Err("first"), 20).await;
    record(StepKind::Dataset, Err("second"), 30).await;
    record(StepKind::Flow, Err("never read"), 30).await;
    let states = sweeps::states_for(&db, "team").await.expect("a list");
    let told: Vec<_> = states
        .iter()
        .map(|s| (s.collection, s.read_at, s.failing_since_at, s.problem.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(StepKind::Dataset), Some(10), Some(20), Some("second")),
            (Some(StepKind::Flow), None, Some(30), Some("never read")),
        ]
    );
    record(StepKind::Dataset, Ok(()), 40).await;
    let states = sweeps::states_for(&db, "team").await.expect("a list");
    assert_eq!(
        (states[0].read_at, states[0].failing_since_at, &states[0].problem),
        (Some(40), None, &None)
    );
    assert_eq!(sweeps::states_for(&db, "other").await.expect("a list"), []);
}

/// Setup `id` in this state, finished at `at`, with a confirmed flow `object` and a planned schema.
async fn finished(db: &Fixture, id: &str, state: SetupState, at: Option<i64>, object: &str) {
    let setup = Setup {
        finished_at: at,
        ..setup(id, state, at.unwrap_or(1))
    };
    let flow = Step {
        state: StepState::Confirmed,
        object_id: Some(object.into()),
        ..step(id, StepKind::Flow, 2)
    };
    let steps = [flow, step(id, StepKind::Schema, 1)];
    commit!(db, |tx| store_setups::insert(tx, &setup, &steps)
        .await
        .expect("a setup"));
}

#[tokio::test]
async fn markers_lead_to_their_steps_in_all_teams() {
    let db = fixture().await;
    commit!(db, |tx| add_template(tx, "t").await.expect("a template"));
    finished(&db, "s1", SetupState::Done, Some(100), "f-1").await;
    let wanted = ["hg1-s1-flow", "hg1-nobody-fl"];
    let found = sweeps::by_marker(&db, &wanted).await.expect("steps");
    assert_eq!(found.len(), 1);
    let step = &found[0];
    assert_eq!(
        (step.setup_id.as_str(), step.kind, step.state),
        ("s1", StepKind::Flow, StepState::Confirmed)
    );
    assert_eq!((step.setup_state, step.setup_updated_at), (SetupState::Done, 100));
    assert_eq!(
        (step.object_id.as_deref(), step.environment_id.as_str()),
        (Some("f-1"), "env")
    );
    assert_eq!(sweeps::by_marker(&db, &[]).await.expect("steps"), []);
    let many: Vec<String> = (0..1200)
        .map(|n| format!("hg1-{n}"))
        .chain(["hg1-s1-schema".to_owned()])
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(sweeps::by_marker(&db, &many).await.expect("steps").len(), 1);
}

#[tokio::test]
async fn only_what_lately_done_setups_made_must_be_there() {
    let db = fixture().await;
    commit!(db, |tx| add_template(tx, "t").await.expect("a template"));
    finished(&db, "s1", SetupState::Done, Some(100), "f-1").await;
    finished(&db, "s2", SetupState::Done, Some(99), "f-2").await;
    finished(&db, "s3", SetupState::Undone, Some(100), "f-3").await;
    finished(&db, "s4", SetupState::Running, None, "f-4").await;
    let made = sweeps::made_since(&db, "env", "https://here", 100)
        .await
        .expect("steps");
    let objects: Vec<_> = made.iter().map(|step| step.object_id.as_deref()).collect();
    assert_eq!(objects, [Some("f-1")]);
    assert_eq!(
        sweeps::made_since(&db, "elsewhere", "https://here", 0)
            .await
            .expect("steps"),
        []
    );
}

#[tokio::test]
async fn what_was_made_at_another_platform_is_not_missed_here() {
    let db = fixture().await;
    commit!(db, |tx| add_template(tx, "t").await.expect("a template"));
    finished(&db, "s1", SetupState::Done, Some(100), "f-1").await;
    let moved = Setup {
        finished_at: Some(100),
        platform_origin: Some("https://there".into()),
        ..setup("s1", SetupState::Done, 100)
    };
    commit!(db, |tx| store_setups::save_setup(tx, &moved)
        .await
        .expect("a change"));
    let made = async |origin| {
        sweeps::made_since(&db, "env", origin, 0)
            .await
            .expect("steps")
            .len()
    };
    assert_eq!((made("https://there").await, made("https://here").await), (1, 0));
}

async fn due_checks(db: &Fixture, now: i64) -> Vec<(String, i64)> {
    let due = sweeps::due_checks(db, 50, 100, now, 10).await.expect("a list");
    due.into_iter()
        .map(|check| (check.setup_id, check.attempts))
        .collect()
}

#[tokio::test]
async fn each_finished_setup_is_checked_once_for_each_time_it_finished() {
    let db = fixture().await;
    commit!(db, |tx| add_template(tx, "t").await.expect("a template"));
    for (id, at) in [("old", 49), ("due", 100), ("fresh", 101)] {
        finished(&db, id, SetupState::Done, Some(at), id).await;
    }
    assert_eq!(due_checks(&db, 200).await, [("due".to_owned(), 0)]);
    let check = |attempts| DueCheck {
        setup_id: "due".into(),
        finished_at: 100,
        attempts,
    };
    let record = async |attempts, outcome: (Option<i64>, Option<&str>)| {
        commit!(db, |tx| sweeps::record_check(tx, &check(attempts), outcome, 200)
            .await
            .expect("a change"));
    };
    record(0, (Some(300), Some("no answer"))).await;
    assert_eq!(due_checks(&db, 299).await, []);
    assert_eq!(due_checks(&db, 300).await, [("due".to_owned(), 1)]);
    record(1, (Some(350), None)).await;
    assert_eq!(due_checks(&db, 349).await, []);
    assert_eq!(
        due_checks(&db, 350).await,
        [("due".to_owned(), 1)],
        "to be counted again"
    );
    record(1, (None, Some("given up"))).await;
    assert_eq!(due_checks(&db, 400).await, []);
    // It was taken back and finished a second time.
    let again = Setup {
        finished_at: Some(90),
        ..setup("due", SetupState::Undone, 90)
    };
    commit!(db, |tx| store_setups::save_setup(tx, &again)
        .await
        .expect("a change"));
    assert_eq!(due_checks(&db, 300).await, [("due".to_owned(), 0)]);
    let again = DueCheck {
        finished_at: 90,
        ..check(0)
    };
    commit!(db, |tx| sweeps::record_check(tx, &again, (None, None), 310)
        .await
        .expect("a change"));
    assert_eq!(due_checks(&db, 400).await, []);
}
