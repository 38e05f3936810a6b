//! Lost answers, crashes and unclear replies: nothing is made twice, and everything ends.

use headgate::domain::setup::StepState;
use headgate::emulator::faults::{BodyForm, Fault, Garbage, Rule};

use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::works::Works;

const CREATES: [&str; 6] = [
    "**/schemaregistry/tenant/schemas",
    "**/catalog/dataSets",
    "**/sourceConnections",
    "**/targetConnections",
    "**/flows",
    "**/conversion/mappingSets",
];

#[tokio::test]
async fn p3_an_answer_lost_after_acting_is_found_and_not_sent_again() {
    for path in CREATES {
        let works = Works::start().await;
        works
            .emulator
            .control()
            .arm(Rule::on("POST", path).then(Fault::LoseAnswer));
        let id = works.set_up(&sftp_delimited("Store sales")).await;
        works.done(&id).await;
        assert!(
            works.created().values().all(|n| *n == 1),
            "{path}: {:?}",
            works.created()
        );
        let adopted = works.steps(&id).await.into_iter().filter(|s| s.adopted).count();
        assert_eq!(adopted, 1, "{path}");
    }
}

#[tokio::test]
async fn p3_lost_answers_of_both_kinds_of_connection_are_found() {
    for (nth, name) in [(1, "the first"), (2, "the second")] {
        let works = Works::start().await;
        works.emulator.control().arm(
            Rule::on("POST", "**/flowservice/connections")
                .nth(nth)
                .then(Fault::LoseAnswer),
        );
        let id = works.set_up(&s3_parquet("Loyalty members")).await;
        works.done(&id).await;
        assert_eq!(works.created()["connections"], 2, "{name}");
    }
}

#[tokio::test]
async fn p2_a_call_lost_before_acting_is_sent_again_after_settling() {
    let works = Works::start().await;
    works
        .emulator
        .control()
        .arm(Rule::on("POST", "**/flows").then(Fault::LoseRequest));
    let id = works.set_up(&s3_parquet("Loyalty members")).await;
    works.done(&id).await;
    let flow = works.steps(&id).await.pop().unwrap();
    assert_eq!((flow.attempt, works.created()["flows"]), (2, 1));
}

#[tokio::test]
async fn p2_unclear_answers_are_looked_up() {
    let faults = [
        Fault::AfterStatus {
            status: 503,
            body: BodyForm::default(),
        },
        Fault::AfterStatus {
            status: 500,
            body: BodyForm::Html,
        },
        Fault::Garbage {
            form: Garbage::EmptyObject,
        },
        Fault::Garbage { form: Garbage::NoId },
        Fault::Garbage { form: Garbage::OddId },
        Fault::Garbage {
            form: Garbage::Truncated,
        },
        Fault::CutAnswer,
    ];
    for fault in faults {
        let works = Works::start().await;
        works
            .emulator
            .control()
            .arm(Rule::on("POST", "**/dataSets").then(fault.clone()));
        let id = works.set_up(&s3_parquet("Loyalty members")).await;
        works.done(&id).await;
        assert_eq!(works.created()["dataSets"], 1, "{fault:?}");
    }
}

#[tokio::test]
async fn p11_a_crash_anywhere_loses_and_doubles_nothing() {
    for pause_ms in (0..70).step_by(5) {
        let mut works = Works::start().await;
        let id = works.set_up(&s3_parquet("Loyalty members")).await;
        tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
        works.crash_and_restart().await;
        works.done(&id).await;
        let created = works.created();
        assert_eq!(
            created.values().sum::<usize>(),
            7,
            "crash after {pause_ms} ms: {created:?}"
        );
        assert!(
            works
                .steps(&id)
                .await
                .iter()
                .all(|s| s.state == StepState::Confirmed)
        );
    }
}
