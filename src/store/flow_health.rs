//! How each flow does, as it was judged last.

use super::{Store, StoreError};
use crate::domain::health::{Judgement, Left, RecentRun};

/// A flow's judgement and the runs that it looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowHealth {
    /// What was judged.
    pub judgement: Judgement,
    /// The last runs, the oldest first.
    pub recent: Vec<RecentRun>,
}

const OF_FLOW: &str = "SELECT judgement, recent FROM flow_health WHERE environment_id = $1 AND flow_id = $2";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[OF_FLOW];

/// How a flow does and its last runs; none: the flow is not mirrored yet.
pub async fn of_flow(
    store: &Store,
    environment_id: &str,
    flow_id: &str,
) -> Result<Option<FlowHealth>, StoreError> {
    let found: Option<(String, String)> = read!(store, |db| sqlx::query_as(OF_FLOW)
        .bind(environment_id)
        .bind(flow_id)
        .fetch_optional(db))?;
    found
        .map(|(judgement, recent)| FlowHealth::read(&judgement, &recent))
        .transpose()
}

impl FlowHealth {
    /// From the two columns.
    pub(super) fn read(judgement: &str, recent: &str) -> Result<Self, StoreError> {
        Ok(Self {
            judgement: Self::read_judgement(judgement)?,
            recent: serde_json::from_str(recent).map_err(damaged)?,
        })
    }

    /// From one of them.
    pub(super) fn read_judgement(judgement: &str) -> Result<Judgement, StoreError> {
        serde_json::from_str(judgement).map_err(damaged)
    }
}

/// From the column of what a judgement has left behind.
pub(super) fn read_left(stored: Option<&str>) -> Result<Left, StoreError> {
    let left = stored.map(serde_json::from_str).transpose();
    Ok(left.map_err(damaged)?.unwrap_or_default())
}

/// What is stored there cannot be read.
pub(super) fn damaged(error: serde_json::Error) -> StoreError {
    StoreError::Other(format!("flow_health: {error}"))
}
