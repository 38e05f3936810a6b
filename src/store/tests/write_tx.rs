//! What a transaction keeps.

use super::{fixture, folk};
use crate::store::StoreError;
use crate::store::bulk::insert_into;

#[tokio::test]
async fn nothing_is_kept_of_a_transaction_in_which_a_query_failed() {
    let db = fixture().await;
    let before = folk::list_teams(&db).await.expect("teams");
    let mut tx = db.begin().await.expect("a transaction");
    let mut insert = insert_into("teams", &["id", "name", "created_at"]);
    insert.push_values(["first", "second", "first"], |mut tuple, id| {
        tuple.push_bind(id).push_bind(id).push_bind(1_i64);
    });
    let refused = change!(tx, |db| insert.build().execute(db));
    assert!(
        matches!(refused, Err(StoreError::Duplicate { .. })),
        "{refused:?}"
    );
    // The rows before the one that failed are there still, which is why nobody may keep them.
    let count = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM teams");
    let count = count.fetch_one(tx.writer()).await.expect("a count");
    assert_eq!(count as usize, before.len() + 2);
    let refused = tx.commit().await.expect_err("a commit");
    assert!(refused.to_string().contains("nothing was changed"), "{refused}");

    assert_eq!(folk::list_teams(&db).await.expect("teams"), before);
    db.begin()
        .await
        .expect("the writer")
        .commit()
        .await
        .expect("a commit");
}
