//! Pages that are open follow what happens at the platform.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::chrome::DESK;
use crate::support::demo::Demo;
use crate::support::visitor::Visitor;

/// Sees everything: an admin.
const ADMIN: &str = "Theo Lindqvist";
/// The schedules of the demo, which run faster than they say, bring something several times in that time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until a function body returns true in the page.
async fn waits_until(visitor: &Visitor, condition: &str) {
    let begin = Instant::now();
    while visitor.ask(condition).await.unwrap() != Value::Bool(true) {
        let is_late = begin.elapsed() >= PATIENCE;
        assert!(!is_late, "not true: {condition}: {}", visitor.words().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_list_follows_by_itself_but_does_not_move_under_its_reader() {
    let demo = Demo::start();
    let visitor = Visitor::come_in(&demo, DESK, ADMIN).await;
    visitor.open("/runs?outcome=").await;
    let keep = "window.isTheSame = true; window.rows = document.querySelector('#list .page tbody').textContent; \
                window.steps = history.length; document.querySelector('#list .page tbody a').focus(); return true";
    assert_eq!(visitor.ask(keep).await.unwrap(), true);
    let says_newer = "return !document.querySelector('[data-newer]').hidden";
    waits_until(&visitor, says_newer).await;
    let stands_still = "return window.rows === document.querySelector('#list .page tbody').textContent";
    assert_eq!(visitor.ask(stands_still).await.unwrap(), true);
    visitor.looks_right("newer").await;
    visitor.ask("document.activeElement.blur()").await.unwrap();
    waits_until(
        &visitor,
        "return window.rows !== document.querySelector('#list .page tbody').textContent",
    )
    .await;
    let stayed = "return window.isTheSame && window.steps === history.length \
                  && document.querySelector('[data-newer]').hidden && location.search === '?outcome='";
    assert_eq!(
        visitor.ask(stayed).await.unwrap(),
        true,
        "no reload, no step back"
    );
    visitor.leave().await;
}
