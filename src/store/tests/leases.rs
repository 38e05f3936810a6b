use super::*;
use crate::store::leases::{acquire, check, holder, release, renew};

#[tokio::test]
async fn one_holder_at_a_time_and_a_late_one_is_fenced_off() {
    let db = fixture().await;
    commit!(db, |tx| {
        assert_eq!(
            acquire(tx, "setup/1", "p1", 1000, 100).await.expect("a lease"),
            Some(1)
        );
        assert_eq!(acquire(tx, "setup/1", "p2", 1099, 100).await.expect("held"), None);
        assert_eq!(
            acquire(tx, "setup/1", "p1", 1099, 100)
                .await
                .expect("held, by itself too"),
            None
        );
        assert_eq!(
            acquire(tx, "setup/2", "p2", 1099, 100)
                .await
                .expect("another lease"),
            Some(1)
        );
        assert!(renew(tx, "setup/1", "p1", 1, 1099, 100).await.expect("a renewal"));
        check(tx, "setup/1", 1).await.expect("in force");
    });
    assert_eq!(
        holder(&db, "setup/1", 1198).await.expect("a read").as_deref(),
        Some("p1")
    );
    assert_eq!(holder(&db, "setup/1", 1199).await.expect("a read"), None);
    commit!(db, |tx| {
        assert_eq!(
            acquire(tx, "setup/1", "p2", 1198, 100).await.expect("still held"),
            None
        );
        assert_eq!(
            acquire(tx, "setup/1", "p2", 1199, 100).await.expect("taken over"),
            Some(2)
        );
        assert!(!renew(tx, "setup/1", "p1", 1, 1200, 100).await.expect("lost"));
        assert!(!release(tx, "setup/1", "p1", 1).await.expect("lost"));
        assert!(matches!(check(tx, "setup/1", 1).await, Err(StoreError::Stale)));
        check(tx, "setup/1", 2).await.expect("in force");
        assert!(release(tx, "setup/1", "p2", 2).await.expect("given up"));
        assert_eq!(
            acquire(tx, "setup/1", "p2", 1200, 100)
                .await
                .expect("the row lives on"),
            Some(3)
        );
        assert!(matches!(check(tx, "setup/1", 2).await, Err(StoreError::Stale)));
        assert!(matches!(check(tx, "never", 1).await, Err(StoreError::Stale)));
    });
}

#[tokio::test]
async fn of_many_at_once_one_gets_it() {
    let db = fixture().await;
    let mut racers = tokio::task::JoinSet::new();
    for n in 0..20 {
        let store = db.store.clone();
        racers.spawn(async move {
            commit!(store, |tx| acquire(tx, "one", &format!("p{n}"), 5, 100)
                .await
                .expect("an answer"))
        });
    }
    let got: Vec<i64> = racers.join_all().await.into_iter().flatten().collect();
    assert_eq!(got, [1]);
}
