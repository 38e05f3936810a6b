//! Where every call arrives: it is written down, struck by a fault if a rule says so, checked by the gateway and
//! passed on to its service. A call is served to its end even when the client has gone.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt;

use super::answered_id::answered_id;
use super::clock::wall_ms;
use super::faults::{BodyForm, Fault};
use super::ledger::{Entry, masked_body, masked_target};
use super::list_faults::{of_another_sandbox, without_end};
use super::refusal::{Refusal, Service};
use super::rule_book::Struck;
use super::spoiled::{Held, Lost, closed, header_text, held, held_half, spoil};
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
    let response = match tokio::spawn(desk.serve(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(target: "headgate::emulator", %error, "a call was not served to its end");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    };
    // Outside of the task: a client that goes away ends this wait.
    if let Some(Held(until)) = response.extensions().get().cloned() {
        until.cancelled().await;
    }
    response
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
pub struct Acted {
    pub response: axum::http::response::Parts,
    pub body: Bytes,
}

impl Desk {
    async fn serve(self, request: Request) -> Response {
        let latency = Duration::from_millis(self.app.options.latency_ms);
        let not_before = Instant::now() + latency;
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
        let is_held = response.extensions().get::<Held>().is_some();
        self.amend(call.sequence, |entry| {
            entry.completed_at_ms = (!is_held).then(wall_ms);
            entry.status = status;
        });
        tracing::debug!(target: "headgate::emulator", method = %call.parts.method, path = %call.path, status, "call");
        if let Ok(id) = HeaderValue::from_str(&call.request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        tokio::time::sleep_until(not_before).await;
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
        let struck = Struck {
            method: call.parts.method.as_str(),
            path: &call.path,
            query: call.parts.uri.query().unwrap_or_default(),
            body: &call.body,
        };
        let (fault, until) = {
            let mut rules = lock(&self.app.rules);
            (rules.strike(&struck), rules.held())
        };
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
            Fault::Hang { acts } => {
                if acts {
                    self.act(call).await;
                }
                held(until)
            }
            Fault::HangHalf => held_half(self.act(call).await, until),
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
            Fault::ListOfAnotherSandbox => wire::ok(&of_another_sandbox(Service::of_path(&call.path))),
            Fault::EndlessList => wire::ok(&without_end(Service::of_path(&call.path))),
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
        let object_id = answered_id(&body);
        self.amend(call.sequence, |entry| {
            entry.acted = Some(response.status.as_u16());
            entry.object_id = object_id;
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
    pub fn rebuild(self) -> Response {
        Response::from_parts(self.response, Body::from(self.body))
    }
}

fn without_last_slash(path: &str, query: Option<&str>) -> Option<axum::http::Uri> {
    let path = if path.is_empty() { "/" } else { path };
    query
        .map_or_else(|| path.parse(), |query| format!("{path}?{query}").parse())
        .ok()
}
