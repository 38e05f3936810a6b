//! A server and an emulator whose clocks move together, and flows that were made elsewhere.

use std::cell::Cell;
use std::time::{Duration, Instant};

use headgate::emulator::{Options, SeedOptions};
use headgate::platform::{Call, ObjectKind, Outcome, PlatformClient, RunFilter};
use headgate::store::environments::Environment;
use headgate::store::flows::{self, Flow};
use headgate::store::sync_state::{self, SyncTopic};
use headgate::store::{self};
use serde_json::Value;

use super::app::{App, TEAM};
use crate::emulator::{connection_body, dataset_body, flow_body, schema_body, source_body, target_body};

/// 2026-03-01T00:00:00Z
pub const NOW_MS: i64 = 1_772_323_200_000;
pub const MINUTE_MS: i64 = 60_000;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Longer than the history waits between two readings, also after a failure.
const BETWEEN_READINGS_MS: i64 = 6_000;
/// How long something may take to turn up.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Watched {
    pub app: App,
    pub environment: Environment,
}

impl Watched {
    /// With nothing at the platform.
    pub async fn start() -> Self {
        Self::with(None).await
    }

    pub async fn with(seed: Option<SeedOptions>) -> Self {
        let options = Options {
            manual_time: true,
            manual_start_ms: Some(NOW_MS),
            random_seed: Some(1),
            // Tests advance by days.
            token_lifetime_s: 400 * 86_400,
            seed,
            ..Options::default()
        };
        let app = App::with(options, Some(NOW_MS)).await;
        let id = app.environment_id().await;
        let environment = store::environments::any_by_id(app.store(), &id)
            .await
            .unwrap()
            .unwrap();
        Self { app, environment }
    }

    pub fn client(&self) -> PlatformClient {
        self.app
            .running
            .state
            .clients
            .client_for(&self.environment.access())
            .unwrap()
    }

    /// Makes an object by a plain call; gives its id.
    pub async fn create(&self, kind: ObjectKind, body: Value) -> String {
        let answer = self
            .client()
            .send(&Call::create(kind, body), "made-elsewhere")
            .await;
        match answer.outcome {
            Outcome::Confirmed { id: Some(id), .. } => id,
            other => panic!("{kind:?} was not made: {other:?}"),
        }
    }

    /// Makes a flow without Headgate, by plain calls; it begins in a minute.
    pub async fn flow(&self, name: &str, frequency: &str, interval: Option<i64>) -> String {
        let schema = self
            .create(ObjectKind::Schema, schema_body(&format!("{name} schema")))
            .await;
        let dataset = self
            .create(
                ObjectKind::Dataset,
                dataset_body(&format!("{name} data"), &schema),
            )
            .await;
        let connection = self.create(ObjectKind::Connection, connection_body(name)).await;
        let source = self
            .create(ObjectKind::SourceConnection, source_body(name, &connection))
            .await;
        let target = self
            .create(ObjectKind::TargetConnection, target_body(name, &dataset, &schema))
            .await;
        let start_s = self.app.emulator.control().now_ms() / 1000 + 60;
        let parts = crate::emulator::Parts {
            schema,
            dataset,
            connection,
            source,
            target,
        };
        self.create(
            ObjectKind::Flow,
            flow_body(name, &parts, start_s, frequency, interval),
        )
        .await
    }

    /// Lets time pass, here and at the platform.
    pub fn advance(&self, ms: i64) {
        self.app
            .emulator
            .control()
            .advance(u32::try_from(ms).unwrap())
            .unwrap();
        self.app.clock.as_ref().unwrap().advance(ms);
    }

    pub fn now_ms(&self) -> i64 {
        self.app.running.state.clock.now_ms()
    }

    /// Waits until everything was read that the platform showed when this was called, letting seconds pass.
    pub async fn read(&self) {
        // A reading that was under way already may end in the first of the two.
        for _ in 0..2 {
            let from = self.now_ms() + BETWEEN_READINGS_MS;
            self.as_time_passes("everything was read", async || {
                let flows = self.sync(SyncTopic::Flows).await;
                let runs = self.sync(SyncTopic::Runs).await;
                (flows >= Some(from) && runs >= Some(from)).then_some(())
            })
            .await;
        }
    }

    /// Like [`Self::eventually`], with some seconds passing now and again: a reading that ends just after time has
    /// moved waits for the next move.
    pub async fn as_time_passes<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let moved: Cell<Option<Instant>> = Cell::new(None);
        self.eventually(what, async || {
            if moved.get().is_none_or(|at| at.elapsed() > Duration::from_secs(2)) {
                self.advance(BETWEEN_READINGS_MS);
                moved.set(Some(Instant::now()));
            }
            ask().await
        })
        .await
    }

    async fn sync(&self, topic: SyncTopic) -> Option<i64> {
        sync_state::get(self.app.store(), &self.environment.id, topic)
            .await
            .unwrap()?
            .succeeded_at
    }

    /// Asks again and again until there is an answer, letting a little time pass in between.
    pub async fn eventually<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            if begun.elapsed() >= PATIENCE {
                let team = self.app.team_id(TEAM).await;
                let sync = sync_state::all_for(self.app.store(), &team).await.unwrap();
                panic!("it never came true that {what}: {sync:#?}");
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// A flow as it is mirrored.
    pub async fn mirrored(&self, id: &str) -> Flow {
        let team = self.app.team_id(TEAM).await;
        flows::by_id(self.app.store(), &team, None, id)
            .await
            .unwrap()
            .unwrap()
    }

    /// The ids of all runs that the platform shows in the environment's sandbox.
    pub async fn runs_at_the_platform(&self) -> Vec<String> {
        use futures_util::TryStreamExt;
        let client = self.client();
        let pages: Vec<_> = client.runs(&RunFilter::default()).try_collect().await.unwrap();
        let mut ids: Vec<String> = pages
            .into_iter()
            .flat_map(|page| page.items)
            .map(|run| run.id)
            .collect();
        ids.sort_unstable();
        ids
    }
}
