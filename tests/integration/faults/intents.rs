//! Intent before bytes: at the moment an unsafe call comes out of the process, its intent can be read from the
//! database by somebody else.

use std::sync::{Arc, Mutex};

use headgate::domain::setup::{SetupState, StepState};
use headgate::setups::Decision;
use headgate::store::setups::Step;
use headgate::store::{self, Store};

use super::figures::Row;
use super::kills::Stand;
use super::ledger::{Tally, account};
use super::steps::{all, brief};
use crate::support::forwarder::Watcher;
use crate::support::works::TEAM;

/// What was seen of the calls.
#[derive(Default)]
struct Seen {
    calls: usize,
    without_intent: Vec<String>,
}

/// Looks at each unsafe call to a service: its step must be on its way in the database already.
fn watcher(store: Store, setup_id: String, seen: Arc<Mutex<Seen>>) -> Watcher {
    Arc::new(move |head: String, body: Vec<u8>| {
        let (store, setup_id, seen) = (store.clone(), setup_id.clone(), Arc::clone(&seen));
        Box::pin(async move {
            let line = head.lines().next().unwrap_or_default().to_owned();
            if line.starts_with("GET ") || !line.contains("/data/foundation/") {
                return;
            }
            let steps = store::setups::steps(&store, &setup_id).await.unwrap();
            let body = String::from_utf8_lossy(&body).into_owned();
            let mut seen = seen.lock().unwrap();
            seen.calls += 1;
            if !steps.iter().any(|step| is_intended(step, &line, &body)) {
                seen.without_intent.push(line);
            }
        })
    })
}

fn is_intended(step: &Step, line: &str, body: &str) -> bool {
    let collection = step.path.rsplit('/').next().unwrap_or_default();
    let is_create = line.starts_with("POST ");
    let is_shared = !body.contains("hg1-");
    let on_its_way = if is_create {
        step.state == StepState::Intent && step.attempt > 0 && (is_shared || body.contains(&step.marker))
    } else {
        step.state == StepState::UndoIntent
    };
    on_its_way && line.contains(&format!("/{collection}"))
}

/// A setup and its undo, each by a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p1_every_intent_is_committed_before_a_byte_leaves() {
    let row = Row::begin("P1", "intents read when the bytes come out");
    let (mut tally, mut calls) = (Tally::default(), 0);
    for recipe in ["s3", "sftp"] {
        let mut parts = all();
        let step = parts.find(|calls| {
            let name = (calls.recipe)("x").connector;
            name.contains(recipe)
        });
        let mut stand = Stand::prepare(step.unwrap()).await;
        let seen = Arc::new(Mutex::new(Seen::default()));
        for ends_as in [SetupState::Done, SetupState::Undone] {
            if ends_as == SetupState::Undone {
                let asked = stand.works.decide(&stand.id, Decision::Undo).await;
                asked.unwrap();
            }
            let watcher = watcher(stand.works.store.clone(), stand.id.clone(), Arc::clone(&seen));
            stand.wire.watch(watcher);
            let server = stand.serve(Vec::new());
            let setup = stand.rested(&mut tally).await;
            drop(server);
            let steps = stand.works.steps(&stand.id).await;
            tally.expect(setup.state == ends_as, || brief(&setup, &steps));
            // The process was killed: what it held is let go of, as the next start would do.
            stand.works.stop_working().await;
        }
        let control = stand.works.emulator.control();
        tally.add(account(control, &stand.works.store, TEAM, &[stand.id.clone()]).await);
        let seen = seen.lock().unwrap();
        tally.without_intent.extend(seen.without_intent.iter().cloned());
        calls += seen.calls;
    }
    let all_calls = tally.unsafe_calls;
    tally.expect(calls == all_calls, || {
        format!("{calls} calls were seen of {all_calls}")
    });
    row.end(calls, &tally);
}
