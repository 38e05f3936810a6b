use super::*;
use crate::domain::setup::{Question, SetupState, StepKind, StepState};
use crate::store::setup_journal::{self, NewSetupEvent};
use crate::store::setup_lists::{self, SetupFilter};
use crate::store::setups::{self, Setup, Step};

pub(super) fn setup(id: &str, state: SetupState, created_at: i64) -> Setup {
    Setup {
        id: id.into(),
        team_id: "team".into(),
        environment_id: "env".into(),
        template_version_id: Some("t-v1".into()),
        draft_id: format!("draft-{id}"),
        flow_name: "Loyalty daily".into(),
        state,
        question: None,
        question_detail: None,
        undoing: false,
        retry_at: None,
        recipe: "{}".into(),
        answers: "{}".into(),
        flow_id: None,
        started_by: "ana".into(),
        driven_by: "ana".into(),
        platform_origin: None,
        created_at,
        updated_at: created_at,
        finished_at: None,
    }
}

pub(super) fn step(setup_id: &str, kind: StepKind, position: i64) -> Step {
    Step {
        setup_id: setup_id.into(),
        kind,
        position,
        needs: "[]".into(),
        marker: format!("hg1-{setup_id}-{kind}"),
        method: "POST".into(),
        path: "/flowservice/flows".into(),
        query: "[]".into(),
        body: "{}".into(),
        state: StepState::Planned,
        attempt: 0,
        looks: 0,
        failed_looks: 0,
        sent_body: None,
        object_id: None,
        etag: None,
        adopted: false,
        request_hash: None,
        sent_at: None,
        unclear_at: None,
        deletions: 0,
        answered_at: None,
        retry_at: None,
        answer_status: None,
        answer: None,
        problem: None,
        upstream_request_id: None,
    }
}

async fn with_setups(setups: &[(&str, SetupState, i64)]) -> Fixture {
    let db = fixture().await;
    commit!(db, |tx| {
        add_template(tx, "t").await.expect("a template");
        for (id, state, at) in setups {
            let steps = [step(id, StepKind::Flow, 2), step(id, StepKind::Schema, 1)];
            setups::insert(tx, &setup(id, *state, *at), &steps)
                .await
                .expect("a setup");
        }
    });
    db
}

#[tokio::test]
async fn a_form_makes_one_setup() {
    let db = with_setups(&[("s1", SetupState::Queued, 10)]).await;
    let mut tx = db.begin().await.expect("a transaction");
    let again = Setup {
        id: "s2".into(),
        ..setup("s1", SetupState::Queued, 11)
    };
    let outcome = setups::insert(&mut tx, &again, &[]).await;
    assert!(matches!(outcome, Err(StoreError::Duplicate { what: "the form" })));
    drop(tx);
    let first = setups::by_draft(&db, "team", "draft-s1")
        .await
        .expect("a read")
        .expect("a setup");
    assert_eq!(first, setup("s1", SetupState::Queued, 10));
    assert_eq!(
        setups::by_draft(&db, "other", "draft-s1").await.expect("a read"),
        None
    );
    assert_eq!(setups::by_id(&db, "other", "s1").await.expect("a read"), None);
    assert_eq!(
        setups::by_id(&db, "team", "s1").await.expect("a read"),
        Some(first.clone())
    );
    assert_eq!(setups::any_by_id(&db, "s1").await.expect("a read"), Some(first));
    let kinds: Vec<StepKind> = setups::steps(&db, "s1")
        .await
        .expect("steps")
        .iter()
        .map(|s| s.kind)
        .collect();
    assert_eq!(kinds, [StepKind::Schema, StepKind::Flow]);
}

#[tokio::test]
async fn what_is_saved_is_read_back() {
    let db = with_setups(&[("s1", SetupState::Queued, 10), ("s2", SetupState::Queued, 11)]).await;
    let saved = Setup {
        flow_name: "Other".into(),
        question: Some(Question::Duplicate),
        question_detail: Some("two".into()),
        undoing: false,
        retry_at: None,
        recipe: "{\"r\":1}".into(),
        answers: "{\"a\":1}".into(),
        flow_id: Some("flow-1".into()),
        updated_at: 99,
        finished_at: Some(98),
        ..setup("s1", SetupState::NeedsAttention, 10)
    };
    let sent = Step {
        state: StepState::Confirmed,
        attempt: 2,
        looks: 3,
        failed_looks: 2,
        sent_body: Some("{}".to_owned()),
        object_id: Some("o".into()),
        etag: Some("\"e\"".into()),
        adopted: true,
        request_hash: Some("h".into()),
        sent_at: Some(20),
        answered_at: Some(21),
        retry_at: Some(22),
        answer_status: Some(201),
        answer: Some("{}".into()),
        problem: Some("{\"code\":1}".into()),
        upstream_request_id: Some("u".into()),
        body: "{\"b\":1}".into(),
        ..step("s1", StepKind::Flow, 2)
    };
    commit!(db, |tx| {
        assert!(setups::save_setup(tx, &saved).await.expect("saved"));
        assert!(
            !setups::save_setup(tx, &setup("gone", SetupState::Done, 1))
                .await
                .expect("no such")
        );
        setups::save_step(tx, &sent).await.expect("saved");
        setups::save_step(tx, &step("s1", StepKind::Dataset, 3))
            .await
            .expect("added");
    });
    assert_eq!(
        setups::by_id(&db, "team", "s1").await.expect("a read"),
        Some(saved.clone())
    );
    let steps = setups::steps(&db, "s1").await.expect("steps");
    assert_eq!(
        (steps.len(), &steps[1], steps[2].kind),
        (3, &sent, StepKind::Dataset)
    );
    assert_eq!(
        setups::flow_setup(&db, "env", "flow-1").await.expect("a read"),
        Some(saved)
    );
    assert_eq!(
        setups::flow_setup(&db, "env", "flow-2").await.expect("a read"),
        None
    );
    let mut tx = db.begin().await.expect("a transaction");
    let stolen = Step {
        marker: "hg1-s1-flow".into(),
        ..step("s2", StepKind::Flow, 2)
    };
    let outcome = setups::save_step(&mut tx, &stolen).await;
    assert!(matches!(
        outcome,
        Err(StoreError::Duplicate { what: "the marker" })
    ));
}

#[tokio::test]
async fn lists_are_complete_and_without_repeats() {
    let rows: Vec<(String, SetupState, i64)> = (0..23)
        .map(|n| {
            (
                format!("s{n:02}"),
                SetupState::ALL[n % SetupState::ALL.len()],
                100 + (n as i64) / 4,
            )
        })
        .collect();
    let borrowed: Vec<(&str, SetupState, i64)> =
        rows.iter().map(|(id, s, at)| (id.as_str(), *s, *at)).collect();
    let db = with_setups(&borrowed).await;
    for state in [None, Some(SetupState::Done)] {
        let filter = SetupFilter {
            environment_id: Some("env"),
            state,
        };
        let mut seen = Vec::new();
        let mut before: Option<(i64, String)> = None;
        loop {
            let key = before.as_ref().map(|(at, id)| (*at, id.as_str()));
            let page = setup_lists::list(&db, "team", filter, key, 5)
                .await
                .expect("a page");
            let Some(last) = page.last() else { break };
            before = Some((last.created_at, last.id.clone()));
            seen.extend(page.into_iter().map(|s| s.id));
        }
        let mut expected: Vec<&(String, SetupState, i64)> = rows
            .iter()
            .filter(|(_, s, _)| state.is_none_or(|wanted| *s == wanted))
            .collect();
        expected.sort_by(|a, b| (b.2, &b.0).cmp(&(a.2, &a.0)));
        assert_eq!(
            seen,
            expected.iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>()
        );
    }
    let first = &setup_lists::list(&db, "team", SetupFilter::default(), None, 1)
        .await
        .expect("a page")[0];
    assert_eq!(
        (first.environment_name.as_str(), first.started_by_name.as_str()),
        ("Name of env", "ANA")
    );
    assert_eq!(
        (first.template_name.as_deref(), first.template_version),
        (Some("Template t"), Some(1))
    );
    assert_eq!((first.steps, first.steps_confirmed), (2, 0));
    assert_eq!(
        setup_lists::list(&db, "other", SetupFilter::default(), None, 9)
            .await
            .expect("a page"),
        []
    );

    let template = templates::by_id(&db, "team", "t")
        .await
        .expect("a read")
        .expect("a template");
    assert_eq!(template.setups, 23);
    let counts = setup_lists::counts(&db, "team").await.expect("counts");
    assert_eq!(counts.iter().map(|(_, n)| n).sum::<i64>(), 23);
    for (state, count) in counts {
        assert_eq!(
            count as usize,
            rows.iter().filter(|(_, s, _)| *s == state).count(),
            "{state}"
        );
    }
    let active = setup_lists::list_active(&db, 1_000_000, 100)
        .await
        .expect("a list");
    let expected: Vec<&str> = rows
        .iter()
        .filter(|(_, s, _)| s.is_active())
        .map(|(id, ..)| id.as_str())
        .collect();
    assert_eq!(active.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn the_journal_only_grows() {
    let db = with_setups(&[("s1", SetupState::Queued, 10), ("s2", SetupState::Queued, 11)]).await;
    let event = |step: Option<StepKind>, epoch: i64| NewSetupEvent {
        at: 50,
        step,
        event: "intent".into(),
        detail: "{}".into(),
        epoch,
    };
    commit!(db, |tx| {
        for seq in 1..=3 {
            let step = (seq > 1).then_some(StepKind::Flow);
            assert_eq!(
                setup_journal::append(tx, "s1", &event(step, seq))
                    .await
                    .expect("a row"),
                seq
            );
        }
        assert_eq!(
            setup_journal::append(tx, "s2", &event(None, 1))
                .await
                .expect("a row"),
            1
        );
    });
    let rows = setup_journal::list(&db, "s1", 1, 9).await.expect("rows");
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(rows[0].facts, event(Some(StepKind::Flow), 2));
    for sql in ["UPDATE setup_events SET detail = 'x'", "DELETE FROM setup_events"] {
        let mut tx = db.begin().await.expect("a transaction");
        let outcome = sqlx::query(sql)
            .execute(tx.writer())
            .await
            .map_err(StoreError::from);
        assert!(
            matches!(outcome, Err(StoreError::Other(text)) if text.contains("journal")),
            "{sql}"
        );
    }
}
