//! What one setup has made, counted once after it has finished, by filters that Adobe documents.

use std::collections::HashSet;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::judging::{self, Look};
use super::objects::{carriers, collection};
use super::{Sweep, SweepError, unless_stopping};
use crate::domain::Verdict;
use crate::domain::setup::{SetupState, StepKind, StepState};
use crate::platform::{Lookup, PlatformClient, Selector};
use crate::store::findings::Finding;
use crate::store::setups::Step;
use crate::store::sweeps::MarkedStep;
use crate::store::{self};

/// What a count of a setup's objects is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Nothing can be added any more.
    ForGood,
    /// A call was sent more than once, or never answered: an object may still turn up.
    MayGrow,
}

impl Sweep {
    /// Counts the markers of a setup's steps at the platform and records what does not fit. Nothing is changed there.
    ///
    /// # Errors
    /// When not every step could be looked for: what was found is recorded, and nothing is concluded from the rest.
    pub async fn setup(&self, setup_id: &str, stop: &CancellationToken) -> Result<Counted, SweepError> {
        let store = &self.inner.store;
        let setup = store::setups::any_by_id(store, setup_id)
            .await?
            .ok_or(SweepError::Gone)?;
        let environment = store::environments::any_by_id(store, &setup.environment_id).await?;
        let environment = environment.ok_or(SweepError::Gone)?;
        let client = self.client(&environment)?;
        if let Some(theirs) = setup
            .platform_origin
            .filter(|origin| *origin != environment.platform_origin)
        {
            let ours = environment.platform_origin;
            return Err(SweepError::OtherPlatform { theirs, ours });
        }
        let rows = store::setups::steps(store, setup_id).await?;
        let (look, failed) = self.count(&client, &rows, stop).await?;
        let markers: Vec<&str> = rows.iter().map(|row| row.marker.as_str()).collect();
        let owners = store::sweeps::by_marker(store, &markers).await?;
        let made = made(&owners);
        let standing = store::findings::standing_in(store, &environment.id).await?;
        // Objects too many are settled by a look at everything: a filter may pass over one that was changed.
        let standing: Vec<Finding> = standing
            .into_iter()
            .filter(|finding| {
                finding.verdict == Verdict::Vanished && finding.setup_id.as_deref() == Some(setup_id)
            })
            .filter(|finding| finding.object_kind != StepKind::DataLakeConnection)
            .collect();
        let judgement = judging::judge(&look, &environment.id, &owners, &made, &standing);
        let vanished = self.confirm_missing(&environment, &judgement, stop).await?;
        self.record(&environment, look.begun_at, &judgement, &vanished)
            .await?;
        let may_come = |row: &Step| {
            row.attempt > 1 || row.attempt == 1 && row.object_id.is_none() && row.state != StepState::Rejected
        };
        let sent_again = rows.iter().any(may_come);
        let counted = if sent_again {
            Counted::MayGrow
        } else {
            Counted::ForGood
        };
        failed.map_or(Ok(counted), Err)
    }

    /// Looks for each step that was ever sent; the last failure is given back beside what was found.
    async fn count(
        &self,
        client: &PlatformClient,
        rows: &[Step],
        stop: &CancellationToken,
    ) -> Result<(Look, Option<SweepError>), SweepError> {
        let own: HashSet<&str> = rows.iter().map(|row| row.marker.as_str()).collect();
        let mut look = Look {
            begun_at: self.now(),
            ..Look::default()
        };
        let mut failed = None;
        // The shared connection is everybody's and carries no marker.
        let sent = |row: &&Step| row.attempt > 0 && row.kind != StepKind::DataLakeConnection;
        for row in rows.iter().filter(sent) {
            let sent: Value =
                serde_json::from_str(row.sent_body.as_deref().unwrap_or(&row.body)).unwrap_or_default();
            let Some(selector) = Selector::of_step(row.kind, &row.marker, &sent) else {
                continue;
            };
            let found = unless_stopping(stop, async { Ok(client.find(row.kind.into(), &selector).await) });
            match found.await? {
                Lookup::Complete(found) => {
                    let place = collection(row.kind);
                    look.complete.insert(place);
                    let carried = found.iter().flat_map(|object| carriers(place, object));
                    look.carriers
                        .extend(carried.filter(|carrier| own.contains(carrier.marker.as_str())));
                    look.listed
                        .entry(place)
                        .or_default()
                        .extend(found.into_iter().map(|object| object.id));
                }
                Lookup::Incomplete(error) => failed = Some(error.into()),
            }
        }
        Ok((look, failed))
    }
}

/// The objects that must be there: those of a setup that is done, but for what it shares with others, which was not
/// looked for.
fn made(owners: &[MarkedStep]) -> Vec<MarkedStep> {
    let must_be_there = |step: &&MarkedStep| {
        step.setup_state == SetupState::Done
            && step.state == StepState::Confirmed
            && step.kind != StepKind::DataLakeConnection
    };
    owners.iter().filter(must_be_there).cloned().collect()
}
