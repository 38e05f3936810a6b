//! The pictures of the README, made from the demo: `cargo test --features browser-tests --test browser screenshots
//! -- --ignored`.

use std::path::Path;
use std::time::Duration;

use crate::journeys::fill_in_template;
use crate::support::chrome::{DESK, Kind};
use crate::support::demo::Demo;
use crate::support::visitor::Visitor;

/// The README shows what lies here.
const FOLDER: &str = "tests/browser/screenshots";

async fn picture(visitor: &Visitor, name: &str) {
    let png = visitor.client().screenshot().await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
}

#[tokio::test]
#[ignore = "writes the pictures of the README"]
async fn screenshots() {
    let demo = Demo::start();
    let mut visitor = Visitor::come_in(&demo, DESK, "Ana Ribeiro").await;
    // The history of the seeded dataflows has to be read first.
    visitor.sees("Web orders", Duration::from_secs(20)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    visitor.open("/").await;
    picture(&visitor, "overview").await;
    visitor.chrome.become_kind(Kind { dark: true, ..DESK }).await;
    picture(&visitor, "overview-dark").await;
    visitor.chrome.become_kind(DESK).await;
    visitor.open("/flows").await;
    visitor.press("App clickstream").await;
    visitor.sees("Last 30 runs", Duration::from_secs(10)).await;
    picture(&visitor, "flow").await;
    fill_in_template(&mut visitor, "samples").await;
    picture(&visitor, "review").await;
    visitor.press("Create flow").await;
    visitor.sees("The dataflow exists", Duration::from_secs(20)).await;
    picture(&visitor, "setup").await;
    visitor.leave().await;
}
