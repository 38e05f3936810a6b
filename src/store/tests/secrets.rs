use super::*;
use crate::store::secrets::{self, Secret, SecretOwner};

fn secret(id: &str, owner_id: &str, field: &str) -> Secret {
    Secret {
        id: id.into(),
        owner_kind: SecretOwner::Draft,
        owner_id: owner_id.into(),
        field: field.into(),
        sealed: format!("v1:K1:{id}"),
        fingerprint: "00ff00ff".into(),
        set_by: "ana".into(),
        set_at: 5,
    }
}

#[tokio::test]
async fn a_field_has_one_value() {
    let db = fixture().await;
    commit!(db, |tx| {
        for (id, owner, field) in [
            ("1", "d1", "key"),
            ("2", "d1", "id"),
            ("3", "d2", "key"),
            ("4", "d1", "key"),
            ("5", "d1", "extra"),
        ] {
            secrets::put(tx, &secret(id, owner, field))
                .await
                .expect("a secret");
        }
        assert!(
            secrets::delete(tx, SecretOwner::Draft, "d1", "extra")
                .await
                .expect("a delete")
        );
        assert!(
            !secrets::delete(tx, SecretOwner::Setup, "d1", "key")
                .await
                .expect("no delete")
        );
    });
    let listed = secrets::list(&db, SecretOwner::Draft, "d1")
        .await
        .expect("a list");
    assert_eq!(listed, [secret("2", "d1", "id"), secret("4", "d1", "key")]);
    assert_eq!(
        secrets::list(&db, SecretOwner::Setup, "d1")
            .await
            .expect("a list"),
        []
    );
    let got = secrets::get(&db, SecretOwner::Draft, "d2", "key")
        .await
        .expect("a read");
    assert_eq!(got, Some(secret("3", "d2", "key")));
    assert_eq!(
        commit!(db, |tx| secrets::delete_for(tx, SecretOwner::Draft, "d1")
            .await
            .expect("a delete")),
        2
    );
    assert_eq!(
        secrets::get(&db, SecretOwner::Draft, "d1", "key")
            .await
            .expect("a read"),
        None
    );
}

#[tokio::test]
async fn sealed_values_are_noticed_wherever_they_are() {
    let directory = tempfile::tempdir().expect("a directory");
    for place in 0..4 {
        let store = Store::open(&directory.path().join(format!("{place}.db")))
            .await
            .expect("a store");
        assert!(!secrets::any_sealed(&store).await.expect("a read"));
        let mut tx = store.begin().await.expect("a transaction");
        match place {
            0 => {}
            1 => secrets::put_canary(&mut tx, "v1:canary").await.expect("a canary"),
            2 => secrets::put(&mut tx, &secret("1", "d", "key"))
                .await
                .expect("a secret"),
            _ => {
                let team = folk::Team {
                    id: "team".into(),
                    name: "T".into(),
                    created_at: 1,
                };
                folk::insert_team(&mut tx, &team).await.expect("a team");
                envs::insert(&mut tx, &environment("e", "team"))
                    .await
                    .expect("an environment");
            }
        }
        tx.commit().await.expect("a commit");
        assert_eq!(
            secrets::any_sealed(&store).await.expect("a read"),
            place > 0,
            "{place}"
        );
    }
}

#[tokio::test]
async fn the_canary() {
    let db = fixture().await;
    assert_eq!(secrets::canary(&db).await.expect("a read"), None);
    commit!(db, |tx| {
        secrets::put_canary(tx, "one").await.expect("a canary");
        secrets::put_canary(tx, "two").await.expect("a canary");
    });
    assert_eq!(
        secrets::canary(&db).await.expect("a read").as_deref(),
        Some("two")
    );
}
