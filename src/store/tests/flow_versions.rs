use serde_json::{Value, json};

use super::*;
use crate::domain::health::{Health, Wanted};
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use crate::store::flow_versions::{self, FlowVersion};
use crate::store::{flow_health, flow_page, flows, runs};

fn set_to(interval: &str, updated_at: i64, read_at: i64) -> Mirrored<flow_rows::FlowRecord> {
    let mut flow = flow("env", "f1");
    flow.row.platform_updated_at = Some(updated_at);
    flow.row.read_at = read_at;
    let raw = json!({"name": "Loyalty", "state": "enabled", "etag": updated_at, "updatedAt": updated_at,
        "scheduleParams": {"frequency": "hour", "interval": interval}, "lastRunDetails": {"id": read_at}});
    flow.raw = raw.to_string();
    flow
}

async fn stored(db: &Store, flows: &[Mirrored<flow_rows::FlowRecord>]) {
    commit!(db, |tx| flows::upsert_many(tx, flows).await.expect("flows"));
}

async fn all(db: &Store) -> Vec<FlowVersion> {
    flow_versions::list(db, "env", "f1", None, 100)
        .await
        .expect("a list")
}

#[tokio::test]
async fn a_version_is_added_when_what_people_set_has_changed_and_never_else() {
    let db = fixture().await;
    stored(&db, &[set_to("1", 1_000, 1_100)]).await;
    // Tags, times and the last run change all the time.
    stored(&db, &[set_to("1", 2_000, 2_100)]).await;
    stored(&db, &[set_to("2", 3_000, 3_100)]).await;
    stored(&db, &[set_to("2", 3_000, 3_200)]).await;
    // A clock that goes backwards does not turn the order round.
    stored(&db, &[set_to("3", 2_500, 4_100)]).await;
    let versions = all(&db).await;
    let told: Vec<_> = versions
        .iter()
        .map(|version| (version.number, version.valid_from_at, version.seen_at))
        .collect();
    assert_eq!(told, [(3, 4_100, 4_100), (2, 3_000, 3_100), (1, 5, 1_100)]);

    let in_force = async |at| {
        let found = flow_versions::in_force(&db, "env", "f1", at, 1)
            .await
            .expect("a read");
        found.first().map(|version| version.number)
    };
    assert_eq!(in_force(4).await, None, "before the flow was made");
    assert_eq!(in_force(5).await, Some(1));
    assert_eq!(in_force(2_999).await, Some(1));
    assert_eq!(in_force(3_000).await, Some(2));
    assert_eq!(in_force(i64::MAX).await, Some(3));
    let older = flow_versions::list(&db, "env", "f1", Some(3), 1)
        .await
        .expect("a page");
    assert_eq!(older, versions[1..2]);
}

#[tokio::test]
async fn flows_of_an_earlier_release_get_their_first_version_and_judgement_with_the_next_reading() {
    let db = fixture().await;
    let rows = [set_to("1", 1_000, 1_100)];
    stored(&db, &rows).await;
    let (writer, _) = db.connections();
    for table in ["flow_versions", "flow_health"] {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
        sqlx::query(sql).execute(writer).await.expect("gone");
    }
    stored(&db, &rows).await;
    assert_eq!(all(&db).await.len(), 1);
    let health = flow_health::of_flow(&db, "env", "f1").await.expect("a read");
    assert_eq!(health.expect("judged").judgement.base, Health::Waiting);
}

#[tokio::test]
async fn many_flows_in_one_reading_have_versions_of_their_own() {
    let db = fixture().await;
    let named = |name: &str| -> Vec<_> {
        let one = |n: i32| {
            let mut flow = flow("env", &format!("f{n}"));
            flow.row.name = name.into();
            flow.raw = json!({"name": name}).to_string();
            flow
        };
        (0..1_200).map(one).collect()
    };
    stored(&db, &named("one")).await;
    stored(&db, &named("two")).await;
    let found: Value = json!(
        all(&db)
            .await
            .iter()
            .map(|version| version.number)
            .collect::<Vec<_>>()
    );
    assert_eq!(found, json!([2, 1]));
    let (writer, _) = db.connections();
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM flow_versions")
        .fetch_one(writer)
        .await
        .expect("a count");
    assert_eq!(count, 2_400);
}

#[tokio::test]
async fn the_head_of_a_page_has_all_in_one_and_only_for_the_team() {
    let db = fixture().await;
    stored(&db, &[set_to("1", 1_000, 1_100)]).await;
    stored(&db, &[set_to("2", 2_000, 2_100)]).await;
    let head = flow_page::head(&db, "team", "f1")
        .await
        .expect("a read")
        .expect("a flow");
    assert_eq!(head.flow.record.id, "f1");
    assert_eq!(
        head.judgement.map(|judgement| judgement.base),
        Some(Health::Waiting)
    );
    let version = head.version.expect("a version");
    assert_eq!((version.number, version.valid_from_at), (2, 2_000));
    assert_eq!(head.origin, None);
    assert_eq!(flow_page::head(&db, "other", "f1").await.expect("a read"), None);
}

#[tokio::test]
async fn the_runs_beside_one_are_those_of_its_flow() {
    let db = fixture().await;
    let ran = |id: &str, flow: &str, at| run(id, flow, at, RunOutcome::Succeeded);
    commit!(db, |tx| runs::upsert_many(
        tx,
        &[
            ran("a", "f1", 10),
            ran("b", "f1", 20),
            ran("c", "f1", 20),
            ran("x", "f2", 15),
            ran("d", "f1", 30)
        ]
    )
    .await
    .expect("runs"));
    let beside = async |at, id: &str| {
        let found = flow_page::neighbours(&db, "env", "f1", at, id)
            .await
            .expect("a read");
        (found.earlier, found.later)
    };
    let named = |id: &str| Some(id.to_owned());
    assert_eq!(beside(10, "a").await, (None, named("b")));
    assert_eq!(beside(20, "c").await, (named("b"), named("d")));
    assert_eq!(beside(30, "d").await, (named("c"), None));
}

#[tokio::test]
async fn a_version_tells_when_the_flow_was_on_with_its_schedule() {
    let db = fixture().await;
    let in_state = |state: &str, interval: &str, at: i64| {
        let mut flow = set_to(interval, at, at);
        let mut raw: Value = serde_json::from_str(&flow.raw).expect("JSON");
        raw["state"] = json!(state);
        flow.raw = raw.to_string();
        flow.row.state = state.into();
        flow
    };
    let wanted = async || {
        let head = flow_page::head(&db, "team", "f1").await.expect("a read");
        let list = flow_lists::list(
            &db,
            "team",
            FlowFilter::default(),
            FlowSort::Name,
            9,
            FlowPage::First,
            9,
        );
        let listed = list.await.expect("a list")[0].wanted().expect("readable");
        let version = head.expect("a flow").version.expect("a version");
        assert_eq!(listed.as_ref(), Some(&version.wanted));
        version.wanted
    };
    let first = Wanted::of_first(true);
    stored(&db, &[in_state("enabled", "1", 1_000)]).await;
    assert_eq!(wanted().await, first);
    stored(&db, &[in_state("disabled", "1", 2_000)]).await;
    let off = first.followed_by(2_000, true, false);
    assert_eq!(wanted().await, off);
    stored(&db, &[in_state("enabled", "2", 3_000)]).await;
    assert_eq!(wanted().await, Wanted::since(3_000, true), "another schedule");
    // As an earlier release has stored it.
    let (writer, _) = db.connections();
    let forget = sqlx::query("UPDATE flow_versions SET wanted = NULL");
    forget.execute(writer).await.expect("forgotten");
    assert_eq!(wanted().await, Wanted::since(3_000, true));
    stored(&db, &[in_state("disabled", "2", 4_000)]).await;
    let forget = sqlx::query("UPDATE flow_versions SET wanted = NULL");
    forget.execute(writer).await.expect("forgotten");
    stored(&db, &[in_state("enabled", "2", 5_000)]).await;
    assert_eq!(wanted().await, Wanted::since(5_000, true), "it was off before");
}
