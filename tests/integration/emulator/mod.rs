//! The emulator, driven over plain HTTP with raw JSON: none of its own types, none of the client's.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod catalog_and_schemas;
mod faults;
mod flow_service;
mod gateway;
mod held_and_lists;
mod readme;
mod runs;
mod seed;
mod tutorial;

use headgate::emulator::{Control, Emulator, Options, Running};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

pub const ORGANIZATION: &str = "0123456789ABCDEF01234567@AdobeOrg";
pub const FLOW_SERVICE: &str = "/data/foundation/flowservice";
pub const S3: &str = "ecadc60c-7455-4d87-84dc-2a0e293d997b";
pub const DATA_LAKE: &str = "c604ff05-7f1a-43c0-8e18-33bf874cb11c";
pub const FLOW_SPEC: &str = "9753525b-82c7-4dce-8a9b-5ccfce2b9876";
/// 2026-03-01T00:00:00Z
pub const NOW_MS: i64 = 1_772_323_200_000;
pub const MINUTE_MS: u32 = 60_000;
pub const HOUR_MS: u32 = 60 * MINUTE_MS;
pub const DAY_MS: u32 = 24 * HOUR_MS;

/// An emulator whose clock stands at [`NOW_MS`], and a client with a token.
pub struct Bench {
    pub running: Running,
    pub http: reqwest::Client,
    pub token: String,
}

/// An answer read in whole.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    /// The last segment of the error's type, or the gateway's error code.
    pub fn code(&self) -> &str {
        let kind = self.body["type"]
            .as_str()
            .or_else(|| self.body["error_code"].as_str())
            .unwrap_or_default();
        kind.rsplit('/').next().unwrap_or_default()
    }

    pub fn id(&self) -> String {
        self.body["id"]
            .as_str()
            .unwrap_or_else(|| panic!("no id in {self:?}"))
            .to_owned()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(
            (self.status.as_u16(), self.code()),
            (status, code),
            "{}",
            self.body
        );
        self
    }
}

/// Member names of an object, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"))
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

impl Bench {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options {
            manual_time: true,
            manual_start_ms: Some(NOW_MS),
            random_seed: Some(1),
            // Tests advance by days.
            token_lifetime_s: 400 * 86_400,
            ..Options::default()
        };
        change(&mut options);
        let running = Emulator::start(options).await.unwrap();
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut bench = Self {
            running,
            http,
            token: String::new(),
        };
        bench.sign_in().await;
        bench
    }

    pub async fn sign_in(&mut self) {
        let answer = self.token_call("headgate-demo-secret").await.expect(200);
        self.token = answer.body["access_token"].as_str().unwrap().to_owned();
    }

    pub async fn token_call(&self, secret: &str) -> Reply {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "headgate-demo"),
            ("client_secret", secret),
            ("scope", "openid,AdobeID,read_organizations"),
        ];
        read(
            self.http
                .post(format!("{}/ims/token/v3", self.running.url()))
                .form(&form),
        )
        .await
    }

    pub fn control(&self) -> &Control {
        self.running.control()
    }

    pub fn now_ms(&self) -> i64 {
        self.control().now_ms()
    }

    pub fn now_s(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// A call with every header of the gateway, for the sandbox `prod`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.running.url()))
            .bearer_auth(&self.token)
            .header("x-api-key", "headgate-demo")
            .header("x-gw-ims-org-id", ORGANIZATION)
            .header("x-sandbox-name", "prod")
    }

    pub async fn get(&self, path: &str) -> Reply {
        read(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        read(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// POST without a body, as actions are.
    pub async fn act(&self, path: &str) -> Reply {
        read(self.request(Method::POST, path)).await
    }

    pub async fn patch(&self, path: &str, etag: &str, body: &Value) -> Reply {
        read(
            self.request(Method::PATCH, path)
                .header("if-match", etag)
                .json(body),
        )
        .await
    }

    /// A list of Flow Service with one filter and more parameters, encoded.
    pub async fn list(&self, kind: &str, query: &[(&str, &str)]) -> Reply {
        read(
            self.request(Method::GET, &format!("{FLOW_SERVICE}/{kind}"))
                .query(query),
        )
        .await
    }

    pub async fn schema(&self, title: &str) -> String {
        let path = "/data/foundation/schemaregistry/tenant/schemas";
        let answer = self.post(path, &schema_body(title)).await.expect(201);
        answer.body["$id"].as_str().unwrap().to_owned()
    }

    pub async fn dataset(&self, name: &str, schema: &str) -> String {
        let path = "/data/foundation/catalog/dataSets?requestDataSource=true";
        let answer = self.post(path, &dataset_body(name, schema)).await.expect(201);
        answer.body[0]
            .as_str()
            .unwrap()
            .strip_prefix("@/dataSets/")
            .unwrap()
            .to_owned()
    }

    pub async fn connection(&self, name: &str) -> String {
        self.post(&format!("{FLOW_SERVICE}/connections"), &connection_body(name))
            .await
            .expect(201)
            .id()
    }

    /// Every part of a flow.
    pub async fn parts(&self, name: &str) -> Parts {
        let schema = self.schema(&format!("{name} schema")).await;
        let dataset = self.dataset(&format!("{name} dataset"), &schema).await;
        let connection = self.connection(&format!("{name} connection")).await;
        let source = self
            .post(
                &format!("{FLOW_SERVICE}/sourceConnections"),
                &source_body(name, &connection),
            )
            .await;
        let target = self
            .post(
                &format!("{FLOW_SERVICE}/targetConnections"),
                &target_body(name, &dataset, &schema),
            )
            .await;
        Parts {
            schema,
            dataset,
            connection,
            source: source.expect(201).id(),
            target: target.expect(201).id(),
        }
    }

    /// A flow that begins in a minute.
    pub async fn flow(&self, name: &str, frequency: &str, interval: Option<i64>) -> (String, Parts) {
        let parts = self.parts(name).await;
        let body = flow_body(name, &parts, self.now_s() + 60, frequency, interval);
        (
            self.post(&format!("{FLOW_SERVICE}/flows"), &body)
                .await
                .expect(201)
                .id(),
            parts,
        )
    }
}

/// Ids of the parts of a flow.
#[derive(Debug, Clone)]
pub struct Parts {
    pub schema: String,
    pub dataset: String,
    pub connection: String,
    pub source: String,
    pub target: String,
}

pub async fn read(request: RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or_else(|_| json!(text))
    };
    Reply {
        status,
        headers,
        body,
    }
}

pub fn schema_body(title: &str) -> Value {
    let class = "https://ns.adobe.com/xdm/context/profile";
    json!({
        "type": "object", "title": title, "description": "",
        "allOf": [{ "$ref": class }, { "$ref": "https://ns.adobe.com/xdm/context/profile-person-details" }],
        "meta:class": class,
    })
}

pub fn dataset_body(name: &str, schema: &str) -> Value {
    json!({ "name": name, "schemaRef": { "id": schema, "contentType": "application/vnd.adobe.xed-full-notext+json; version=1" } })
}

pub fn connection_body(name: &str) -> Value {
    json!({
        "name": name, "description": "made by a test",
        "auth": { "specName": "Access Key", "params": { "s3AccessKey": "AKIA", "s3SecretKey": "S3CRETCANARY" } },
        "connectionSpec": { "id": S3, "version": "1.0" },
    })
}

pub fn source_body(name: &str, connection: &str) -> Value {
    json!({
        "name": name, "baseConnectionId": connection, "connectionSpec": { "id": S3, "version": "1.0" },
        "data": { "format": "parquet" }, "params": { "path": "acme/in", "type": "folder", "recursive": true },
    })
}

pub fn target_body(name: &str, dataset: &str, schema: &str) -> Value {
    json!({
        "name": name, "connectionSpec": { "id": DATA_LAKE, "version": "1.0" },
        "data": { "schema": { "id": schema, "version": "application/vnd.adobe.xed-full+json;version=1" } },
        "params": { "dataSetId": dataset },
    })
}

pub fn flow_body(name: &str, parts: &Parts, start_s: i64, frequency: &str, interval: Option<i64>) -> Value {
    let mut schedule = json!({ "startTime": start_s, "frequency": frequency });
    if let Some(interval) = interval {
        schedule["interval"] = json!(interval);
    }
    json!({
        "name": name, "description": "made by a test", "flowSpec": { "id": FLOW_SPEC, "version": "1.0" },
        "sourceConnectionIds": [parts.source], "targetConnectionIds": [parts.target], "scheduleParams": schedule,
    })
}
