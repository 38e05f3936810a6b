//! A seeded history as documents, without a server, for what stores it at once.

use std::io;

use serde_json::Value;

use super::flow_service::{self, Kind};
use super::options::Options;
use super::run_document::render;
use super::state::App;

/// The history that an emulator with the same options begins with.
#[derive(Debug)]
pub struct SeededHistory {
    app: App,
}

/// A flow and its two ends, as Flow Service shows them.
#[derive(Debug, Clone, PartialEq)]
pub struct SeededFlow {
    /// An item of `GET /flows`.
    pub flow: Value,
    /// An item of `GET /sourceConnections`; null when there is none.
    pub source_connection: Value,
    /// An item of `GET /targetConnections`; null when there is none.
    pub target_connection: Value,
}

impl SeededHistory {
    /// Makes the history; it takes about a second per 200,000 runs, and 300 bytes of memory for each.
    ///
    /// # Errors
    /// When the options contradict themselves.
    pub fn new(options: Options) -> io::Result<Self> {
        options.check()?;
        Ok(Self {
            app: App::new(options),
        })
    }

    /// The flows of a sandbox, the oldest first.
    pub fn flows(&self, sandbox: &str) -> Vec<SeededFlow> {
        let (world, now_ms) = self.app.world();
        let end = |kind: Kind, id: Option<&str>| {
            let found = id.and_then(|id| kind.shelf(&world).get(sandbox, id));
            found.map_or(Value::Null, |entity| {
                flow_service::document(&self.app, &world, kind, entity, now_ms)
            })
        };
        let flows = world.flows.of(sandbox).map(|(_, flow)| SeededFlow {
            flow: flow_service::document(&self.app, &world, Kind::Flow, flow, now_ms),
            source_connection: end(Kind::Source, flow.only_id("sourceConnectionIds")),
            target_connection: end(Kind::Target, flow.only_id("targetConnectionIds")),
        });
        flows.collect()
    }

    /// The last `latest` runs of a flow that can be seen by now, as `GET /runs` shows them, the newest first.
    pub fn runs(&self, sandbox: &str, flow_id: &str, latest: usize) -> Vec<Value> {
        let (world, now_ms) = self.app.world();
        let runs = world.runs.of_flow(sandbox, flow_id, now_ms).rev().take(latest);
        runs.map(|(_, run)| render(&self.app, run, world.runs.lane(run), now_ms))
            .collect()
    }
}
