//! People decide about findings: the list, deleting, leaving as it is.

use headgate::domain::setup::StepKind;
use headgate::domain::{FindingState, Verdict};
use headgate::store::audit::AuditPhase;
use headgate::store::{self, findings};
use reqwest::{Method, StatusCode};

use crate::support::app::TEAM;
use crate::support::recipes::{s3_parquet, sftp_delimited};
use crate::support::watched::Watched;

/// With one duplicate source connection, which is found; gives its id and that of its finding.
async fn with_a_duplicate() -> (Watched, String, String) {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&s3_parquet("Loyalty members")).await;
    let extra = watched.duplicate(&setup, StepKind::SourceConnection).await;
    watched.sweep().await;
    let finding = watched.finding(&extra).await.finding.id;
    (watched, extra, finding)
}

#[tokio::test]
async fn an_editor_deletes_the_extra_object_after_being_asked() {
    let (watched, extra, finding) = with_a_duplicate().await;
    let own = watched.finding(&extra).await.used_id.unwrap();
    let mut ana = watched.app.visitor("ana").await;
    let list = ana.get("/findings").await;
    for words in [
        "Made more than once",
        "Source connection \u{201c}Loyalty members source",
        "It was made twice. It is a spare part that moves no data by itself.",
        &format!("The setup uses {own}; this one is the extra."),
        "Setup of Loyalty members",
    ] {
        assert!(list.text().contains(words), "{words}: {}", list.text());
    }
    let address = format!("/findings/{finding}/delete");
    assert!(list.has(&format!("a[href='{address}']")));
    let asked = ana.get(&address).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.text());
    for words in [
        extra.as_str(),
        "dev of Retail dev",
        "It cannot be brought back.",
        &own,
    ] {
        assert!(asked.text().contains(words), "{words}: {}", asked.text());
    }
    assert!(!asked.text().contains("Another Headgate"));
    let before = watched.last_call();
    let answer = ana.submit(&asked, &address, &[]).await;
    let list = ana.follow(&answer).await;
    assert!(
        list.text().contains("The object was deleted at Adobe."),
        "{}",
        list.text()
    );
    assert!(list.text().contains("Nothing needs a decision"));
    assert!(list.text().contains("What was decided lately (1)"));
    let changes = watched.changes_since(before);
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(changes[0].method == "DELETE" && changes[0].target.ends_with(&extra));
    assert!(!watched.exists(StepKind::SourceConnection, &extra).await);
    assert!(watched.exists(StepKind::SourceConnection, &own).await);
    let word = "finding.deleted".to_owned();
    let expected = [
        (word.clone(), AuditPhase::Intent, String::new()),
        (word, AuditPhase::Outcome, "deleted".to_owned()),
    ];
    assert_eq!(watched.trail(&finding).await, expected);
    // Once is enough.
    let again = ana.submit(&asked, &address, &[]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
}

#[tokio::test]
async fn viewers_look_and_other_teams_see_nothing() {
    let (watched, extra, finding) = with_a_duplicate().await;
    let address = format!("/findings/{finding}/delete");
    let mut vera = watched.app.visitor("vera").await;
    let list = vera.get("/findings").await;
    assert!(list.text().contains("Made more than once"));
    assert!(!list.has("main form") && !list.has("a[href$='/delete']"));
    assert_eq!(vera.get(&address).await.status, StatusCode::NOT_FOUND);
    let mut mallory = watched.app.visitor("mallory").await;
    assert!(!mallory.get("/findings").await.text().contains("Loyalty"));
    assert_eq!(mallory.get(&address).await.status, StatusCode::NOT_FOUND);
    let own_page = mallory.get("/account").await;
    let token = own_page.form("/sign-out").remove(0);
    let before = watched.last_call();
    for action in ["delete", "dismiss"] {
        let path = format!("/findings/{finding}/{action}");
        assert_eq!(
            mallory.post(&path, std::slice::from_ref(&token)).await.status,
            StatusCode::NOT_FOUND
        );
        let mut ana = watched.app.visitor("ana").await;
        assert_eq!(
            ana.post(&path, &[]).await.status,
            StatusCode::FORBIDDEN,
            "without the token"
        );
        let foreign = [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ];
        let answer = ana.send(Method::POST, &path, &foreign, Some(&[])).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(watched.changes_since(before), []);
    assert!(watched.exists(StepKind::SourceConnection, &extra).await);
}

#[tokio::test]
async fn what_is_left_as_it_is_stays_away() {
    let (watched, extra, finding) = with_a_duplicate().await;
    let mut ana = watched.app.visitor("ana").await;
    let asked = ana.get(&format!("/findings/{finding}/delete")).await;
    let before = watched.last_call();
    let answer = ana
        .submit(&asked, &format!("/findings/{finding}/dismiss"), &[])
        .await;
    let list = ana.follow(&answer).await;
    assert!(
        list.text().contains("It is known now and not shown any more."),
        "{}",
        list.text()
    );
    assert!(list.text().contains("Marked as known"));
    watched.sweep().await;
    assert_eq!(watched.found().await, []);
    assert_eq!(watched.changes_since(before), []);
    assert!(watched.exists(StepKind::SourceConnection, &extra).await);
    let expected = [("finding.dismissed".to_owned(), AuditPhase::Done, String::new())];
    assert_eq!(watched.trail(&finding).await, expected);
}

#[tokio::test]
async fn what_is_gone_and_what_cannot_be_deleted_is_marked_as_known() {
    let watched = Watched::start().await;
    let setup = watched.app.finished_setup(&sftp_delimited("Orders")).await;
    let set = watched.duplicate(&setup, StepKind::MappingSet).await;
    let dataset = watched.remove(&setup, StepKind::Dataset).await;
    watched.sweep().await;
    let mut ana = watched.app.visitor("ana").await;
    for (object, words) in [
        (
            &dataset,
            "The dataset was removed outside Headgate on or before 1 Mar 2026",
        ),
        (&set, "The setup uses"),
    ] {
        let finding = watched.finding(object).await.finding.id;
        let list = ana.get("/findings").await;
        assert!(list.text().contains(words), "{words}: {}", list.text());
        let delete = format!("/findings/{finding}/delete");
        assert!(!list.has(&format!("a[href='{delete}']")));
        assert_eq!(ana.get(&delete).await.status, StatusCode::CONFLICT);
        let token = list.form("/sign-out").remove(0);
        assert_eq!(ana.post(&delete, &[token]).await.status, StatusCode::CONFLICT);
        let answer = ana
            .submit(&list, &format!("/findings/{finding}/dismiss"), &[])
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(watched.found().await, []);
}

#[tokio::test]
async fn an_unclaimed_object_is_named_with_who_else_may_own_it() {
    let watched = Watched::start().await;
    let connection = watched.foreign_connection("Somebody's").await;
    watched.sweep().await;
    let listed = watched.finding(&connection).await;
    assert_eq!(
        (listed.finding.verdict, &listed.finding.setup_id),
        (Verdict::Unclaimed, &None)
    );
    assert!(listed.finding.platform_created_at.is_some());
    // A production sandbox asks for its name.
    let mut tx = watched.app.store().begin().await.unwrap();
    store::environments::set_production(&mut tx, &watched.environment.id, true)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let address = format!("/findings/{}/delete", listed.finding.id);
    let mut ana = watched.app.visitor("ana").await;
    let asked = ana.get(&address).await;
    assert!(
        asked
            .text()
            .contains("Another Headgate on the same sandbox may own it"),
        "{}",
        asked.text()
    );
    let refused = ana.submit(&asked, &address, &[("sandbox", "prod")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Type the name of the sandbox exactly"));
    assert!(watched.exists(StepKind::BaseConnection, &connection).await);
    let answer = ana.submit(&refused, &address, &[("sandbox", "dev")]).await;
    assert_eq!(answer.location(), "/findings?done=finding-deleted");
    assert!(!watched.exists(StepKind::BaseConnection, &connection).await);
}

#[tokio::test]
async fn the_overview_and_the_left_list_count_what_is_open() {
    let (watched, _, finding) = with_a_duplicate().await;
    let mut vera = watched.app.visitor("vera").await;
    let overview = vera.get("/").await;
    assert!(
        overview
            .text()
            .contains("One object at Adobe does not fit what was set up"),
        "{}",
        overview.text()
    );
    assert!(overview.text().contains("Findings 1"), "{}", overview.text());
    let team = watched.app.team_id(TEAM).await;
    let mut tx = watched.app.store().begin().await.unwrap();
    assert!(findings::settle(&mut tx, &finding, None, 1).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!vera.get("/").await.text().contains("does not fit"));
    let settled = findings::by_id(watched.app.store(), &team, &finding)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(settled.finding.state, FindingState::Settled);
}

#[tokio::test]
async fn long_lists_are_paged() {
    let watched = Watched::start().await;
    for number in 0..23 {
        watched.foreign_connection(&format!("Somebody's {number}")).await;
    }
    watched.sweep().await;
    let mut vera = watched.app.visitor("vera").await;
    let all = vera.get("/findings").await;
    assert!(all.has("a[href='/findings?verdict=unclaimed']"), "{}", all.text());
    assert_eq!(all.attributes(".steps > li", "class").len(), 20);
    let one = vera.get("/findings?verdict=unclaimed").await;
    assert_eq!(one.attributes(".steps > li", "class").len(), 23);
}
