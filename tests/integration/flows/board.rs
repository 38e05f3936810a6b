//! The board for a wall, and the links by which screens show it.

use std::time::Duration;

use headgate::accounts::boards::BOARD_LINKS_MAX;
use headgate::accounts::people;
use headgate::audit::Actor;
use headgate::store::audit::{self, AuditFilter};
use reqwest::{Method, StatusCode};

use super::overview::with_troubles;
use crate::support::app::{Answer, App, Visitor};
use crate::support::watched::Watched;

const LINKS: &str = "/board/links";
const FOLLOW: &str = "/board/live";

async fn make(visitor: &mut Visitor, name: &str) -> Answer {
    let page = visitor.get(LINKS).await;
    visitor.submit(&page, LINKS, &[("name", name)]).await
}

/// Path and query of the link that a page shows.
fn shown_link(page: &Answer) -> String {
    let (_, rest) = page
        .text()
        .split_once("/board?key=")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    format!("/board?key={}", rest.split(' ').next().unwrap())
}

#[tokio::test]
async fn the_board_shows_how_flows_do_to_those_who_are_signed_in() {
    let watched = with_troubles().await;
    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get("/board").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let text = page.text();
    for said in [
        "9 Failed",
        "2 Healthy",
        "Failed Flow 001",
        "4 more: failed flows",
        "Late Flow 010",
        "Read from Adobe at",
        "Coming up",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let again = r#"<noscript><meta http-equiv="refresh" content="60"></noscript>"#;
    assert!(page.body.contains(again), "{}", page.body);
    assert_eq!(page.attributes("#board-now", "hx-get"), ["/board"]);
    // What can have the focus, and what is told as an alert, is not exchanged.
    assert!(!page.has("#board-now a") && !page.has("#board-now [role=alert]"));
    assert!(page.has("a[href='/']") && !page.has("a[href='/board/links']"));
    let mut theo = watched.app.visitor("theo").await;
    assert!(theo.get("/board").await.has("a[href='/board/links']"));
    assert!(theo.get("/").await.has("a[href='/board']"));
    let mut mallory = watched.app.visitor("mallory").await;
    let of_another_team = mallory.get("/board").await.text();
    assert!(!of_another_team.contains("Flow 001") && of_another_team.contains("No flows yet"));
}

#[tokio::test]
async fn a_screen_with_a_link_sees_the_board_and_nothing_else_until_the_link_is_withdrawn() {
    let watched = with_troubles().await;
    let mut theo = watched.app.visitor("theo").await;
    let made = make(&mut theo, " Atrium <b> ").await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text());
    assert!(
        made.text().contains("The link for Atrium <b> was made"),
        "{}",
        made.text()
    );
    let link = shown_link(&made);
    let key = link.split('=').nth(1).unwrap();
    assert!(!theo.get(LINKS).await.body.contains(key), "it is shown once");

    let mut screen = watched.app.stranger();
    assert_eq!(screen.get("/board").await.location(), "/sign-in?next=%2Fboard");
    let opened = screen.get(&link).await;
    assert_eq!(
        opened.location(),
        "/board",
        "the key does not stay in the address"
    );
    let cookie = opened.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/board", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let board = screen.follow(&opened).await;
    assert_eq!(
        board.headers["set-cookie"], cookie,
        "it does not run out while it is used"
    );
    assert!(board.text().contains("Failed Flow 001"), "{}", board.text());
    assert!(!board.body.contains(key));
    assert_eq!(
        board.attributes("a", "href"),
        [""],
        "nothing but itself can be opened"
    );
    assert!(!board.has("form"));
    assert_eq!(board.attributes("#board-now", "data-live"), [FOLLOW]);
    let followed = screen.open(FOLLOW).await;
    assert_eq!(followed.headers()["content-type"], "text/event-stream");
    for closed in ["/", "/flows", LINKS, "/live"] {
        assert_eq!(screen.get(closed).await.status, StatusCode::SEE_OTHER, "{closed}");
    }

    let page = theo.get(LINKS).await;
    let action = page.attributes("form[action$=withdraw]", "action").remove(0);
    let mut mallory = watched.app.visitor("mallory").await;
    let form = mallory.get(LINKS).await.form(LINKS);
    assert_eq!(
        mallory.post(&action, &form).await.status,
        StatusCode::NOT_FOUND,
        "another team's"
    );
    let withdrawn = theo.submit(&page, &action, &[]).await;
    let page = theo.follow(&withdrawn).await;
    assert!(page.text().contains("The link was withdrawn.") && page.text().contains("No links yet"));
    assert_eq!(
        theo.post(&action, &page.form(LINKS)).await.status,
        StatusCode::NOT_FOUND,
        "it is gone"
    );
    shows_nothing(&mut screen, key).await;
    let told = tokio::time::timeout(Duration::from_secs(30), followed.text()).await;
    told.expect("the open stream ends").unwrap();
    let mut late = watched.app.stranger();
    assert_eq!(late.get(&link).await.location(), "/board");
    shows_nothing(&mut late, key).await;
    assert_eq!(screen.open(FOLLOW).await.status(), StatusCode::NOT_FOUND);
    is_recorded(&watched, key).await;
}

/// A screen whose link does not work says so, by itself, too.
async fn shows_nothing(screen: &mut Visitor, key: &str) {
    for headers in [&[][..], &[("hx-request", "true")]] {
        let page = screen.send(Method::GET, "/board", headers, None).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert_eq!(page.headers["hx-redirect"], "/board");
        assert!(page.text().contains("This link does not work"), "{}", page.text());
        assert!(!page.body.contains("Flow 001") && !page.body.contains(key));
    }
}

#[tokio::test]
async fn a_link_is_not_kept_where_somebody_is_signed_in() {
    let watched = with_troubles().await;
    let mut theo = watched.app.visitor("theo").await;
    let link = shown_link(&make(&mut theo, "Atrium").await);
    for (login, is_of_team) in [("theo", true), ("mallory", false)] {
        let mut visitor = watched.app.visitor(login).await;
        let opened = visitor.get(&link).await;
        assert_eq!(
            opened.location(),
            "/board?kept=no",
            "the key stands in no address"
        );
        assert!(!opened.headers.contains_key("set-cookie"));
        let page = visitor.follow(&opened).await;
        assert!(page.text().contains("The link was not kept"), "{}", page.text());
        assert_eq!(page.text().contains("Flow 001"), is_of_team, "the own team's");
        let home = visitor.get("/").await;
        visitor.submit(&home, "/sign-out", &[]).await;
        assert_eq!(visitor.get("/board").await.location(), "/sign-in?next=%2Fboard");
    }
}

#[tokio::test]
async fn who_is_disabled_leaves_no_link_behind() {
    let watched = with_troubles().await;
    let mut theo = watched.app.visitor("theo").await;
    let link = shown_link(&make(&mut theo, "Atrium").await);
    let mut screen = watched.app.stranger();
    let opened = screen.get(&link).await;
    assert_eq!(screen.follow(&opened).await.status, StatusCode::OK);
    let state = &watched.app.running.state;
    let operator = Actor::operator("tests");
    let ended = people::disable(&state.store, &*state.clock, &operator, "theo")
        .await
        .unwrap();
    assert_eq!(ended.board_links, 1);
    shows_nothing(&mut screen, link.split('=').nth(1).unwrap()).await;
}

/// Both acts are in the audit trail, and the key is not.
async fn is_recorded(watched: &Watched, key: &str) {
    let team_id = watched.app.team_id("Retail data").await;
    let filter = AuditFilter::default();
    let events = audit::list(watched.app.store(), &team_id, filter, None, 50)
        .await
        .unwrap();
    let of_boards: Vec<_> = events
        .iter()
        .filter(|event| event.facts.event.starts_with("board."))
        .collect();
    let words: Vec<_> = of_boards.iter().map(|event| event.facts.event.as_str()).collect();
    assert_eq!(words, ["board.withdrawn", "board.shared"]);
    assert!(
        of_boards
            .iter()
            .all(|event| event.facts.object_name == "Atrium <b>")
    );
    assert!(!format!("{events:?}").contains(key));
}

#[tokio::test]
async fn a_link_needs_a_name_of_its_own() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let refused = make(&mut theo, "  ").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.codes().contains(&"input.missing".to_owned()));
    let long = "x".repeat(61);
    let refused = make(&mut theo, &long).await;
    assert_eq!(
        refused.attributes("input[name=name]", "value"),
        [long],
        "nothing typed is lost"
    );
    make(&mut theo, "Kitchen").await;
    let taken = make(&mut theo, "Kitchen").await.codes();
    assert!(taken.contains(&"board.taken".to_owned()), "{taken:?}");
    assert_eq!(
        theo.get(LINKS)
            .await
            .attributes("form[action$=withdraw]", "action")
            .len(),
        1
    );
    for number in 1..BOARD_LINKS_MAX {
        assert_eq!(make(&mut theo, &number.to_string()).await.status, StatusCode::OK);
    }
    let refused = make(&mut theo, "One more").await;
    assert!(
        refused.codes().contains(&"board.too_many".to_owned()),
        "{}",
        refused.text()
    );
    let listed = theo
        .get(LINKS)
        .await
        .attributes("form[action$=withdraw]", "action");
    assert_eq!(listed.len() as i64, BOARD_LINKS_MAX, "each can be withdrawn");
}
