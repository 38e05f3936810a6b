//! One environment as a whole: every collection is read, every marker is compared with our records.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::TryStreamExt;
use tokio_util::sync::CancellationToken;

use super::judging::{self, Judgement, Look};
use super::objects::{COLLECTIONS, carriers};
use super::recording::Vanished;
use super::{Sweep, SweepError, unless_stopping};
use crate::domain::DAY_MS;
use crate::domain::setup::StepKind;
use crate::platform::{PlatformClient, PlatformError};
use crate::store::environments::Environment;
use crate::store::sweeps::MarkedStep;
use crate::store::{self};

/// How long after a setup was done its objects are missed, in milliseconds.
const MISSED_FOR_MS: i64 = 30 * DAY_MS;
/// Objects that one look reads one by one at most, because a list no longer shows them. The others come next time.
const READ_BY_ID_MAX: usize = 300;

/// A look that could not see everything, for a reason that may pass, is repeated after this.
const RETRY_AFTER_MS: i64 = 3_600_000;
/// The daily look moves by a random part of this, so that environments do not gather at one time.
const JITTER_MS: i64 = 3_600_000;

/// How a look at an environment went.
#[derive(Debug, Default)]
pub struct Swept {
    /// The collections that could not be read to their end, and why. Nothing was concluded from their gaps.
    pub unread: Vec<(StepKind, SweepError)>,
}

impl Sweep {
    /// Reads an environment once, as a whole, and records what does not fit and when its next turn is. Nothing is
    /// changed at the platform.
    ///
    /// # Errors
    /// The environment is gone, the database, or the server is stopping. A platform that does not answer is no error:
    /// see [`Swept::unread`].
    pub async fn environment(
        &self,
        environment_id: &str,
        stop: &CancellationToken,
    ) -> Result<Swept, SweepError> {
        let store = &self.inner.store;
        let environment = store::environments::any_by_id(store, environment_id).await?;
        let environment = environment.ok_or(SweepError::Gone)?;
        let (look, unread) = self.look_through(&environment, stop).await?;
        let markers: HashSet<&str> = look
            .carriers
            .iter()
            .map(|carrier| carrier.marker.as_str())
            .collect();
        let markers: Vec<&str> = markers.into_iter().collect();
        let owners = store::sweeps::by_marker(store, &markers).await?;
        let made = store::sweeps::made_since(
            store,
            environment_id,
            &environment.platform_origin,
            look.begun_at - MISSED_FOR_MS,
        )
        .await?;
        let standing = store::findings::standing_in(store, environment_id).await?;
        let judgement = judging::judge(&look, environment_id, &owners, &made, &standing);
        let vanished = self.confirm_missing(&environment, &judgement, stop).await?;
        self.record(&environment, look.begun_at, &judgement, &vanished)
            .await?;
        let mut tx = store.begin().await?;
        for kind in COLLECTIONS {
            let problem = unread
                .iter()
                .find(|(unread, _)| *unread == kind)
                .map(|(_, error)| problem_of(error));
            let outcome = problem.as_deref().map_or(Ok(()), Err);
            store::sweeps::record_collection(&mut tx, environment_id, kind, outcome, self.now()).await?;
        }
        let (swept, now) = (Swept { unread }, self.now());
        store::sweeps::end(&mut tx, environment_id, now, now + swept.pause_ms()).await?;
        tx.commit().await?;
        Ok(swept)
    }

    /// Reads all collections, one after the other.
    async fn look_through(
        &self,
        environment: &Environment,
        stop: &CancellationToken,
    ) -> Result<(Look, Vec<(StepKind, SweepError)>), SweepError> {
        let mut look = Look {
            begun_at: self.now(),
            ..Look::default()
        };
        let mut unread = Vec::new();
        for kind in COLLECTIONS {
            let read = match self.client(environment) {
                Ok(client) => read_collection(&client, kind, &mut look, stop).await,
                Err(error) => Err(error),
            };
            match read {
                Ok(()) => {
                    look.complete.insert(kind);
                }
                Err(SweepError::Stopping) => return Err(SweepError::Stopping),
                Err(error) => {
                    tracing::warn!(environment = %environment.name, collection = %kind, %error, "cannot look through a collection");
                    unread.push((kind, error));
                }
            }
        }
        Ok((look, unread))
    }

    /// Reads the objects that a list no longer shows. Only a definite "there is none" says that one is gone.
    pub(super) async fn confirm_missing(
        &self,
        environment: &Environment,
        judgement: &Judgement,
        stop: &CancellationToken,
    ) -> Result<Vec<Vanished>, SweepError> {
        if judgement.missing.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.client(environment)?;
        let mut vanished = Vec::new();
        for step in judgement.missing.iter().take(READ_BY_ID_MAX) {
            let Some(id) = &step.object_id else { continue };
            match unless_stopping(stop, client.object(step.kind.into(), id)).await {
                Err(SweepError::Platform(error)) if error.is_not_found() => {
                    vanished.push(self.vanished(step, id).await?);
                }
                Err(SweepError::Stopping) => return Err(SweepError::Stopping),
                // It is there, without its marker or behind a list that lags; or it cannot be said.
                Ok(_) | Err(_) => {}
            }
        }
        Ok(vanished)
    }

    async fn vanished(&self, step: &MarkedStep, id: &str) -> Result<Vanished, SweepError> {
        let rows = store::setups::steps(&self.inner.store, &step.setup_id).await?;
        let row = rows.into_iter().find(|row| row.kind == step.kind);
        let sent: serde_json::Value = row
            .and_then(|row| serde_json::from_str(row.sent_body.as_deref().unwrap_or(&row.body)).ok())
            .unwrap_or_default();
        let name = sent["name"].as_str().or_else(|| sent["title"].as_str());
        Ok(Vanished {
            step: step.clone(),
            object_id: id.to_owned(),
            name: name.unwrap_or_default().to_owned(),
        })
    }
}

async fn read_collection(
    client: &PlatformClient,
    kind: StepKind,
    look: &mut Look,
    stop: &CancellationToken,
) -> Result<(), SweepError> {
    let mut pages = pin!(client.inventory(kind.into()));
    let listed = look.listed.entry(kind).or_default();
    while let Some(page) = unless_stopping(stop, pages.try_next()).await? {
        for found in page.items {
            // Pages that overlap bring an object twice.
            if listed.insert(found.id.clone()) {
                look.carriers.extend(carriers(kind, &found));
            }
        }
    }
    Ok(())
}

/// The reason as it is shown, in not more than so many characters.
pub(super) fn problem_of(error: &SweepError) -> String {
    error.to_string().chars().take(600).collect()
}

impl Swept {
    /// How long to the next look, in milliseconds. A list that is too long stays so; anything else may pass.
    fn pause_ms(&self) -> i64 {
        let stays =
            |error: &SweepError| matches!(error, SweepError::Platform(PlatformError::Incomplete { .. }));
        if self.unread.iter().all(|(_, error)| stays(error)) {
            DAY_MS - fastrand::i64(0..JITTER_MS)
        } else {
            RETRY_AFTER_MS
        }
    }
}
