//! Asking axe-core what is wrong with a page.

use fantoccini::Client;
use serde_json::json;

const AXE: &str = include_str!("../vendor/axe-core-4.14.1.min.js");
const FILE: &str = "axe-core-4.14.1.min.js";

/// Rules of WCAG 2.2 A and AA and axe's best practices. Answers one line per thing that is wrong.
const RUN: &str = r"
    const answer = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
      (found) => answer(found.violations.flatMap((rule) =>
        rule.nodes.map((node) => `${rule.id} (${rule.impact}): ${rule.help}: ${node.target.join(' ')}: ${node.html}`))),
      (error) => answer([`axe failed: ${error}`]));";

/// What axe finds wrong with the page that the browser shows.
pub async fn violations(client: &Client) -> Vec<String> {
    let present = client
        .execute("return typeof axe !== 'undefined'", vec![])
        .await
        .unwrap();
    if present == json!(false) {
        client.execute(AXE, vec![]).await.unwrap();
    }
    let found = client.execute_async(RUN, vec![]).await.unwrap();
    let lines = found.as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().map_or_else(|| line.to_string(), str::to_owned))
        .collect::<Vec<String>>()
}

#[test]
fn axe_is_the_published_one() {
    use sha2::{Digest, Sha256};
    let sum = data_encoding::HEXLOWER.encode(&Sha256::digest(AXE));
    let readme = include_str!("../vendor/README.md");
    assert!(
        readme
            .lines()
            .any(|line| line.contains(FILE) && line.contains(&sum)),
        "{FILE} has the checksum {sum}"
    );
}

#[tokio::test]
async fn axe_sees_what_is_wrong() {
    use super::chrome::{Chrome, DESK};
    let chrome = Chrome::start(DESK).await;
    chrome
        .client
        .goto("data:text/html,<html lang=en><title>x</title><main><h1>x</h1><input></main>")
        .await
        .unwrap();
    let found = violations(&chrome.client).await;
    assert!(
        found.iter().any(|line| line.starts_with("label (critical)")),
        "{found:?}"
    );
}
