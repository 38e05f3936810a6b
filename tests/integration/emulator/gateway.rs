//! Headers, tokens, sandboxes, paths: what is refused before a service is asked.

use headgate::emulator::faults::{Fault, Rule};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use super::{Bench, FLOW_SERVICE, HOUR_MS, ORGANIZATION, keys, read};

const FLOWS: &str = "/data/foundation/flowservice/flows";

fn bare(bench: &Bench) -> RequestBuilder {
    bench.http.get(format!("{}{FLOWS}", bench.running.url()))
}

#[tokio::test]
async fn every_header_fault_has_the_gateways_code() {
    let bench = Bench::start().await;
    let signed = |request: RequestBuilder| request.bearer_auth(&bench.token);
    let keyed = |request: RequestBuilder| signed(request).header("x-api-key", "headgate-demo");
    let cases = [
        (bare(&bench), 403, "403010", "Oauth token is missing."),
        (
            bare(&bench).header("authorization", "Bearer "),
            403,
            "403010",
            "Oauth token is missing.",
        ),
        (
            bare(&bench).bearer_auth("guessed"),
            401,
            "401013",
            "Oauth token is not valid",
        ),
        (signed(bare(&bench)), 403, "403000", "Api Key is required"),
        (
            signed(bare(&bench)).header("x-api-key", "other"),
            403,
            "403003",
            "Api Key is invalid",
        ),
        (keyed(bare(&bench)), 400, "400003", "Missing header"),
        (
            keyed(bare(&bench)).header("x-gw-ims-org-id", "1123456789ABCDEF01234567@AdobeOrg"),
            403,
            "403025",
            "Profile is not valid",
        ),
        (
            keyed(bare(&bench)).header("x-gw-ims-org-id", "acme"),
            403,
            "403027",
            "User region is missing",
        ),
    ];
    for (request, status, code, message) in cases {
        let answer = read(request).await.refused(status, code);
        assert_eq!(answer.body, json!({ "error_code": code, "message": message }));
        assert!(!answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn sandboxes_and_content_types() {
    let bench = Bench::start().await;
    let organized = || {
        bare(&bench)
            .bearer_auth(&bench.token)
            .header("x-api-key", "headgate-demo")
            .header("x-gw-ims-org-id", ORGANIZATION)
    };
    let answer = read(organized().header("x-request-id", "my-own-id"))
        .await
        .refused(400, "FLOW-2105-400");
    assert_eq!(
        keys(&answer.body),
        [
            "errorDetails",
            "errorMessage",
            "report",
            "status",
            "title",
            "type"
        ]
    );
    assert_eq!(answer.body["report"]["request-id"], "my-own-id");
    assert_eq!(answer.header("x-request-id"), "my-own-id");
    read(organized().header("x-sandbox-name", "moon"))
        .await
        .refused(404, "FLOW-2100-404");
    read(
        organized()
            .header("x-sandbox-name", "prod")
            .header("x-sandbox-id", "1"),
    )
    .await
    .refused(400, "FLOW-2110-400");
    let plain = bench
        .request(Method::POST, FLOWS)
        .header("content-type", "text/plain")
        .body("{}");
    let answer = read(plain).await.expect(400);
    assert_eq!(
        answer.body,
        json!({ "type": "/placeholder/type/uri", "status": 400, "title": "BadRequestError", "detail": "A valid content-type must be specified" })
    );
    let empty = bench
        .request(Method::POST, FLOWS)
        .header("content-type", "application/json")
        .body("");
    read(empty).await.refused(400, "FLOW-1405-400");
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let bench = Bench::start().await;
    bench
        .get(&format!("{FLOW_SERVICE}/nothing"))
        .await
        .refused(404, "FLOW-0000-404");
    bench
        .act(&format!("{FLOW_SERVICE}/flowSpecs"))
        .await
        .refused(405, "FLOW-0000-405");
    bench
        .get("/data/foundation/schemaregistry/tenant/classes")
        .await
        .refused(404, "XDM-0000-404");
    bench
        .get("/data/foundation/export/batches/1/meta")
        .await
        .refused(404, "404000");
    bench.get("/data/foundation/catalog/dataSets/").await.expect(200);
    assert_eq!(
        bench
            .get("/data/foundation/catalog/nothing")
            .await
            .expect(404)
            .body["status"],
        404
    );
}

#[tokio::test]
async fn tokens_are_given_for_the_right_secret_and_end() {
    let mut bench = Bench::with(|options| options.token_lifetime_s = 3600).await;
    let wrong = bench.token_call("wrong").await.expect(400);
    assert_eq!(
        wrong.body,
        json!({ "error": "invalid_client", "error_description": "invalid client_secret parameter" })
    );
    let right = bench.token_call("headgate-demo-secret").await.expect(200);
    assert_eq!(keys(&right.body), ["access_token", "expires_in", "token_type"]);
    assert_eq!(
        (&right.body["token_type"], &right.body["expires_in"]),
        (&json!("bearer"), &json!(3600))
    );
    bench.get(FLOWS).await.expect(200);
    bench.control().advance(HOUR_MS).unwrap();
    bench.get(FLOWS).await.refused(401, "401013");
    bench.sign_in().await;
    bench.get(FLOWS).await.expect(200);
    bench
        .control()
        .arm(Rule::on("GET", FLOWS).then(Fault::ExpireToken));
    bench.get(FLOWS).await.refused(401, "401013");
    bench.get(FLOWS).await.refused(401, "401013");
    bench.sign_in().await;
    bench.get(FLOWS).await.expect(200);
}

#[tokio::test]
async fn the_sandboxes_are_listed_without_a_sandbox() {
    let bench = Bench::start().await;
    let path = "/data/foundation/sandbox-management/";
    let request = bench
        .http
        .get(format!("{}{path}", bench.running.url()))
        .bearer_auth(&bench.token);
    let answer = read(
        request
            .header("x-api-key", "headgate-demo")
            .header("x-gw-ims-org-id", ORGANIZATION),
    )
    .await
    .expect(200);
    assert_eq!(keys(&answer.body), ["_links", "_page", "sandboxes"]);
    assert_eq!(
        keys(&answer.body["sandboxes"][0]),
        [
            "createdBy",
            "createdDate",
            "eTag",
            "isDefault",
            "lastModifiedDate",
            "modifiedBy",
            "name",
            "region",
            "state",
            "title",
            "type"
        ]
    );
    let names: Vec<_> = answer.body["sandboxes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sandbox| &sandbox["name"])
        .collect();
    assert_eq!(names, ["prod", "dev"]);
    bench
        .get("/data/foundation/sandbox-management/sandboxes/dev")
        .await
        .expect(200);
    bench
        .get("/data/foundation/sandbox-management/sandboxes/moon")
        .await
        .refused(404, "SMS-0000-404");
}

#[tokio::test]
async fn no_input_makes_it_fall_over() {
    let bench = Bench::start().await;
    for path in [
        "/",
        "//",
        "/data",
        "/data/foundation",
        "/data/foundation/flowservice",
        "/data/foundation/flowservice/flows/%ff%fe",
        "/data/foundation/flowservice/runs?property=%ff%%%",
        "/ims/token/v3?grant_type=%00",
    ] {
        let status = bench.get(path).await.status;
        assert!(status.is_client_error(), "{path} {status}");
    }
    for body in [
        "null",
        "7",
        "[]",
        "\"x\"",
        "{\"name\":null}",
        "{\"connectionSpec\":7}",
        "{\"auth\":[]}",
        "{\"scheduleParams\":{\"startTime\":1e300}}",
    ] {
        for kind in [
            "connections",
            "sourceConnections",
            "targetConnections",
            "flows",
            "runs",
        ] {
            let request = bench
                .request(Method::POST, &format!("{FLOW_SERVICE}/{kind}"))
                .header("content-type", "application/json");
            assert_eq!(
                read(request.body(body)).await.status.as_u16(),
                400,
                "{kind} {body}"
            );
        }
        for path in [
            "/data/foundation/catalog/dataSets",
            "/data/foundation/schemaregistry/tenant/schemas",
            "/data/foundation/conversion/mappingSets",
        ] {
            let request = bench
                .request(Method::POST, path)
                .header("content-type", "application/json");
            assert_eq!(
                read(request.body(body)).await.status.as_u16(),
                400,
                "{path} {body}"
            );
        }
    }
    let large = bench
        .request(Method::POST, FLOWS)
        .header("content-type", "application/json")
        .body(vec![b' '; 5 * 1024 * 1024]);
    read(large).await.refused(413, "413000");
}
