//! Every row of the route table, asked by people who may not, and by people who did not mean it.

use std::collections::BTreeMap;

use headgate::emulator::Options;
use headgate::web::csrf::Csrf;
use headgate::web::routes::ROUTES;
use headgate::web::session::Access;
use reqwest::{Method, StatusCode};

use crate::support::app::{App, Visitor};
use crate::support::watched::{HOUR_MS, NOW_MS};

/// A path of this route; nothing has the ids in it.
fn path(route: &str) -> String {
    let parts = route.split('/').map(|part| match part {
        "{n}" | "{seq}" => "1",
        part if part.starts_with('{') => "nothing",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Sends what a page of ours would send, without the session's token.
async fn ask(visitor: &mut Visitor, method: &Method, path: &str, origin: &str) -> StatusCode {
    let form = (*method == Method::POST).then_some(&[][..]);
    let headers = [("origin", origin), ("sec-fetch-site", "same-origin")];
    let answer = visitor.send(method.clone(), path, &headers, form).await;
    if answer.status == StatusCode::SEE_OTHER {
        assert!(
            answer.location().starts_with("/sign-in"),
            "{path}: {}",
            answer.location()
        );
    }
    answer.status
}

#[tokio::test]
async fn z1_nobody_passes_a_route_with_less_than_it_asks() {
    let app = App::start().await;
    let origin = app.url("");
    let mut people = BTreeMap::from([(Access::Public, app.stranger())]);
    for (access, login) in [
        (Access::Viewer, "vera"),
        (Access::Editor, "ana"),
        (Access::Admin, "theo"),
    ] {
        people.insert(access, app.visitor(login).await);
    }
    let mut asked = 0;
    for route in ROUTES.iter().filter(|route| route.least != Access::Public) {
        let path = path(route.path);
        for (have, visitor) in &mut people {
            // Every member of a team is signed in.
            let enough = *have >= route.least || (route.least == Access::SignedIn && *have >= Access::Viewer);
            let expected = match (have, enough) {
                (Access::Public, _) => StatusCode::SEE_OTHER,
                (_, false) => StatusCode::NOT_FOUND,
                (_, true) if route.csrf == Csrf::Token => StatusCode::FORBIDDEN,
                (_, true) => continue,
            };
            let status = ask(visitor, &route.method, &path, &origin).await;
            assert_eq!(status, expected, "{have:?} {} {path}", route.method);
            asked += 1;
        }
    }
    assert!(asked > ROUTES.len(), "only {asked} requests were tried");
}

#[tokio::test]
async fn w1_a_foreign_page_cannot_sign_anybody_in() {
    let app = App::start().await;
    for route in ROUTES.iter().filter(|route| route.csrf == Csrf::Origin) {
        for proof in [
            &[
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ][..],
            &[("origin", "https://evil.example")],
            &[],
        ] {
            let mut stranger = app.stranger();
            let answer = stranger
                .send(route.method.clone(), route.path, proof, Some(&[]))
                .await;
            assert_eq!(
                answer.status,
                StatusCode::FORBIDDEN,
                "{} with {proof:?}",
                route.path
            );
        }
    }
}

#[tokio::test]
async fn a5_a_session_ends_by_itself() {
    let app = App::with(Options::default(), Some(NOW_MS)).await;
    let clock = app.clock.clone().expect("the clock stands still");
    let mut ana = app.visitor("ana").await;
    assert_eq!(ana.get("/templates").await.status, StatusCode::OK);
    clock.advance(HOUR_MS / 2);
    assert_eq!(ana.get("/templates").await.status, StatusCode::OK);
    clock.advance(HOUR_MS);
    let answer = ana.get("/templates?q=web").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), "/sign-in?next=%2Ftemplates%3Fq%3Dweb");
}
