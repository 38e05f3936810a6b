//! The checks before any service: token, key, organization, sandbox, content type.
//!
//! Codes and messages: Adobe's troubleshooting page ("Experience Platform troubleshooting guide") for the
//! gateway, the Flow Service error page for sandbox headers. The order of the checks is the emulator's own.

use axum::http::{HeaderMap, Method, header};

use super::refusal::{Refusal, Service};
use super::state::App;

/// Checks the headers of a call to a service and answers the sandbox it is for (empty for sandbox management).
pub fn check(
    app: &App,
    service: Service,
    method: &Method,
    headers: &HeaderMap,
    body_is_empty: bool,
) -> Result<String, Refusal> {
    check_credential(app, headers)?;
    check_organization(app, headers)?;
    if matches!(service, Service::Gateway) {
        return Err(Refusal::gateway(
            "404000",
            "No service is published under this path",
        ));
    }
    let sandbox = sandbox_of(app, service, headers)?;
    check_content_type(service, method, headers, body_is_empty)?;
    Ok(sandbox)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

fn check_credential(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = text(headers, header::AUTHORIZATION.as_str())
        .map(|value| {
            value
                .strip_prefix("Bearer")
                .or_else(|| value.strip_prefix("bearer"))
                .unwrap_or(value)
                .trim()
        })
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refusal::gateway("403010", "Oauth token is missing."))?;
    if !app.token_is_valid(token) {
        return Err(Refusal::gateway("401013", "Oauth token is not valid"));
    }
    let key = text(headers, "x-api-key").ok_or_else(|| Refusal::gateway("403000", "Api Key is required"))?;
    if key != app.options.client_id {
        return Err(Refusal::gateway("403003", "Api Key is invalid"));
    }
    Ok(())
}

fn check_organization(app: &App, headers: &HeaderMap) -> Result<(), Refusal> {
    let organization =
        text(headers, "x-gw-ims-org-id").ok_or_else(|| Refusal::gateway("400003", "Missing header"))?;
    let well_formed = organization
        .strip_suffix("@AdobeOrg")
        .is_some_and(|id| id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if organization == app.options.organization {
        Ok(())
    } else if well_formed {
        Err(Refusal::gateway("403025", "Profile is not valid"))
    } else {
        Err(Refusal::gateway("403027", "User region is missing"))
    }
}

fn sandbox_of(app: &App, service: Service, headers: &HeaderMap) -> Result<String, Refusal> {
    if service == Service::Sandboxes {
        return Ok(String::new());
    }
    let flow_service = service == Service::Flow;
    if flow_service && headers.contains_key("x-sandbox-id") {
        return Err(Refusal::flow(
            "2110-400",
            "The header x-sandbox-id is not allowed with this kind of token. Send x-sandbox-name.",
        ));
    }
    let Some(name) = text(headers, "x-sandbox-name") else {
        let detail = "The header x-sandbox-name is missing in the request. Please add the header in the request and try again.";
        return Err(if flow_service {
            Refusal::flow("2105-400", detail)
        } else {
            Refusal::own(service, 400, detail)
        });
    };
    if name == "*" && flow_service {
        return Err(Refusal::flow(
            "2112-400",
            "The sandbox name * is not supported by this operation.",
        ));
    }
    if !app.options.sandboxes.iter().any(|known| known == name) {
        let detail = format!(
            "The sandbox with the name '{name}' could not be found. Please ensure that the sandbox name is correct and try again."
        );
        return Err(if flow_service {
            Refusal::flow("2100-404", detail)
        } else {
            Refusal::own(service, 404, detail)
        });
    }
    Ok(name.to_owned())
}

fn check_content_type(
    service: Service,
    method: &Method,
    headers: &HeaderMap,
    body_is_empty: bool,
) -> Result<(), Refusal> {
    if body_is_empty || !matches!(*method, Method::POST | Method::PUT | Method::PATCH) {
        return Ok(());
    }
    let kind = text(headers, header::CONTENT_TYPE.as_str())
        .and_then(|value| value.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase());
    match kind.as_deref() {
        Some("application/json") => Ok(()),
        Some("application/json-patch+json") if service == Service::Catalog => Ok(()),
        // The printed body of this fault is the placeholder envelope, whatever the service.
        _ => Err(Refusal::bad_content_type()),
    }
}
