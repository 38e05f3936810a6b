//! What every answer looks like, errors above all.

use super::*;

#[tokio::test(start_paused = true)]
async fn every_answer_carries_the_headers() {
    let long = "x".repeat(11);
    let mut seen = Vec::new();
    for (method, path, headers, body) in [
        ("GET", "/", &[][..], ""),
        ("GET", "/file", &[], ""),
        ("GET", "/form", &[], ""),
        ("GET", "/flows", &[], ""),
        ("GET", "/nowhere", &[], ""),
        ("DELETE", "/flows", &[], ""),
        ("TRACE", "/flows", &[], ""),
        ("POST", "/flows", &[("test-role", "editor")], ""),
        ("POST", "/small", &[], long.as_str()),
        ("GET", "/panic", &[], ""),
        ("GET", "/fault", &[], ""),
        ("GET", "/slow", &[], ""),
        ("GET", "/busy", &[], ""),
        ("GET", "/", &[("host", "evil.example")], ""),
        ("GET", "/", &[("host", "")], ""),
    ] {
        let response = send(method, path, headers, body.to_owned()).await;
        let found = response.headers();
        let csp = found["content-security-policy"].to_str().unwrap();
        assert!(
            csp.starts_with("default-src 'none'; script-src 'self';") && !csp.contains("unsafe"),
            "{path}: {csp}"
        );
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", "max-age=31536000"),
            (
                "cache-control",
                if path == "/file" {
                    "public, max-age=9"
                } else {
                    "no-store"
                },
            ),
        ] {
            assert_eq!(found[name], value, "{method} {path}");
            assert_eq!(found.get_all(name).iter().count(), 1, "{method} {path} {name}");
        }
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(found[header::RETRY_AFTER], "2", "{path}");
        }
        assert!(found.contains_key("permissions-policy") && found.contains_key("x-request-id"));
        seen.push(response.status().as_u16());
    }
    assert_eq!(
        seen,
        [
            200, 200, 422, 303, 404, 405, 405, 403, 413, 500, 500, 503, 503, 421, 400
        ]
    );
}

#[tokio::test]
async fn plain_http_promises_no_https() {
    let request = Request::get("/")
        .header("host", "localhost:8080")
        .body(Body::empty())
        .unwrap();
    let response = app("http://127.0.0.1:8080").oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn an_error_is_a_page_a_fragment_or_json_with_the_same_id() {
    let page = get("/refused", &[]).await;
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    let id = page.headers()["x-request-id"].to_str().unwrap().to_owned();
    let page = text(page).await;
    for expected in [
        &id,
        "<title>Name",
        "&#60;taken&#62;",
        "&#34;x&#34; &#38; &#39;y&#39;",
        "Nothing was changed.",
        "Choose another.",
        "flow.name",
    ] {
        assert!(page.contains(expected), "{expected} in {page}");
    }

    let fragment = get("/refused", &[("hx-request", "true")]).await;
    assert_eq!(fragment.status(), StatusCode::CONFLICT);
    assert_eq!(
        (
            &fragment.headers()["hx-retarget"],
            &fragment.headers()["hx-reswap"]
        ),
        (&"#main".parse().unwrap(), &"innerHTML".parse().unwrap())
    );
    let id = fragment.headers()["x-request-id"].to_str().unwrap().to_owned();
    let fragment = text(fragment).await;
    assert!(
        fragment.starts_with("<h1>") && fragment.contains(&id) && !fragment.contains("<html"),
        "{fragment}"
    );

    for headers in [
        [("accept", "application/json")],
        [("accept", "application/json, */*")],
    ] {
        let json = get("/refused", &headers).await;
        assert_eq!(json.status(), StatusCode::CONFLICT);
        let id = json.headers()["x-request-id"].to_str().unwrap().to_owned();
        let json: serde_json::Value = serde_json::from_str(&text(json).await).unwrap();
        assert_eq!(json["error"]["code"], "flow.name");
        assert_eq!(json["error"]["changed"], "Nothing was changed.");
        assert_eq!(json["error"]["request_id"], id);
    }
    assert_eq!(
        get("/api/nowhere", &[]).await.headers()["content-type"],
        "application/json"
    );
}

#[tokio::test]
async fn no_error_tells_its_cause() {
    for path in ["/panic", "/fault"] {
        for headers in [
            &[][..],
            &[("hx-request", "true")],
            &[("accept", "application/json")],
        ] {
            let response = get(path, headers).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let body = text(response).await;
            assert!(
                !body.contains("canary") && body.contains("not known whether anything was changed"),
                "{body}"
            );
        }
    }
}

#[tokio::test]
async fn o5_a_panic_is_answered_with_a_reference_and_nobody_else_is_hurt() {
    let app = app("https://gate.example");
    let ask = async |path: &str| {
        let request = Request::builder().uri(path).header("host", "gate.example");
        let request = request.header("accept", "text/html");
        app.clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    };
    for _ in 0..10 {
        let (panicked, fine) = tokio::join!(ask("/panic"), ask("/"));
        assert_eq!(panicked.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = panicked.headers()["x-request-id"].to_str().unwrap().to_owned();
        let page = text(panicked).await;
        assert!(page.contains(&id), "the page names the reference: {page}");
        assert_eq!(text(fine).await, "home");
    }
    assert_eq!(text(ask("/").await).await, "home");
}

#[tokio::test]
async fn errors_keep_what_libraries_and_handlers_say_in_headers() {
    let busy = get("/busy", &[]).await;
    assert_eq!(busy.headers()[header::RETRY_AFTER], "2");
    let busy = text(busy).await;
    assert!(
        busy.contains("store.busy") && busy.contains("Nothing was changed."),
        "{busy}"
    );
    let refused = send("DELETE", "/flows", &[("test-role", "admin")], "").await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()[header::ALLOW], "GET,HEAD,POST");
    assert!(text(refused).await.contains("This cannot be done here"));
    assert_eq!(
        text(get("/form", &[]).await).await,
        "<p>the form with its mistakes</p>"
    );
}

#[tokio::test]
async fn only_our_own_hosts_are_answered() {
    let status = async |uri: &str, hosts: &[&str]| {
        let request = hosts.iter().fold(Request::builder().uri(uri), |request, host| {
            request.header("host", *host)
        });
        app("https://gate.example")
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    for (uri, hosts, expected) in [
        ("/", &["gate.example"][..], 200),
        ("/", &["GATE.example:443"], 200),
        ("/", &["localhost:8080"], 200),
        ("/", &["127.0.0.1:8080"], 200),
        ("https://gate.example/", &["gate.example"], 200),
        ("/", &["evil.example"], 421),
        ("/", &["gate.example.evil.example"], 421),
        ("/", &["gate.example:8080"], 421),
        ("/", &["user@gate.example"], 421),
        ("/", &[""], 421),
        ("/", &[], 400),
        ("/", &["gate.example", "gate.example"], 400),
        ("/", &["gate.example", "evil.example"], 400),
        ("https://evil.example/", &["gate.example"], 400),
        ("https://evil.example/", &["evil.example"], 421),
    ] {
        assert_eq!(status(uri, hosts).await, expected, "{uri} {hosts:?}");
    }
}

#[tokio::test]
async fn bodies_end_at_their_limit() {
    for (length, expected) in [(10, StatusCode::OK), (11, StatusCode::PAYLOAD_TOO_LARGE)] {
        let known = send("POST", "/small", &[], "x".repeat(length)).await;
        assert_eq!(known.status(), expected);
        let pieces = futures_util::stream::iter(vec!["x"; length].into_iter().map(Ok::<_, std::io::Error>));
        let streamed = send("POST", "/small", &[], Body::from_stream(pieces)).await;
        assert_eq!(streamed.status(), expected, "streamed");
    }
    let form = format!("csrf={TOKEN}&x={}", "x".repeat(limits::FORM_BODY_BYTES));
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(form)]);
    let streamed = send(
        "POST",
        "/flows",
        &[FORM, ("test-role", "editor")],
        Body::from_stream(pieces),
    )
    .await;
    assert_eq!(
        streamed.status(),
        StatusCode::PAYLOAD_TOO_LARGE,
        "a form that is read for its token"
    );
}

#[tokio::test(start_paused = true)]
async fn a_long_body_is_not_cut() {
    for encoding in ["", "gzip"] {
        let response = get("/long", &[("accept-encoding", encoding)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.headers().contains_key(header::CONTENT_LENGTH));
        let body = to_bytes(response.into_body(), 1 << 20)
            .await
            .expect("a whole body");
        if encoding.is_empty() {
            assert_eq!(body, "0\n1\n2\n3\n");
        }
    }
}
