//! Where every call arrives: it is written down, struck by a fault if a rule says so, checked by the gateway and
//! passed on to its service. A call is served to its end even when the client has gone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::{Html, IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::clock::wall_ms;
use super::faults::{BodyForm, Fault, Garbage, RetryAfter};
use super::ledger::{Entry, masked_body, masked_target};
use super::refusal::{Refusal, Service};
use super::state::{App, lock};
use super::wire::{Sandbox, reply};
use super::{
    catalog, catalog_batches, data_prep, flow_service, gateway, ims, sandboxes, schema_registry, wire,
};

/// Largest request body, bytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Largest answer that is looked into for an object's id, bytes.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

#[derive(Debug, Clone)]
struct Desk {
    app: Arc<App>,
    services: Router,
}

/// The platform listener's router.
pub fn router(app: Arc<App>) -> Router {
    let services = Router::new()
        .merge(ims::router())
        .merge(sandboxes::router())
        .merge(schema_registry::router())
        .merge(catalog::router())
        .merge(catalog_batches::router())
        .merge(data_prep::router())
        .merge(flow_service::router())
        .fallback(wire::not_found)
        .method_not_allowed_fallback(wire::method_not_allowed)
        .with_state(Arc::clone(&app));
    Router::new().fallback(receive).with_state(Desk { app, services })
}

async fn receive(State(desk): State<Desk>, request: Request) -> Response {
    match tokio::spawn(desk.serve(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(target: "headgate::emulator", %error, "a call was not served to its end");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A call read in whole.
#[derive(Debug, Clone)]
struct Arrived {
    parts: Parts,
    body: Bytes,
    /// Without a slash at the end.
    path: String,
    sequence: u64,
    request_id: String,
}

/// A service's answer read in whole.
struct Acted {
    response: axum::http::response::Parts,
    body: Bytes,
}

impl Desk {
    async fn serve(self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await;
        let call = self.write_down(parts, body.as_ref().map_or(Bytes::new(), Bytes::clone));
        let mut response = match body {
            Ok(_) => self.answer(&call).await,
            Err(_) => self.finish(
                &call,
                Refusal::gateway("413000", "The request body is too large or was cut off").into_response(),
            ),
        };
        let status = response
            .extensions()
            .get::<Lost>()
            .is_none()
            .then(|| response.status().as_u16());
        self.amend(call.sequence, |entry| {
            entry.completed_at_ms = Some(wall_ms());
            entry.status = status;
        });
        tracing::debug!(target: "headgate::emulator", method = %call.parts.method, path = %call.path, status, "call");
        if let Ok(id) = HeaderValue::from_str(&call.request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        tokio::time::sleep(Duration::from_millis(self.app.options.latency_ms)).await;
        response
    }

    fn write_down(&self, parts: Parts, body: Bytes) -> Arrived {
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let request_id = header("x-request-id");
        let kind = header("content-type").unwrap_or_default().to_ascii_lowercase();
        let entry = Entry {
            sequence: 0,
            arrived_at_ms: wall_ms(),
            completed_at_ms: None,
            method: parts.method.to_string(),
            target: masked_target(parts.uri.path(), parts.uri.query()),
            sandbox: header("x-sandbox-name"),
            request_id: request_id.clone(),
            body: masked_body(&kind, &body),
            status: None,
            acted: None,
            object_id: None,
            fault: None,
        };
        let sequence = lock(&self.app.ledger).open(entry);
        let path = parts.uri.path().trim_end_matches('/').to_owned();
        Arrived {
            request_id: request_id.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            parts,
            body,
            path,
            sequence,
        }
    }

    async fn answer(&self, call: &Arrived) -> Response {
        let fault = lock(&self.app.rules).strike(call.parts.method.as_str(), &call.path, &call.body);
        let Some(fault) = fault else {
            return self.act(call).await.rebuild();
        };
        tracing::info!(target: "headgate::emulator", path = %call.path, fault = fault.kind(), "a rule struck");
        self.amend(call.sequence, |entry| entry.fault = Some(fault.kind().to_owned()));
        match fault {
            Fault::LoseAnswer => {
                self.act(call).await;
                closed(None)
            }
            Fault::CutAnswer => {
                let acted = self.act(call).await;
                closed(Some(acted))
            }
            Fault::LoseRequest => closed(None),
            Fault::ActLate { ms, status } => {
                let (desk, late) = (self.clone(), call.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    desk.act(&late).await;
                });
                status.map_or_else(|| closed(None), |status| self.bare(call, status, BodyForm::Html))
            }
            Fault::Status { status, body } => self.bare(call, status, body),
            Fault::AfterStatus { status, body } => {
                self.act(call).await;
                self.bare(call, status, body)
            }
            Fault::RetryAfter { after } => {
                let mut response = self.bare(call, 429, BodyForm::Gateway);
                if let Some(value) = after
                    .as_ref()
                    .and_then(|after| HeaderValue::from_str(&header_text(after)).ok())
                {
                    response.headers_mut().insert(header::RETRY_AFTER, value);
                }
                response
            }
            Fault::Delay { ms } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                self.act(call).await.rebuild()
            }
            Fault::Garbage { form } => spoil(self.act(call).await, form),
            Fault::ExpireToken => {
                self.app.revoke_tokens();
                self.act(call).await.rebuild()
            }
            Fault::StaleEtag => {
                flow_service::change_etag(&self.app, &call.path);
                self.act(call).await.rebuild()
            }
            Fault::Answer { status, body } => {
                reply(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), &body)
            }
        }
    }

    /// The gateway's checks and the service's work.
    async fn act(&self, call: &Arrived) -> Acted {
        let service = Service::of_path(&call.path);
        let checked = if call.path.starts_with("/ims/") {
            Ok(String::new())
        } else {
            gateway::check(
                &self.app,
                service,
                &call.parts.method,
                &call.parts.headers,
                call.body.is_empty(),
            )
        };
        let response = match checked {
            Ok(sandbox) => {
                let mut request = Request::from_parts(call.parts.clone(), Body::from(call.body.clone()));
                if let Some(uri) = without_last_slash(&call.path, request.uri().query()) {
                    *request.uri_mut() = uri;
                }
                request.extensions_mut().insert(Sandbox(sandbox));
                let served: Result<Response, Infallible> = self.services.clone().oneshot(request).await;
                served.unwrap_or_else(|never| match never {})
            }
            Err(refusal) => refusal.into_response(),
        };
        let (response, body) = self.finish(call, response).into_parts();
        let body = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
        self.amend(call.sequence, |entry| {
            entry.acted = Some(response.status.as_u16());
            entry.object_id = object_id(&body);
        });
        Acted { response, body }
    }

    /// Writes the body of a refusal.
    fn finish(&self, call: &Arrived, mut response: Response) -> Response {
        match response.extensions_mut().remove::<Refusal>() {
            Some(refusal) => reply(
                refusal.status(),
                &refusal.body(&call.request_id, self.app.clock.now_ms()),
            ),
            None => response,
        }
    }

    fn bare(&self, call: &Arrived, status: u16, form: BodyForm) -> Response {
        let code = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let text = "The emulator was told to answer like this";
        match form {
            BodyForm::Empty => code.into_response(),
            BodyForm::Html => {
                (code, Html(format!("<html><body><h1>{code}</h1></body></html>"))).into_response()
            }
            BodyForm::Gateway => reply(
                code,
                &json!({ "error_code": format!("{status}000"), "message": text }),
            ),
            BodyForm::Service => {
                let service = Service::of_path(&call.path);
                let documented = service == Service::Flow && status == 503;
                let refusal = if documented {
                    Refusal::flow("1103-503", text)
                } else {
                    Refusal::own(service, status, text)
                };
                self.finish(call, refusal.into_response())
            }
        }
    }

    fn amend(&self, sequence: u64, change: impl FnOnce(&mut Entry)) {
        lock(&self.app.ledger).amend(sequence, change);
    }
}

impl Acted {
    fn rebuild(self) -> Response {
        Response::from_parts(self.response, Body::from(self.body))
    }
}

/// Marks an answer that the client never gets in whole.
#[derive(Debug, Clone, Copy)]
struct Lost;

/// A response that ends the connection: before its first byte, or half-way through the body of what was acted.
///
/// The server writes the head of a response together with the first piece of its body, so a body that fails at
/// once leaves nothing on the wire. `tests/integration/emulator/faults.rs` holds this down to the byte.
fn closed(cut: Option<Acted>) -> Response {
    let broken = || Err(std::io::Error::other("the emulator was told to lose this answer"));
    let mut response = match cut {
        None => Response::new(Body::from_stream(
            stream::iter([broken()]).map(|item: Result<Bytes, _>| item),
        )),
        Some(acted) => {
            let half = acted.body.slice(..acted.body.len() / 2);
            let pieces = stream::once(async move { Ok(half) }).chain(stream::once(async move {
                // Let the first half reach the client before the connection ends.
                tokio::time::sleep(Duration::from_millis(50)).await;
                broken()
            }));
            let mut response = Response::from_parts(acted.response, Body::from_stream(Box::pin(pieces)));
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(acted.body.len()));
            response
        }
    };
    response.extensions_mut().insert(Lost);
    response
}

fn spoil(acted: Acted, form: Garbage) -> Response {
    let Acted { mut response, body } = acted;
    response.headers.remove(header::CONTENT_LENGTH);
    let body = match form {
        Garbage::EmptyObject => Bytes::from_static(b"{}"),
        Garbage::NoId | Garbage::OddId => {
            let mut document = serde_json::from_slice::<Value>(&body).unwrap_or_default();
            spoil_ids(&mut document, form == Garbage::OddId);
            Bytes::from(document.to_string())
        }
        Garbage::Truncated => body.slice(..body.len() / 2),
        Garbage::Huge => Bytes::from([vec![b' '; 16 * 1024 * 1024], body.to_vec()].concat()),
        Garbage::NotJson => Bytes::from_static(b"<html><body>It works!</body></html>"),
        Garbage::Deep => Bytes::from([b"{\"a\":".repeat(2000), b"1".to_vec(), b"}".repeat(2000)].concat()),
        Garbage::Redirect => {
            response.status = StatusCode::TEMPORARY_REDIRECT;
            response.headers.insert(
                header::LOCATION,
                HeaderValue::from_static("http://elsewhere.invalid/"),
            );
            Bytes::new()
        }
    };
    Response::from_parts(response, Body::from(body))
}

fn spoil_ids(document: &mut Value, odd: bool) {
    match document {
        Value::Object(members) => {
            for name in ["id", "$id"] {
                if odd && members.contains_key(name) {
                    members.insert(name.to_owned(), json!({ "id": 7 }));
                } else {
                    members.remove(name);
                }
            }
        }
        Value::Array(items) if odd => *items = vec![json!(7)],
        Value::Array(items) => items.clear(),
        _ => {}
    }
}

fn header_text(after: &RetryAfter) -> String {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Raw(text) => text.clone(),
        RetryAfter::DateInSeconds(seconds) => {
            let at_s = u64::try_from(wall_ms() / 1000 + seconds).unwrap_or_default();
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(at_s.min(200_000_000_000)))
        }
    }
}

fn without_last_slash(path: &str, query: Option<&str>) -> Option<axum::http::Uri> {
    let path = if path.is_empty() { "/" } else { path };
    query
        .map_or_else(|| path.parse(), |query| format!("{path}?{query}").parse())
        .ok()
}

/// The id of the object that an answer speaks of.
fn object_id(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let first = document
        .get("items")
        .and_then(|items| items.get(0))
        .unwrap_or(&document);
    let id = first
        .get("$id")
        .or_else(|| first.get("id"))
        .or_else(|| first.get(0))
        .and_then(Value::as_str)?;
    Some(id.rsplit("@/dataSets/").next().unwrap_or(id).to_owned())
}
