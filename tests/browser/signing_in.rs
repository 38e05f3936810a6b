//! Coming in, with and without scripts.

use std::time::Duration;

use crate::support::chrome::{DESK, NO_SCRIPT};
use crate::support::demo::Demo;
use crate::support::visitor::Visitor;

#[tokio::test]
async fn a_page_that_needs_a_person_comes_back_after_signing_in() {
    let demo = Demo::start();
    for kind in [DESK, NO_SCRIPT] {
        let mut visitor = Visitor::arrive(&demo, kind).await;
        visitor.open("/setups").await;
        visitor.is_at("/sign-in?next=").await;
        visitor.press("Ana Ribeiro").await;
        visitor.is_at("/setups").await;
        visitor.leave().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_on_top_and_keeps_the_login() {
    let demo = Demo::start();
    for kind in [DESK, NO_SCRIPT] {
        let mut visitor = Visitor::arrive(&demo, kind).await;
        visitor.open("/sign-in").await;
        visitor.fill("Login", "ana").await;
        visitor.fill("Password", "not the password").await;
        visitor.press("Sign in").await;
        visitor
            .sees("You are not signed in", Duration::from_secs(5))
            .await;
        assert!(visitor.client().title().await.unwrap().starts_with("Error: "));
        assert_eq!(
            visitor
                .field("Login")
                .await
                .prop("value")
                .await
                .unwrap()
                .as_deref(),
            Some("ana")
        );
        assert_eq!(
            visitor
                .field("Password")
                .await
                .prop("value")
                .await
                .unwrap()
                .as_deref(),
            Some("")
        );
        if kind.script {
            let focused = "return document.activeElement.hasAttribute('data-errors')";
            assert_eq!(
                visitor.ask(focused).await.unwrap(),
                true,
                "the focus is not on the message"
            );
        }
        visitor.looks_right("refused").await;
        visitor.leave().await;
    }
}
