//! Many setups while each call fails at random.

use headgate::emulator::faults::{BodyForm, Fault, Garbage, RetryAfter, When};
use headgate::emulator::{Control, Options};
use headgate::setups::Decision;

use super::figures::Row;
use super::ledger::{Tally, account};
use super::steps::brief;
use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::{TEAM, Works};

/// How probable it is that a call fails.
const CHANCE: f64 = 0.25;

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
        Fault::RetryAfter {
            after: Some(RetryAfter::Seconds(1)),
        },
    ]
}

/// Every call to a service fails with the chance, in one of the ways, all equally probable.
fn arm(control: &Control) {
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

async fn storm(setups: usize, seed: u64) -> Tally {
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
    for id in &ids {
        let setup = works.rested(id).await;
        let asks = setup.question.is_some()
            && setup
                .question_detail
                .as_ref()
                .is_some_and(|words| !words.is_empty());
        tally.expect(setup.state.is_final() || asks, || {
            format!("it rests as {}", brief(&setup, &[]))
        });
    }
    tally.add(account(control, &works.store, TEAM, &ids).await);
    // Whatever was asked can be answered.
    control.disarm();
    for id in &ids {
        if !works.setup(id).await.state.is_final() {
            works.decide(&id, Decision::Resume).await.unwrap();
            works.done(id).await;
        }
    }
    let after = account(control, &works.store, TEAM, &ids).await;
    tally.duplicates.extend(after.duplicates);
    tally.orphans.extend(after.orphans);
    tally.named(&format!("seed {seed}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_setups_in_a_storm_of_faults_finish_or_ask() {
    let row = Row::begin("P11", "each call fails with 0.25, 16 setups");
    row.end(16, &storm(16, 1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p11_two_hundred_setups_in_each_of_five_storms_finish_or_ask() {
    let row = Row::begin("P11", "each call fails with 0.25, 200 setups x 5 seeds");
    let mut tally = Tally::default();
    for seed in 1..=5 {
        tally.add(storm(200, seed).await);
    }
    row.end(1_000, &tally);
}
