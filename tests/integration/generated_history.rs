//! `headgate generate-history`, run as a process: the same again, right in its sums, and what a mirror would hold.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use headgate::domain::{DAY_MS, RunOutcome};
use headgate::emulator::{Options, SeedOptions};
use headgate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use headgate::store::flows::{self, Flow, FlowRecord};
use headgate::store::runs::{self, Run, RunDay};
use headgate::store::sync_state::{self, SyncTopic};
use headgate::store::{self, Store};
use serde_json::Value;

use crate::support::app::{App, PASSWORD, TEAM};
use crate::support::process::run;
use crate::support::stored::runs_of;
use crate::support::watched::{NOW_MS, Watched};

const NOW: &str = "2026-03-01T00:00:00Z";
const FLOWS: usize = 14;
const RUNS_PER_FLOW: usize = 30;

/// Generates into a directory; `more` comes before what is usual and replaces it.
fn generate(directory: &Path, more: &[&str]) -> Output {
    let mut arguments = [&["generate-history"], more].concat();
    for (name, value) in [
        ("--flows", "14"),
        ("--runs-per-flow", "30"),
        ("--days", "5"),
        ("--now", NOW),
    ] {
        if !more.contains(&name) {
            arguments.extend([name, value]);
        }
    }
    run(
        directory,
        "http://127.0.0.1:9",
        &arguments,
        &format!("{PASSWORD}\n"),
    )
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

/// The flows of the environment "Generated history", and its id.
async fn generated(store: &Store) -> (String, Vec<Flow>) {
    let team = store::people::team_by_name(store, TEAM).await.unwrap().unwrap();
    let environments = store::environments::list(store, &team.id, None, 10)
        .await
        .unwrap();
    let environment = environments
        .into_iter()
        .find(|environment| environment.name == "Generated history")
        .unwrap();
    let filter = FlowFilter {
        environment_id: Some(&environment.id),
        ..FlowFilter::default()
    };
    let listed = flow_lists::list(store, &team.id, filter, FlowSort::Name, 0, FlowPage::First, 1_000).await;
    let mut flows = Vec::new();
    for flow in listed.unwrap() {
        let flow = flows::by_id(store, &team.id, Some(&environment.id), &flow.id).await;
        flows.push(flow.unwrap().unwrap());
    }
    (environment.id, flows)
}

/// Everything that is stored, but for the environment's own id.
async fn rows(directory: &Path) -> Vec<(FlowRecord, Vec<(Run, String)>)> {
    let store = Store::open(&directory.join("headgate.db")).await.unwrap();
    let (environment_id, flows) = generated(&store).await;
    let mut all = Vec::new();
    for flow in flows {
        let mut of_flow = Vec::new();
        for run in runs_of(&store, &environment_id, &flow.record.id).await {
            let raw = runs::raw(&store, &environment_id, &run.id)
                .await
                .unwrap()
                .unwrap();
            of_flow.push((without_environment(run), raw));
        }
        let record = FlowRecord {
            environment_id: String::new(),
            ..flow.record
        };
        all.push((record, of_flow));
    }
    store.close().await;
    all
}

fn without_environment(run: Run) -> Run {
    Run {
        environment_id: String::new(),
        ..run
    }
}

#[tokio::test]
async fn the_same_numbers_make_the_same_history_and_others_another() {
    let [one, same, other] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
    for (directory, seed) in [(&one, "7"), (&same, "7"), (&other, "8")] {
        let output = generate(directory.path(), &["--random-seed", seed]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).contains("14 flows and 420 runs"),
            "{}",
            said(&output)
        );
    }
    let first = rows(one.path()).await;
    assert_eq!(first.len(), FLOWS);
    assert!(first.iter().all(|(_, runs)| runs.len() == RUNS_PER_FLOW));
    assert_eq!(first, rows(same.path()).await);
    let ids = |rows: &[(FlowRecord, Vec<(Run, String)>)]| -> Vec<String> {
        rows.iter().map(|(flow, _)| flow.id.clone()).collect()
    };
    assert_ne!(ids(&first), ids(&rows(other.path()).await));
}

#[tokio::test]
async fn sums_and_last_runs_equal_a_recount() {
    let directory = tempfile::tempdir().unwrap();
    assert!(generate(directory.path(), &[]).status.success());
    let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
    let (environment_id, flows) = generated(&store).await;
    let mut outcomes = Vec::new();
    for flow in flows {
        let id = &flow.record.id;
        let all = runs_of(&store, &environment_id, id).await;
        assert_eq!(flow.last_run_id.as_ref(), all.first().map(|run| &run.id));
        assert_eq!(flow.last_run_outcome, all.first().map(|run| run.outcome));
        let mut days: BTreeMap<i64, RunDay> = BTreeMap::new();
        for run in &all {
            let day = run.started_at.div_euclid(DAY_MS);
            let sums = days.entry(day).or_insert(RunDay {
                day,
                succeeded: 0,
                partial: 0,
                failed: 0,
                unfinished: 0,
                records_out: 0,
                bytes_in: 0,
            });
            *match run.outcome {
                RunOutcome::Succeeded => &mut sums.succeeded,
                RunOutcome::Partial => &mut sums.partial,
                RunOutcome::Failed => &mut sums.failed,
                _ => &mut sums.unfinished,
            } += 1;
            sums.records_out += run.records_out.unwrap_or(0);
            sums.bytes_in += run.bytes_in.unwrap_or(0);
            outcomes.push(run.outcome);
        }
        let stored = runs::day_sums(&store, &environment_id, id, 0).await.unwrap();
        assert_eq!(
            stored,
            days.into_values().collect::<Vec<_>>(),
            "{}",
            flow.record.name
        );
    }
    for expected in [RunOutcome::Succeeded, RunOutcome::Partial, RunOutcome::Failed] {
        assert!(outcomes.contains(&expected), "no run is {expected:?}");
    }
    store.close().await;
}

#[tokio::test]
async fn a_generated_row_is_what_the_mirror_stores() {
    // The same as the command makes of its arguments, in the sandbox that is mirrored here.
    let options = Options {
        sandboxes: vec!["dev".to_owned()],
        manual_time: true,
        manual_start_ms: Some(NOW_MS),
        random_seed: Some(1),
        seed: Some(SeedOptions {
            flows: 14,
            days: 10,
            runs_per_day: Some(6),
        }),
        ..Options::default()
    };
    let app = App::with(options, Some(NOW_MS)).await;
    let environment_id = app.environment_id().await;
    let environment = store::environments::any_by_id(app.store(), &environment_id).await;
    let environment = environment.unwrap().unwrap();
    let watched = Watched { app, environment };
    watched.read().await;
    watched
        .as_time_passes("the past is filled", async || {
            let (store, id) = (watched.app.store(), &environment_id);
            let state = sync_state::get(store, id, SyncTopic::Runs).await.unwrap()?;
            (state.filled_from_at.is_some() && state.fill_goal_at.is_none()).then_some(())
        })
        .await;

    let directory = tempfile::tempdir().unwrap();
    assert!(generate(directory.path(), &[]).status.success());
    let store = watched.app.store();
    let team = watched.app.team_id(TEAM).await;
    for (flow, generated) in rows(directory.path()).await {
        let mirrored = flows::by_id(store, &team, Some(&environment_id), &flow.id).await;
        let mirrored = FlowRecord {
            environment_id: String::new(),
            read_at: flow.read_at,
            ..mirrored.unwrap().unwrap().record
        };
        assert_eq!(flow, mirrored);
        // A run that was not over may have gone on while it was mirrored.
        for (run, raw) in generated.into_iter().filter(|(run, _)| run.outcome.is_final()) {
            let mirrored = runs::by_id(store, &environment_id, &run.id)
                .await
                .unwrap()
                .unwrap();
            let mirrored = without_environment(Run {
                read_at: run.read_at,
                ..mirrored
            });
            assert_eq!(run, mirrored);
            let mirrored_raw = runs::raw(store, &environment_id, &run.id).await.unwrap().unwrap();
            assert_eq!(without_sandbox(&raw), without_sandbox(&mirrored_raw));
        }
    }
}

fn without_sandbox(raw: &str) -> Value {
    let mut document: Value = serde_json::from_str(raw).unwrap();
    let members = document.as_object_mut().unwrap();
    assert!(members.remove("sandboxName").is_some());
    assert!(members.remove("sandboxId").is_some());
    document
}

#[test]
fn impossible_numbers_are_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("data");
    for more in [
        &["--flows", "0"][..],
        &["--flows", "-3"],
        &["--flows", "many"],
        &["--days", "0"],
        // Less than a run a day, and more than one each quarter of an hour.
        &["--days", "31"],
        &["--days", "1", "--runs-per-flow", "97"],
        &["--flows", "50000", "--runs-per-flow", "201", "--days", "30"],
        &["--now", "yesterday"],
    ] {
        let refused = generate(&below, more);
        assert_eq!(refused.status.code(), Some(64), "{more:?}: {}", said(&refused));
        assert!(!below.exists(), "{more:?}");
    }
}

#[tokio::test]
async fn an_installation_in_use_and_a_name_that_is_taken_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let small = ["--environment", "Generated history"];
    assert!(generate(directory.path(), &small).status.success());
    let before = rows(directory.path()).await;
    let taken = generate(directory.path(), &small);
    assert_eq!(taken.status.code(), Some(64), "{}", said(&taken));
    // As a server holds it.
    let lock = std::fs::File::open(directory.path().join("headgate.lock")).unwrap();
    lock.lock().unwrap();
    let used = generate(directory.path(), &["--environment", "Another"]);
    assert_eq!(used.status.code(), Some(73), "{}", said(&used));
    assert!(said(&used).contains("another headgate serves"), "{}", said(&used));
    drop(lock);
    assert_eq!(before, rows(directory.path()).await);
    let beside = generate(directory.path(), &["--environment", "Another"]);
    assert!(beside.status.success(), "{}", said(&beside));
}
