//! Refused calls, each in the envelope of the service that refuses (section "Error envelopes" of the README).
//!
//! A handler answers a [`Refusal`]; the front desk writes the body, because only it knows the request id.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The code in place of a documented one, for refusals whose code no Adobe document prints.
pub const OWN: &str = "0000";

/// Which service answers, and so which envelope it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Flow,
    SchemaRegistry,
    Catalog,
    DataPrep,
    Sandboxes,
    /// The gateway itself: header faults, and paths that belong to no service.
    Gateway,
}

impl Service {
    /// The service that a path belongs to.
    pub fn of_path(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/data/foundation/") else {
            return Self::Gateway;
        };
        match rest.split('/').next() {
            Some("flowservice") => Self::Flow,
            Some("schemaregistry") => Self::SchemaRegistry,
            Some("catalog") => Self::Catalog,
            Some("conversion") => Self::DataPrep,
            Some("sandbox-management") => Self::Sandboxes,
            _ => Self::Gateway,
        }
    }
}

/// A refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Box<Told>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    service: Service,
    status: u16,
    code: String,
    title: String,
    detail: String,
    /// Extra members of Flow Service's `report`.
    about: Option<(String, String)>,
}

/// What a handler answers.
pub type Answer = Result<Response, Refusal>;

impl Refusal {
    /// A refusal by the gateway: `{"error_code","message"}`; the status is the first three digits of the code.
    pub fn gateway(code: &str, message: &str) -> Self {
        let status = code
            .get(..3)
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(400);
        Self::new(Service::Gateway, status, code, "", message)
    }

    /// A refusal by Flow Service; the status is the last three digits of a code like `1404-412`.
    pub fn flow(code: &str, detail: impl Into<String>) -> Self {
        let status = code
            .rsplit('-')
            .next()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(400);
        let title = match (code, status) {
            ("1403-400" | "2105-400", _) => "Header is missing",
            ("2100-404" | "2101-404", _) => "Sandbox not found",
            (_, 403) => "Forbidden",
            (_, 404) => "Resource not found",
            (_, 412) => "Version not matching",
            (_, 500..) => "Service Unavailable",
            _ => "Invalid request",
        };
        Self::new(Service::Flow, status, code, title, detail)
    }

    /// A refusal by Flow Service for which no document prints a code.
    pub fn flow_own(detail: impl Into<String>) -> Self {
        Self::flow("0000-400", detail)
    }

    /// Flow Service's answer to an id it does not know.
    pub fn flow_missing(kind: &str, id: &str) -> Self {
        let detail = format!(
            "The requested {kind} resource {id} is not found. Verify the resource ID before trying again."
        );
        let mut refusal = Self::flow("1439-404", detail);
        refusal.0.about = Some((kind.to_owned(), id.to_owned()));
        refusal
    }

    /// A refusal by the Schema Registry; the status is the last three digits of a code like `1521-400`.
    pub fn registry(code: &str, title: &str, detail: impl Into<String>) -> Self {
        let status = code
            .rsplit('-')
            .next()
            .and_then(|digits| digits.parse().ok())
            .unwrap_or(400);
        Self::new(Service::SchemaRegistry, status, code, title, detail)
    }

    /// The printed answer to a write without a usable content type, the same for every service.
    pub fn bad_content_type() -> Self {
        Self::new(
            Service::Catalog,
            400,
            OWN,
            "BadRequestError",
            "A valid content-type must be specified",
        )
    }

    /// A refusal in the emulator's own words in the envelope of a service.
    pub fn own(service: Service, status: u16, detail: impl Into<String>) -> Self {
        let title = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Refused");
        Self::new(service, status, &format!("{OWN}-{status}"), title, detail)
    }

    fn new(service: Service, status: u16, code: &str, title: &str, detail: impl Into<String>) -> Self {
        let (code, title) = (code.to_owned(), title.to_owned());
        Self(Box::new(Told {
            service,
            status,
            code,
            title,
            detail: detail.into(),
            about: None,
        }))
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// The body, in the envelope of the service.
    pub fn body(&self, request_id: &str, now_ms: i64) -> Value {
        let Told {
            service,
            status,
            code,
            title,
            detail,
            about,
        } = &*self.0;
        match service {
            Service::Gateway => json!({ "error_code": code, "message": detail }),
            Service::Flow => {
                let mut report = Map::new();
                report.insert("detailed-message".to_owned(), json!(detail));
                report.insert("request-id".to_owned(), json!(request_id));
                if let Some((kind, id)) = about {
                    report.insert("id".to_owned(), json!(id));
                    report.insert("type".to_owned(), json!(kind));
                }
                json!({
                    "type": format!("https://ns.adobe.com/aep/errors/FLOW-{}", code),
                    "title": title, "status": status, "report": report,
                    "errorMessage": detail, "errorDetails": detail,
                })
            }
            Service::SchemaRegistry => json!({
                "type": format!("http://ns.adobe.com/aep/errors/XDM-{}", code),
                "title": title, "status": status,
                "report": {
                    "registryRequestId": request_id, "timestamp": registry_time(now_ms),
                    "detailed-message": detail, "sub-errors": [],
                },
                "detail": detail,
            }),
            Service::Sandboxes => json!({
                "status": status, "title": detail,
                "type": format!("http://ns.adobe.com/aep/errors/SMS-{}", code),
            }),
            Service::Catalog | Service::DataPrep => json!({
                "type": "/placeholder/type/uri", "status": status, "title": title, "detail": detail,
            }),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

fn registry_time(now_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(now_ms)
        .map(|time| time.strftime("%m-%d-%Y %H:%M:%S").to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_comes_from_the_code() {
        assert_eq!(
            Refusal::gateway("401013", "Oauth token is not valid").status(),
            401
        );
        assert_eq!(Refusal::flow("1404-412", "x").status(), 412);
        assert_eq!(
            Refusal::registry("1010-404", "Resource not found", "x").status(),
            404
        );
        assert_eq!(Refusal::flow_own("x").status(), 400);
    }

    #[test]
    fn a_missing_object_is_told_as_adobe_prints_it() {
        let body = Refusal::flow_missing("flows", "84224def").body("req-1", 0);
        assert_eq!(body["type"], "https://ns.adobe.com/aep/errors/FLOW-1439-404");
        assert_eq!(body["report"]["id"], "84224def");
        assert_eq!(body["report"]["type"], "flows");
        assert_eq!(body["report"]["request-id"], "req-1");
    }

    #[test]
    fn registry_times_are_month_first() {
        assert_eq!(registry_time(1_622_520_666_000), "06-01-2021 04:11:06");
    }
}
