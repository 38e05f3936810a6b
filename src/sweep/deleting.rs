//! Deleting one object on a person's word, and saying that one may stay.
//!
//! Everything is checked first, at the platform and in our records; then the intent is committed, the deletion sent
//! once, and the outcome committed. What a process leaves half-way is found out by reading the object.

use serde_json::{Value, json};

use super::objects::{carriers, collection};
use super::{Sweep, SweepError};
use crate::audit::{self, Actor, Change, Phase};
use crate::domain::setup::StepKind;
use crate::domain::{FindingState, Verdict, new_id};
use crate::platform::{Answer, Call, Lookup, Outcome, PlatformClient, PlatformError, Selector};
use crate::store::findings::{Finding, ListedFinding};
use crate::store::{self, StoreError, findings};

/// How long a deletion may take before it may be looked at as one that was left half-way, in milliseconds. Longer than
/// any call and its retries; the pause between two such looks too.
const LEASE_TTL_MS: i64 = 300_000;
/// Deletions left half-way that one round looks at.
const LEFT_HALF_WAY_MAX: i64 = 20;

/// How a person's word to delete an object was carried out.
#[derive(Debug)]
pub enum Deletion {
    /// The object is gone.
    Done,
    /// It was gone already; nothing was sent.
    AlreadyGone,
    /// It stays, for the reason given; nothing was sent.
    Kept(String),
    /// Whether it may go could not be found out; nothing was sent.
    CannotTell(PlatformError),
    /// The platform refused.
    Refused(PlatformError),
    /// Whether it is gone is not known yet; Headgate goes on looking.
    Unknown(PlatformError),
}

/// Why nothing was done at all.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The team has no such open finding.
    #[error("this finding is not there, or somebody has decided about it")]
    NoFinding,
    /// No client for the environment, or it belongs to another platform.
    #[error(transparent)]
    Environment(#[from] SweepError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What reading an object after its deletion told.
enum After {
    Gone,
    StillThere(String),
    NotKnown(PlatformError),
}

/// Whether objects of this kind can be deleted; Adobe documents no way to delete a mapping set.
pub(super) const fn can_be_deleted(verdict: Verdict, kind: StepKind) -> bool {
    !matches!(verdict, Verdict::Vanished)
        && !matches!(kind, StepKind::MappingSet | StepKind::DataLakeConnection)
}

impl Sweep {
    /// Whether a person can have the object of a finding deleted.
    pub fn can_delete(finding: &Finding) -> bool {
        can_be_deleted(finding.verdict, finding.object_kind)
    }

    /// Says that the object of a finding may stay as it is. False: the team has no such open finding.
    pub async fn dismiss(
        &self,
        actor: &Actor,
        user_id: &str,
        team_id: &str,
        finding_id: &str,
    ) -> Result<bool, StoreError> {
        let store = &self.inner.store;
        let Some(listed) = findings::by_id(store, team_id, finding_id).await? else {
            return Ok(false);
        };
        let (finding, now) = (&listed.finding, self.now());
        let mut tx = store.begin().await?;
        if !findings::dismiss(&mut tx, team_id, finding_id, user_id, now).await? {
            return Ok(false);
        }
        let change = Change::new("finding.dismissed", "finding", &finding.id, &finding.object_name)
            .after(told(finding, json!(null)));
        audit::record(&mut tx, actor, now, Some(team_id), &change).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Deletes the object of a finding at the platform, if nothing speaks against it.
    ///
    /// To be run in a task of its own: once begun, it must not be dropped half-way.
    pub async fn delete(
        &self,
        actor: &Actor,
        user_id: &str,
        team_id: &str,
        finding_id: &str,
    ) -> Result<Deletion, DeleteError> {
        let store = &self.inner.store;
        let listed = findings::by_id(store, team_id, finding_id).await?;
        let listed = listed
            .filter(|l| l.finding.state == FindingState::Open)
            .ok_or(DeleteError::NoFinding)?;
        let finding = &listed.finding;
        let environment = store::environments::by_id(store, team_id, &finding.environment_id).await?;
        let environment = environment
            .filter(|e| e.archived_at.is_none())
            .ok_or(DeleteError::NoFinding)?;
        let client = self.client(&environment)?;
        if let Some(deletion) = self.object_to(&client, &listed).await? {
            let (mut tx, now) = (store.begin().await?, self.now());
            match &deletion {
                Deletion::AlreadyGone => {
                    findings::settle(&mut tx, finding_id, Some(user_id), now).await?;
                }
                Deletion::Kept(reason) => findings::note_problem(&mut tx, finding_id, reason).await?,
                Deletion::CannotTell(error) => {
                    findings::note_problem(&mut tx, finding_id, &error.to_string()).await?;
                }
                Deletion::Done | Deletion::Refused(_) | Deletion::Unknown(_) => {}
            }
            tx.commit().await?;
            return Ok(deletion);
        }
        let Some(epoch) = self.begin(actor, user_id, finding).await? else {
            return self.why_not_begun(team_id, finding_id).await;
        };
        let call = Call::delete(finding.object_kind.into(), &finding.object_id);
        let answer = client.send(&call, &new_id()).await;
        let after = after_call(&client, finding, &answer).await;
        let call = json!({"status": answer.status, "request_id": answer.upstream_request_id});
        self.end(actor, finding, epoch, &after, call).await?;
        Ok(match (after, answer.outcome) {
            (After::Gone, _) => Deletion::Done,
            (After::NotKnown(error), _) => Deletion::Unknown(error),
            (
                After::StillThere(_),
                Outcome::Rejected(error) | Outcome::NotSent(error) | Outcome::Unknown(error),
            ) => Deletion::Refused(error),
            (After::StillThere(reason), Outcome::Confirmed { .. }) => Deletion::Kept(reason),
        })
    }

    /// What speaks against deleting, if anything does.
    async fn object_to(
        &self,
        client: &PlatformClient,
        listed: &ListedFinding,
    ) -> Result<Option<Deletion>, StoreError> {
        let finding = &listed.finding;
        let kept = |reason: &str| Ok(Some(Deletion::Kept(reason.to_owned())));
        if !can_be_deleted(finding.verdict, finding.object_kind) {
            return kept("Adobe documents no way to delete it.");
        }
        if listed.used_id.as_ref() == Some(&finding.object_id) {
            return kept("The setup uses it.");
        }
        let found = match client
            .object(finding.object_kind.into(), &finding.object_id)
            .await
        {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(Some(Deletion::AlreadyGone)),
            Err(error) => return Ok(Some(Deletion::CannotTell(error))),
        };
        let carried = carriers(collection(finding.object_kind), &found);
        if carried.iter().all(|carrier| carrier.marker != finding.marker) {
            return kept(
                "It no longer carries the mark of Headgate: somebody has changed it since it was found.",
            );
        }
        if finding.verdict == Verdict::Duplicate && listed.used_id.is_none() {
            match self.has_twin(client, finding).await? {
                Ok(true) => {}
                Ok(false) => {
                    return kept("It is the only object left with this mark: the setup will go on with it.");
                }
                Err(error) => return Ok(Some(Deletion::CannotTell(error))),
            }
        }
        Ok(match free_to_go(client, finding).await {
            Ok(None) => None,
            Ok(Some(reason)) => Some(Deletion::Kept(reason)),
            Err(error) => Some(Deletion::CannotTell(error)),
        })
    }

    /// Whether another object carries the marker too.
    async fn has_twin(
        &self,
        client: &PlatformClient,
        finding: &Finding,
    ) -> Result<Result<bool, PlatformError>, StoreError> {
        let Some((setup_id, step)) = finding.setup_id.as_ref().zip(finding.step) else {
            return Ok(Ok(false));
        };
        let rows = store::setups::steps(&self.inner.store, setup_id).await?;
        let Some(row) = rows.into_iter().find(|row| row.kind == step) else {
            return Ok(Ok(false));
        };
        let sent: Value =
            serde_json::from_str(row.sent_body.as_deref().unwrap_or(&row.body)).unwrap_or_default();
        let Some(selector) = Selector::of_step(step, &row.marker, &sent) else {
            return Ok(Ok(false));
        };
        Ok(match client.find(step.into(), &selector).await {
            Lookup::Complete(found) => Ok(found.iter().any(|other| {
                let carried = carriers(collection(step), other);
                other.id != finding.object_id
                    && carried.iter().any(|carrier| carrier.marker == finding.marker)
            })),
            Lookup::Incomplete(error) => Err(error),
        })
    }

    /// Commits the intent. None: something changed since it was checked, and nothing was committed.
    async fn begin(
        &self,
        actor: &Actor,
        user_id: &str,
        finding: &Finding,
    ) -> Result<Option<i64>, StoreError> {
        let now = self.now();
        let mut tx = self.inner.store.begin().await?;
        let lease = lease_name(&finding.id);
        let epoch = store::leases::acquire(&mut tx, &lease, &self.inner.holder, now, LEASE_TTL_MS).await?;
        let begun = findings::begin_deleting(&mut tx, &finding.team_id, &finding.id, user_id, now).await?;
        let Some(epoch) = epoch.filter(|_| begun) else {
            return Ok(None);
        };
        let intent = Change::new("finding.deleted", "finding", &finding.id, &finding.object_name)
            .after(told(finding, json!(null)))
            .phase(Phase::Intent);
        audit::record(&mut tx, actor, now, Some(&finding.team_id), &intent).await?;
        tx.commit().await?;
        Ok(Some(epoch))
    }

    async fn why_not_begun(&self, team_id: &str, finding_id: &str) -> Result<Deletion, DeleteError> {
        let now = findings::by_id(&self.inner.store, team_id, finding_id).await?;
        if now.is_none_or(|listed| listed.finding.state != FindingState::Open) {
            return Err(DeleteError::NoFinding);
        }
        let reason = "A setup uses it, or another object with the same mark is being deleted at this moment.";
        Ok(Deletion::Kept(reason.to_owned()))
    }

    /// Commits the outcome, if there is one. Whoever took the deletion over meanwhile has the say.
    async fn end(
        &self,
        actor: &Actor,
        finding: &Finding,
        epoch: i64,
        after: &After,
        call: Value,
    ) -> Result<(), StoreError> {
        let (outcome, result) = match after {
            After::Gone => (Ok(self.now()), json!({"result": "deleted", "call": call})),
            After::StillThere(problem) => (
                Err(problem.as_str()),
                json!({"result": "delete_failed", "problem": problem, "call": call}),
            ),
            After::NotKnown(_) => return Ok(()),
        };
        let lease = lease_name(&finding.id);
        let mut tx = self.inner.store.begin().await?;
        store::leases::check(&mut tx, &lease, epoch).await?;
        findings::end_deleting(&mut tx, &finding.id, outcome).await?;
        let change = Change::new("finding.deleted", "finding", &finding.id, &finding.object_name)
            .after(told(finding, result))
            .phase(Phase::Outcome);
        audit::record(&mut tx, actor, self.now(), Some(&finding.team_id), &change).await?;
        store::leases::release(&mut tx, &lease, &self.inner.holder, epoch).await?;
        tx.commit().await
    }

    /// Looks at deletions that a process has left half-way: what is gone was deleted, what is there is open again.
    /// Nothing is sent again.
    ///
    /// # Errors
    /// The database. A platform that does not answer is asked again later.
    pub async fn finish_deletions(&self) -> Result<(), SweepError> {
        let store = &self.inner.store;
        for finding in findings::deleting(store, LEFT_HALF_WAY_MAX).await? {
            let mut tx = store.begin().await?;
            let (lease, holder) = (lease_name(&finding.id), &self.inner.holder);
            let epoch = store::leases::acquire(&mut tx, &lease, holder, self.now(), LEASE_TTL_MS).await?;
            tx.commit().await?;
            let Some(epoch) = epoch else { continue };
            let environment = store::environments::any_by_id(store, &finding.environment_id).await?;
            let Some(environment) = environment else { continue };
            let Ok(client) = self.client(&environment) else {
                continue;
            };
            let why = "Headgate stopped before it knew what came of the deletion; the object is still there.";
            let after = read_after(&client, &finding, why).await;
            self.end(&Actor::itself("sweep"), &finding, epoch, &after, json!(null))
                .await?;
        }
        Ok(())
    }
}

fn lease_name(finding_id: &str) -> String {
    format!("finding:{finding_id}")
}

/// What the audit trail keeps: the object, and what came of it.
fn told(finding: &Finding, result: Value) -> Value {
    let mut told = json!({
        "step": finding.object_kind,
        "object_id": finding.object_id,
        "verdict": finding.verdict,
        "marker": finding.marker,
        "environment_id": finding.environment_id,
        "setup_id": finding.setup_id,
    });
    if let (Some(told), Some(result)) = (told.as_object_mut(), result.as_object()) {
        told.extend(result.clone());
    }
    told
}

/// Why an object must stay; none: nothing is built on it.
async fn free_to_go(client: &PlatformClient, finding: &Finding) -> Result<Option<String>, PlatformError> {
    let users = client
        .users_of(finding.object_kind.into(), &finding.object_id)
        .await?;
    if !users.is_empty() {
        return Ok(Some(format!(
            "It is used by {}. Delete that first.",
            users.join(", ")
        )));
    }
    let holds_data =
        finding.object_kind == StepKind::Dataset && client.dataset_batches(&finding.object_id).await? > 0;
    Ok(holds_data.then(|| "It holds data. Headgate never deletes data.".to_owned()))
}

/// What an answer to a deletion means. One that is no answer is found out by reading.
async fn after_call(client: &PlatformClient, finding: &Finding, answer: &Answer) -> After {
    match &answer.outcome {
        Outcome::Confirmed { .. } => After::Gone,
        Outcome::Rejected(error) if error.is_not_found() => After::Gone,
        Outcome::Rejected(error) | Outcome::NotSent(error) => After::StillThere(error.to_string()),
        Outcome::Unknown(error) => {
            let why = format!("{error} Read again, the object is still there.");
            read_after(client, finding, &why).await
        }
    }
}

async fn read_after(client: &PlatformClient, finding: &Finding, still_there: &str) -> After {
    match client
        .object(finding.object_kind.into(), &finding.object_id)
        .await
    {
        Ok(_) => After::StillThere(still_there.to_owned()),
        Err(error) if error.is_not_found() => After::Gone,
        Err(error) => After::NotKnown(error),
    }
}
