use super::setups::{setup, step};
use super::*;
use crate::domain::setup::{SetupState, StepKind, StepState};
use crate::domain::{FindingState, Verdict};
use crate::store::findings::{self, ListedFinding, NewFinding};
use crate::store::setups::Step;

fn seen(verdict: Verdict, object_id: &str, at: i64) -> NewFinding {
    NewFinding {
        team_id: "team".into(),
        environment_id: "env".into(),
        verdict,
        object_kind: StepKind::Flow,
        object_id: object_id.into(),
        object_name: format!("Name of {object_id}"),
        marker: format!("marker of {object_id}"),
        of: None,
        platform_created_at: Some(5),
        found_at: at + 1,
        seen_at: at,
    }
}

async fn observe(db: &Fixture, finding: &NewFinding) {
    commit!(db, |tx| findings::observe(tx, finding).await.expect("a finding"));
}

async fn open(db: &Fixture, verdict: Verdict) -> Vec<ListedFinding> {
    findings::list(db, "team", verdict, None, 10)
        .await
        .expect("a list")
}

#[tokio::test]
async fn an_object_is_one_finding_however_often_it_is_seen() {
    let db = fixture().await;
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 100)).await;
    let first = open(&db, Verdict::Unclaimed).await;
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 200)).await;
    let second = open(&db, Verdict::Unclaimed).await;
    assert_eq!((first.len(), second.len()), (1, 1));
    let (first, second) = (&first[0].finding, &second[0].finding);
    assert_eq!(
        (&first.id, first.found_at, first.seen_at),
        (&second.id, second.found_at, 100)
    );
    assert_eq!(
        (second.seen_at, second.state, second.platform_created_at),
        (200, FindingState::Open, Some(5))
    );
    // Another verdict about the same object is another finding.
    observe(&db, &seen(Verdict::Duplicate, "o-1", 200)).await;
    let counts = findings::count_open(&db, "team").await.expect("counts");
    assert_eq!(counts, [(Verdict::Duplicate, 1), (Verdict::Unclaimed, 1)]);
    assert_eq!(findings::count_open(&db, "other").await.expect("counts"), []);
}

#[tokio::test]
async fn what_was_settled_opens_again_and_what_was_dismissed_does_not() {
    let db = fixture().await;
    for id in ["o-1", "o-2"] {
        observe(&db, &seen(Verdict::Unclaimed, id, 100)).await;
    }
    let ids: Vec<String> = findings::standing_in(&db, "env")
        .await
        .expect("a list")
        .into_iter()
        .map(|finding| finding.id)
        .collect();
    commit!(db, |tx| {
        assert!(findings::settle(tx, &ids[0], None, 150).await.expect("a change"));
        assert!(!findings::settle(tx, &ids[0], None, 150).await.expect("a change"));
        assert!(
            findings::dismiss(tx, "team", &ids[1], "ana", 150)
                .await
                .expect("a change")
        );
        assert!(
            !findings::dismiss(tx, "other", &ids[1], "ana", 150)
                .await
                .expect("a change")
        );
    });
    assert_eq!(open(&db, Verdict::Unclaimed).await, []);
    let decided = findings::list_decided(&db, "team", 150, 10)
        .await
        .expect("a list");
    let states: Vec<FindingState> = decided.iter().map(|listed| listed.finding.state).collect();
    assert!(states.contains(&FindingState::Settled) && states.contains(&FindingState::Dismissed));
    assert_eq!(
        findings::list_decided(&db, "team", 151, 10)
            .await
            .expect("a list"),
        []
    );
    // A look that began before it was settled says nothing new.
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 150)).await;
    assert_eq!(open(&db, Verdict::Unclaimed).await, []);
    for id in ["o-1", "o-2"] {
        observe(&db, &seen(Verdict::Unclaimed, id, 160)).await;
    }
    let again = open(&db, Verdict::Unclaimed).await;
    assert_eq!(again.len(), 1);
    let finding = &again[0].finding;
    assert_eq!(
        (&finding.id, finding.found_at, finding.decided_at),
        (&ids[0], 161, None)
    );
    assert_eq!(findings::standing_in(&db, "env").await.expect("a list").len(), 2);
}

async fn only_id(db: &Fixture, verdict: Verdict) -> String {
    open(db, verdict).await.remove(0).finding.id
}

#[tokio::test]
async fn a_deletion_begins_once_and_ends_one_way_or_the_other() {
    let db = fixture().await;
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 100)).await;
    let id = only_id(&db, Verdict::Unclaimed).await;
    commit!(db, |tx| {
        assert!(
            !findings::begin_deleting(tx, "other", &id, "ana", 110)
                .await
                .expect("a change")
        );
        assert!(
            findings::begin_deleting(tx, "team", &id, "ana", 110)
                .await
                .expect("a change")
        );
        assert!(
            !findings::begin_deleting(tx, "team", &id, "ben", 111)
                .await
                .expect("a change")
        );
        assert!(
            !findings::dismiss(tx, "team", &id, "ben", 111)
                .await
                .expect("a change")
        );
    });
    assert_eq!(findings::deleting(&db, 10).await.expect("a list").len(), 1);
    assert_eq!(
        findings::list_deleting(&db, "team", 10)
            .await
            .expect("a list")
            .len(),
        1
    );
    // Seen meanwhile: it is still being deleted.
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 120)).await;
    assert_eq!(findings::deleting(&db, 10).await.expect("a list").len(), 1);
    commit!(db, |tx| {
        assert!(
            findings::end_deleting(tx, &id, Err("in use"))
                .await
                .expect("a change")
        );
    });
    let kept = open(&db, Verdict::Unclaimed).await.remove(0).finding;
    assert_eq!(
        (kept.problem.as_deref(), kept.decided_by, kept.decided_at),
        (Some("in use"), None, None)
    );
    commit!(db, |tx| {
        assert!(
            findings::begin_deleting(tx, "team", &id, "ana", 130)
                .await
                .expect("a change")
        );
        assert!(findings::end_deleting(tx, &id, Ok(140)).await.expect("a change"));
        assert!(!findings::end_deleting(tx, &id, Ok(150)).await.expect("a change"));
    });
    let deleted = findings::by_id(&db, "team", &id)
        .await
        .expect("a read")
        .expect("a finding");
    assert_eq!(
        (deleted.finding.state, deleted.finding.decided_at),
        (FindingState::Deleted, Some(140))
    );
    assert_eq!(
        (deleted.decided_by_name.as_deref(), deleted.finding.problem),
        (Some("ANA"), None)
    );
    assert_eq!(findings::by_id(&db, "other", &id).await.expect("a read"), None);
}

#[tokio::test]
async fn what_a_setup_uses_is_never_deleted_and_of_twins_one_at_a_time() {
    let db = fixture().await;
    commit!(db, |tx| {
        add_template(tx, "t").await.expect("a template");
        let used = Step {
            state: StepState::Confirmed,
            object_id: Some("o-1".into()),
            ..step("s1", StepKind::Flow, 1)
        };
        let setup = setup("s1", SetupState::Done, 10);
        store_setups::insert(tx, &setup, &[used]).await.expect("a setup");
    });
    let twin = |id: &str| NewFinding {
        marker: "the same".into(),
        of: Some(("s1".into(), StepKind::Flow)),
        ..seen(Verdict::Duplicate, id, 100)
    };
    for id in ["o-1", "o-2", "o-3"] {
        observe(&db, &twin(id)).await;
    }
    observe(&db, &seen(Verdict::Vanished, "o-9", 100)).await;
    let gone = only_id(&db, Verdict::Vanished).await;
    let listed = findings::for_setup(&db, "team", "s1").await.expect("a list");
    assert_eq!((listed.len(), listed[0].used_id.as_deref()), (3, Some("o-1")));
    assert_eq!(listed[0].flow_name.as_deref(), Some("Loyalty daily"));
    assert_eq!(findings::for_setup(&db, "other", "s1").await.expect("a list"), []);
    let of = |object: &str| {
        let found = listed.iter().find(|l| l.finding.object_id == object);
        found.expect("it is listed").finding.id.clone()
    };
    commit!(db, |tx| {
        for (id, begins) in [
            (of("o-1"), false),
            (gone, false),
            (of("o-2"), true),
            (of("o-3"), false),
        ] {
            let begun = findings::begin_deleting(tx, "team", &id, "ana", 110)
                .await
                .expect("a change");
            assert_eq!(begun, begins, "{id}");
        }
    });
}

#[tokio::test]
async fn lists_are_paged_and_leave_out_archived_environments() {
    let db = fixture().await;
    for (id, at) in [("o-1", 100), ("o-2", 200), ("o-3", 200)] {
        observe(&db, &seen(Verdict::Unclaimed, id, at)).await;
    }
    let ids = |page: &[ListedFinding]| {
        page.iter()
            .map(|l| l.finding.object_id.clone())
            .collect::<Vec<_>>()
    };
    let first = findings::list(&db, "team", Verdict::Unclaimed, None, 2)
        .await
        .expect("a page");
    let last = &first[1].finding;
    let before = Some((last.found_at, last.id.as_str()));
    let second = findings::list(&db, "team", Verdict::Unclaimed, before, 2)
        .await
        .expect("a page");
    let mut all = [ids(&first), ids(&second)].concat();
    all.sort_unstable();
    assert_eq!(
        (all, ids(&second)),
        (
            vec!["o-1".into(), "o-2".into(), "o-3".into()],
            vec!["o-1".to_owned()]
        )
    );
    commit!(db, |tx| envs::archive(tx, "team", "env", 300)
        .await
        .expect("a change"));
    assert_eq!(open(&db, Verdict::Unclaimed).await, []);
    assert_eq!(findings::count_open(&db, "team").await.expect("counts"), []);
}

#[tokio::test]
async fn a_problem_is_noted_while_the_finding_is_open() {
    let db = fixture().await;
    observe(&db, &seen(Verdict::Unclaimed, "o-1", 100)).await;
    let id = only_id(&db, Verdict::Unclaimed).await;
    commit!(db, |tx| findings::note_problem(tx, &id, "it holds data")
        .await
        .expect("a change"));
    let open = open(&db, Verdict::Unclaimed).await.remove(0);
    assert_eq!(open.finding.problem.as_deref(), Some("it holds data"));
}
