//! Reading an environment's flows.

use std::collections::HashSet;
use std::pin::pin;

use futures_util::TryStreamExt;

use super::connections::Connections;
use super::rounds::{Memory, Reading};
use super::{ReadError, records};
use crate::store::flows;
use crate::store::sync_state::{self, SyncTopic};

/// Each page of the list keeps the next reading of it this long away, in milliseconds, so that a large
/// environment is not listed all the time.
const PER_PAGE_MS: i64 = 2_000;

impl Reading<'_> {
    /// Stores all flows that the platform lists. Only the end of a complete list marks those that are gone.
    pub(super) async fn flows(&self, memory: &mut Memory) -> Result<(), ReadError> {
        let (store, environment, began_at) = (&self.history.inner.store, self.environment, self.now());
        if memory.connections.is_none() {
            memory.connections = Some(Connections::stored(store, environment).await?);
        }
        let connections = memory.connections.get_or_insert_default();
        connections.begin_reading();
        let mut pages = pin!(self.client.flows());
        let (mut pages_read, mut shown) = (0, HashSet::new());
        while let Some(page) = self.unless_stopping(pages.try_next()).await? {
            pages_read += 1;
            let mut rows = Vec::with_capacity(page.items.len());
            for flow in page.items.iter().filter(|flow| records::is_source_flow(flow)) {
                let ends = self
                    .unless_stopping(connections.ends_of(&self.client, flow))
                    .await?;
                rows.push(records::flow_row(&environment.id, flow, ends, self.now()));
                memory.flow_by_flow.listed(flow);
            }
            let mut tx = store.begin().await?;
            flows::upsert_many(&mut tx, &rows).await?;
            tx.commit().await?;
            shown.extend(rows.into_iter().map(|flow| flow.row.id));
        }
        let mut tx = store.begin().await?;
        let now = self.now();
        flows::mark_gone(&mut tx, &environment.id, &shown, now).await?;
        sync_state::record_success(&mut tx, &environment.id, SyncTopic::Flows, began_at, now).await?;
        tx.commit().await?;
        memory.flows_due_at = now + self.history.inner.interval_ms.max(PER_PAGE_MS * pages_read);
        Ok(())
    }
}
