//! From a template to a dataflow, by forms alone.

use std::time::Duration;

use reqwest::StatusCode;

use super::saving::{save, saved};
use crate::support::app::App;
use crate::support::works::CANARY;

#[tokio::test]
async fn a_template_becomes_a_dataflow_once_however_often_the_button_is_pressed() {
    let app = App::start().await;
    let mut ana = app.visitor("ana").await;
    let template = saved(&save(&mut ana, "Partner profiles").await);
    let using = format!("{template}/use");
    let form = ana.get(&using).await;
    let refused = ana.submit(&form, &using, &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = ana
        .submit(&form, &using, &[("param.name", "Loyalty members")])
        .await;
    let review = ana.follow(&answer).await;
    let text = review.text();
    for words in ["Nothing has been sent to Adobe yet.", "Loyalty members", "/flows"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!review.body.contains(CANARY));
    let create = format!("{}/create", answer.location());
    let first = ana.submit(&review, &create, &[]).await;
    let second = ana.submit(&review, &create, &[]).await;
    assert_eq!(
        first.location(),
        second.location(),
        "the second press leads to the same setup"
    );
    let setup = first.location();
    for _ in 0..400 {
        if ana.get(&setup).await.text().contains("7 of 7") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let page = ana.get(&setup).await;
    assert!(page.text().contains("The dataflow exists"), "{}", page.text());
    assert!(!page.body.contains(CANARY));
    assert!(ana.get(&template).await.text().contains("Flows made 1"));
}
