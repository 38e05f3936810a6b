//! The contract of the store: every function, on a database of its own.

mod audit;
mod board_links;
mod connection_templates;
mod database;
mod environments;
mod findings;
mod flow_health;
mod flow_list_sql;
mod flow_lists;
mod flow_versions;
mod flows;
mod leases;
mod lost_files;
mod migrations;
mod people;
mod plans;
mod runs;
mod saved_views;
mod secrets;
mod setups;
mod sweeps;
mod writability;
mod write_tx;

use super::setups as store_setups;
use super::{Mirrored, MirroredRun, Store, StoreError, WriteTx, connection_templates as templates};
use super::{environments as envs, flows as flow_rows, people as folk, runs as run_rows};
use crate::domain::{Role, RunOutcome};

/// A database that goes away with the test, holding team `team`, users `ana` (editor) and `ben` (viewer) and
/// environment `env`.
struct Fixture {
    store: Store,
    directory: tempfile::TempDir,
}

impl std::ops::Deref for Fixture {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.store
    }
}

async fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(&directory.path().join("headgate.db"))
        .await
        .expect("a store");
    let fixture = Fixture { store, directory };
    let mut tx = fixture.begin().await.expect("a transaction");
    for id in ["team", "other"] {
        let team = folk::Team {
            id: id.into(),
            name: format!("The {id}"),
            created_at: 1,
        };
        folk::insert_team(&mut tx, &team).await.expect("a team");
    }
    for (id, role) in [("ana", Role::Editor), ("ben", Role::Viewer)] {
        folk::insert_user(&mut tx, &user(id)).await.expect("a user");
        folk::upsert_membership(&mut tx, "team", id, role, 2)
            .await
            .expect("a membership");
    }
    envs::insert(&mut tx, &environment("env", "team"))
        .await
        .expect("an environment");
    tx.commit().await.expect("a commit");
    fixture
}

/// Runs statements in one committed transaction.
macro_rules! commit {
    ($store:expr, |$tx:ident| $body:expr) => {{
        let mut transaction = $store.begin().await.expect("a transaction");
        let $tx = &mut transaction;
        let value = $body;
        transaction.commit().await.expect("a commit");
        value
    }};
}
use commit;

fn user(id: &str) -> folk::User {
    folk::User {
        id: id.into(),
        login: format!("{id}@example.org"),
        name: id.to_uppercase(),
        password_hash: Some(super::Hidden::new("$argon2id$canary")),
        time_zone: Some("Europe/Paris".into()),
        disabled_at: None,
        created_at: 2,
    }
}

fn environment(id: &str, team_id: &str) -> envs::Environment {
    envs::Environment {
        id: id.into(),
        team_id: team_id.into(),
        name: format!("Name of {id}"),
        platform_origin: "https://platform.adobe.io".into(),
        organization: "ORG@AdobeOrg".into(),
        sandbox: "dev".into(),
        production: true,
        client_id: "client".into(),
        client_secret: "v1:K1:sealed".into(),
        client_secret_fingerprint: "0011aabb".into(),
        scopes: "openid,AdobeID".into(),
        data_lake_connection_id: None,
        check_steps: None,
        checked_at: None,
        created_by: "ana".into(),
        created_at: 3,
        updated_at: 3,
        archived_at: None,
    }
}

fn flow(environment_id: &str, id: &str) -> Mirrored<flow_rows::FlowRecord> {
    let row = flow_rows::FlowRecord {
        environment_id: environment_id.into(),
        id: id.into(),
        name: format!("Flow {id}"),
        description: String::new(),
        state: "enabled".into(),
        connector: Some("amazon-s3".into()),
        source_connection_id: Some("source".into()),
        target_connection_id: Some("target".into()),
        base_connection_id: Some("base".into()),
        dataset_id: Some("dataset".into()),
        source_path: Some("/in/Loyalty".into()),
        frequency: Some("hour".into()),
        interval_count: Some(1),
        start_at: Some(10),
        backfill: Some(false),
        etag: Some("\"e\"".into()),
        platform_created_at: Some(5),
        platform_updated_at: Some(6),
        platform_created_by: Some("creator".into()),
        read_at: 100,
    };
    Mirrored {
        row,
        raw: "{}".into(),
    }
}

fn run(id: &str, flow_id: &str, started_at: i64, outcome: RunOutcome) -> MirroredRun {
    let row = run_rows::Run {
        environment_id: "env".into(),
        id: id.into(),
        flow_id: flow_id.into(),
        status: outcome.as_str().to_uppercase(),
        outcome,
        started_at,
        completed_at: outcome.is_final().then_some(started_at + 1000),
        duration_ms: outcome.is_final().then_some(1000),
        records_in: Some(100),
        records_out: Some(99),
        records_failed: Some(1),
        files_in: Some(2),
        bytes_in: Some(4096),
        bytes_out: None,
        error_code: None,
        error_message: None,
        window_start_at: Some(started_at - 500),
        window_end_at: Some(started_at),
        platform_updated_at: started_at + 1000,
        read_at: 100,
        ended_at: outcome.is_final().then_some(started_at + 1000),
        gone_at: None,
    };
    Mirrored {
        row,
        raw: "{\"run\":true}".into(),
    }
}

async fn add_template(tx: &mut WriteTx, id: &str) -> Result<(), StoreError> {
    let template = templates::ConnectionTemplate {
        id: id.into(),
        team_id: "team".into(),
        name: format!("Template {id}"),
        purpose: "Daily files".into(),
        current_version: 1,
        created_by: "ana".into(),
        created_at: 10,
        updated_at: 10,
        archived_at: None,
    };
    templates::insert_template(tx, &template, &template_version(id, 1)).await
}

fn template_version(template_id: &str, version: i64) -> templates::TemplateVersion {
    templates::TemplateVersion {
        id: format!("{template_id}-v{version}"),
        template_id: template_id.into(),
        version,
        recipe: format!("{{\"version\":{version}}}"),
        note: "why".into(),
        created_by: "ben".into(),
        created_at: 10 + version,
    }
}
