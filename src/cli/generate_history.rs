//! `headgate generate-history`: fills a data directory with flows and runs, for tests and benchmarks.
//!
//! The emulator makes them, the mirror's own rules turn them into rows, and the store takes them as it takes what is
//! read from the platform, only without a server in between.

use std::sync::Arc;
use std::time::Instant;

use clap::value_parser;
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::mpsc;

use super::environment::environments;
use super::operator::{read_secret, refused};
use super::{CliError, Exit, SettingArguments};
use crate::accounts::people::{self, NewPerson};
use crate::audit::Actor;
use crate::bootstrap::Foundation;
use crate::domain::{Clock, ManualClock, Role, SharedClock, SystemClock};
use crate::emulator::seeded::{SeededFlow, SeededHistory};
use crate::emulator::{Options, SeedOptions};
use crate::environments::EnvironmentForm;
use crate::history::{Ends, records};
use crate::platform::{Flow, HttpOptions, PlatformError, Run};
use crate::store::flows::FlowRecord;
use crate::store::sync_state::SyncTopic;
use crate::store::{self, Mirrored, Store, StoreError};

/// The emulator's sandbox that has all of it.
const SANDBOX: &str = "prod";
/// Adobe's shortest schedule is a run every 15 minutes.
const RUNS_PER_DAY_MAX: u32 = 96;
/// The emulator keeps 300 bytes of each run.
const RUNS_MAX: u64 = 10_000_000;
/// The history begins so much earlier that the flow which was disabled three days ago has all its runs too.
const LEAD_DAYS: u32 = 5;
/// Least runs of one transaction: the bigger, the fewer pages of the indexes are written twice.
const TRANSACTION: usize = 50_000;
/// Flows whose runs may wait for the database.
const FLOWS_AHEAD: usize = 16;

/// Fill a data directory with flows and their runs, for tests and benchmarks; no server may run on it.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Flows.
    #[arg(long, default_value_t = 2_000, value_parser = value_parser!(u32).range(1..=50_000))]
    flows: u32,
    /// Runs of each flow; at least one and at most 96 for each day.
    #[arg(long, default_value_t = 500, value_parser = value_parser!(u32).range(1..=100_000))]
    runs_per_flow: u32,
    /// Days over which the runs are spread, about.
    #[arg(long, default_value_t = 30, value_parser = value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// Another number makes another history; the same one, with the same --now, the same again.
    #[arg(long, default_value_t = 1)]
    random_seed: u64,
    /// Where the history ends, such as 2026-03-01T12:00:00Z [default: now].
    #[arg(long)]
    now: Option<jiff::Timestamp>,
    /// The team's name; a team that does not exist is made with its admin.
    #[arg(long, default_value = "Retail data")]
    team: String,
    /// Who the team's admin is, if the team has to be made; the password is read from standard input.
    #[arg(long, default_value = "ana")]
    login: String,
    /// The name of the environment that is made for the history.
    #[arg(long, default_value = "Generated history")]
    environment: String,
    #[command(flatten)]
    settings: SettingArguments,
}

impl Arguments {
    /// What is asked for, held against what is possible.
    fn runs_per_day(&self) -> Result<u32, CliError> {
        let per_day = self.runs_per_flow.div_ceil(self.days);
        if per_day > RUNS_PER_DAY_MAX || self.runs_per_flow < self.days {
            return Err(refused(format!(
                "{} runs in {} days are not possible: a flow runs at least once and at most {RUNS_PER_DAY_MAX} times \
                 a day here. Nothing was changed",
                self.runs_per_flow, self.days
            )));
        }
        let runs = u64::from(self.flows) * u64::from(self.runs_per_flow);
        if runs > RUNS_MAX {
            return Err(refused(format!(
                "{runs} runs are too many: they are made in memory, and {RUNS_MAX} are the most. Nothing was changed"
            )));
        }
        Ok(per_day)
    }
}

/// Makes team, admin and environment as far as they are missing, then flows and runs.
///
/// # Errors
/// Numbers that contradict themselves, an installation in use, an environment of that name, and what keeps a database
/// from being written. What was committed before stays.
pub async fn run(arguments: Arguments) -> Result<(), CliError> {
    let runs_per_day = arguments.runs_per_day()?;
    let config = arguments.settings.load()?.config;
    let (foundation, _alone) = Foundation::open_alone(&config, HttpOptions::default()).await?;
    let started = Instant::now();
    let now_ms = arguments
        .now
        .map_or_else(|| SystemClock.now_ms(), jiff::Timestamp::as_millisecond);
    let clock: SharedClock = Arc::new(ManualClock::at(now_ms));
    let options = Options {
        sandboxes: vec![SANDBOX.to_owned()],
        manual_time: true,
        manual_start_ms: Some(now_ms),
        random_seed: Some(arguments.random_seed),
        seed: Some(SeedOptions {
            flows: arguments.flows,
            days: arguments.days + LEAD_DAYS,
            runs_per_day: Some(runs_per_day),
        }),
        ..Options::default()
    };
    let team_id = team(&foundation, &*clock, &arguments).await?;
    let environment_id = environment(&foundation, clock, &arguments, &options, &team_id).await?;
    let filling = Filling {
        store: &foundation.store,
        environment_id: &environment_id,
        runs_per_flow: arguments.runs_per_flow as usize,
        now_ms,
    };
    let history = SeededHistory::new(options).map_err(|error| CliError::new(Exit::Software, error))?;
    let stored = filling.fill(history).await;
    foundation.store.close().await;
    let (flows, runs) = stored?;
    println!(
        "{flows} flows and {runs} runs are in the environment \u{201c}{}\u{201d} now; that took {:.1} s.",
        arguments.environment,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The id of the team, which is made with its admin if it is missing.
async fn team(foundation: &Foundation, clock: &dyn Clock, arguments: &Arguments) -> Result<String, CliError> {
    let store = &foundation.store;
    if let Some(team) = store::people::team_by_name(store, &arguments.team).await? {
        return Ok(team.id);
    }
    let admin = NewPerson {
        login: arguments.login.clone(),
        name: arguments.login.clone(),
        role: Role::Admin,
        team: arguments.team.clone(),
        password: Some(read_secret(&format!("The password of {}", arguments.login))?),
    };
    people::add(store, clock, &actor(), admin).await?;
    let made = store::people::team_by_name(store, &arguments.team).await?;
    Ok(made
        .ok_or_else(|| StoreError::Other("the team that was made is not there".to_owned()))?
        .id)
}

/// The id of a new environment, with the credential that an emulator knows.
async fn environment(
    foundation: &Foundation,
    clock: SharedClock,
    arguments: &Arguments,
    options: &Options,
    team_id: &str,
) -> Result<String, CliError> {
    let form = EnvironmentForm {
        name: arguments.environment.clone(),
        organization: options.organization.clone(),
        sandbox: SANDBOX.to_owned(),
        client_id: options.client_id.clone(),
        client_secret: SecretString::from(options.client_secret.as_str()),
        scopes: String::new(),
    };
    Ok(environments(foundation, clock)
        .add(&actor(), "operator", team_id, form)
        .await?)
}

fn actor() -> Actor {
    Actor::operator("generate-history")
}

/// Where a history goes, and how much of it.
struct Filling<'a> {
    store: &'a Store,
    environment_id: &'a str,
    runs_per_flow: usize,
    now_ms: i64,
}

impl Filling<'_> {
    /// Stores the history that the emulator makes; says how many flows and runs that were.
    async fn fill(&self, history: SeededHistory) -> Result<(usize, usize), CliError> {
        let flows = history.flows(SANDBOX);
        let rows: Result<Vec<_>, PlatformError> = flows.iter().map(|flow| self.flow_row(flow)).collect();
        let rows = rows.map_err(|error| CliError::new(Exit::Software, error))?;
        let mut tx = self.store.begin().await?;
        store::flows::upsert_many(&mut tx, &rows).await?;
        tx.commit().await?;
        let ids = rows.into_iter().map(|flow| flow.row.id).collect();
        let runs = self.store_runs(history, ids).await?;
        let mut tx = self.store.begin().await?;
        for topic in [SyncTopic::Flows, SyncTopic::Runs] {
            let (id, now_ms) = (self.environment_id, self.now_ms);
            store::sync_state::record_success(&mut tx, id, topic, now_ms, now_ms).await?;
        }
        // There is nothing further back that a server would have to fill.
        let (id, now_ms) = (self.environment_id, self.now_ms);
        store::sync_state::begin_fill(&mut tx, id, SyncTopic::Runs, now_ms, 0).await?;
        store::sync_state::move_fill(&mut tx, id, SyncTopic::Runs, now_ms, 0).await?;
        tx.commit().await?;
        Ok((flows.len(), runs))
    }

    fn flow_row(&self, seeded: &SeededFlow) -> Result<Mirrored<FlowRecord>, PlatformError> {
        let text = |document: &Value, pointer| {
            let found = document.pointer(pointer).and_then(Value::as_str);
            found.map(str::to_owned)
        };
        let ends = Ends {
            source_path: text(&seeded.source_connection, "/params/path"),
            dataset_id: text(&seeded.target_connection, "/params/dataSetId"),
        };
        let flow = Flow::from_json(&seeded.flow)?;
        Ok(records::flow_row(self.environment_id, &flow, ends, self.now_ms))
    }

    /// The runs are made on a thread of their own, beside the database that takes them flow by flow.
    async fn store_runs(&self, history: SeededHistory, flow_ids: Vec<String>) -> Result<usize, CliError> {
        let (ready, mut made) = mpsc::channel(FLOWS_AHEAD);
        let environment_id = self.environment_id.to_owned();
        let (latest, read_at) = (self.runs_per_flow, self.now_ms);
        let making = tokio::task::spawn_blocking(move || {
            for flow_id in flow_ids {
                let runs = history.runs(SANDBOX, &flow_id, latest);
                let row = |run: &Value| {
                    Run::from_json(&run.to_string())
                        .map(|run| records::run_row(&environment_id, &run, read_at))
                };
                let rows = runs.iter().map(row).collect::<Result<Vec<_>, _>>()?;
                // Nobody takes them after the database failed.
                if ready.blocking_send(rows).is_err() {
                    break;
                }
            }
            Ok::<_, PlatformError>(())
        });
        let mut stored = 0;
        while let Some(first) = made.recv().await {
            let mut tx = self.store.begin().await?;
            let (mut next, mut in_transaction) = (Some(first), 0);
            while let Some(rows) = next {
                store::runs::upsert_many(&mut tx, &rows).await?;
                in_transaction += rows.len();
                next = if in_transaction < TRANSACTION {
                    made.recv().await
                } else {
                    None
                };
            }
            tx.commit().await?;
            stored += in_transaction;
        }
        match making.await {
            Ok(Ok(())) => Ok(stored),
            Ok(Err(error)) => Err(CliError::new(Exit::Software, error)),
            Err(error) => Err(CliError::new(Exit::Software, error)),
        }
    }
}
