use super::*;
use crate::store::sync_state::{self, FailedTry, SyncTopic};

#[tokio::test]
async fn environments_are_a_teams_own() {
    let db = fixture().await;
    commit!(db, |tx| {
        for (id, team) in [("a", "team"), ("b", "other")] {
            envs::insert(tx, &environment(id, team))
                .await
                .expect("an environment");
        }
    });
    assert_eq!(
        envs::by_id(&db, "team", "env").await.expect("a read"),
        Some(environment("env", "team"))
    );
    assert_eq!(envs::by_id(&db, "other", "env").await.expect("a read"), None);
    assert!(envs::any_by_id(&db, "b").await.expect("a read").is_some());
    let page = envs::list(&db, "team", None, 1).await.expect("a page");
    let rest = envs::list(&db, "team", Some(&page[0].name), 9)
        .await
        .expect("a page");
    assert_eq!(
        (page[0].id.as_str(), rest[0].id.as_str(), rest.len()),
        ("a", "env", 1)
    );
    assert_eq!(envs::list_all_active(&db).await.expect("environments").len(), 3);

    let mut tx = db.begin().await.expect("a transaction");
    let twin = envs::Environment {
        id: "twin".into(),
        ..environment("env", "team")
    };
    let taken = envs::insert(&mut tx, &twin).await;
    assert!(matches!(
        taken,
        Err(StoreError::Duplicate {
            what: "the environment's name"
        })
    ));
    drop(tx);

    let credential = envs::NewCredential {
        client_id: "c2",
        client_secret: "v1:K2:other",
        client_secret_fingerprint: "ffff0000",
        scopes: "openid",
    };
    commit!(db, |tx| {
        assert!(envs::set_check(tx, "env", "[]", 50).await.expect("a check"));
        assert!(
            !envs::update_credential(tx, "other", "env", credential, 60)
                .await
                .expect("no update")
        );
    });
    assert_eq!(
        envs::any_by_id(&db, "env")
            .await
            .expect("a read")
            .expect("one")
            .checked_at,
        Some(50)
    );
    commit!(db, |tx| {
        assert!(
            envs::update_credential(tx, "team", "env", credential, 60)
                .await
                .expect("an update")
        );
        assert!(envs::archive(tx, "team", "a", 70).await.expect("an update"));
        assert!(
            !envs::archive(tx, "team", "a", 71)
                .await
                .expect("archived already")
        );
    });
    let changed = envs::any_by_id(&db, "env").await.expect("a read").expect("one");
    assert_eq!(
        (changed.client_id.as_str(), changed.checked_at, changed.updated_at),
        ("c2", None, 60)
    );
    assert_eq!(envs::list_all_active(&db).await.expect("environments").len(), 2);
}

#[tokio::test]
async fn the_first_data_lake_connection_wins() {
    let db = fixture().await;
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let store = db.store.clone();
        racers.spawn(async move {
            let id = format!("connection-{n}");
            commit!(store, |tx| envs::set_data_lake_connection(tx, "env", &id)
                .await
                .expect("a winner"))
        });
    }
    let winners = racers.join_all().await;
    let stored = envs::any_by_id(&db, "env")
        .await
        .expect("a read")
        .expect("one")
        .data_lake_connection_id;
    assert!(stored.is_some() && winners.iter().all(|winner| *winner == stored));
    let nowhere = commit!(db, |tx| envs::set_data_lake_connection(tx, "gone", "x")
        .await
        .expect("a read"));
    assert_eq!(nowhere, None);
}

#[tokio::test]
async fn specifications() {
    let db = fixture().await;
    let spec = |id: &str, raw: &str| envs::Specification {
        environment_id: "env".into(),
        id: id.into(),
        name: "Amazon S3".into(),
        raw: raw.into(),
        read_at: 5,
    };
    commit!(db, |tx| {
        for (id, raw) in [("s1", "{}"), ("s2", "{}"), ("s1", "{\"newer\":1}")] {
            envs::upsert_specification(tx, &spec(id, raw))
                .await
                .expect("a specification");
        }
    });
    assert_eq!(
        envs::specification(&db, "env", "s1").await.expect("a read"),
        Some(spec("s1", "{\"newer\":1}"))
    );
    assert_eq!(
        envs::specifications(&db, "env", None, 9)
            .await
            .expect("all")
            .len(),
        2
    );
    assert_eq!(
        envs::specifications(&db, "env", Some("s1"), 9)
            .await
            .expect("rest"),
        [spec("s2", "{}")]
    );
}

fn failed(problem: &str, at: i64) -> FailedTry<'_> {
    FailedTry {
        problem,
        at,
        next_try_at: at + 7,
    }
}

#[tokio::test]
async fn failures_keep_the_watermark_and_the_first_time_of_failing() {
    let db = fixture().await;
    assert_eq!(
        sync_state::get(&db, "env", SyncTopic::Runs)
            .await
            .expect("a read"),
        None
    );
    commit!(db, |tx| {
        sync_state::record_failure(tx, "env", SyncTopic::Flows, failed("refused", 5))
            .await
            .expect("a failure");
        sync_state::record_success(tx, "env", SyncTopic::Runs, 900, 10)
            .await
            .expect("a success");
        sync_state::record_failure(tx, "env", SyncTopic::Runs, failed("first", 20))
            .await
            .expect("a failure");
        sync_state::record_failure(tx, "env", SyncTopic::Runs, failed("second", 30))
            .await
            .expect("a failure");
    });
    let failing = sync_state::get(&db, "env", SyncTopic::Runs)
        .await
        .expect("a read")
        .expect("a state");
    assert_eq!(
        (failing.watermark_at, failing.attempted_at, failing.succeeded_at),
        (900, 30, Some(10))
    );
    assert_eq!(
        (failing.failing_since_at, failing.problem.as_deref()),
        (Some(20), Some("second"))
    );
    assert_eq!(failing.next_try_at, Some(37));
    commit!(db, |tx| {
        sync_state::record_success(tx, "env", SyncTopic::Runs, 950, 40)
            .await
            .expect("a success");
    });
    let all = sync_state::all_for(&db, "team").await.expect("states");
    assert_eq!(
        all.iter().map(|s| s.topic).collect::<Vec<_>>(),
        [SyncTopic::Flows, SyncTopic::Runs]
    );
    assert_eq!((all[0].watermark_at, all[0].failing_since_at), (0, Some(5)));
    assert_eq!(
        (all[1].watermark_at, all[1].failing_since_at, &all[1].problem),
        (950, None, &None)
    );
    assert_eq!(all[1].next_try_at, None);
    assert_eq!(sync_state::all_for(&db, "other").await.expect("states"), []);
}
