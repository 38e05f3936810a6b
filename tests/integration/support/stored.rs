//! What the server has stored.

use headgate::store::Store;
use headgate::store::run_lists::{self, RunSelection};
use headgate::store::runs::Run;

/// All runs of a flow, the last started first.
pub async fn runs_of(store: &Store, environment_id: &str, flow_id: &str) -> Vec<Run> {
    let (mut runs, mut after) = (Vec::new(), None);
    loop {
        let everything = RunSelection::default();
        let batch = run_lists::batch(store, environment_id, Some(flow_id), &everything, after.as_ref());
        let batch = batch.await.unwrap();
        runs.extend(batch.runs.into_iter().map(|listed| listed.run));
        match batch.next {
            Some(next) => after = Some(next),
            None => return runs,
        }
    }
}
