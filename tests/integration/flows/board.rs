//! The board for a wall, and the links by which screens show it.

use headgate::store::audit::{self, AuditFilter};
use reqwest::{Method, StatusCode};

use super::overview::with_troubles;
use crate::support::app::{Answer, App, Visitor};
use crate::support::watched::Watched;

const LINKS: &str = "/board/links";

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
    assert_eq!(page.attributes("main", "hx-get"), ["/board"]);
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
    assert!(board.text().contains("Failed Flow 001"), "{}", board.text());
    assert!(!board.body.contains(key));
    assert_eq!(board.attributes("a", "href"), ["/board"], "nothing can be opened");
    assert!(!board.has("form"));
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
    assert_eq!(screen.get("/board").await.location(), "/sign-in?next=%2Fboard");
    let looked = screen
        .send(Method::GET, "/board", &[("hx-request", "true")], None)
        .await;
    assert_eq!(looked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(looked.headers["hx-redirect"], "/sign-in");
    for visitor in [&mut screen, &mut theo] {
        let page = visitor.get(&link).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert!(page.text().contains("This link does not work"), "{}", page.text());
        assert!(!page.body.contains(key));
    }
    is_recorded(&watched, key).await;
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
}
