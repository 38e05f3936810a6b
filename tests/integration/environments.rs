//! Environments: adding, checking, changing and archiving, and what of it anybody gets to see.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use headgate::domain::connector::connectors;
use headgate::store::{self, environments::Environment};
use reqwest::StatusCode;

use crate::support::app::{Answer, App, TEAM, Visitor};

const SECRET: &str = "headgate-demo-secret";
const BAD_SECRET: &str = "canary-wrong-secret-5d1e";

fn fields<'a>(name: &'a str, sandbox: &'a str, secret: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("name", name),
        ("organization", "0123456789ABCDEF01234567@AdobeOrg"),
        ("sandbox", sandbox),
        ("client_id", "headgate-demo"),
        ("client_secret", secret),
    ]
}

async fn add(visitor: &mut Visitor, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.get("/environments/new").await;
    visitor.submit(&form, "/environments", fields).await
}

async fn named(app: &App, name: &str) -> Environment {
    let team = app.team_id(TEAM).await;
    let all = store::environments::list(app.store(), &team, None, 50)
        .await
        .unwrap();
    all.into_iter()
        .find(|e| e.name == name)
        .unwrap_or_else(|| panic!("no environment {name}"))
}

/// The last events about one environment, oldest first.
async fn events(app: &App, id: &str) -> Vec<String> {
    let team = app.team_id(TEAM).await;
    let events = store::audit::for_object(app.store(), &team, "environment", id, None, 50)
        .await
        .unwrap();
    events.into_iter().rev().map(|event| event.facts.event).collect()
}

#[tokio::test]
async fn a_good_credential_is_checked_step_by_step() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let added = add(&mut theo, &fields("Retail prod", "prod", SECRET)).await;
    let page = theo.follow(&added).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for expected in [
        "Works",
        "Sign in to Adobe",
        "See the sandbox",
        "Read flows",
        "10 of 10 kinds of source",
        "Production",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let environment = named(&app, "Retail prod").await;
    assert!(environment.production && environment.checked_at.is_some());
    assert!(text.contains(&environment.client_secret_fingerprint) && text.contains("by Theo"));
    let read = store::environments::specifications(app.store(), &environment.id, None, 50)
        .await
        .unwrap();
    assert_eq!(read.len(), connectors().len());
    assert_eq!(
        events(&app, &environment.id).await,
        ["environment.added", "environment.checked"]
    );

    let again = theo
        .submit(&page, &format!("/environments/{}/check", environment.id), &[])
        .await;
    assert!(again.location().ends_with("?done=environment-checked"));
    assert_eq!(
        events(&app, &environment.id).await.len(),
        3,
        "one event for one check"
    );
}

#[tokio::test]
async fn a_credential_that_does_not_work_is_kept_and_said_so() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    for (name, sandbox, secret, step) in [
        ("Bad secret", "dev", BAD_SECRET, "Sign in to Adobe"),
        ("Bad sandbox", "elsewhere", SECRET, "See the sandbox"),
    ] {
        let added = add(&mut theo, &fields(name, sandbox, secret)).await;
        let page = theo.follow(&added).await;
        let text = page.text();
        assert!(
            text.contains("Does not work") && text.contains(&format!("“{step}” failed")),
            "{text}"
        );
        assert!(text.contains("The environment was kept"), "{text}");
        assert!(!named(&app, name).await.production);
        for path in ["/environments".to_owned(), added.location()] {
            assert!(!theo.get(&path).await.body.contains(BAD_SECRET));
        }
    }
    let id = named(&app, "Bad secret").await.id;
    let page = theo.get(&format!("/environments/{id}")).await;
    assert!(
        page.has("main a[href='/help/errors/invalid_client']"),
        "{}",
        page.text()
    );
    let edit = format!("/environments/{id}/edit");
    let form = theo.get(&edit).await;
    assert_eq!(
        form.attributes("#client_secret", "value"),
        Vec::<String>::new(),
        "a secret never comes back"
    );
    let saved = theo.submit(&form, &edit, &[("client_secret", SECRET)]).await;
    assert!(theo.follow(&saved).await.text().contains("Works"));
    let expected = [
        "environment.added",
        "environment.checked",
        "environment.saved",
        "environment.checked",
    ];
    assert_eq!(events(&app, &id).await, expected);
    let all = format!("{:?}", store::audit::after(app.store(), 0, 1000).await.unwrap());
    assert!(!all.contains(BAD_SECRET) && !all.contains(SECRET));
}

#[tokio::test]
async fn an_empty_secret_keeps_the_stored_one() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let before = named(&app, "Retail dev").await;
    let edit = format!("/environments/{}/edit", before.id);
    let form = theo.get(&edit).await;
    let saved = theo.submit(&form, &edit, &[("name", "Retail tests")]).await;
    assert!(theo.follow(&saved).await.text().contains("Works"));
    let after = named(&app, "Retail tests").await;
    assert_eq!(after.client_secret, before.client_secret);
    let refused = theo.submit(&form, &edit, &[("client_secret", "short")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(named(&app, "Retail tests").await, after, "nothing was changed");
}

#[tokio::test]
async fn a_refused_form_keeps_everything_but_the_secret_and_changes_nothing() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let count = store::audit::after(app.store(), 0, 1000).await.unwrap().len();
    for (fields, codes) in [
        (
            fields("", "Prod", "short"),
            &["input.missing", "input.characters", "secret.short"][..],
        ),
        (
            fields("Retail dev", "dev", "canary-typed-secret"),
            &["environment.exists"],
        ),
    ] {
        let refused = add(&mut theo, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        for code in codes {
            assert!(
                refused.codes().contains(&(*code).to_owned()),
                "{code} in {:?}",
                refused.codes()
            );
        }
        assert!(refused.body.contains("<title>Error: "));
        assert!(!refused.body.contains("canary-typed-secret"));
        for (name, value) in fields.iter().filter(|(name, _)| *name != "client_secret") {
            assert_eq!(
                refused.attributes(&format!("#{name}"), "value"),
                [*value],
                "{name}"
            );
        }
    }
    assert_eq!(
        store::audit::after(app.store(), 0, 1000).await.unwrap().len(),
        count
    );
}

#[tokio::test]
async fn archived_environments_are_shown_but_no_longer_used() {
    let app = App::start().await;
    let mut theo = app.visitor("theo").await;
    let id = app.environment_id().await;
    let confirm = theo.get(&format!("/environments/{id}/archive")).await;
    assert!(
        named(&app, "Retail dev").await.archived_at.is_none(),
        "asking changes nothing"
    );
    let archived = theo
        .submit(&confirm, &format!("/environments/{id}/archive"), &[])
        .await;
    assert!(theo.follow(&archived).await.text().contains("Archived"));
    assert_eq!(
        theo.get(&format!("/environments/{id}")).await.status,
        StatusCode::OK
    );
    assert_eq!(
        theo.get(&format!("/environments/{id}/edit")).await.status,
        StatusCode::NOT_FOUND
    );
    let again = theo
        .submit(&confirm, &format!("/environments/{id}/archive"), &[])
        .await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(
        events(&app, &id).await,
        ["environment.added", "environment.archived"]
    );
}

#[tokio::test]
async fn z3_another_teams_environment_is_not_there() {
    let app = App::start().await;
    let id = app.environment_id().await;
    let mut mallory = app.visitor("mallory").await;
    let token = mallory.get("/environments/new").await.form("/environments");
    for path in ["", "/edit", "/archive"] {
        let answer = mallory.get(&format!("/environments/{id}{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "GET {path}");
        assert!(!answer.body.contains("Retail dev"));
    }
    let mut form = token.clone();
    for (name, value) in fields("Stolen", "dev", SECRET) {
        form.retain(|(existing, _)| existing != name);
        form.push((name.to_owned(), value.to_owned()));
    }
    for path in ["/edit", "/archive", "/check", "/select"] {
        let answer = mallory.post(&format!("/environments/{id}{path}"), &form).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "POST {path}");
    }
    assert!(!mallory.get("/environments").await.body.contains("Retail dev"));
    assert_eq!(events(&app, &id).await, ["environment.added"]);
}

#[tokio::test]
async fn viewers_see_but_have_no_buttons_and_can_choose() {
    let app = App::start().await;
    let id = app.environment_id().await;
    let mut vera = app.visitor("vera").await;
    let page = vera.get(&format!("/environments/{id}")).await;
    assert!(page.text().contains("Not checked yet"));
    assert!(!page.has("form[action$='/check']") && !page.has("a[href$='/edit']"));
    let select = format!("/environments/{id}/select");
    let answer = vera.submit(&page, &select, &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(
        answer.headers["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with(&format!("hg-environment={id};"))
    );
}
