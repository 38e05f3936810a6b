//! Signing in, staying in, and no longer.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::people::{self, NewPerson, PasswordChange, PersonError};
use super::sessions::{Person, session_id};
use super::{Accounts, SessionLimits, SignInError, Visitor};
use crate::audit::Actor;
use crate::domain::{ManualClock, Role};
use crate::store::audit::AuditFilter;
use crate::store::{self, Store};

const MINUTE: i64 = 60_000;
const LIMITS: SessionLimits = SessionLimits {
    idle_ms: 60 * MINUTE,
    absolute_ms: 12 * 60 * MINUTE,
};
const PASSWORD: &str = "correct horse battery";
const VISITOR: Visitor<'_> = Visitor {
    client_address: "192.0.2.7",
    request_id: "r1",
};

struct House {
    accounts: Accounts,
    store: Store,
    clock: Arc<ManualClock>,
    _directory: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("headgate.db")).await.unwrap();
        let clock = Arc::new(ManualClock::at(1_764_000_000_000));
        let accounts = Accounts::new(store.clone(), clock.clone(), LIMITS);
        let house = Self {
            accounts,
            store,
            clock,
            _directory: directory,
        };
        house.add("Ada", Some(PASSWORD)).await.unwrap();
        house
    }

    async fn add(&self, login: &str, password: Option<&str>) -> Result<String, PersonError> {
        let person = NewPerson {
            login: login.into(),
            name: format!("{login} L."),
            role: Role::Editor,
            team: "Retail".into(),
            password: password.map(SecretString::from),
        };
        people::add(&self.store, &*self.clock, &Actor::operator("user add"), person).await
    }

    async fn sign_in(&self, login: &str, password: &str) -> Result<SecretString, SignInError> {
        self.accounts
            .sign_in(login, SecretString::from(password), VISITOR)
            .await
    }

    async fn is_in(&self, cookie: &SecretString) -> bool {
        self.accounts.find_session(cookie).await.unwrap().is_some()
    }

    async fn events(&self) -> Vec<String> {
        let team = store::people::team_by_name(&self.store, "Retail")
            .await
            .unwrap()
            .unwrap();
        let events = store::audit::list(&self.store, &team.id, AuditFilter::default(), None, 100)
            .await
            .unwrap();
        events.into_iter().rev().map(|event| event.facts.event).collect()
    }
}

fn seconds_to_wait(result: Result<SecretString, SignInError>) -> u32 {
    match result.unwrap_err() {
        SignInError::TooMany { retry_after_s } => retry_after_s,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_right_password_opens_and_every_attempt_is_on_record_once() {
    let house = House::new().await;
    let cookie = house.sign_in(" ADA ", PASSWORD).await.unwrap();
    assert_eq!(cookie.expose_secret().len(), 43, "256 bits");
    let session = house.accounts.find_session(&cookie).await.unwrap().unwrap();
    assert_eq!(
        (session.row.user_login.as_str(), session.role),
        ("ada", Role::Editor)
    );
    assert!(!session.row.token_hash.expose().contains(cookie.expose_secret()));
    for (login, password) in [
        ("ada", "wrong horse battery"),
        ("ada", ""),
        ("nobody", PASSWORD),
        ("", ""),
    ] {
        let refused = house.sign_in(login, password).await;
        assert!(
            matches!(refused, Err(SignInError::Refused)),
            "{login} {refused:?}"
        );
    }
    assert_eq!(
        house.events().await,
        [
            "user.added",
            "session.started",
            "session.refused",
            "session.refused"
        ]
    );
    let all = store::audit::after(&house.store, 0, 100).await.unwrap();
    assert_eq!(all.len(), 6, "unknown logins are on record for the installation");
    assert!(
        !format!("{all:?}").contains("nobody"),
        "what was typed may be a password"
    );
}

#[tokio::test]
async fn each_sign_in_is_a_new_session() {
    let house = House::new().await;
    let (one, two) = (
        house.sign_in("ada", PASSWORD).await.unwrap(),
        house.sign_in("ada", PASSWORD).await.unwrap(),
    );
    assert_ne!(one.expose_secret(), two.expose_secret());
    let session = house.accounts.find_session(&one).await.unwrap().unwrap();
    let sessions = house.accounts.sessions_of(&session.row.user_id).await.unwrap();
    assert_eq!(sessions.len(), 2);
    let person = Person {
        user_id: &session.row.user_id,
        name: "Ada",
        team_id: &session.row.team_id,
    };
    let actor = Actor::operator("test");
    let id = session_id(&session.row.token_hash);
    assert!(house.accounts.end_session(&id, &actor, person).await.unwrap());
    assert!(!house.accounts.end_session(&id, &actor, person).await.unwrap());
    assert!(!house.is_in(&one).await && house.is_in(&two).await);
    house.accounts.sign_out(&two, &actor, person).await.unwrap();
    assert!(!house.is_in(&two).await);
    assert!(!house.is_in(&SecretString::from("")).await);
}

#[tokio::test]
async fn five_failures_close_the_door_for_a_while() {
    let house = House::new().await;
    for _ in 0..5 {
        assert!(matches!(
            house.sign_in("ada", "wrong").await,
            Err(SignInError::Refused)
        ));
    }
    assert_eq!(seconds_to_wait(house.sign_in("ada", PASSWORD).await), 901);
    house.clock.advance(14 * MINUTE);
    assert_eq!(seconds_to_wait(house.sign_in("ada", PASSWORD).await), 61);
    let elsewhere = Visitor {
        client_address: "192.0.2.8",
        ..VISITOR
    };
    assert!(
        house
            .accounts
            .sign_in("ada", SecretString::from(PASSWORD), elsewhere)
            .await
            .is_ok()
    );
    house.clock.advance(MINUTE);
    assert!(house.sign_in("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn many_attempts_at_once_are_counted_too() {
    let house = House::new().await;
    let attempts = (0..12).map(|_| house.sign_in("ada", "wrong"));
    let answers = futures_util::future::join_all(attempts).await;
    let tried = answers
        .iter()
        .filter(|answer| matches!(answer, Err(SignInError::Refused)))
        .count();
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn a_session_ends_when_idle_and_in_any_case() {
    let house = House::new().await;
    let idle = house.sign_in("ada", PASSWORD).await.unwrap();
    house.clock.advance(60 * MINUTE - 1);
    assert!(house.is_in(&idle).await, "a request a moment before the limit");
    house.clock.advance(60 * MINUTE - 1);
    assert!(house.is_in(&idle).await, "the last one counted");
    house.clock.advance(60 * MINUTE);
    assert!(!house.is_in(&idle).await);

    let busy = house.sign_in("ada", PASSWORD).await.unwrap();
    for _ in 0..23 {
        house.clock.advance(30 * MINUTE);
        assert!(house.is_in(&busy).await);
    }
    house.clock.advance(30 * MINUTE);
    assert!(!house.is_in(&busy).await, "twelve hours are over");
}

#[tokio::test]
async fn a_use_is_stored_at_most_once_a_minute() {
    let house = House::new().await;
    let cookie = house.sign_in("ada", PASSWORD).await.unwrap();
    let seen = async || {
        house
            .accounts
            .find_session(&cookie)
            .await
            .unwrap()
            .unwrap()
            .row
            .last_seen_at
    };
    let start = seen().await;
    house.clock.advance(MINUTE - 1);
    seen().await;
    assert_eq!(seen().await, start);
    house.clock.advance(1);
    seen().await;
    assert_eq!(seen().await, start + MINUTE);
}

#[tokio::test]
async fn the_disabled_and_those_without_a_team_stay_out() {
    let house = House::new().await;
    let cookie = house.sign_in("ada", PASSWORD).await.unwrap();
    let actor = Actor::operator("user disable");
    let ended = people::disable(&house.store, &*house.clock, &actor, "ADA").await;
    let ended = ended.unwrap();
    assert_eq!((ended.sessions, ended.board_links), (1, 0));
    assert!(!house.is_in(&cookie).await);
    assert!(matches!(
        house.sign_in("ada", PASSWORD).await,
        Err(SignInError::Refused)
    ));
    assert!(matches!(
        house.accounts.sign_in_as("ada", VISITOR).await,
        Err(SignInError::Refused)
    ));
    let unknown = people::disable(&house.store, &*house.clock, &actor, "eve").await;
    assert!(matches!(unknown, Err(PersonError::Unknown(_))));

    let id = house.add("eve", Some(PASSWORD)).await.unwrap();
    let cookie = house.sign_in("eve", PASSWORD).await.unwrap();
    let team = store::people::team_by_name(&house.store, "Retail")
        .await
        .unwrap()
        .unwrap();
    let mut tx = house.store.begin().await.unwrap();
    store::people::remove_membership(&mut tx, &team.id, &id)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(!house.is_in(&cookie).await, "no role, no session");
    assert!(matches!(
        house.sign_in("eve", PASSWORD).await,
        Err(SignInError::Refused)
    ));
}

#[tokio::test]
async fn people_without_a_password_come_in_only_where_the_door_is_open() {
    let house = House::new().await;
    house.add("demo", None).await.unwrap();
    assert!(matches!(
        house.sign_in("demo", "").await,
        Err(SignInError::Refused)
    ));
    let cookie = house.accounts.sign_in_as("demo", VISITOR).await.unwrap();
    assert!(house.is_in(&cookie).await);
}

#[tokio::test]
async fn adding_a_person_checks_everything_and_changes_nothing_if_refused() {
    let house = House::new().await;
    let mistakes = |result| match result {
        Err(PersonError::Mistakes(mistakes)) => mistakes.into_iter().map(|m| m.code).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        mistakes(house.add("", Some("short")).await),
        ["input.missing", "password.short"]
    );
    assert_eq!(
        mistakes(house.add("a b", Some(&"x".repeat(201))).await),
        ["input.characters", "password.long"]
    );
    let before = house.events().await;
    assert!(
        matches!(house.add("ADA", Some(PASSWORD)).await, Err(PersonError::Taken(login)) if login == "ada")
    );
    assert_eq!(house.events().await, before);
    let user = store::people::user_by_login(&house.store, "ada")
        .await
        .unwrap()
        .unwrap();
    let hash = user.password_hash.unwrap();
    assert!(
        hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        hash.expose()
    );
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let house = House::new().await;
    let (here, elsewhere) = (
        house.sign_in("ada", PASSWORD).await.unwrap(),
        house.sign_in("ada", PASSWORD).await.unwrap(),
    );
    let session = house.accounts.find_session(&here).await.unwrap().unwrap().row;
    let (id, actor) = (session_id(&session.token_hash), Actor::operator("test"));
    let changing = PasswordChange {
        person: Person {
            user_id: &session.user_id,
            name: "Ada",
            team_id: &session.team_id,
        },
        session_id: &id,
        client_address: "192.0.2.7",
    };
    let change = async |current: &str, new: &str| {
        let (current, new) = (SecretString::from(current), SecretString::from(new));
        house
            .accounts
            .change_password(&actor, changing, current, new)
            .await
    };
    assert!(matches!(
        change("wrong horse battery", "another horse battery").await,
        Err(PersonError::WrongPassword)
    ));
    assert!(matches!(
        change(PASSWORD, "short").await,
        Err(PersonError::Mistakes(_))
    ));
    change(PASSWORD, "another horse battery").await.unwrap();
    assert!(house.is_in(&here).await && !house.is_in(&elsewhere).await);
    assert!(house.sign_in("ada", PASSWORD).await.is_err());
    assert!(house.sign_in("ada", "another horse battery").await.is_ok());
    for _ in 0..5 {
        let _ = change("wrong horse battery", "third horse battery").await;
    }
    let locked = change("another horse battery", "third horse battery").await;
    assert!(
        matches!(locked, Err(PersonError::TooMany { .. })),
        "guessing is slowed down here too: {locked:?}"
    );
}

#[tokio::test]
async fn a_time_zone_is_one_of_the_world() {
    let house = House::new().await;
    let cookie = house.sign_in("ada", PASSWORD).await.unwrap();
    let row = house.accounts.find_session(&cookie).await.unwrap().unwrap().row;
    let person = Person {
        user_id: &row.user_id,
        name: "Ada",
        team_id: &row.team_id,
    };
    let actor = Actor::operator("test");
    let zone = async || {
        house
            .accounts
            .find_session(&cookie)
            .await
            .unwrap()
            .unwrap()
            .row
            .time_zone
    };
    house
        .accounts
        .set_time_zone(&actor, person, "Europe/Paris")
        .await
        .unwrap();
    assert_eq!(zone().await.as_deref(), Some("Europe/Paris"));
    let refused = house.accounts.set_time_zone(&actor, person, "Mars/Olympus").await;
    assert!(matches!(refused, Err(PersonError::Mistakes(_))));
    assert_eq!(zone().await.as_deref(), Some("Europe/Paris"));
    house.accounts.set_time_zone(&actor, person, " ").await.unwrap();
    assert_eq!(zone().await, None);
}
