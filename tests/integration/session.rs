//! Signing in and out, and one's own account, as browsers do it.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use headgate::accounts::people;
use headgate::audit::Actor;
use headgate::emulator::Options;
use headgate::store;
use reqwest::{StatusCode, header};

use crate::support::app::{Answer, App, PASSWORD, Visitor};
use crate::support::watched::NOW_MS;

const MINUTE_MS: i64 = 60_000;

async fn try_password(visitor: &mut Visitor, login: &str, password: &str, next: &str) -> Answer {
    let page = visitor.get("/sign-in").await;
    let fields = [("login", login), ("password", password), ("next", next)];
    visitor.submit(&page, "/sign-in", &fields).await
}

fn session_cookie(answer: &Answer) -> String {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter();
    let mut cookies = cookies
        .filter_map(|cookie| cookie.to_str().ok())
        .filter(|cookie| cookie.starts_with("headgate="));
    let cookie = cookies.next().expect("a session's cookie").to_owned();
    assert_eq!(cookies.next(), None, "one cookie");
    cookie
}

#[tokio::test]
async fn a5_the_right_password_opens_with_a_careful_cookie() {
    let app = App::start().await;
    let mut visitor = app.stranger();
    let answer = try_password(&mut visitor, " Ana ", PASSWORD, "/environments").await;
    assert_eq!(
        (answer.status, answer.location().as_str()),
        (StatusCode::SEE_OTHER, "/environments")
    );
    let cookie = session_cookie(&answer);
    let value = cookie
        .trim_start_matches("headgate=")
        .split(';')
        .next()
        .unwrap_or_default();
    assert_eq!(value.len(), 43, "256 bits");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(
            cookie.split("; ").any(|part| part == attribute),
            "{attribute} in {cookie}"
        );
    }
    assert!(
        !cookie.contains("Domain") && !cookie.contains("Max-Age"),
        "{cookie}"
    );
    assert!(
        visitor
            .get("/environments")
            .await
            .text()
            .contains("editor in Retail data")
    );
    let events = format!("{:?}", store::audit::after(app.store(), 0, 1000).await.unwrap());
    assert!(!events.contains(value) && !events.contains(PASSWORD));

    let again = try_password(&mut app.stranger(), "ana", PASSWORD, "").await;
    assert_ne!(
        session_cookie(&again),
        cookie,
        "each sign-in is a session of its own"
    );
}

#[tokio::test]
async fn whoever_is_refused_learns_nothing_and_keeps_the_login() {
    let app = App::start().await;
    let mut operator_disables = app.visitor("vera").await;
    let state = &app.running.state;
    people::disable(&state.store, &*state.clock, &Actor::operator("tests"), "vera")
        .await
        .unwrap();
    assert_eq!(
        operator_disables.get("/environments").await.status,
        StatusCode::SEE_OTHER,
        "the session has ended"
    );
    let mut texts = Vec::new();
    for (login, password) in [
        ("ana", "wrong horse battery"),
        ("nobody", PASSWORD),
        ("vera", PASSWORD),
    ] {
        let answer = try_password(&mut app.stranger(), login, password, "/flows").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{login}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
        assert!(!answer.body.contains(password), "the password does not come back");
        assert_eq!(answer.codes(), ["sign_in.refused"]);
        assert_eq!(answer.attributes("input#login", "value"), [login]);
        assert_eq!(answer.attributes("input[name=next]", "value"), ["/flows"]);
        assert!(answer.body.contains("<title>Error: "));
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert!(answer.text().contains(&format!("Reference: {id}")));
        texts.push(answer.text().replace(id, "ID"));
    }
    assert!(
        texts.iter().all(|text| *text == texts[0]),
        "all three read the same: {texts:#?}"
    );
}

#[tokio::test]
async fn guessing_is_answered_with_a_pause() {
    let app = App::with(Options::default(), Some(NOW_MS)).await;
    let mut visitor = app.stranger();
    for _ in 0..5 {
        let answer = try_password(&mut visitor, "ana", "wrong horse battery", "").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let answer = try_password(&mut visitor, "ana", PASSWORD, "").await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers[header::RETRY_AFTER], "901");
    assert!(answer.text().contains("Try again in 16 min."));
    app.clock.as_ref().unwrap().advance(15 * MINUTE_MS);
    assert_eq!(
        try_password(&mut visitor, "ana", PASSWORD, "").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn nobody_is_led_away_after_signing_in() {
    let app = App::start().await;
    for next in [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/nowhere",
        "",
    ] {
        let answer = try_password(&mut app.stranger(), "ana", PASSWORD, next).await;
        assert_eq!(
            (answer.status, answer.location().as_str()),
            (StatusCode::SEE_OTHER, "/"),
            "{next}"
        );
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let app = App::start().await;
    let mut visitor = app.stranger();
    let signed_in = try_password(&mut visitor, "ana", PASSWORD, "").await;
    let cookie = session_cookie(&signed_in);
    let page = visitor.get("/account").await;
    let answer = visitor.submit(&page, "/sign-out", &[]).await;
    assert_eq!(answer.location(), "/sign-in");
    assert!(session_cookie(&answer).contains("Max-Age=0"));
    let stolen = cookie.split(';').next().unwrap_or_default();
    let answer = app
        .stranger()
        .send(reqwest::Method::GET, "/account", &[("cookie", stolen)], None)
        .await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "the old value opens nothing"
    );
}

#[tokio::test]
async fn one_click_works_in_a_demonstration_only() {
    let app = App::start().await;
    let mut visitor = app.stranger();
    let answer = visitor
        .post("/sign-in/demo", &[("login".into(), "ana".into())])
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(!visitor.get("/sign-in").await.has("form[action='/sign-in/demo']"));
}

#[tokio::test]
async fn ones_own_page_changes_zone_password_and_sessions() {
    let app = App::start().await;
    let (mut here, mut elsewhere) = (app.visitor("ana").await, app.visitor("ana").await);
    let page = here.get("/account").await;
    let wrong = here
        .submit(&page, "/account", &[("time_zone", "Mars/Olympus")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.attributes("#time_zone", "value"), ["Mars/Olympus"]);
    assert!(wrong.codes().contains(&"time_zone.unknown".to_owned()));
    let saved = here
        .submit(&page, "/account", &[("time_zone", "Asia/Tokyo")])
        .await;
    let page = here.follow(&saved).await;
    assert!(page.text().contains("JST"), "{}", page.text());

    let fields = [
        ("current_password", "wrong horse battery"),
        ("new_password", "another horse battery"),
    ];
    let wrong = here.submit(&page, "/account/password", &fields).await;
    assert!(wrong.codes().contains(&"password.wrong".to_owned()));
    assert!(!wrong.body.contains("another horse battery"));
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::OK);
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", "another horse battery"),
    ];
    let changed = here.submit(&page, "/account/password", &fields).await;
    assert_eq!(changed.location(), "/account?done=password-changed");
    assert_eq!(here.get("/account").await.status, StatusCode::OK);
    assert_eq!(
        elsewhere.get("/account").await.status,
        StatusCode::SEE_OTHER,
        "the other session has ended"
    );

    let mut third = app.stranger();
    assert_eq!(
        try_password(&mut third, "ana", "another horse battery", "")
            .await
            .status,
        StatusCode::SEE_OTHER
    );
    let page = here.get("/account").await;
    let ends = page.attributes("form[action$='/end']", "action");
    assert_eq!(ends.len(), 2);
    let mut vera = app.visitor("vera").await;
    let own = vera.get("/account").await;
    let token = own.form("/account");
    for end in &ends {
        assert_eq!(
            vera.post(end, &token).await.status,
            StatusCode::NOT_FOUND,
            "sessions of others"
        );
    }
    for end in &ends {
        here.submit(&page, end, &[]).await;
    }
    assert_eq!(third.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_theme_is_remembered_and_leads_back() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let mut fields = ana.get("/environments").await.form("/theme");
    fields.push(("theme".into(), "dark".into()));
    let (origin, referer) = (app.url(""), app.url("/environments"));
    let headers = [("origin", origin.as_str()), ("referer", referer.as_str())];
    let answer = ana
        .send(reqwest::Method::POST, "/theme", &headers, Some(&fields))
        .await;
    assert_eq!(answer.location(), "/environments");
    assert!(ana.get("/environments").await.has("html[data-theme=dark]"));
}
