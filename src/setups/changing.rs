//! Changing the answers of a setup that asks, and going on: what exists stays, the rest is planned anew.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::Setups;
use super::journal::{Note, Taken};
use super::people::PersonError;
use super::start::{ResolvedDraft, StartError, resolve_recipe, setup_secret, step_row};
use crate::audit::Actor;
use crate::domain::Problem;
use crate::domain::recipe::{Recipe, SecretSource, auth_secret_field, parameter_secret_field};
use crate::domain::setup::{Event, PlannedStep, StepKind, tag_of};
use crate::store::drafts::Draft;
use crate::store::secrets::{Secret, SecretOwner};
use crate::store::setups::Step;
use crate::store::{self, StoreError, WriteTx};
use crate::vault::{Place, Sealed, VaultError};

/// What a person typed in place of the earlier answers.
#[derive(Debug)]
pub struct NewAnswers {
    /// The recipe with its blanks.
    pub recipe: Recipe,
    /// The answers that are not secret.
    pub answers: BTreeMap<String, String>,
    /// Secrets that were typed, by form field; the others stay as they are.
    pub secrets: BTreeMap<String, SecretString>,
}

/// Why the answers were not changed. Nothing was changed or sent.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Some of the answers do not fit.
    #[error("the form has mistakes")]
    Mistakes(Vec<Problem>),
    /// The change would need objects to be other than they were made.
    #[error("objects that exist would have to be different")]
    Exists(Vec<StepKind>),
    /// A secret that is needed is not stored any more.
    #[error("the secret {0} is not stored any more and must be entered again")]
    SecretMissing(String),
    /// A secret cannot be opened or sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The setup cannot be changed now.
    #[error(transparent)]
    Person(#[from] PersonError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::Person(error.into())
    }
}

impl From<StartError> for ChangeError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Mistakes(mistakes) => Self::Mistakes(mistakes),
            StartError::SecretMissing(field) => Self::SecretMissing(field),
            StartError::Vault(error) => Self::Vault(error),
            StartError::Store(error) => error.into(),
            StartError::NoDraft => Self::Person(PersonError::NoSetup),
            StartError::Damaged | StartError::QueueFull(_) => Self::Person(PersonError::Damaged),
        }
    }
}

/// Another plan for the steps of which nothing exists.
#[derive(Debug)]
pub(super) struct Replan {
    resolved: ResolvedDraft,
    rows: Vec<Step>,
    secrets: Vec<Secret>,
    /// The form with the new answers, so that it comes back filled in the next time.
    draft: Draft,
}

impl Setups {
    /// Puts other answers in place of those of a setup that asks, and sets it going again.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing was changed.
    pub async fn change(
        &self,
        actor: &Actor,
        user_id: &str,
        (team_id, setup_id): (&str, &str),
        new: NewAnswers,
    ) -> Result<(), ChangeError> {
        let lease = self.lease_soon(team_id, setup_id).await?;
        let changed = async {
            let mut taken = self.taken_by(actor, user_id, setup_id, &lease).await?;
            let replan = self.replan(&taken, user_id, new).await?;
            let plan = replan.rows.iter().map(needs_of).collect::<Result<_, _>>()?;
            let note = Note {
                audited_as: Some("setup.changed"),
                audited_after: Some(json!({
                    "recipe": replan.resolved.recipe,
                    "answers": replan.resolved.answers,
                })),
                ..Note::default()
            };
            let events = vec![(Event::Changed(plan), note)];
            let recorded = taken.record_with(self, events, Some(replan)).await;
            Ok(recorded.map_err(PersonError::from)?)
        };
        let changed = changed.await;
        lease.give_up(self).await;
        self.wake();
        changed
    }

    /// The answers of a setup as they are, without secrets.
    ///
    /// # Errors
    /// [`PersonError`].
    pub async fn answers(&self, (team_id, setup_id): (&str, &str)) -> Result<NewAnswers, PersonError> {
        let setup = store::setups::by_id(&self.inner.store, team_id, setup_id).await?;
        let setup = setup.ok_or(PersonError::NoSetup)?;
        let draft = store::drafts::by_id(&self.inner.store, team_id, &setup.draft_id).await?;
        let draft = draft.ok_or(PersonError::Damaged)?;
        let damaged = |_| PersonError::Damaged;
        Ok(NewAnswers {
            recipe: serde_json::from_str(&draft.recipe).map_err(damaged)?,
            answers: serde_json::from_str(&draft.answers).map_err(damaged)?,
            secrets: BTreeMap::new(),
        })
    }

    async fn replan(&self, taken: &Taken, user_id: &str, new: NewAnswers) -> Result<Replan, ChangeError> {
        let setup = &taken.setup;
        let now = self.inner.clock.now_ms();
        let draft = store::drafts::by_id(&self.inner.store, &setup.team_id, &setup.draft_id).await?;
        let draft = Draft {
            recipe: json!(new.recipe).to_string(),
            answers: json!(new.answers).to_string(),
            updated_at: now,
            ..draft.ok_or(PersonError::NoSetup)?
        };
        let resolved = resolve_recipe(&new.recipe, &new.answers, now)?;
        let tag = taken.rows.first().and_then(|row| tag_of(&row.marker));
        let planned = resolved.plan(tag.ok_or(PersonError::Damaged)?);
        let rows = replanned(taken, &planned, &resolved.recipe)?;
        let needs_secrets = rows.iter().any(|row| {
            row.kind == StepKind::BaseConnection
                && taken.machine.step(row.kind).is_none_or(|step| step.may_change())
        });
        let secrets = if needs_secrets {
            self.changed_secrets(taken, &draft, &resolved, &new.secrets, user_id)
                .await?
        } else if new.secrets.is_empty() {
            Vec::new()
        } else {
            // The connection has the earlier secret; a new one must not be dropped silently.
            return Err(ChangeError::Exists(vec![StepKind::BaseConnection]));
        };
        Ok(Replan {
            resolved,
            rows,
            secrets,
            draft,
        })
    }

    /// The secrets that have to be sealed anew: those that were typed, and those that the setup does not hold yet.
    async fn changed_secrets(
        &self,
        taken: &Taken,
        draft: &Draft,
        resolved: &ResolvedDraft,
        typed: &BTreeMap<String, SecretString>,
        user_id: &str,
    ) -> Result<Vec<Secret>, ChangeError> {
        let (store, now) = (&self.inner.store, self.inner.clock.now_ms());
        let held = store::secrets::list(store, SecretOwner::Setup, &taken.setup.id).await?;
        let of_version = match &draft.template_version_id {
            Some(id) => store::secrets::list(store, SecretOwner::TemplateVersion, id).await?,
            None => Vec::new(),
        };
        // A stored secret goes only where it was meant to go: whoever changes the connection enters it again.
        let before: Recipe = serde_json::from_str(&taken.setup.recipe).map_err(|_| PersonError::Damaged)?;
        let goes_elsewhere = before.goes_elsewhere(&resolved.recipe);
        let mut secrets = Vec::new();
        for (key, source) in &resolved.sources {
            let field = auth_secret_field(key);
            let asked = match source {
                SecretSource::Stored => field.clone(),
                SecretSource::Parameter { name } => parameter_secret_field(name),
            };
            let value = if let Some(value) = typed.get(&asked) {
                value.clone()
            } else if goes_elsewhere {
                return Err(ChangeError::SecretMissing(asked));
            } else if held.iter().any(|secret| secret.field == field) {
                continue;
            } else if let Some(stored) = of_version.iter().find(|secret| secret.field == asked) {
                let sealed = Sealed::from_stored(stored.sealed.clone());
                self.inner.vault.open(&Place::secret(&stored.id), &sealed)?
            } else {
                return Err(ChangeError::SecretMissing(asked));
            };
            secrets.push(setup_secret(
                &self.inner.vault,
                &taken.setup.id,
                field,
                &value,
                (user_id, now),
            )?);
        }
        Ok(secrets)
    }
}

/// The rows of the new plan. What exists, or may exist, must be planned just as it was sent.
fn replanned(taken: &Taken, planned: &[PlannedStep], recipe: &Recipe) -> Result<Vec<Step>, ChangeError> {
    let may_change = |kind| taken.machine.step(kind).is_none_or(|step| step.may_change());
    let mut different: Vec<StepKind> = Vec::new();
    let mut rows = Vec::new();
    for (position, step) in planned.iter().enumerate() {
        let new = step_row(&taken.setup.id, position, step)?;
        match taken.row(step.kind) {
            Some(row) if !may_change(step.kind) => {
                if !is_as_it_was(&new, row, recipe) {
                    different.push(step.kind);
                }
                rows.push(row.clone());
            }
            // What was sent last is how an object of it would be found.
            old => rows.push(Step {
                sent_body: old.and_then(|row| row.sent_body.clone()),
                ..new
            }),
        }
    }
    let dropped = |row: &&Step| planned.iter().all(|step| step.kind != row.kind) && !may_change(row.kind);
    different.extend(taken.rows.iter().filter(dropped).map(|row| row.kind));
    if different.is_empty() {
        Ok(rows)
    } else {
        Err(ChangeError::Exists(different))
    }
}

/// Whether a step is planned as it was sent. A name that only follows the dataflow's is no difference: what exists
/// keeps the one it has.
fn is_as_it_was(new: &Step, old: &Step, recipe: &Recipe) -> bool {
    let follows = match new.kind {
        StepKind::BaseConnection | StepKind::SourceConnection | StepKind::TargetConnection => Some("name"),
        StepKind::Dataset if recipe.names_dataset_after_flow() => Some("name"),
        StepKind::Schema if recipe.names_schema_after_flow() => Some("title"),
        _ => None,
    };
    let told = |text: &str| {
        let mut body: Value = serde_json::from_str(text).ok()?;
        if let (Some(name), Some(members)) = (follows, body.as_object_mut()) {
            members.remove(name);
        }
        Some(body)
    };
    let same_body = told(&new.body).is_some_and(|body| Some(body) == told(&old.body));
    same_body && (&new.path, &new.query) == (&old.path, &old.query)
}

fn needs_of(row: &Step) -> Result<(StepKind, Vec<StepKind>), ChangeError> {
    let needs = serde_json::from_str(&row.needs).map_err(|_| PersonError::Damaged)?;
    Ok((row.kind, needs))
}

impl Replan {
    /// Puts the new plan in place in memory.
    pub(super) fn apply_to(&self, taken: &mut Taken) {
        taken.rows.clone_from(&self.rows);
        let setup = &mut taken.setup;
        setup.flow_name.clone_from(&self.resolved.recipe.flow_name);
        setup.recipe = json!(self.resolved.recipe).to_string();
        setup.answers = json!(self.resolved.answers).to_string();
    }

    /// Saves what only a new plan changes; `before` is the setup as it was.
    pub(super) async fn save(&self, tx: &mut WriteTx, before: &Taken) -> Result<(), StoreError> {
        for row in &before.rows {
            if self.rows.iter().all(|kept| kept.kind != row.kind) {
                store::setups::drop_step(tx, &row.setup_id, row.kind).await?;
            }
        }
        for secret in &self.secrets {
            store::secrets::put(tx, secret).await?;
        }
        store::drafts::update(tx, &self.draft).await?;
        Ok(())
    }
}
