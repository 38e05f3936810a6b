use super::*;
use crate::store::{Hidden, sessions};

#[tokio::test]
async fn teams_users_and_memberships() {
    let db = fixture().await;
    let team = folk::team_by_name(&db, "The team")
        .await
        .expect("a read")
        .expect("a team");
    assert_eq!(team.id, "team");
    let names: Vec<String> = folk::list_teams(&db)
        .await
        .expect("teams")
        .into_iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(names, ["The other", "The team"]);
    let mut tx = db.begin().await.expect("a transaction");
    let twin = folk::Team {
        id: "twin".into(),
        ..team
    };
    let taken = folk::insert_team(&mut tx, &twin).await;
    assert!(matches!(
        taken,
        Err(StoreError::Duplicate {
            what: "the team's name"
        })
    ));
    drop(tx);

    assert_eq!(
        folk::user_by_login(&db, "ana@example.org").await.expect("a read"),
        Some(user("ana"))
    );
    assert_eq!(folk::user_by_id(&db, "nobody").await.expect("a read"), None);
    commit!(db, |tx| {
        assert!(folk::set_disabled(tx, "ben", Some(77)).await.expect("an update"));
        assert!(
            !folk::set_disabled(tx, "nobody", Some(77))
                .await
                .expect("an update")
        );
        assert!(
            folk::set_password_hash(tx, "ben", &Hidden::new("other"))
                .await
                .expect("an update")
        );
        folk::upsert_membership(tx, "team", "ben", Role::Admin, 99)
            .await
            .expect("a role");
        folk::upsert_membership(tx, "other", "ben", Role::Viewer, 99)
            .await
            .expect("a role");
    });
    let ben = folk::user_by_id(&db, "ben")
        .await
        .expect("a read")
        .expect("a user");
    assert_eq!(
        (ben.disabled_at, ben.password_hash),
        (Some(77), Some(Hidden::new("other")))
    );

    let of_ben = folk::memberships_of(&db, "ben").await.expect("memberships");
    let shown: Vec<(&str, Role)> = of_ben.iter().map(|m| (m.team_name.as_str(), m.role)).collect();
    assert_eq!(shown, [("The other", Role::Viewer), ("The team", Role::Admin)]);
    let one = folk::membership(&db, "team", "ben")
        .await
        .expect("a read")
        .expect("a membership");
    assert_eq!(
        (one.role, one.created_at, one.disabled_at),
        (Role::Admin, 2, Some(77))
    );

    let first = folk::users_of_team(&db, "team", None, 1).await.expect("a page");
    let second = folk::users_of_team(&db, "team", Some(&first[0].user_login), 5)
        .await
        .expect("a page");
    assert_eq!(
        (
            first[0].user_id.as_str(),
            second[0].user_id.as_str(),
            second.len()
        ),
        ("ana", "ben", 1)
    );
    let listed = folk::list_users(&db, Some("ana@example.org"), 10)
        .await
        .expect("users");
    assert_eq!(
        (listed.len(), listed[0].0.id.as_str(), listed[0].1.len()),
        (1, "ben", 2)
    );

    assert!(commit!(db, |tx| folk::remove_membership(tx, "other", "ben")
        .await
        .expect("a delete")));
    assert!(
        folk::membership(&db, "other", "ben")
            .await
            .expect("a read")
            .is_none()
    );
}

fn session(token: &str, user_id: &str, expires_at: i64) -> sessions::NewSession {
    sessions::NewSession {
        token_hash: Hidden::new(token),
        user_id: user_id.into(),
        team_id: "team".into(),
        csrf: Hidden::new("csrf"),
        client_address: "127.0.0.1".into(),
        created_at: 10,
        expires_at,
    }
}

#[tokio::test]
async fn sessions_come_with_their_person() {
    let db = fixture().await;
    commit!(db, |tx| {
        for (token, user_id, end) in [("t1", "ana", 100), ("t2", "ana", 200), ("t3", "ben", 300)] {
            sessions::insert(tx, &session(token, user_id, end))
                .await
                .expect("a session");
        }
        assert!(sessions::touch(tx, "t1", 55).await.expect("a touch"));
        assert!(!sessions::touch(tx, "nobody's", 55).await.expect("a touch"));
        assert!(sessions::switch_team(tx, "t3", "other").await.expect("a switch"));
        folk::set_disabled(tx, "ben", Some(60)).await.expect("an update");
        for id in ["another", "old"] {
            envs::insert(tx, &environment(id, "team"))
                .await
                .expect("an environment");
        }
        envs::archive(tx, "team", "old", 70).await.expect("an update");
    });
    let found = sessions::find(&db, "t1")
        .await
        .expect("a read")
        .expect("a session");
    assert_eq!(
        (found.user_name.as_str(), found.team_name.as_str()),
        ("ANA", "The team")
    );
    assert_eq!(
        (found.role, found.last_seen_at, found.expires_at),
        (Some(Role::Editor), 55, 100)
    );
    let expected = ["another", "env"].map(|id| environment(id, "team"));
    assert_eq!(found.environments, expected, "those in use, by name");
    let elsewhere = sessions::find(&db, "t3")
        .await
        .expect("a read")
        .expect("a session");
    assert_eq!(
        (elsewhere.role, elsewhere.disabled_at),
        (None, Some(60)),
        "no member of that team"
    );
    assert_eq!(elsewhere.environments, [], "that team has none");

    commit!(db, |tx| {
        assert!(sessions::delete(tx, "t3").await.expect("a delete"));
        assert!(!sessions::delete(tx, "t3").await.expect("a delete"));
        assert_eq!(sessions::delete_expired(tx, 100).await.expect("a delete"), 1);
        assert_eq!(sessions::delete_for_user(tx, "ana").await.expect("a delete"), 1);
    });
    assert!(sessions::find(&db, "t2").await.expect("a read").is_none());
}
