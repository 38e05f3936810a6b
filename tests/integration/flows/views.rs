//! Views of the list of flows: filters that people keep under a name.

use reqwest::StatusCode;

use crate::support::app::{Answer, Visitor};
use crate::support::watched::Watched;

const FAILED: &str = "/flows?health=failed&q=web";

/// Keeps the filters of a list.
async fn save(visitor: &mut Visitor, list: &str, changes: &[(&str, &str)]) -> Answer {
    let page = visitor.get(list).await;
    visitor.submit(&page, "/views", changes).await
}

fn views(page: &Answer) -> Vec<String> {
    page.attributes("nav[aria-label=Views] a:not(.edit)", "href")
}

fn edits(page: &Answer) -> Vec<String> {
    page.attributes("nav[aria-label=Views] a.edit", "href")
}

#[tokio::test]
async fn a_view_is_saved_opened_renamed_made_the_default_and_deleted() {
    let watched = Watched::start().await;
    let mut vera = watched.app.visitor("vera").await;
    assert!(
        !vera.get("/flows").await.has("form[action='/views']"),
        "nothing to keep"
    );
    let saved = save(
        &mut vera,
        "/flows?q=web&state=&health=failed",
        &[("name", " Broken <b> ")],
    )
    .await;
    assert_eq!(saved.location(), format!("{FAILED}&done=view-saved"));
    let page = vera.follow(&saved).await;
    assert!(page.text().contains("The view was saved."), "{}", page.text());
    assert_eq!(page.attributes(".pill[aria-current]", "href"), [FAILED]);
    assert!(page.text().contains("Broken <b>"));
    assert!(!page.has("form[action='/views']"), "it is kept already");

    // Another name, and the default.
    let edit = edits(&page).remove(0);
    let form = vera.get(&edit).await;
    let changes = [("name", "Broken"), ("default", "on")];
    let saved = vera.submit(&form, &edit, &changes).await;
    assert_eq!(saved.location(), format!("{FAILED}&done=view-saved"));
    let opened = vera.get("/flows").await;
    assert_eq!(opened.location(), FAILED, "the default is shown without a query");
    let page = vera.follow(&opened).await;
    assert_eq!(views(&page), ["/flows?all=1", FAILED]);
    assert_eq!(
        vera.get("/flows?all=1").await.status,
        StatusCode::OK,
        "all flows can be reached"
    );
    let cleared = "a[href='/flows?all=1']";
    assert!(
        vera.get(FAILED).await.has(cleared),
        "also by clearing the filters"
    );

    // One default a page.
    let second = save(
        &mut vera,
        "/flows?sort=need",
        &[("name", "By need"), ("default", "on")],
    )
    .await;
    assert_eq!(second.status, StatusCode::SEE_OTHER);
    assert_eq!(vera.get("/flows").await.location(), "/flows?sort=need");

    let deleted = vera.submit(&form, &format!("{edit}/delete"), &[]).await;
    assert_eq!(deleted.location(), "/flows?all=1&done=view-deleted");
    assert_eq!(
        views(&vera.follow(&deleted).await),
        ["/flows?all=1", "/flows?sort=need"]
    );
    let mut theo = watched.app.visitor("theo").await;
    let trail = theo.get("/audit").await.text();
    for said in ["saved the view Broken", "deleted the view Broken"] {
        assert!(trail.contains(said), "{said}: {trail}");
    }
}

#[tokio::test]
async fn a_view_can_be_shared_and_only_its_owner_changes_it() {
    let watched = Watched::start().await;
    let mut ana = watched.app.visitor("ana").await;
    save(&mut ana, FAILED, &[("name", "Ours"), ("shared", "on")]).await;
    save(&mut ana, "/flows?state=disabled", &[("name", "Mine")]).await;
    let edits_of_ana = edits(&ana.get(FAILED).await);
    assert_eq!(edits_of_ana.len(), 2);

    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get(FAILED).await;
    assert_eq!(
        views(&page),
        ["/flows?all=1", FAILED],
        "the private one is not seen"
    );
    assert!(
        page.text().contains("by Ana") && edits(&page).is_empty(),
        "{}",
        page.text()
    );
    assert_eq!(
        vera.get("/flows").await.status,
        StatusCode::OK,
        "the default of others is theirs"
    );
    let mut theo = watched.app.visitor("theo").await;
    let mallory = watched.app.visitor("mallory").await;
    // Ana's views come by name: Mine, Ours.
    let [mine, ours] = [&edits_of_ana[0], &edits_of_ana[1]];
    for (mut visitor, path, status) in [
        (vera.clone(), ours, StatusCode::NOT_FOUND),
        (vera.clone(), mine, StatusCode::NOT_FOUND),
        (mallory.clone(), ours, StatusCode::NOT_FOUND),
        (theo.clone(), mine, StatusCode::NOT_FOUND),
        (theo.clone(), ours, StatusCode::OK),
    ] {
        assert_eq!(visitor.get(path).await.status, status, "{path}");
        let token = visitor.get("/account").await.form("/theme").remove(0);
        for action in ["", "/delete"] {
            if status == StatusCode::OK && action == "/delete" {
                continue;
            }
            let fields = [token.clone(), ("name".to_owned(), "Taken over".to_owned())];
            let answer = visitor.post(&format!("{path}{action}"), &fields).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}{action}");
        }
    }
    // What is shared an admin may delete, for whoever shared it may be gone.
    let page = theo.get(ours).await;
    assert!(
        page.text().contains("Ana shares it with the team"),
        "{}",
        page.text()
    );
    let deleted = theo.submit(&page, &format!("{ours}/delete"), &[]).await;
    assert_eq!(deleted.status, StatusCode::SEE_OTHER);
    assert_eq!(views(&vera.get(FAILED).await), ["/flows?all=1"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_view_is_told_and_the_form_comes_back() {
    let watched = Watched::start().await;
    let mut vera = watched.app.visitor("vera").await;
    save(&mut vera, FAILED, &[("name", "Broken")]).await;
    let other = "/flows?q=web";
    for (changes, code) in [
        (vec![("name", "  ")], "input.missing"),
        (vec![("name", &*"n".repeat(61))], "input.too_long"),
        (vec![("name", "a\u{200b}b")], "input.characters"),
        (vec![("name", "Broken"), ("default", "on")], "view.taken"),
        (vec![("name", "For all"), ("shared", "on")], "view.role"),
        (
            vec![("name", "Long"), ("query", &*format!("q={}", "y".repeat(1_600)))],
            "view.query",
        ),
    ] {
        let refused = save(&mut vera, other, &changes).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes:?}");
        assert!(
            refused.codes().iter().all(|told| told == code),
            "{:?}",
            refused.codes()
        );
        assert!(
            refused.has(&format!("[data-code='{code}']")),
            "{}",
            refused.text()
        );
        let form = refused.form("/views");
        assert!(
            form.iter()
                .any(|(name, value)| name == "name" && value == changes[0].1),
            "{form:?}"
        );
    }
    let no_page = save(&mut vera, other, &[("name", "x"), ("page", "nowhere")]).await;
    assert_eq!(no_page.status, StatusCode::NOT_FOUND);
    // Filters that are none of the page's lead nowhere else.
    let odd = [
        ("name", "Odd"),
        ("query", "q=%0d%0aLocation:%20//evil.example#&after=x"),
    ];
    let saved = save(&mut vera, other, &odd).await;
    assert_eq!(
        saved.location(),
        "/flows?q=%0D%0ALocation%3A+%2F%2Fevil.example%23&done=view-saved"
    );
    assert_eq!(vera.follow(&saved).await.status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_keeps_more_views_than_there_is_room_for() {
    let watched = Watched::start().await;
    let mut vera = watched.app.visitor("vera").await;
    for number in 0..30 {
        let saved = save(
            &mut vera,
            &format!("/flows?q={number}"),
            &[("name", &format!("View {number}"))],
        )
        .await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{number}");
    }
    let refused = save(&mut vera, "/flows?q=more", &[("name", "One more")]).await;
    assert!(refused.has("[data-code='view.too_many']"), "{}", refused.text());
    assert_eq!(views(&vera.get("/flows").await).len(), 31);
}

#[tokio::test]
async fn the_list_of_runs_has_views_of_its_own() {
    let watched = Watched::start().await;
    let mut vera = watched.app.visitor("vera").await;
    let failed = "/runs?outcome=failed";
    let saved = save(&mut vera, failed, &[("name", "Failed"), ("default", "on")]).await;
    assert_eq!(saved.location(), format!("{failed}&done=view-saved"));
    let page = vera.follow(&saved).await;
    assert_eq!(views(&page), ["/runs?all=1", failed]);
    assert_eq!(page.attributes(".pill[aria-current]", "href"), [failed]);
    assert_eq!(vera.get("/runs").await.location(), failed);
    let everything = vera.get("/runs?all=1").await;
    assert_eq!(everything.status, StatusCode::OK);
    assert_eq!(
        everything.attributes(".pill[aria-current]", "href"),
        ["/runs?all=1"]
    );
    assert_eq!(
        views(&vera.get("/flows").await),
        ["/flows?all=1"],
        "the list of flows has others"
    );
}
