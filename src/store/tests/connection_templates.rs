use super::*;
use crate::store::drafts::{self, Draft};

#[tokio::test]
async fn versions_are_added_by_compare_and_set() {
    let db = fixture().await;
    commit!(db, |tx| {
        for id in ["t1", "t2", "t3"] {
            add_template(tx, id).await.expect("a template");
        }
        templates::add_version(tx, "team", 1, &template_version("t1", 2))
            .await
            .expect("a version");
    });
    let mut tx = db.begin().await.expect("a transaction");
    let late = templates::add_version(&mut tx, "team", 1, &template_version("t1", 3)).await;
    assert!(matches!(late, Err(StoreError::Stale)));
    let foreign = templates::add_version(&mut tx, "other", 2, &template_version("t1", 3)).await;
    assert!(matches!(foreign, Err(StoreError::Stale)));
    drop(tx);

    let t1 = templates::by_id(&db, "team", "t1")
        .await
        .expect("a read")
        .expect("a template");
    assert_eq!(
        (t1.template.current_version, t1.version_id.as_str()),
        (2, "t1-v2")
    );
    assert_eq!(
        (t1.recipe.as_str(), t1.author_name.as_str(), t1.setups),
        ("{\"version\":2}", "ANA", 0)
    );
    assert!(
        templates::by_id(&db, "other", "t1")
            .await
            .expect("a read")
            .is_none()
    );
    let versions = templates::versions(&db, "team", "t1", None, 1)
        .await
        .expect("versions");
    assert_eq!(
        (versions.len(), &versions[0].version),
        (1, &template_version("t1", 2))
    );
    let older = templates::versions(&db, "team", "t1", Some(2), 9)
        .await
        .expect("versions");
    assert_eq!((older.len(), older[0].author_name.as_str()), (1, "BEN"));
    let first = templates::version(&db, "team", "t1", 1)
        .await
        .expect("a read")
        .expect("a version");
    assert_eq!(first.version, template_version("t1", 1));
    assert!(
        templates::version(&db, "other", "t1", 1)
            .await
            .expect("a read")
            .is_none()
    );
    assert_eq!(
        templates::version_by_id(&db, "team", "t1-v1")
            .await
            .expect("a read"),
        Some(first)
    );
}

#[tokio::test]
async fn names_and_archiving() {
    let db = fixture().await;
    commit!(db, |tx| {
        for id in ["t1", "t2", "t3"] {
            add_template(tx, id).await.expect("a template");
        }
        assert!(
            templates::set_archived(tx, "team", "t2", Some(50))
                .await
                .expect("an update")
        );
        assert!(
            !templates::set_archived(tx, "other", "t3", Some(50))
                .await
                .expect("no update")
        );
        assert!(
            templates::rename(tx, "team", "t3", "Zebra", "Stripes", 60)
                .await
                .expect("an update")
        );
    });
    let taken = templates::name_taken(&db, "team", "Template t2")
        .await
        .expect("a read");
    assert_eq!(taken.as_deref(), Some("t2"));
    assert_eq!(
        templates::name_taken(&db, "other", "Template t2")
            .await
            .expect("a read"),
        None
    );
    let mut tx = db.begin().await.expect("a transaction");
    let clash = templates::rename(&mut tx, "team", "t1", "Zebra", "", 70).await;
    assert!(matches!(
        clash,
        Err(StoreError::Duplicate {
            what: "the template's name"
        })
    ));
    drop(tx);

    let names = |listed: Vec<templates::ListedTemplate>| -> Vec<String> {
        listed.into_iter().map(|l| l.template.name).collect()
    };
    let offered = templates::list(&db, "team", false, None, 9)
        .await
        .expect("a list");
    assert_eq!(names(offered), ["Template t1", "Zebra"]);
    let all = templates::list(&db, "team", true, Some("Template t1"), 9)
        .await
        .expect("a list");
    assert_eq!(names(all), ["Template t2", "Zebra"]);
    assert!(commit!(db, |tx| templates::set_archived(tx, "team", "t2", None)
        .await
        .expect("an update")));
    assert_eq!(
        templates::list(&db, "team", false, None, 9)
            .await
            .expect("a list")
            .len(),
        3
    );
}

#[tokio::test]
async fn drafts_are_saved_and_paged() {
    let db = fixture().await;
    let draft = |id: &str, at: i64| Draft {
        id: id.into(),
        team_id: "team".into(),
        environment_id: "env".into(),
        template_version_id: None,
        recipe: "{}".into(),
        answers: "{\"a\":\"b\"}".into(),
        created_by: "ana".into(),
        created_at: 1,
        updated_at: at,
    };
    commit!(db, |tx| {
        for (id, at) in [("d1", 10), ("d2", 20), ("d3", 20), ("d4", 20), ("d5", 5)] {
            drafts::insert(tx, &draft(id, at)).await.expect("a draft");
        }
        assert!(
            drafts::update(
                tx,
                &Draft {
                    answers: "{}".into(),
                    ..draft("d1", 30)
                }
            )
            .await
            .expect("saved")
        );
        assert!(
            !drafts::update(
                tx,
                &Draft {
                    team_id: "other".into(),
                    ..draft("d2", 30)
                }
            )
            .await
            .expect("not")
        );
        assert!(drafts::delete(tx, "team", "d5").await.expect("a delete"));
        assert!(!drafts::delete(tx, "other", "d1").await.expect("no delete"));
    });
    let d1 = drafts::by_id(&db, "team", "d1")
        .await
        .expect("a read")
        .expect("a draft");
    assert_eq!((d1.answers.as_str(), d1.updated_at), ("{}", 30));
    assert_eq!(drafts::by_id(&db, "other", "d1").await.expect("a read"), None);
    let mut seen = Vec::new();
    let mut before: Option<(i64, String)> = None;
    loop {
        let key = before.as_ref().map(|(at, id)| (*at, id.as_str()));
        let page = drafts::of_author(&db, "team", "ana", key, 2)
            .await
            .expect("a page");
        let Some(last) = page.last() else { break };
        before = Some((last.updated_at, last.id.clone()));
        seen.extend(page.into_iter().map(|d| d.id));
    }
    assert_eq!(seen, ["d1", "d4", "d3", "d2"]);
    assert_eq!(
        drafts::of_author(&db, "team", "ben", None, 9)
            .await
            .expect("a page"),
        []
    );
}
