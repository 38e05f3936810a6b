//! Saving a template: its name, its versions, its secrets.

use headgate::domain::connector::connectors;
use reqwest::StatusCode;

use crate::support::app::{Answer, App, Visitor};
use crate::support::works::CANARY;

pub const NEW: &str = "/templates/new?connector=amazon-s3";

/// Saves a template that asks for the flow's name and keeps the secret key.
pub async fn save(visitor: &mut Visitor, name: &str) -> Answer {
    let page = visitor.get(NEW).await;
    let fields = [
        ("name", name),
        ("auth.s3AccessKey", "AKIAEXAMPLE"),
        ("auth.s3SecretKey", CANARY),
        ("path", "partners-demo/samples"),
    ];
    visitor.submit(&page, NEW, &fields).await
}

/// The route of the template that was saved.
pub fn saved(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let location = answer.location();
    location
        .split_once('?')
        .map_or_else(|| location.clone(), |(path, _)| path.to_owned())
}

#[tokio::test]
async fn every_connector_has_its_form() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    for connector in connectors() {
        for route in [
            format!("/templates/new?connector={}", connector.slug),
            format!("/flows/new/{}", connector.slug),
        ] {
            let page = ana.get(&route).await;
            assert_eq!(page.status, StatusCode::OK, "{route}");
            let fields = page.form(&route);
            for field in connector.auth.iter().flat_map(|auth| &auth.fields) {
                let name = format!("auth.{}", field.name);
                assert!(
                    fields.iter().any(|(given, _)| *given == name) || page.has(&format!("[name='{name}']")),
                    "{route}: {name}"
                );
            }
            let empty = ana.submit(&page, &route, &[("path", "")]).await;
            assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY, "{route}");
        }
    }
}

#[tokio::test]
async fn e4_a_name_is_taken_once_in_a_team() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let first = saved(&save(&mut ana, "Partner profiles").await);
    let again = save(&mut ana, "Partner profiles").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.codes(), ["template.exists"]);
    assert!(
        again.has(&format!("a[href='{first}']")),
        "no link to the other template"
    );
    let name = again.form(NEW).into_iter().find(|(field, _)| field == "name");
    assert_eq!(name.map(|(_, value)| value).as_deref(), Some("Partner profiles"));
    let mut mallory = app.visitor("mallory").await;
    saved(&save(&mut mallory, "Partner profiles").await);
}

#[tokio::test]
async fn s8_a_secret_of_a_template_is_nowhere_to_be_read() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let template = saved(&save(&mut ana, "Partner profiles").await);
    for path in [
        &template,
        &format!("{template}/edit"),
        &format!("{template}/versions/1"),
        "/audit",
    ] {
        let page = ana.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.body.contains(CANARY), "{path} shows a secret");
    }
    let mut files = 0;
    for entry in std::fs::read_dir(app.directory.path()).expect("the data directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a file of ours");
            let found = bytes
                .windows(CANARY.len())
                .any(|window| window == CANARY.as_bytes());
            assert!(!found, "{} holds a secret", path.display());
            files += 1;
        }
    }
    assert!(files >= 2, "only {files} files were searched");
}

#[tokio::test]
async fn e29_two_editors_do_not_overwrite_each_other() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let template = saved(&save(&mut ana, "Partner profiles").await);
    let edit = format!("{template}/edit");
    let mut theo = app.visitor("theo").await;
    let (anas, theos) = (ana.get(&edit).await, theo.get(&edit).await);
    let first = theo
        .submit(&theos, &edit, &[("path", "theos/folder"), ("note", "Moved")])
        .await;
    assert_eq!(saved(&first), template);
    let late = ana.submit(&anas, &edit, &[("path", "anas/folder")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(late.codes(), ["template.stale"]);
    for words in ["theos/folder", "anas/folder", "Nothing was changed"] {
        assert!(late.text().contains(words), "{words}: {}", late.text());
    }
    assert!(ana.get(&template).await.text().contains("Version 2"));
}

#[tokio::test]
async fn z2_another_team_and_a_viewer_cannot_touch_a_template() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let template = saved(&save(&mut ana, "Partner profiles").await);
    let mut mallory = app.visitor("mallory").await;
    for path in ["", "/edit", "/use", "/archive", "/versions/1"] {
        let status = mallory.get(&format!("{template}{path}")).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let mut vera = app.visitor("vera").await;
    assert_eq!(vera.get(&template).await.status, StatusCode::OK);
    assert_eq!(
        vera.get(&format!("{template}/use")).await.status,
        StatusCode::NOT_FOUND
    );
}
