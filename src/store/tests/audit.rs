use super::*;
use crate::store::audit::{self, ActorKind, AuditEvent, AuditFilter, AuditPhase, NewAuditEvent};

fn event(n: i64) -> NewAuditEvent {
    let person = if n % 2 == 0 { "ana" } else { "ben" };
    NewAuditEvent {
        id: format!("id-{n}"),
        at: 1000 + n,
        team_id: Some("team".into()),
        actor_kind: ActorKind::Person,
        actor_id: Some(person.into()),
        actor_name: format!("{person} at {n}"),
        actor_role: Some("editor".into()),
        session_fingerprint: Some("ff".into()),
        client_address: Some("127.0.0.1".into()),
        request_id: format!("request-{n}"),
        event: if n % 3 == 0 {
            "flow.enabled"
        } else {
            "setup.started"
        }
        .into(),
        object_kind: "setup".into(),
        object_id: format!("s{}", n % 5),
        object_name: format!("Setup 100%_{n}"),
        before: None,
        after: Some("{}".into()),
        phase: AuditPhase::Done,
        intent_id: None,
    }
}

async fn with_events(count: i64) -> Fixture {
    let db = fixture().await;
    commit!(db, |tx| {
        for n in 1..=count {
            assert_eq!(audit::append(tx, &event(n)).await.expect("an event"), n);
        }
    });
    db
}

#[tokio::test]
async fn places_have_no_gaps_under_parallel_writers() {
    let db = fixture().await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = db.store.clone();
        writers.spawn(async move {
            let mut tx = store.begin().await.expect("a transaction");
            let seq = audit::append(&mut tx, &event(n)).await.expect("an event");
            // Every fifth is taken back and must leave no gap.
            if n % 5 == 0 {
                return None;
            }
            tx.commit().await.expect("a commit");
            Some(seq)
        });
    }
    let mut places: Vec<i64> = writers.join_all().await.into_iter().flatten().collect();
    places.sort_unstable();
    assert_eq!(places, (1..=40).collect::<Vec<i64>>());
    let stored: Vec<i64> = audit::after(&db, 0, 100)
        .await
        .expect("events")
        .iter()
        .map(|e| e.seq)
        .collect();
    assert_eq!(stored, places);
}

#[tokio::test]
async fn the_database_refuses_changes_to_the_record() {
    let db = with_events(2).await;
    for sql in [
        "UPDATE audit_events SET actor_name = 'x'",
        "UPDATE audit_events SET seq = 9 WHERE seq = 1",
        "DELETE FROM audit_events",
        "DELETE FROM audit_events WHERE seq = 2",
    ] {
        let mut tx = db.begin().await.expect("a transaction");
        let outcome = sqlx::query(sql)
            .execute(tx.writer())
            .await
            .map_err(StoreError::from);
        assert!(
            matches!(outcome, Err(StoreError::Other(text)) if text.contains("audit events")),
            "{sql}"
        );
    }
    let expected: Vec<AuditEvent> = (1..=2)
        .map(|seq| AuditEvent {
            seq,
            facts: event(seq),
        })
        .collect();
    assert_eq!(audit::after(&db, 0, 9).await.expect("events"), expected);
}

#[tokio::test]
async fn filters_agree_with_a_plain_search() {
    let db = with_events(60).await;
    let all: Vec<NewAuditEvent> = (1..=60).map(event).collect();
    for bits in 0..64_u32 {
        let on = |bit: u32| bits & (1 << bit) != 0;
        let filter = AuditFilter {
            actor_id: on(0).then_some("ana"),
            event: on(1).then_some("flow.enabled"),
            object_kind: on(2).then_some("setup"),
            object_id: on(3).then_some("s1"),
            from_at: on(4).then_some(1010),
            to_at: on(4).then_some(1050),
            text: on(5).then_some("SETUP 100%_3"),
        };
        let expected: Vec<i64> = (1..=60)
            .rev()
            .zip(all.iter().rev())
            .filter(|(_, e)| {
                filter.actor_id.is_none_or(|id| e.actor_id.as_deref() == Some(id))
                    && filter.event.is_none_or(|word| e.event == word)
                    && filter.object_id.is_none_or(|id| e.object_id == id)
                    && filter.from_at.is_none_or(|at| e.at >= at)
                    && filter.to_at.is_none_or(|at| e.at < at)
                    && filter.text.is_none_or(|_| e.object_name.contains("100%_3"))
            })
            .map(|(seq, _)| seq)
            .collect();
        let mut seen = Vec::new();
        loop {
            let page = audit::list(&db, "team", filter, seen.last().copied(), 7)
                .await
                .expect("a page");
            if page.is_empty() {
                break;
            }
            seen.extend(page.iter().map(|e| e.seq));
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
    assert_eq!(
        audit::list(&db, "other", AuditFilter::default(), None, 9)
            .await
            .expect("a page"),
        []
    );
}

#[tokio::test]
async fn single_events_and_choices_for_the_filter() {
    let db = with_events(12).await;
    assert_eq!(
        audit::by_seq(&db, "team", 3)
            .await
            .expect("a read")
            .map(|e| e.facts),
        Some(event(3))
    );
    assert_eq!(audit::by_seq(&db, "other", 3).await.expect("a read"), None);
    let about = audit::for_object(&db, "team", "setup", "s1", Some(11), 9)
        .await
        .expect("events");
    assert_eq!(about.iter().map(|e| e.seq).collect::<Vec<_>>(), [6, 1]);
    assert_eq!(
        audit::for_object(&db, "other", "setup", "s1", None, 9)
            .await
            .expect("events"),
        []
    );
    let actors = audit::actors(&db, "team").await.expect("actors");
    let shown: Vec<(&str, &str)> = actors
        .iter()
        .map(|a| (a.actor_id.as_str(), a.actor_name.as_str()))
        .collect();
    assert_eq!(shown, [("ana", "ana at 12"), ("ben", "ben at 11")]);
    assert_eq!(
        audit::events(&db, "team").await.expect("words"),
        ["flow.enabled", "setup.started"]
    );
    assert_eq!(audit::actors(&db, "other").await.expect("actors"), []);
    assert_eq!(
        audit::events(&db, "other").await.expect("words"),
        Vec::<String>::new()
    );
}
