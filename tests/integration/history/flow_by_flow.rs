//! Where the platform does not list runs by their start, they are listed flow by flow.

use headgate::emulator::faults::{BodyForm, Fault, Garbage, Rule};
use headgate::store::sync_state::{self, SyncTopic};

use super::reading::{same_runs_as_the_platform, stored};
use crate::support::refusals::{BY_START, refuse_filter};
use crate::support::watched::{HOUR_MS, MINUTE_MS, Watched};

#[tokio::test]
async fn where_runs_cannot_be_listed_by_their_start_they_are_listed_flow_by_flow() {
    let watched = Watched::start().await;
    refuse_filter(watched.app.emulator.control(), BY_START);
    watched.read().await;
    let flows = [
        watched.flow("Loyalty", "hour", Some(1)).await,
        watched.flow("Orders", "hour", Some(1)).await,
    ];
    watched.advance(3 * HOUR_MS);
    watched.read().await;
    same_runs_as_the_platform(&watched, &flows).await;
    let by_flow = watched.app.emulator.control().ledger();
    let by_flow = by_flow
        .iter()
        .filter(|entry| entry.target.contains("flowId%3D%3D"));
    assert!(by_flow.count() >= 2);
}

#[tokio::test]
async fn r1_a_page_that_cannot_be_read_is_made_up_for_where_flows_are_listed_one_by_one() {
    let watched = Watched::start().await;
    refuse_filter(watched.app.emulator.control(), BY_START);
    watched.read().await;
    let flows = [watched.flow("Loyalty", "hour", Some(1)).await];
    watched.advance(250 * HOUR_MS);
    let control = watched.app.emulator.control();
    let next_page = Rule::on("GET", "**/runs").query_contains("continuationToken");
    control.arm(next_page.times(1).then(Fault::Garbage {
        form: Garbage::NotJson,
    }));
    watched.read().await;
    let some = async || (!stored(&watched, &flows).await.is_empty()).then_some(());
    watched.eventually("the first page is stored", some).await;
    let missing = watched.runs_at_the_platform().await.len() - stored(&watched, &flows).await.len();
    assert!(missing > 0);
    watched.advance(2 * MINUTE_MS);
    watched.read().await;
    same_runs_as_the_platform(&watched, &flows).await;
}

#[tokio::test]
async fn r1_an_outage_between_two_pages_loses_nothing_where_flows_are_listed_one_by_one() {
    let watched = Watched::start().await;
    refuse_filter(watched.app.emulator.control(), BY_START);
    watched.read().await;
    let flows = [watched.flow("Loyalty", "hour", Some(1)).await];
    watched.advance(150 * HOUR_MS);
    watched.read().await;
    same_runs_as_the_platform(&watched, &flows).await;
    // More new runs than one page has, and the second page fails for a while.
    let unwell = Fault::Status {
        status: 503,
        body: BodyForm::default(),
    };
    let next_page = Rule::on("GET", "**/runs").query_contains("continuationToken");
    let control = watched.app.emulator.control();
    control.arm(next_page.times(0).then(unwell));
    let before = stored(&watched, &flows).await.len();
    watched.advance(250 * HOUR_MS);
    watched
        .as_time_passes("the first page is stored, and the second one fails", async || {
            let state = sync_state::get(watched.app.store(), &watched.environment.id, SyncTopic::Runs).await;
            let is_failing = state.unwrap()?.failing_since_at.is_some();
            (is_failing && stored(&watched, &flows).await.len() > before).then_some(())
        })
        .await;
    control.disarm();
    refuse_filter(control, BY_START);
    let whole = async || {
        let stored = stored(&watched, &flows).await;
        (stored == watched.runs_at_the_platform().await).then_some(())
    };
    watched
        .as_time_passes("nothing is missing between the pages", whole)
        .await;
}

#[tokio::test]
async fn r1_what_broke_off_flow_by_flow_is_filled_when_runs_can_be_listed_by_their_start() {
    let watched = Watched::start().await;
    let control = watched.app.emulator.control();
    refuse_filter(control, BY_START);
    watched.read().await;
    let flows = [watched.flow("Loyalty", "hour", Some(1)).await];
    watched.advance(250 * HOUR_MS);
    let next_page = Rule::on("GET", "**/runs").query_contains("continuationToken");
    control.arm(next_page.times(0).then(Fault::Garbage {
        form: Garbage::NotJson,
    }));
    let state = async || {
        let (store, id) = (watched.app.store(), &watched.environment.id);
        sync_state::get(store, id, SyncTopic::Runs).await.unwrap()
    };
    watched
        .as_time_passes("it is noted that not all can be read", async || {
            state().await?.fill_problem
        })
        .await;
    assert!(stored(&watched, &flows).await.len() < 200);
    control.disarm();
    watched.advance(70 * MINUTE_MS);
    watched
        .as_time_passes("all runs are there, and nothing fails", async || {
            let state = state().await?;
            let is_done = state.fill_problem.is_none() && state.fill_goal_at.is_none();
            let stored = stored(&watched, &flows).await;
            (is_done && stored == watched.runs_at_the_platform().await).then_some(())
        })
        .await;
}
