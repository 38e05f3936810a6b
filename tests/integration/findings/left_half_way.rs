//! A process that ends between the intent to delete and the outcome.

use std::sync::Arc;
use std::time::Duration;

use headgate::audit::Actor;
use headgate::domain::FindingState;
use headgate::domain::setup::StepKind;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::store::audit::AuditPhase;
use headgate::store::findings::{self, ListedFinding};
use headgate::store::{self};
use headgate::sweep::Sweep;

use crate::support::app::TEAM;
use crate::support::watched::{MINUTE_MS, Watched};

struct Ground {
    watched: Watched,
    connection: String,
    finding: String,
    team: String,
    user: String,
}

async fn ground() -> Ground {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    watched.sweep().await;
    let finding = watched.finding(&connection).await.finding.id;
    let team = watched.app.team_id(TEAM).await;
    let user = store::people::user_by_login(watched.app.store(), "ana")
        .await
        .unwrap()
        .unwrap()
        .id;
    Ground {
        watched,
        connection,
        finding,
        team,
        user,
    }
}

impl Ground {
    async fn now(&self) -> ListedFinding {
        findings::by_id(self.watched.app.store(), &self.team, &self.finding)
            .await
            .unwrap()
            .unwrap()
    }

    async fn becomes(&self, state: FindingState) -> ListedFinding {
        self.watched
            .eventually("the deletion has an end", async || {
                Some(self.now().await).filter(|listed| listed.finding.state == state)
            })
            .await
    }

    /// What a process that ended right after committing the intent has left.
    async fn intent_only(&self) {
        let mut tx = self.watched.app.store().begin().await.unwrap();
        let now = self.watched.now_ms();
        assert!(
            findings::begin_deleting(&mut tx, &self.team, &self.finding, &self.user, now)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
    }

    async fn outcomes(&self) -> Vec<String> {
        let trail = self.watched.trail(&self.finding).await;
        let outcomes = trail
            .into_iter()
            .filter(|(_, phase, _)| *phase == AuditPhase::Outcome);
        outcomes.map(|(.., result)| result).collect()
    }
}

#[tokio::test]
async fn an_object_that_is_still_there_is_open_again() {
    let ground = ground().await;
    ground.intent_only().await;
    let open = ground.becomes(FindingState::Open).await.finding;
    let problem = open.problem.unwrap();
    assert!(
        problem.starts_with("Headgate stopped before it knew"),
        "{problem}"
    );
    assert_eq!(ground.outcomes().await, ["delete_failed"]);
    assert!(
        ground
            .watched
            .exists(StepKind::BaseConnection, &ground.connection)
            .await
    );
}

#[tokio::test]
async fn an_object_that_is_gone_was_deleted() {
    let ground = ground().await;
    // While nobody can look, it stays as it is.
    let broken = Fault::Status {
        status: 500,
        body: BodyForm::Service,
    };
    let control = ground.watched.app.emulator.control();
    control.arm(Rule::on("GET", "**/connections/*").times(0).then(broken));
    ground.intent_only().await;
    ground
        .watched
        .remove_object(StepKind::BaseConnection, &ground.connection)
        .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ground.now().await.finding.state, FindingState::Deleting);
    let mut vera = ground.watched.app.visitor("vera").await;
    assert!(vera.get("/findings").await.text().contains("Being deleted"));
    control.disarm();
    ground.watched.advance(6 * MINUTE_MS);
    let deleted = ground.becomes(FindingState::Deleted).await;
    assert_eq!(deleted.decided_by_name.as_deref(), Some("Ana"));
    assert_eq!(ground.outcomes().await, ["deleted"]);
}

#[tokio::test]
async fn a_process_killed_while_the_deletion_is_on_its_way_leaves_no_doubt() {
    let ground = ground().await;
    let state = &ground.watched.app.running.state;
    // The call acts after the process is gone.
    let control = ground.watched.app.emulator.control();
    control.arm(Rule::on("DELETE", "**/connections/*").then(Fault::Delay { ms: 1_200 }));
    let process = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let sweep = Sweep::new(
        state.store.clone(),
        state.clients.clone(),
        Arc::clone(&state.clock),
    );
    let (user, team, finding) = (ground.user.clone(), ground.team.clone(), ground.finding.clone());
    process.spawn(async move {
        sweep
            .delete(&Actor::operator("tests"), &user, &team, &finding)
            .await
    });
    ground
        .watched
        .eventually("the call is on its way", async || {
            let calls = ground.watched.changes_since(0);
            calls.iter().any(|call| call.method == "DELETE").then_some(())
        })
        .await;
    assert_eq!(ground.now().await.finding.state, FindingState::Deleting);
    process.shutdown_background();
    // Its lease is in force, so nobody touches the finding; a new process ends all leases of the old one.
    tokio::time::sleep(Duration::from_millis(2_600)).await;
    assert_eq!(ground.now().await.finding.state, FindingState::Deleting);
    let mut tx = state.store.begin().await.unwrap();
    store::leases::expire_all(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    ground.becomes(FindingState::Deleted).await;
    assert_eq!(ground.outcomes().await, ["deleted"]);
    let deletions = ground
        .watched
        .changes_since(0)
        .into_iter()
        .filter(|call| call.method == "DELETE");
    assert_eq!(deletions.count(), 1, "it was not sent again");
}
