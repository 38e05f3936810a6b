//! A screen on a wall.

use std::time::Duration;

use crate::support::chrome::{DESK, NO_SCRIPT, PHONE};
use crate::support::demo::Demo;
use crate::support::visitor::Visitor;

/// Sees everything: an admin.
const ADMIN: &str = "Theo Lindqvist";
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_screen_shows_the_board_by_its_link_until_it_is_withdrawn() {
    let demo = Demo::start();
    let mut admin = Visitor::come_in(&demo, DESK, ADMIN).await;
    admin.press("Wall board").await;
    admin.press("Links for screens").await;
    admin.fill("Screen", "Atrium").await;
    admin.press("Make link").await;
    admin.sees("The link for Atrium was made", SOON).await;
    admin.looks_right("made").await;
    let link = admin
        .ask("return document.querySelector('.note code').textContent")
        .await
        .unwrap();
    let link = link.as_str().unwrap();
    let path = &link[link.find("/board?").unwrap()..];
    for kind in [NO_SCRIPT, PHONE] {
        let screen = Visitor::arrive(&demo, kind).await;
        screen.open(path).await;
        screen.is_at("/board").await;
        screen.sees("What needs somebody", SOON).await;
        screen.looks_right("board").await;
        let refresh =
            "const m = document.querySelector('meta[http-equiv=refresh]'); return m ? m.content : null";
        let refresh = screen.ask(refresh).await.unwrap();
        assert_eq!(refresh.as_str(), (!kind.script).then_some("60"));
        screen.leave().await;
    }
    let screen = Visitor::arrive(&demo, DESK).await;
    screen.open(path).await;
    screen.sees("What needs somebody", SOON).await;
    admin.press("Withdraw").await;
    admin.sees("The link was withdrawn.", SOON).await;
    // It finds out by itself.
    screen
        .sees("This link does not work", Duration::from_secs(30))
        .await;
    admin.leave().await;
}
