//! One call as the handlers see it, and the answers they build.

use axum::Json;
use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use super::refusal::{Refusal, Service};
use super::strict_json;

/// The sandbox a call is for, as the gateway found it.
#[derive(Debug, Clone)]
pub struct Sandbox(pub String);

/// A call that the gateway let through.
#[derive(Debug)]
pub struct Call {
    /// Name of the sandbox; empty for sandbox management.
    pub sandbox: String,
    /// Path with a leading slash, still percent-encoded.
    pub path: String,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Refusal;

    async fn from_request(request: Request<axum::body::Body>, state: &S) -> Result<Self, Refusal> {
        let path = request.uri().path().to_owned();
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let sandbox = request
            .extensions()
            .get::<Sandbox>()
            .map(|sandbox| sandbox.0.clone())
            .unwrap_or_default();
        let headers = request.headers().clone();
        let service = Service::of_path(&path);
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_| Refusal::own(service, 400, "The request body could not be read."))?;
        Ok(Self {
            sandbox,
            path,
            query,
            headers,
            body,
        })
    }
}

impl Call {
    /// A header's text, if it is there and not empty.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// The body as JSON, read strictly.
    pub fn json(&self) -> Result<Value, Refusal> {
        let service = Service::of_path(&self.path);
        if self.body.iter().all(u8::is_ascii_whitespace) {
            let detail =
                "The request body cannot be null or empty. Please provide a request body and try again.";
            return Err(match service {
                Service::Flow => Refusal::flow("1405-400", detail),
                _ => Refusal::own(service, 400, detail),
            });
        }
        strict_json::parse(&self.body)
            .map_err(|why| Refusal::own(service, 400, format!("The request body cannot be read: {why}.")))
    }

    /// The body as a JSON object.
    pub fn object(&self) -> Result<Map<String, Value>, Refusal> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            _ => Err(Refusal::own(
                Service::of_path(&self.path),
                400,
                "The request body must be a JSON object.",
            )),
        }
    }
}

/// A decoded query string; names may repeat. As in every form decoder a literal `+` is a space.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        Self(
            url::form_urlencoded::parse(text.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// The first value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The same parameters with their names in lower case.
    pub fn with_lower_case_names(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
                .collect(),
        )
    }

    /// Every parameter in the order of sending.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs()
            .filter(move |(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The first parameter that is not among the known ones.
    pub fn first_unknown(&self, known: &[&str]) -> Option<&str> {
        self.0
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| !known.contains(name))
    }
}

/// 200 with a JSON body.
pub fn ok(body: &impl Serialize) -> Response {
    reply(StatusCode::OK, body)
}

/// A JSON body under a status.
pub fn reply(status: StatusCode, body: &impl Serialize) -> Response {
    (status, Json(body)).into_response()
}

/// 201 with a JSON body and the address of the new object, a path on the same host.
pub fn created(location: &str, body: &Value) -> Response {
    (StatusCode::CREATED, [(header::LOCATION, location)], Json(body)).into_response()
}

/// A member of an object that must be text and not empty.
pub fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

/// The first member that is not among the known ones.
pub fn first_unknown<'a>(object: &'a Map<String, Value>, known: &[&str]) -> Option<&'a str> {
    object
        .keys()
        .map(String::as_str)
        .find(|name| !known.contains(name))
}

/// The service's own answers to a path or method it does not have.
pub async fn not_found(call: Call) -> Refusal {
    Refusal::own(
        Service::of_path(&call.path),
        404,
        format!("There is nothing at {}.", call.path),
    )
}

/// As [`not_found`], for a path that exists under another method.
pub async fn method_not_allowed(call: Call) -> Refusal {
    Refusal::own(
        Service::of_path(&call.path),
        405,
        format!("This method is not available at {}.", call.path),
    )
}
