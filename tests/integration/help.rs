//! What Adobe's codes mean: the pages, and the ways to them from a run that failed.

use headgate::domain::RunOutcome;
use headgate::domain::failures::families;
use headgate::emulator::SeedOptions;
use headgate::store::{flows, runs};
use reqwest::StatusCode;

use crate::flows::list::{record, run};
use crate::support::app::App;
use crate::support::stored::runs_of;
use crate::support::watched::Watched;

#[tokio::test]
async fn every_code_of_the_list_has_its_page() {
    let app = App::start().await;
    let mut vera = app.visitor("vera").await;
    let list = vera.get("/help/errors").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.has("footer a[href='/help/errors']") && list.has("dialog a[href='/help/errors']"));
    let links = list.attributes("tbody a", "href");
    let failures: Vec<_> = families().iter().flat_map(|family| &family.failures).collect();
    assert_eq!(links.len(), failures.len());
    for (link, failure) in links.iter().zip(&failures) {
        let page = vera.get(link).await;
        assert_eq!(page.status, StatusCode::OK, "{link}");
        let text = page.text();
        let told = [&failure.title, &failure.cause, &failure.how];
        for words in told.into_iter().chain(&failure.codes) {
            let words: Vec<&str> = words.split_whitespace().collect();
            assert!(text.contains(&words.join(" ")), "{link}: {words:?}");
        }
        for place in page.attributes("main a.btn", "href") {
            assert_eq!(vera.get(&place).await.status, StatusCode::OK, "{place}");
        }
    }
}

#[tokio::test]
async fn codes_are_found_by_words_and_in_every_spelling() {
    let app = App::start().await;
    let mut vera = app.visitor("vera").await;
    for (query, expected) in [
        ("flow-1418-400", "1418-400"),
        (
            "https%3A%2F%2Fns.adobe.com%2Faep%2Ferrors%2FFLOW-1439-404",
            "1439-400",
        ),
        ("base+connection+still+used", "1418-400"),
        ("25%2C000+files", "limit-files-per-batch"),
    ] {
        let list = vera.get(&format!("/help/errors?q={query}")).await;
        let links = list.attributes("tbody a", "href");
        assert_eq!(links, [format!("/help/errors/{expected}")], "{query}");
    }
    let none = vera.get("/help/errors?q=%3Cscript%3Enothing").await;
    assert!(none.text().contains("No error codes match"), "{}", none.text());
    assert!(!none.has("main script"));
    let page = vera.get("/help/errors/flow-1439-404").await;
    assert!(page.text().contains("1439-400"));
}

#[tokio::test]
async fn a_code_that_nobody_explains_is_said_to_be_one_and_stays_text() {
    let app = App::start().await;
    let mut vera = app.visitor("vera").await;
    let long = "9".repeat(9_000);
    for code in [
        "FLOW-9999-400",
        "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "..%2F..%2Fetc%2Fpasswd",
        "%22%20onmouseover%3Dx",
        "%E2%80%AE%00x",
        "%F0%9F%92%A5",
        long.as_str(),
    ] {
        let page = vera.get(&format!("/help/errors/{code}")).await;
        assert_eq!(page.status, StatusCode::OK, "{code:.40}");
        assert!(
            page.text().contains("No document of Adobe's that Headgate knows"),
            "{code:.40}"
        );
        assert!(
            !page.has("main script") && !page.has("[onmouseover]"),
            "{code:.40}"
        );
        assert!(page.body.len() < 20_000, "{code:.40}: {}", page.body.len());
    }
    let bytes = vera.get("/help/errors/%FF%FE").await;
    assert!(bytes.status.is_client_error(), "{}", bytes.status);
    assert_eq!(
        app.stranger().get("/help/errors").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn a_run_that_failed_leads_to_what_its_codes_mean() {
    let seed = SeedOptions {
        flows: 9,
        days: 20,
        runs_per_day: Some(6),
    };
    let watched = Watched::with(Some(seed)).await;
    watched.read().await;
    let (store, environment) = (watched.app.store(), &watched.environment.id);
    let mut ana = watched.app.visitor("ana").await;
    let flows = ana
        .get("/flows")
        .await
        .attributes("tbody td:first-child a", "href");
    let failed = watched
        .eventually("a run has failed", async || {
            for flow in &flows {
                let id = flow.rsplit('/').next().unwrap();
                let all = runs_of(store, environment, id).await;
                if let Some(run) = all.into_iter().find(|run| run.outcome == RunOutcome::Failed) {
                    return Some(run);
                }
            }
            None
        })
        .await;
    let page = ana
        .get(&format!("/flows/{}/runs/{}", failed.flow_id, failed.id))
        .await;
    let links = page.attributes("main a[href^='/help/errors/']", "href");
    let code = failed.error_code.unwrap();
    assert!(
        links.contains(&format!("/help/errors/{code}")),
        "{code}: {links:?}"
    );
    for link in links {
        let help = ana.get(&link).await;
        assert!(!help.text().contains("No document of Adobe's"), "{link}");
    }
    assert!(page.text().contains("What Adobe says"), "{}", page.text());
}

#[tokio::test]
async fn a_flow_in_trouble_shows_hostile_words_as_text() {
    let watched = Watched::start().await;
    let (known, unknown, silent) = (1, 2, 3);
    let trouble = |number, code: Option<&str>, message: Option<&str>| {
        let mut run = run(&watched, number, RunOutcome::Failed);
        run.row.error_code = code.map(str::to_owned);
        run.row.error_message = message.map(str::to_owned);
        run
    };
    let rows = [
        trouble(
            known,
            Some("CONNECTOR-1001-500"),
            Some("<img src=x> could not copy"),
        ),
        trouble(unknown, Some("ODD-1-500"), Some("<b>odd</b> words")),
        trouble(silent, None, None),
    ];
    let records: Vec<_> = (1..=3).map(|number| record(&watched, number)).collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &records).await.unwrap();
    runs::upsert_many(&mut tx, &rows).await.unwrap();
    tx.commit().await.unwrap();
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/flows/flow-001").await;
    let text = page.text();
    for words in [
        "The files could not be copied from the source.",
        "Whoever owns the source can mend this.",
        "<img src=x> could not copy",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.has("#live details code") && !page.has("#live img"));
    assert!(page.has("#live a[href='/help/errors/CONNECTOR-1001-500']"));
    let page = ana.get("/flows/flow-002").await;
    assert!(page.text().contains("<b>odd</b> words") && page.has("#live a[href='/help/errors/ODD-1-500']"));
    assert!(
        page.text().contains("No document of Adobe's that we know"),
        "{}",
        page.text()
    );
    assert!(
        ana.get("/flows/flow-003")
            .await
            .text()
            .contains("Adobe gives no reason")
    );
}
