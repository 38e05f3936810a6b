//! Reading an environment's flows.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::audience::{Attention, Desk};
use super::connections::{Connections, Ends};
use super::reading::{Purpose, Reading};
use super::rounds::Topic;
use super::{ReadError, records};
use crate::platform::Flow;
use crate::store::flows;
use crate::store::sync_state::{self, SyncTopic};

/// Each page of the list keeps the next reading of it this long away, in milliseconds, so that a large
/// environment is not listed all the time.
const PER_PAGE_MS: i64 = 4_000;
/// So often all flows are held against what is stored, also those that look as before.
const COMPARE_ALL_EVERY_MS: i64 = 900_000;

/// What is remembered between two readings.
#[derive(Debug, Default)]
pub(super) struct FlowList {
    connections: Option<Connections>,
    /// By flow, as it was stored last.
    known: HashMap<String, Stamp>,
    compare_all_at: i64,
    compares_all: bool,
}

/// By this a flow is seen to be as it was.
#[derive(Debug, PartialEq)]
struct Stamp {
    etag: String,
    updated_at: Option<i64>,
    state: String,
    /// Counted by the platform without a new etag.
    last_run: Option<Value>,
    ends: Ends,
}

impl Stamp {
    /// None: without an etag every look counts.
    fn of(flow: &Flow, ends: &Ends) -> Option<Self> {
        Some(Self {
            etag: flow.etag.clone()?,
            updated_at: flow.updated_at,
            state: flow.state.clone(),
            last_run: flow.raw.get("lastRunDetails").cloned(),
            ends: ends.clone(),
        })
    }
}

impl Topic for FlowList {
    const TOPIC: SyncTopic = SyncTopic::Flows;
    const PURPOSE: Purpose = Purpose::Upkeep;

    fn desk(attention: &Attention) -> &Desk {
        &attention.flows
    }

    fn longest_pause_ms(_: &Attention) -> i64 {
        i64::MAX
    }

    /// Stores all flows that the platform lists. Only the end of a complete list marks those that are gone.
    async fn read(&mut self, reading: &Reading) -> Result<i64, ReadError> {
        let began_at = reading.now();
        self.compares_all = self.compare_all_at <= began_at;
        let connections = match self.connections.take() {
            Some(known) => known,
            None => Connections::stored(reading.store(), &reading.environment).await?,
        };
        self.connections.insert(connections).begin_reading();
        let mut pages = pin!(reading.client.flows());
        let (mut pages_read, mut shown) = (0, HashSet::new());
        while let Some(page) = reading.call(pages.try_next()).await? {
            pages_read += 1;
            self.page(reading, &page.items, &mut shown).await?;
            if page.is_last {
                break;
            }
        }
        if self.compares_all {
            self.compare_all_at = began_at + COMPARE_ALL_EVERY_MS;
        }
        reading.place.listed().complete(&shown, began_at);
        if reading.place.is_flow_by_flow() {
            reading.place.attention.runs.wake();
        }
        let mut tx = reading.store().begin().await?;
        let (id, now) = (&reading.environment.id, reading.now());
        flows::mark_gone(&mut tx, id, &shown, now).await?;
        sync_state::record_success(&mut tx, id, SyncTopic::Flows, began_at, now).await?;
        tx.commit().await?;
        let gone: BTreeSet<String> = self
            .known
            .keys()
            .filter(|id| !shown.contains(*id))
            .cloned()
            .collect();
        self.known.retain(|id, _| shown.contains(id));
        if !gone.is_empty() {
            reading.tell(gone);
        }
        Ok(reading
            .place
            .history
            .inner
            .interval_ms()
            .max(PER_PAGE_MS * pages_read))
    }
}

impl FlowList {
    async fn page(
        &mut self,
        reading: &Reading,
        flows: &[Flow],
        shown: &mut HashSet<String>,
    ) -> Result<(), ReadError> {
        let Some(connections) = &mut self.connections else {
            return Ok(());
        };
        connections.learn(reading, flows).await?;
        let (mut rows, mut stamps) = (Vec::new(), Vec::new());
        for flow in flows.iter().filter(|flow| records::is_source_flow(flow)) {
            shown.insert(flow.id.clone());
            let ends = connections.ends_of(reading, flow).await?;
            let stamp = Stamp::of(flow, &ends);
            let is_as_before = stamp.is_some() && self.known.get(&flow.id) == stamp.as_ref();
            if self.compares_all || !is_as_before {
                rows.push(records::flow_row(
                    &reading.environment.id,
                    flow,
                    ends,
                    reading.now(),
                ));
                stamps.extend(stamp.map(|stamp| (flow.id.clone(), stamp)));
            }
        }
        reading.place.listed().note(flows);
        if rows.is_empty() {
            return Ok(());
        }
        let mut tx = reading.store().begin().await?;
        flows::upsert_many(&mut tx, &rows).await?;
        tx.commit().await?;
        let changed: BTreeSet<String> = stamps
            .iter()
            .filter(|(id, stamp)| self.known.get(id) != Some(stamp))
            .map(|(id, _)| id.clone())
            .collect();
        self.known.extend(stamps);
        if !changed.is_empty() {
            reading.tell(changed);
        }
        Ok(())
    }
}
