//! From a draft to a setup: everything in one transaction, nothing at the platform.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::Setups;
use crate::audit::{self, Actor, Change};
use crate::domain::connector::{Connector, connector};
use crate::domain::recipe::{
    Recipe, SecretSource, auth_secret_field, check_answers, check_final_texts, parameter_secret_field,
    resolve,
};
use crate::domain::setup::{PlannedStep, SetupState, StepState, plan};
use crate::domain::{Problem, new_id, new_tag};
use crate::store::drafts::Draft;
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::setups::{Setup, Step};
use crate::store::{self, StoreError, WriteTx};
use crate::vault::{KeyRing, Place, Sealed, VaultError};

/// Why a draft cannot become a setup. Nothing was changed or sent.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such draft in the team.
    #[error("this form is no longer there")]
    NoDraft,
    /// Some of the answers do not fit any more.
    #[error("the form has mistakes")]
    Mistakes(Vec<Problem>),
    /// A secret that the dataflow needs is gone.
    #[error("the secret {0} is not stored any more and must be entered again")]
    SecretMissing(String),
    /// A stored secret cannot be opened, or a new one not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Too many setups wait already.
    #[error("{0}")]
    QueueFull(QueueFull),
    /// The stored form cannot be read.
    #[error("the stored form cannot be read by this version")]
    Damaged,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many setups may be unfinished, of all teams together.
const QUEUE_MAX: i64 = 200;
/// How many setups of one person may wait for their beginning.
const QUEUED_PER_PERSON_MAX: i64 = 5;

/// Which queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueFull {
    /// That of the whole server.
    #[error("{QUEUE_MAX} setups are being worked on or wait already")]
    Server,
    /// That of this person.
    #[error("{QUEUED_PER_PERSON_MAX} of your setups wait for their beginning already")]
    Person,
}

/// A draft with every blank filled in.
#[derive(Debug)]
pub struct ResolvedDraft {
    /// Without blanks, without secrets.
    pub recipe: Recipe,
    /// Where each secret of `auth.params` comes from.
    pub sources: BTreeMap<String, SecretSource>,
    /// The answers that are not secret.
    pub answers: BTreeMap<String, String>,
    /// Its kind of source.
    pub connector: &'static Connector,
}

impl ResolvedDraft {
    /// The calls that would be made, under markers that begin with `tag`.
    pub fn plan(&self, tag: &str) -> Vec<PlannedStep> {
        plan(&self.recipe, self.connector, tag)
    }
}

/// Reads a draft and fills in its blanks; `now_ms` (UTC epoch milliseconds) decides whether its start has passed.
///
/// # Errors
/// [`StartError::Mistakes`] or [`StartError::Damaged`].
pub fn resolve_draft(draft: &Draft, now_ms: i64) -> Result<ResolvedDraft, StartError> {
    let recipe: Recipe = serde_json::from_str(&draft.recipe).map_err(|_| StartError::Damaged)?;
    let answers: BTreeMap<String, String> =
        serde_json::from_str(&draft.answers).map_err(|_| StartError::Damaged)?;
    resolve_recipe(&recipe, &answers, now_ms)
}

/// The same for a recipe and answers that stand on their own.
pub(super) fn resolve_recipe(
    recipe: &Recipe,
    answers: &BTreeMap<String, String>,
    now_ms: i64,
) -> Result<ResolvedDraft, StartError> {
    let connector = connector(&recipe.connector).ok_or(StartError::Damaged)?;
    let mut mistakes = check_answers(&recipe.parameters, answers);
    let sources = recipe.secret_sources();
    match resolve(recipe, answers) {
        Ok(resolved) => {
            mistakes.extend(check_final_texts(&resolved));
            mistakes.extend(resolved.schedule.problems(now_ms));
            if mistakes.is_empty() {
                return Ok(ResolvedDraft {
                    recipe: resolved,
                    sources,
                    answers: answers.clone(),
                    connector,
                });
            }
        }
        Err(problems) => mistakes.extend(problems),
    }
    Err(StartError::Mistakes(mistakes))
}

impl Setups {
    /// Makes a setup of a draft and sets it going. A draft that became a setup before gives that one's id again,
    /// however often and however close together its form is sent.
    pub async fn start(
        &self,
        actor: &Actor,
        user_id: &str,
        team_id: &str,
        draft_id: &str,
    ) -> Result<String, StartError> {
        let store = &self.inner.store;
        if let Some(earlier) = store::setups::by_draft(store, team_id, draft_id).await? {
            return Ok(earlier.id);
        }
        match self.start_anew(actor, user_id, team_id, draft_id).await {
            Ok(id) => Ok(id),
            // The same form may have arrived a moment earlier: then that setup has the draft and its secrets.
            Err(error) => match store::setups::by_draft(store, team_id, draft_id).await? {
                Some(earlier) => Ok(earlier.id),
                None => Err(error),
            },
        }
    }

    async fn start_anew(
        &self,
        actor: &Actor,
        user_id: &str,
        team_id: &str,
        draft_id: &str,
    ) -> Result<String, StartError> {
        let store = &self.inner.store;
        let draft = store::drafts::by_id(store, team_id, draft_id)
            .await?
            .ok_or(StartError::NoDraft)?;
        let now = self.inner.clock.now_ms();
        let resolved = resolve_draft(&draft, now)?;
        let setup = setup_row(&draft, &resolved, user_id, now)?;
        let steps = step_rows(&setup.id, &resolved.plan(&new_tag()))?;
        let secrets = self.gather_secrets(&draft, &resolved).await?;
        let mut tx = store.begin().await?;
        check_queue(&mut tx, user_id).await?;
        store::setups::insert(&mut tx, &setup, &steps).await?;
        for (field, value) in secrets {
            let secret = setup_secret(&self.inner.vault, &setup.id, field, &value, (user_id, now))?;
            store::secrets::put(&mut tx, &secret).await?;
        }
        let after = json!({
            "environment_id": setup.environment_id,
            "template_version_id": setup.template_version_id,
            "recipe": resolved.recipe,
            "answers": resolved.answers,
            "steps": steps.iter().map(|step| step.kind).collect::<Vec<_>>(),
        });
        let change = Change::new("setup.started", "setup", &setup.id, &setup.flow_name).after(after);
        audit::record(&mut tx, actor, now, Some(team_id), &change).await?;
        store::secrets::delete_for(&mut tx, SecretOwner::Draft, &draft.id).await?;
        tx.commit().await?;
        self.changed(&setup.id);
        self.wake();
        Ok(setup.id)
    }

    /// Opens every secret that the setup needs: typed into the form, or stored with the template's version.
    async fn gather_secrets(
        &self,
        draft: &Draft,
        resolved: &ResolvedDraft,
    ) -> Result<Vec<(String, SecretString)>, StartError> {
        let store = &self.inner.store;
        let mut stored = store::secrets::list(store, SecretOwner::Draft, &draft.id).await?;
        if let Some(version_id) = &draft.template_version_id {
            stored.extend(store::secrets::list(store, SecretOwner::TemplateVersion, version_id).await?);
        }
        let mut secrets = Vec::new();
        for (key, source) in &resolved.sources {
            let wanted = match source {
                SecretSource::Stored => auth_secret_field(key),
                SecretSource::Parameter { name } => parameter_secret_field(name),
            };
            let found = stored.iter().find(|secret| secret.field == wanted);
            let secret = found.ok_or(StartError::SecretMissing(wanted))?;
            let value = self.inner.vault.open(
                &Place::secret(&secret.id),
                &Sealed::from_stored(secret.sealed.clone()),
            )?;
            secrets.push((auth_secret_field(key), value));
        }
        Ok(secrets)
    }
}

/// Refuses what would have to wait too long, before anything of it is kept.
async fn check_queue(tx: &mut WriteTx, user_id: &str) -> Result<(), StartError> {
    let (unfinished, queued_by_person) = store::setups::queue(tx, user_id).await?;
    if unfinished >= QUEUE_MAX {
        return Err(StartError::QueueFull(QueueFull::Server));
    }
    if queued_by_person >= QUEUED_PER_PERSON_MAX {
        return Err(StartError::QueueFull(QueueFull::Person));
    }
    Ok(())
}

/// A secret sealed for a setup.
pub(super) fn setup_secret(
    vault: &KeyRing,
    setup_id: &str,
    field: String,
    value: &SecretString,
    (user_id, now): (&str, i64),
) -> Result<Secret, VaultError> {
    let id = new_id();
    Ok(Secret {
        sealed: vault.seal(&Place::secret(&id), value)?.as_str().to_owned(),
        fingerprint: vault.fingerprint(value),
        id,
        owner_kind: SecretOwner::Setup,
        owner_id: setup_id.to_owned(),
        field,
        set_by: user_id.to_owned(),
        set_at: now,
    })
}

fn setup_row(draft: &Draft, resolved: &ResolvedDraft, user_id: &str, now: i64) -> Result<Setup, StartError> {
    let json = |value: &Value| value.to_string();
    Ok(Setup {
        id: new_id(),
        team_id: draft.team_id.clone(),
        environment_id: draft.environment_id.clone(),
        template_version_id: draft.template_version_id.clone(),
        draft_id: draft.id.clone(),
        flow_name: resolved.recipe.flow_name.clone(),
        state: SetupState::Queued,
        question: None,
        question_detail: None,
        undoing: false,
        retry_at: None,
        recipe: json(&json!(resolved.recipe)),
        answers: json(&json!(resolved.answers)),
        flow_id: None,
        started_by: user_id.to_owned(),
        driven_by: user_id.to_owned(),
        platform_origin: None,
        created_at: now,
        updated_at: now,
        finished_at: None,
    })
}

fn step_rows(setup_id: &str, planned: &[PlannedStep]) -> Result<Vec<Step>, StartError> {
    let row = |(position, step): (usize, &PlannedStep)| step_row(setup_id, position, step);
    planned.iter().enumerate().map(row).collect()
}

/// A planned step that was not sent.
pub(super) fn step_row(setup_id: &str, position: usize, step: &PlannedStep) -> Result<Step, StartError> {
    Ok(Step {
        setup_id: setup_id.to_owned(),
        kind: step.kind,
        position: i64::try_from(position).map_err(|_| StartError::Damaged)?,
        needs: json!(step.needs).to_string(),
        marker: step.marker.clone(),
        method: "POST".to_owned(),
        path: step.path.to_owned(),
        query: json!(step.query).to_string(),
        body: step.body.to_string(),
        state: StepState::Planned,
        attempt: 0,
        looks: 0,
        failed_looks: 0,
        object_id: None,
        etag: None,
        adopted: false,
        sent_body: None,
        request_hash: None,
        sent_at: None,
        unclear_at: None,
        deletions: 0,
        answered_at: None,
        retry_at: None,
        answer_status: None,
        answer: None,
        problem: None,
        upstream_request_id: None,
    })
}
