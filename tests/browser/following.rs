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
    // Also where it is asked for in any other way; why it is not fresher would be told.
    let asked = "document.body.dispatchEvent(new CustomEvent('live', { detail: {} })); return true";
    visitor.ask(asked).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(visitor.ask(stands_still).await.unwrap(), true);
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

#[tokio::test]
async fn a_list_says_when_it_hears_nothing_and_makes_up_for_it() {
    let demo = Demo::start();
    let visitor = Visitor::come_in(&demo, DESK, ADMIN).await;
    visitor.open("/runs?outcome=").await;
    demo.hold(true);
    let begin = Instant::now();
    waits_until(&visitor, "return !document.querySelector('[data-paused]').hidden").await;
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    let rows = "window.rows = document.querySelector('#list .page tbody').textContent; return true";
    visitor.ask(rows).await.unwrap();
    demo.hold(false);
    let is_up_to_date = "return document.querySelector('[data-paused]').hidden \
                         && window.rows !== document.querySelector('#list .page tbody').textContent";
    waits_until(&visitor, is_up_to_date).await;
}

#[tokio::test]
async fn a_list_that_asks_for_itself_stays_where_it_is_and_gives_way_to_its_filter() {
    let demo = Demo::start();
    let visitor = Visitor::come_in(&demo, DESK, ADMIN).await;
    // Where the link to the content leads.
    visitor.open("/flows#main").await;
    let ask_itself = "document.body.dispatchEvent(new CustomEvent('live', { detail: {} })); return true";
    let scroll = "scrollTo(0, 40); window.first = document.getElementById('list'); return scrollY === 40";
    assert_eq!(
        visitor.ask(scroll).await.unwrap(),
        true,
        "the page is long enough"
    );
    visitor.ask(ask_itself).await.unwrap();
    waits_until(
        &visitor,
        "return window.first !== document.getElementById('list')",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(visitor.ask("return scrollY").await.unwrap(), 40);

    let filter = "window.wasPaused = false; \
                  const note = document.querySelector('[data-paused]'), health = document.getElementById('health'); \
                  const look = () => { window.wasPaused ||= !note.hidden; }; \
                  new MutationObserver(look).observe(note, { attributes: true }); \
                  document.body.dispatchEvent(new CustomEvent('live', { detail: {} })); \
                  health.value = 'failed'; health.dispatchEvent(new Event('change', { bubbles: true })); return true";
    visitor.ask(filter).await.unwrap();
    waits_until(&visitor, "return location.search === '?health=failed'").await;
    let shows_failed = "const badges = [...document.querySelectorAll('#list .page tbody tr td:nth-child(2) .badge')]; \
                        return badges.length > 0 && badges.every((badge) => badge.textContent.includes('Failed'))";
    waits_until(&visitor, shows_failed).await;
    visitor.ask(ask_itself).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(visitor.ask(shows_failed).await.unwrap(), true);
    let stayed = "return !window.wasPaused && location.search === '?health=failed'";
    assert_eq!(visitor.ask(stayed).await.unwrap(), true);
    visitor.leave().await;
}
