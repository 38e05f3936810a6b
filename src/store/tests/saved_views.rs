use super::*;
use crate::store::saved_views::{self, SavedView, ViewedPage};

fn view(id: &str, user_id: &str, name: &str) -> SavedView {
    SavedView {
        id: id.into(),
        team_id: "team".into(),
        user_id: user_id.into(),
        page: ViewedPage::Flows,
        name: name.into(),
        query: format!("q={id}"),
        is_shared: false,
        is_default: false,
        created_at: 7,
    }
}

async fn seen_by(db: &Store, team_id: &str, user_id: &str, page: ViewedPage) -> Vec<String> {
    let listed = saved_views::list(db, team_id, user_id, page, 10)
        .await
        .expect("views");
    listed.into_iter().map(|listed| listed.view.id).collect()
}

#[tokio::test]
async fn people_see_their_own_views_and_those_that_are_shared() {
    let db = fixture().await;
    let shared = SavedView {
        is_shared: true,
        ..view("b2", "ben", "A shared one")
    };
    let of_runs = SavedView {
        page: ViewedPage::Runs,
        ..view("a3", "ana", "B")
    };
    commit!(db, |tx| {
        for view in [
            view("a1", "ana", "Z"),
            view("a2", "ana", "B"),
            view("b1", "ben", "B"),
            shared.clone(),
            of_runs,
        ] {
            saved_views::insert(tx, &view).await.expect("a view");
        }
    });
    assert_eq!(
        seen_by(&db, "team", "ana", ViewedPage::Flows).await,
        ["a2", "a1", "b2"],
        "own ones first, by name"
    );
    assert_eq!(seen_by(&db, "team", "ana", ViewedPage::Runs).await, ["a3"]);
    assert_eq!(seen_by(&db, "team", "ben", ViewedPage::Flows).await, ["b2", "b1"]);
    assert_eq!(seen_by(&db, "other", "ana", ViewedPage::Flows).await, [""; 0]);

    let by_id = async |user_id, id| {
        saved_views::by_id(&db, "team", user_id, id)
            .await
            .expect("a read")
    };
    let found = by_id("ana", "b2").await.expect("shared");
    assert_eq!((found.view, found.owner_name.as_str()), (shared, "BEN"));
    assert_eq!(by_id("ana", "b1").await, None, "not shared");
    assert_eq!(
        saved_views::by_id(&db, "other", "ben", "b1")
            .await
            .expect("a read"),
        None
    );
    let count = saved_views::count_of(&db, "team", "ana", ViewedPage::Flows).await;
    assert_eq!(count.expect("a count"), 2);
}

#[tokio::test]
async fn names_are_unique_and_there_is_one_default() {
    let db = fixture().await;
    let first = SavedView {
        is_default: true,
        ..view("a1", "ana", "One")
    };
    let second = SavedView {
        is_default: true,
        ..view("a2", "ana", "Two")
    };
    let of_ben = SavedView {
        is_default: true,
        ..view("b1", "ben", "One")
    };
    let default_of = async || {
        let found = saved_views::default_of(&db, "team", "ana", ViewedPage::Flows).await;
        found.expect("a read")
    };
    assert_eq!(default_of().await, None);
    commit!(db, |tx| {
        for view in [&first, &second, &of_ben] {
            saved_views::insert(tx, view).await.expect("a view");
        }
    });
    assert_eq!(default_of().await.as_deref(), Some("q=a2"), "the later one");
    commit!(db, |tx| {
        assert!(saved_views::update(tx, &first).await.expect("an update"));
    });
    let taken = SavedView {
        name: "Two".into(),
        ..first.clone()
    };
    let mut tx = db.begin().await.expect("a transaction");
    let refused = saved_views::update(&mut tx, &taken).await;
    assert!(
        matches!(refused, Err(StoreError::Duplicate { .. })),
        "{refused:?}"
    );
    let again = saved_views::insert(&mut tx, &view("a9", "ana", "One")).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
    drop(tx);
    assert_eq!(default_of().await.as_deref(), Some("q=a1"));
    let found = saved_views::default_of(&db, "team", "ben", ViewedPage::Flows).await;
    assert_eq!(
        found.expect("a read").as_deref(),
        Some("q=b1"),
        "others keep theirs"
    );
    commit!(db, |tx| {
        assert!(saved_views::delete(tx, "team", "a1").await.expect("deleted"));
        assert!(!saved_views::delete(tx, "other", "b1").await.expect("not theirs"));
        assert!(!saved_views::update(tx, &first).await.expect("gone"));
    });
    assert_eq!(default_of().await, None);
}
