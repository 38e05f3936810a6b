//! Objects at the platform that do not fit, made by plain calls.

use headgate::audit::Actor;
use headgate::domain::setup::{MARKER_TAG, StepKind, marker};
use headgate::domain::{Verdict, new_tag};
use headgate::emulator::ledger::{Entry, Wanted};
use headgate::platform::{Call, ObjectKind, Outcome};
use headgate::setups::Decision;
use headgate::store::findings::{self, ListedFinding};
use headgate::store::{self};
use headgate::sweep::Swept;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::emulator::{connection_body, dataset_body, schema_body, source_body};
use crate::support::app::TEAM;
use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::watched::Watched;

/// The platform's kind for a step.
pub fn object_kind(kind: StepKind) -> ObjectKind {
    match kind {
        StepKind::BaseConnection | StepKind::DataLakeConnection => ObjectKind::Connection,
        StepKind::Schema => ObjectKind::Schema,
        StepKind::Dataset => ObjectKind::Dataset,
        StepKind::MappingSet => ObjectKind::MappingSet,
        StepKind::SourceConnection => ObjectKind::SourceConnection,
        StepKind::TargetConnection => ObjectKind::TargetConnection,
        StepKind::Flow => ObjectKind::Flow,
    }
}

/// A marker that no setup of ours has.
pub fn foreign_marker(kind: StepKind) -> String {
    marker(&new_tag(), kind)
}

impl Watched {
    /// Looks through the environment once, a moment later than everything before.
    pub async fn sweep(&self) -> Swept {
        self.advance(1_000);
        let sweep = &self.app.running.state.sweep;
        sweep
            .environment(&self.environment.id, &CancellationToken::new())
            .await
            .unwrap()
    }

    /// The open findings: verdict, kind of object and its id, sorted.
    pub async fn found(&self) -> Vec<(Verdict, StepKind, String)> {
        let mut found = Vec::new();
        for verdict in Verdict::ALL {
            let listed = self.open(*verdict).await.into_iter();
            found.extend(listed.map(|l| (*verdict, l.finding.object_kind, l.finding.object_id)));
        }
        found.sort();
        found
    }

    pub async fn open(&self, verdict: Verdict) -> Vec<ListedFinding> {
        let team = self.app.team_id(TEAM).await;
        findings::list(self.app.store(), &team, verdict, None, 100)
            .await
            .unwrap()
    }

    /// The open finding about an object.
    pub async fn finding(&self, object_id: &str) -> ListedFinding {
        for verdict in Verdict::ALL {
            let listed = self.open(*verdict).await;
            if let Some(listed) = listed.into_iter().find(|l| l.finding.object_id == object_id) {
                return listed;
            }
        }
        panic!("nothing was found about {object_id}: {:?}", self.found().await);
    }

    /// Whether the platform has an object.
    pub async fn exists(&self, kind: StepKind, id: &str) -> bool {
        match self.client().object(object_kind(kind), id).await {
            Ok(_) => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends again what a step has sent, as a call that went astray might; gives the second object's id.
    pub async fn duplicate(&self, setup_id: &str, kind: StepKind) -> String {
        let step = self.app.step(setup_id, kind).await;
        let body: Value = serde_json::from_str(&step.sent_body.unwrap()).unwrap();
        self.create(object_kind(kind), body).await
    }

    /// Deletes the object of a step behind our back; gives its id.
    pub async fn remove(&self, setup_id: &str, kind: StepKind) -> String {
        let id = self.app.step(setup_id, kind).await.object_id.unwrap();
        self.remove_object(kind, &id).await;
        id
    }

    pub async fn remove_object(&self, kind: StepKind, id: &str) {
        let call = Call::delete(object_kind(kind), id);
        let answer = self.client().send(&call, "behind-our-back").await;
        assert!(matches!(answer.outcome, Outcome::Confirmed { .. }), "{answer:?}");
    }

    /// A base connection that carries another installation's marker.
    pub async fn foreign_connection(&self, name: &str) -> String {
        let mut body = connection_body(name);
        body["description"] = json!(foreign_marker(StepKind::BaseConnection));
        self.create(ObjectKind::Connection, body).await
    }

    /// A dataset, on a schema without a marker, that carries another installation's marker.
    pub async fn foreign_dataset(&self, name: &str) -> String {
        let schema = self
            .create(ObjectKind::Schema, schema_body(&format!("{name} schema")))
            .await;
        let mut body = dataset_body(name, &schema);
        body["tags"] = json!({MARKER_TAG: [foreign_marker(StepKind::Dataset)]});
        self.create(ObjectKind::Dataset, body).await
    }

    /// A source connection on this base connection that carries another installation's marker.
    pub async fn foreign_source(&self, name: &str, connection: &str) -> String {
        let mut body = source_body(name, connection);
        body["description"] = json!(foreign_marker(StepKind::SourceConnection));
        self.create(ObjectKind::SourceConnection, body).await
    }

    async fn foreign_mapping_set(&self, schema: &str) -> String {
        let body = json!({
            "name": foreign_marker(StepKind::MappingSet),
            "mappings": [{"sourceType": "ATTRIBUTE", "source": "id", "destination": "_id", "name": "id"}],
            "outputSchema": {"schemaRef": {"id": schema, "contentType": "application/vnd.adobe.xed-full+json;version=1"}},
        });
        self.create(ObjectKind::MappingSet, body).await
    }

    /// Five duplicates, five objects that are gone and five that nobody claims, of various kinds, beside what is as
    /// it should be: everything that must be found, sorted.
    pub async fn misfits(&self) -> Vec<(Verdict, StepKind, String)> {
        use StepKind::{
            BaseConnection, Dataset, Flow, MappingSet, Schema, SourceConnection, TargetConnection,
        };
        let mut expected = Vec::new();
        let loyalty = self.app.finished_setup(&s3_parquet("Loyalty")).await;
        let orders = self.app.finished_setup(&sftp_delimited("Orders")).await;
        for (setup, kind) in [
            (&loyalty, SourceConnection),
            (&loyalty, TargetConnection),
            (&loyalty, Flow),
            (&orders, Dataset),
            (&orders, MappingSet),
        ] {
            expected.push((Verdict::Duplicate, kind, self.duplicate(setup, kind).await));
        }
        let returns = self.app.finished_setup(&s3_parquet("Returns")).await;
        for kind in [Flow, SourceConnection, TargetConnection, Dataset, Schema] {
            expected.push((Verdict::Vanished, kind, self.remove(&returns, kind).await));
        }
        let taken_back = self.app.finished_setup(&s3_parquet("Taken back")).await;
        let schema = self.app.step(&taken_back, Schema).await.sent_body.unwrap();
        self.undo(&taken_back).await;
        let schema = self
            .create(ObjectKind::Schema, serde_json::from_str(&schema).unwrap())
            .await;
        let connection = self.foreign_connection("Somebody's").await;
        let plain = self
            .create(ObjectKind::Connection, connection_body("No marker"))
            .await;
        let foreign = [
            (Schema, schema.clone()),
            (BaseConnection, connection),
            (Dataset, self.foreign_dataset("Somebody's data").await),
            (
                SourceConnection,
                self.foreign_source("Somebody's source", &plain).await,
            ),
            (MappingSet, self.foreign_mapping_set(&schema).await),
        ];
        expected.extend(foreign.map(|(kind, id)| (Verdict::Unclaimed, kind, id)));
        expected.sort();
        expected
    }

    pub async fn undo(&self, setup_id: &str) {
        let team = self.app.team_id(TEAM).await;
        let ana = store::people::user_by_login(self.app.store(), "ana")
            .await
            .unwrap()
            .unwrap();
        let (setups, actor) = (&self.app.running.state.setups, Actor::operator("tests"));
        let of = (team.as_str(), setup_id);
        setups.decide(&actor, &ana.id, of, Decision::Undo).await.unwrap();
        self.app.rested(setup_id).await;
    }

    /// The calls at the platform since the ledger's entry `after` that would change something.
    pub fn changes_since(&self, after: u64) -> Vec<Entry> {
        let all = self.calls_since(after).into_iter();
        all.filter(|entry| entry.method != "GET" && !entry.target.starts_with("/ims/"))
            .collect()
    }

    pub fn calls_since(&self, after: u64) -> Vec<Entry> {
        let wanted = Wanted {
            after,
            ..Wanted::default()
        };
        self.app.emulator.control().ledger_of(&wanted)
    }

    pub fn last_call(&self) -> u64 {
        self.app
            .emulator
            .control()
            .ledger()
            .last()
            .map_or(0, |entry| entry.sequence)
    }

    /// Event and phase of the audit events about a finding, the oldest first.
    pub async fn trail(&self, finding_id: &str) -> Vec<(String, store::audit::AuditPhase, String)> {
        let team = self.app.team_id(TEAM).await;
        let events = store::audit::for_object(self.app.store(), &team, "finding", finding_id, None, 50)
            .await
            .unwrap();
        let told = |after: Option<String>| {
            let after: Value = serde_json::from_str(&after.unwrap_or_default()).unwrap_or_default();
            after["result"].as_str().unwrap_or_default().to_owned()
        };
        let events = events.into_iter().rev();
        events
            .map(|e| (e.facts.event, e.facts.phase, told(e.facts.after)))
            .collect()
    }
}
