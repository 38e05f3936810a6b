use sqlx::{Connection, SqliteConnection};

use super::*;
use crate::store::database::{MIGRATIONS, known_schema, options};

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let fixture = fixture().await;
    let (writer, _) = fixture.connections();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (4711, 'from the future', 1, x'00', 0)",
    )
    .execute(writer)
    .await
    .expect("a row");
    fixture.close().await;
    let outcome = Store::open(&fixture.directory.path().join("headgate.db")).await;
    let Err(StoreError::NewerSchema { found, known }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!((found, known), (4711, known_schema()));
}

#[tokio::test]
async fn runs_of_an_earlier_version_are_kept_with_their_json_and_get_their_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("headgate.db");
    let as_then = options(&path).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&as_then).await.expect("a file");
    MIGRATIONS
        .run_to(3, &mut old)
        .await
        .expect("the first migrations");
    for (id, outcome) in [("done", "failed"), ("going", "running")] {
        sqlx::query(
            "INSERT INTO runs (environment_id, id, flow_id, status, outcome, started_at, platform_updated_at, raw, \
             read_at) VALUES ('e', $1, 'f', 'as told', $2, 5, 7, '{\"from\":\"before\"}', 9)",
        )
        .bind(id)
        .bind(outcome)
        .execute(&mut old)
        .await
        .expect("a run");
    }
    old.close().await.expect("closed");
    let store = Store::open(&path).await.expect("it is brought up");
    for (id, ended_at) in [("done", Some(7)), ("going", None)] {
        let run = crate::store::runs::by_id(&store, "e", id)
            .await
            .expect("a read")
            .expect("the run");
        assert_eq!(
            (run.started_at, run.read_at, run.ended_at, run.gone_at),
            (5, 9, ended_at, None)
        );
        let raw = crate::store::runs::raw(&store, "e", id).await.expect("a read");
        assert_eq!(raw.as_deref(), Some("{\"from\":\"before\"}"));
    }
}
