//! One form, sent many times at once.

use std::collections::BTreeSet;

use headgate::store;
use reqwest::StatusCode;

use super::figures::Row;
use super::ledger::{Tally, account};
use crate::support::app::{App, TEAM, Visitor};
use crate::support::works::CANARY;

/// How many times the button is pressed at once.
const PRESSES: usize = 50;

/// Fills in the form up to the review; gives its address to post to and its fields.
async fn review(ana: &mut Visitor, name: &str) -> (String, Vec<(String, String)>) {
    let form = ana.get("/flows/new/amazon-s3").await;
    let answers = [
        ("flow_name", name),
        ("auth.s3AccessKey", "AKIAEXAMPLE000000001"),
        ("auth.s3SecretKey", CANARY),
        ("path", "partners-demo/samples"),
    ];
    let answer = ana.submit(&form, "/flows/new/amazon-s3", &answers).await;
    let action = format!("{}/create", answer.location());
    let fields = ana.follow(&answer).await.form(&action);
    (action, fields)
}

/// Presses the button many times at once; gives where the presses led to.
async fn pressed_at_once(ana: &Visitor, action: &str, fields: &[(String, String)]) -> BTreeSet<String> {
    let presses: Vec<_> = (0..PRESSES)
        .map(|_| {
            let (mut tab, action, fields) = (ana.clone(), action.to_owned(), fields.to_vec());
            tokio::spawn(async move { tab.post(&action, &fields).await })
        })
        .collect();
    let mut places = BTreeSet::new();
    for press in presses {
        let answer = press.await.unwrap();
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        places.insert(answer.location());
    }
    places
}

async fn forms(count: usize, row: Row) {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let mut tally = Tally::default();
    let mut ids = Vec::new();
    for number in 0..count {
        let (action, fields) = review(&mut ana, &format!("Loyalty {number}")).await;
        let places = pressed_at_once(&ana, &action, &fields).await;
        tally.expect(places.len() == 1, || format!("one form led to {places:?}"));
        ids.extend(
            places
                .iter()
                .map(|place| place.rsplit('/').next().unwrap().to_owned()),
        );
    }
    for id in &ids {
        rested(&app, id).await;
    }
    let team = app.team_id(TEAM).await;
    let all = store::setup_lists::list(app.store(), &team, Default::default(), None, 1_000).await;
    tally.expect(all.as_ref().unwrap().len() == count, || {
        format!("{count} forms made {all:?}")
    });
    tally.add(account(app.emulator.control(), app.store(), &team, &ids).await);
    row.end(count * PRESSES, &tally);
}

async fn rested(app: &App, id: &str) {
    for _ in 0..2_000 {
        let setup = store::setups::any_by_id(app.store(), id).await.unwrap().unwrap();
        if !setup.state.is_active() {
            assert!(setup.state.is_final(), "{setup:?}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{id} never rested");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_fifty_identical_submits_make_one_setup() {
    forms(2, Row::begin("P14", "50 identical submits at once x 2")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "long form"]
async fn p14_fifty_identical_submits_of_twenty_forms_make_twenty_setups() {
    forms(20, Row::begin("P14", "50 identical submits at once x 20")).await;
}
