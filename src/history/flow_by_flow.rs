//! Where the platform refuses to list the runs of a whole sandbox by their start, they are listed flow by flow:
//! those of a flow whose last run, as the list of flows tells it, is not the one that was read.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::ReadError;
use super::rounds::Reading;
use crate::platform::{Flow, PlatformError, RunFilter};
use crate::store::sync_state::{self, SyncTopic};

/// Flows whose runs are listed in one reading.
const FLOWS_PER_READING: usize = 20;
/// The numbers of Adobe's Flow Service error page for filters that are not supported.
const CANNOT_FILTER: [&str; 7] = ["1423", "1440", "1443", "1448", "1449", "1450", "1451"];

/// What is known for this way of reading.
#[derive(Debug, Default)]
pub(super) struct FlowByFlow {
    needed: bool,
    /// By flow: `lastRunDetails` of the last list, and the one up to which its runs were read.
    last_runs: HashMap<String, (Value, Option<Value>)>,
}

/// Whether the platform cannot list runs by the filter it was given.
pub(super) fn refuses_to_filter(error: &PlatformError) -> bool {
    let number = |code: &str| code.split('-').any(|part| CANNOT_FILTER.contains(&part));
    error.status() == Some(400) && error.code().is_some_and(number)
}

impl FlowByFlow {
    pub(super) fn is_needed(&self) -> bool {
        self.needed
    }

    pub(super) fn need(&mut self) {
        self.needed = true;
    }

    /// Notes what the list of flows tells of a flow's last run.
    pub(super) fn listed(&mut self, flow: &Flow) {
        let last_run = flow.raw.get("lastRunDetails").cloned().unwrap_or_default();
        self.last_runs.entry(flow.id.clone()).or_default().0 = last_run;
    }
}

impl Reading<'_> {
    /// Stores the runs of the flows that have new ones, a number of flows at once.
    pub(super) async fn runs_flow_by_flow(&self, flows: &mut FlowByFlow) -> Result<(), ReadError> {
        let began_at = self.now();
        let mut due: Vec<_> = flows
            .last_runs
            .iter_mut()
            .filter(|(_, (listed, read))| read.as_ref() != Some(listed))
            .collect();
        let all = due.len() <= FLOWS_PER_READING;
        due.truncate(FLOWS_PER_READING);
        for (id, (listed, read)) in due {
            let filter = RunFilter {
                flow_id: Some(id.clone()),
                ..RunFilter::default()
            };
            self.window(&filter, usize::MAX, None, &mut HashSet::new())
                .await?;
            *read = Some(listed.clone());
        }
        if all {
            let mut tx = self.history.inner.store.begin().await?;
            sync_state::record_success(
                &mut tx,
                &self.environment.id,
                SyncTopic::Runs,
                began_at,
                self.now(),
            )
            .await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
