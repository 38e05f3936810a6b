//! Clients that go away in the middle of a change.

use super::*;

#[tokio::test]
async fn p13_a_change_comes_to_its_end_although_nobody_waits_for_it() {
    let app = app("http://127.0.0.1:8080");
    let request = Request::builder()
        .method(Method::POST)
        .uri("/late")
        .header(header::HOST, "127.0.0.1:8080");
    let answer = app.oneshot(request.body(Body::empty()).unwrap());
    let gone = tokio::time::timeout(Duration::from_millis(20), answer).await;
    assert!(gone.is_err(), "the client left before the answer");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(LATE_ENDS.load(Ordering::SeqCst), 1);
}
