//! The real binary, stopped at every moment of every step while it sets up a dataflow, and started again.

use std::time::{Duration, Instant};

use headgate::config::SETTINGS;
use headgate::domain::setup::{SetupState, StepState};
use headgate::emulator::Options;
use headgate::emulator::faults::When;
use headgate::store::setups::Setup;

use super::figures::{Row, side_by_side};
use super::ledger::{Tally, account};
use super::moments::{Moment, Trap, of_creates};
use super::steps::{self, StepCalls, brief};
use crate::support::forwarder::Forwarder;
use crate::support::process::Server;
use crate::support::works::{TEAM, Works};

/// Processes that run at once.
pub const WIDTH: usize = 8;
/// How long a setup may take to come to rest after the restart.
const PATIENCE: Duration = Duration::from_secs(150);
/// How long a server may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(35);

/// How the process is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Kill,
    Terminate,
}

/// One stop of one process.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub calls: StepCalls,
    pub moment: Moment,
    pub end: End,
}

/// A prepared data directory, and the wire to its emulator.
pub struct Stand {
    pub works: Works,
    pub wire: Forwarder,
    pub id: String,
}

impl Stand {
    /// A setup of the step's recipe that nobody works on yet.
    pub async fn prepare(calls: StepCalls) -> Self {
        let mut works = Works::idle(Options::default()).await;
        let wire = Forwarder::start(&works.emulator.url()).await;
        works.through(wire.url());
        let id = works.set_up(&(calls.recipe)("Loyalty members")).await;
        Self { works, wire, id }
    }

    pub fn serve(&self, more: Vec<(&'static str, String)>) -> Server {
        let mut variables = vec![
            ("HEADGATE_IMS_URL", self.works.emulator.url()),
            ("HEADGATE_HISTORY_INTERVAL_SECONDS", "3600".to_owned()),
            ("HEADGATE_LOG", "headgate=debug".to_owned()),
        ];
        if SETTINGS.iter().any(|setting| setting.key == "settle_seconds") {
            variables.push(("HEADGATE_SETTLE_SECONDS", "2".to_owned()));
        }
        variables.extend(more);
        Server::spawn(self.works.directory.path(), self.wire.url(), &variables)
    }

    /// Serves until the moment, ends the process there and serves again until the setup rests.
    pub async fn interrupted(&mut self, case: Case, when: When, tally: &mut Tally) -> Setup {
        let control = self.works.emulator.control().clone();
        let directory = self.works.directory.path().to_owned();
        let trap = Trap::arm(case.moment, case.calls, when, &directory, &control, &self.wire);
        self.works.close_store().await;
        let mut server = self.serve(trap.variables());
        trap.reached(&mut server, &control, &self.wire).await;
        match case.end {
            End::Kill => server.kill(),
            End::Terminate => {
                server.ask_to_stop();
                // The signal comes first, then what was waited for.
                tokio::time::sleep(Duration::from_millis(100)).await;
                trap.spring(&control, &self.wire);
                tally.expect(server.ended(STOP_WITHIN).await, || "it did not end well".into());
            }
        }
        trap.spring(&control, &self.wire);
        self.works.reopen_store().await;
        let left = self.works.setup(&self.id).await;
        let is_honest = left.question.is_none() && (left.state.is_active() || left.state.is_final());
        tally.expect(is_honest, || format!("the stop left {}", brief(&left, &[])));
        self.works.close_store().await;
        let server = self.serve(Vec::new());
        self.works.reopen_store().await;
        let setup = self.rested(tally).await;
        drop(server);
        setup
    }

    pub async fn rested(&self, tally: &mut Tally) -> Setup {
        let begun = Instant::now();
        loop {
            let setup = self.works.setup(&self.id).await;
            if !setup.state.is_active() {
                return setup;
            }
            if begun.elapsed() > PATIENCE {
                let steps = self.works.steps(&self.id).await;
                tally.expect(false, || {
                    format!("it never came to rest: {}", brief(&setup, &steps))
                });
                return setup;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A setup that is stopped once and finishes by itself.
async fn stopped_once(case: Case) -> Tally {
    let mut tally = Tally::default();
    let mut stand = Stand::prepare(case.calls).await;
    let setup = stand.interrupted(case, case.calls.create(), &mut tally).await;
    let steps = stand.works.steps(&stand.id).await;
    let finished = setup.state == SetupState::Done && steps.iter().all(|s| s.state == StepState::Confirmed);
    tally.expect(finished, || format!("it ended as {}", brief(&setup, &steps)));
    let control = stand.works.emulator.control();
    tally.add(account(control, &stand.works.store, TEAM, &[stand.id.clone()]).await);
    tally.named(&format!("{:?} {} {:?}", case.end, case.calls.step, case.moment))
}

/// Every moment of every step.
fn every_case(end: End) -> Vec<Case> {
    let cases = steps::all().flat_map(|calls| {
        let moments = of_creates().into_iter();
        moments.map(move |moment| Case { calls, moment, end })
    });
    cases.collect()
}

/// Every `share`th of the cases on the diagonal: each step and each moment comes up.
pub fn diagonal(cases: Vec<Case>, moments: usize, share: usize) -> Vec<Case> {
    let is_chosen = |place: &usize| (place / moments + place % moments).is_multiple_of(share);
    let numbered = cases.into_iter().enumerate();
    numbered
        .filter(|(place, _)| is_chosen(place))
        .map(|(_, case)| case)
        .collect()
}

async fn run(row: Row, cases: Vec<Case>) {
    let count = cases.len();
    let tally = side_by_side(WIDTH, cases, stopped_once).await;
    row.end(count, &tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_a_killed_server_goes_on_wherever_it_was() {
    let row = Row::begin("P11", "kill -9, each step and moment once");
    run(row, diagonal(every_case(End::Kill), of_creates().len(), 4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_a_server_told_to_stop_leaves_what_a_killed_one_leaves() {
    let row = Row::begin("P12", "SIGTERM, each step and moment once");
    run(row, diagonal(every_case(End::Terminate), of_creates().len(), 8)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p11_killed_at_every_moment_of_every_step_five_times() {
    let row = Row::begin("P11", "kill -9, every step x moment x 5");
    run(row, every_case(End::Kill).repeat(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p12_told_to_stop_at_every_moment_of_every_step() {
    let row = Row::begin("P12", "SIGTERM, every step x moment x 5");
    run(row, every_case(End::Terminate).repeat(5)).await;
}
