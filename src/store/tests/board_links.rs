use super::*;
use crate::store::Hidden;
use crate::store::board_links::{self, BoardLink};

fn link(id: &str, team_id: &str, name: &str) -> BoardLink {
    BoardLink {
        id: id.into(),
        team_id: team_id.into(),
        name: name.into(),
        key_hash: Hidden::new(format!("hash-{id}")),
        created_by: "ana".into(),
        created_at: 7,
    }
}

#[tokio::test]
async fn links_are_listed_found_by_their_key_and_removed_by_their_team_only() {
    let db = fixture().await;
    commit!(db, |tx| {
        for link in [
            link("1", "team", "Kitchen"),
            link("2", "team", "Atrium"),
            link("3", "other", "Kitchen"),
        ] {
            board_links::insert(tx, &link).await.expect("a link");
        }
    });
    let listed = board_links::list(&db, "team", 10).await.expect("links");
    let names: Vec<&str> = listed.iter().map(|listed| listed.link.name.as_str()).collect();
    assert_eq!(names, ["Atrium", "Kitchen"]);
    assert_eq!(board_links::list(&db, "team", 1).await.expect("links").len(), 1);
    let found = board_links::by_key_hash(&db, "hash-3")
        .await
        .expect("a read")
        .expect("a link");
    assert_eq!(
        (found.team_name.as_str(), found.link.name.as_str()),
        ("The other", "Kitchen")
    );
    assert_eq!(
        board_links::by_key_hash(&db, "hash-4").await.expect("a read"),
        None
    );

    let mut tx = db.begin().await.expect("a transaction");
    let taken = board_links::insert(&mut tx, &link("4", "team", "Atrium")).await;
    assert!(matches!(taken, Err(StoreError::Duplicate { .. })), "{taken:?}");
    drop(tx);
    commit!(db, |tx| {
        assert_eq!(board_links::count(tx, "team").await.expect("a count"), 2);
        assert_eq!(board_links::delete(tx, "team", "3").await.expect("nothing"), None);
        let name = board_links::delete(tx, "team", "1").await.expect("deleted");
        assert_eq!(name.as_deref(), Some("Kitchen"));
        assert_eq!(board_links::delete(tx, "team", "1").await.expect("gone"), None);
    });
    assert_eq!(
        board_links::by_key_hash(&db, "hash-1").await.expect("a read"),
        None
    );
    commit!(db, |tx| {
        let of_maker = board_links::delete_of_maker(tx, "ana").await;
        assert_eq!(of_maker.expect("deleted"), 2, "in all teams");
        assert_eq!(board_links::delete_of_maker(tx, "ben").await.expect("none"), 0);
    });
    assert_eq!(board_links::list(&db, "team", 10).await.expect("links"), []);
}
