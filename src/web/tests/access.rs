//! Who gets through to a handler.

use super::*;

#[tokio::test]
async fn unsafe_requests_need_our_page_and_the_token() {
    let origins: [(&[(&str, &str)], bool); 9] = [
        (&[("sec-fetch-site", "same-origin")], true),
        (
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://gate.example"),
            ],
            true,
        ),
        (
            &[("sec-fetch-site", ""), ("origin", "https://gate.example")],
            true,
        ),
        (
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://gate.example"),
            ],
            false,
        ),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "none")], false),
        (
            &[("sec-fetch-site", ""), ("origin", "https://evil.example")],
            false,
        ),
        (&[("sec-fetch-site", ""), ("origin", "null")], false),
        (&[("sec-fetch-site", "")], false),
    ];
    let bodies = [
        (format!("name=x&csrf={TOKEN}"), true),
        ("name=x".to_owned(), false),
        ("name=x&csrf=".to_owned(), false),
        ("name=x&csrf=token-of-another".to_owned(), false),
        (format!("csrf={TOKEN}&csrf={TOKEN}"), false),
    ];
    for (origin, is_ours) in origins {
        for (body, has_token) in &bodies {
            let headers = [origin, &[FORM, ("test-role", "editor")]].concat();
            let response = send("POST", "/flows", &headers, body.clone()).await;
            let expected = if is_ours && *has_token {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(response.status(), expected, "{origin:?} {body}");
            if expected == StatusCode::OK {
                assert_eq!(
                    text(response).await,
                    *body,
                    "the handler reads the form that was sent"
                );
            }
        }
        let headers = [origin, &[FORM]].concat();
        let sign_in = send("POST", "/sign-in", &headers, "name=x").await.status();
        assert_eq!(sign_in == StatusCode::OK, is_ours, "{origin:?}");
    }
}

#[tokio::test]
async fn the_token_may_come_in_a_header_but_not_in_other_bodies() {
    let editor = ("test-role", "editor");
    let status = async |headers: &[(&str, &str)]| {
        send("POST", "/flows", headers, format!("csrf={TOKEN}"))
            .await
            .status()
    };
    assert_eq!(status(&[editor, ("x-csrf-token", TOKEN)]).await, StatusCode::OK);
    assert_eq!(
        status(&[editor, ("x-csrf-token", "other"), FORM]).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(&[editor, ("x-csrf-token", TOKEN), ("x-csrf-token", TOKEN), FORM]).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(&[editor, ("content-type", "text/plain")]).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(status(&[editor]).await, StatusCode::FORBIDDEN);
    assert_eq!(
        send("POST", "/api/hook", &[("sec-fetch-site", "")], "")
            .await
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn everybody_gets_as_far_as_their_role() {
    let token = ("x-csrf-token", TOKEN);
    for (method, path, least) in [
        ("GET", "/", Access::Public),
        ("GET", "/mine", Access::SignedIn),
        ("GET", "/flows", Access::Viewer),
        ("HEAD", "/flows", Access::Viewer),
        ("POST", "/flows", Access::Editor),
        ("GET", "/people", Access::Admin),
    ] {
        let roles = [
            ("", Access::Public),
            ("viewer", Access::Viewer),
            ("editor", Access::Editor),
            ("admin", Access::Admin),
        ];
        for (role, may) in roles {
            for htmx in ["", "true"] {
                let status = send(
                    method,
                    path,
                    &[("test-role", role), ("hx-request", htmx), token],
                    "",
                )
                .await
                .status();
                let expected = match (may >= least, role, htmx) {
                    (true, ..) => StatusCode::OK,
                    (false, "", "") => StatusCode::SEE_OTHER,
                    (false, "", _) => StatusCode::UNAUTHORIZED,
                    (false, ..) => StatusCode::NOT_FOUND,
                };
                assert_eq!(status, expected, "{method} {path} as {role:?}, htmx {htmx:?}");
            }
        }
    }
}

#[tokio::test]
async fn strangers_are_sent_to_sign_in_and_back() {
    let location = async |method: &str, path: &str| {
        let response = send(method, path, &[("x-csrf-token", TOKEN)], "").await;
        response.headers()[header::LOCATION].to_str().unwrap().to_owned()
    };
    assert_eq!(
        location("GET", "/flows?status=failed&page=2").await,
        "/sign-in?next=%2Fflows%3Fstatus%3Dfailed%26page%3D2"
    );
    assert_eq!(location("GET", "/flows/%2e%2e").await, "/sign-in");
    assert_eq!(location("POST", "/flows").await, "/sign-in");

    let redirect = async |page: &str| {
        let response = get("/flows", &[("hx-request", "true"), ("hx-current-url", page)]).await;
        response.headers()["hx-redirect"].to_str().unwrap().to_owned()
    };
    assert_eq!(
        redirect("https://gate.example/flows/1?tab=runs").await,
        "/sign-in?next=%2Fflows%2F1%3Ftab%3Druns"
    );
    assert_eq!(redirect("https://gate.example//evil.example").await, "/sign-in");
    assert_eq!(redirect("nonsense").await, "/sign-in");
}

#[tokio::test]
async fn a_forbidden_page_looks_like_one_that_is_not_there() {
    let body = async |path: &str| {
        let response = get(path, &[("test-role", "viewer")]).await;
        let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        (response.status(), text(response).await.replace(&id, "ID"))
    };
    assert_eq!(body("/people").await, body("/nowhere").await);
}

#[test]
fn pages_are_known_by_their_path() {
    for path in ["/", "/flows", "/flows/1", "/people"] {
        assert!(route_table::is_page(ROUTES, path), "{path}");
    }
    for path in ["", "/flows/", "/flows/1/2", "/Flows", "/sign-in", "/flow"] {
        assert!(!route_table::is_page(ROUTES, path), "{path}");
    }
    let files = [Route::<()>::get("/static/{hash}/{*path}", Access::Public, |m| {
        on(m, || async {})
    })];
    assert!(route_table::is_page(&files, "/static/abc/vendor/x.js"));
    assert!(!route_table::is_page(&files, "/static/abc"));
}

#[test]
fn the_table_tells_what_each_route_asks_for() {
    let create = ROUTES
        .iter()
        .find(|route| route.method == Method::POST && route.path == "/flows")
        .unwrap();
    assert_eq!(
        (create.csrf, create.audit, create.body_limit),
        (Csrf::Token, Some("flow.create"), limits::FORM_BODY_BYTES)
    );
}
