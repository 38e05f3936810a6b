//! Many setups while each call fails at random.

use std::time::Duration;

use headgate::emulator::faults::{BodyForm, Fault, Garbage, When};
use headgate::emulator::{Control, Options};
use headgate::setups::Decision;

use super::figures::Row;
use super::ledger::{Tally, account};
use super::steps::brief;
use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{TEAM, Works};

/// How probable it is that a call fails.
const CHANCE: f64 = 0.25;
/// How long a storm may take.
const PATIENCE: Duration = Duration::from_secs(600);

fn faults() -> Vec<Fault> {
    let garbage = |form| Fault::Garbage { form };
    vec![
        Fault::LoseAnswer,
        Fault::LoseRequest,
        Fault::CutAnswer,
        Fault::Status {
            status: 503,
            body: BodyForm::Html,
        },
        Fault::AfterStatus {
            status: 502,
            body: BodyForm::Html,
        },
        Fault::Status {
            status: 500,
            body: BodyForm::Service,
        },
        garbage(Garbage::NoId),
        garbage(Garbage::Truncated),
        garbage(Garbage::Redirect),
        Fault::ExpireToken,
        Fault::Delay { ms: 30 },
        // Without a time: one would hold back all setups together.
        Fault::RetryAfter { after: None },
    ]
}

/// Every call to a service fails with the chance, in one of the ways, all equally probable.
pub fn arm(control: &Control) {
    let faults = faults();
    let mut untouched = 1.0;
    for fault in &faults {
        // The first rule that hits decides: each gets its share of what the ones before it let through.
        let share = CHANCE / f64::from(u32::try_from(faults.len()).unwrap());
        let any = When {
            path: "/data/foundation/**".to_owned(),
            ..When::default()
        };
        control.arm(any.times(0).chance(share / untouched).then(fault.clone()));
        untouched -= share;
    }
}

/// How a storm went.
#[derive(Default)]
struct Storm {
    faults: usize,
    asked: usize,
    tally: Tally,
}

impl Storm {
    fn end(self, row: Row, setups: usize) {
        let words = format!("{} faults, {} asked", self.faults, self.asked);
        row.with(&words).end(setups, &self.tally);
    }
}

async fn storm(setups: usize, seed: u64) -> Storm {
    let mut tally = Tally::default();
    let works = Works::with(Options {
        random_seed: Some(seed),
        ..Options::default()
    })
    .await;
    let control = works.emulator.control();
    arm(control);
    let mut ids = Vec::new();
    for number in 0..setups {
        let recipe = if number % 2 == 0 {
            s3_parquet
        } else {
            sftp_delimited
        };
        ids.push(works.set_up(&recipe(&format!("Dataflow {number}"))).await);
    }
    let mut asked = 0;
    for id in &ids {
        let setup = works.rested_within(PATIENCE, id).await;
        let asks = setup.question.is_some()
            && setup
                .question_detail
                .as_ref()
                .is_some_and(|words| !words.is_empty());
        asked += usize::from(!setup.state.is_final());
        tally.expect(setup.state.is_final() || asks, || {
            format!("it rests as {}", brief(&setup, &[]))
        });
    }
    tally.add(account(control, &works.store, TEAM, &ids).await);
    let faults = control.rules().iter().map(|rule| rule.hit as usize).sum();
    // Whatever was asked can be answered.
    control.disarm();
    for id in &ids {
        if !works.setup(id).await.state.is_final() {
            works.decide(id, Decision::Resume).await.unwrap();
            works.done(id).await;
        }
    }
    let after = account(control, &works.store, TEAM, &ids).await;
    tally.duplicates.extend(after.duplicates);
    tally.orphans.extend(after.orphans);
    Storm {
        faults,
        asked,
        tally: tally.named(&format!("seed {seed}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_setups_in_a_storm_of_faults_finish_or_ask() {
    let row = Row::begin("P11", "calls fail with 0.25");
    storm(24, 1).await.end(row, 24);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p11_two_hundred_setups_in_each_of_five_storms_finish_or_ask() {
    let row = Row::begin("P11", "calls fail with 0.25, 5 seeds");
    let mut sum = Storm::default();
    for seed in 1..=5 {
        let storm = storm(200, seed).await;
        sum.faults += storm.faults;
        sum.asked += storm.asked;
        sum.tally.add(storm.tally);
    }
    sum.end(row, 1_000);
}
