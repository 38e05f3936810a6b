//! Does a credential work? Asked step by step, so that a person learns which part does not.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::calls::ObjectKind;
use super::client::{PlatformClient, Read};
use super::error::PlatformError;

/// One thing that was tried. Kept with its environment as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStep {
    /// What was tried, for people.
    pub name: String,
    /// How it went.
    pub state: CheckState,
    /// What was found, or what to do.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// How a step of a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// As it should.
    Passed,
    /// Not.
    Failed,
    /// An earlier step failed, so this one was left out.
    NotTried,
}

/// What a check found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialCheck {
    /// Sign-in, sandbox, Flow Service.
    pub steps: Vec<CheckStep>,
    /// Whether the sandbox is a production one; `None` when that was not learned.
    pub production: Option<bool>,
}

impl CredentialCheck {
    /// Whether every step passed.
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.state == CheckState::Passed)
    }
}

const SIGN_IN: &str = "Sign in to Adobe";
const SANDBOX: &str = "See the sandbox";
const FLOWS: &str = "Read flows";

/// Signs in, looks for the sandbox and reads Flow Service in it. Changes nothing at the platform.
pub async fn check_credential(client: &PlatformClient) -> CredentialCheck {
    let mut check = CredentialCheck {
        steps: vec![timed(SIGN_IN, sign_in(client)).await],
        production: None,
    };
    let mut production = None;
    check.steps.push(match check.passed() {
        true => timed(SANDBOX, see_sandbox(client, &mut production)).await,
        false => left_out(SANDBOX),
    });
    check.production = production;
    check.steps.push(match check.passed() {
        true => timed(FLOWS, read_flows(client)).await,
        false => left_out(FLOWS),
    });
    check
}

fn left_out(name: &'static str) -> CheckStep {
    let detail = "Left out, because the step before did not pass.".to_owned();
    CheckStep {
        name: name.to_owned(),
        state: CheckState::NotTried,
        detail,
        duration_ms: 0,
    }
}

async fn timed(name: &'static str, step: impl Future<Output = Result<String, String>>) -> CheckStep {
    let start = Instant::now();
    let (state, detail) = match step.await {
        Ok(detail) => (CheckState::Passed, detail),
        Err(detail) => (CheckState::Failed, detail),
    };
    let duration_ms = i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX);
    CheckStep {
        name: name.to_owned(),
        state,
        detail,
        duration_ms,
    }
}

async fn sign_in(client: &PlatformClient) -> Result<String, String> {
    client.sign_in().await.map_err(told)?;
    Ok("IMS accepted client id, secret and scopes.".to_owned())
}

async fn see_sandbox(client: &PlatformClient, production: &mut Option<bool>) -> Result<String, String> {
    let wanted = client.sandbox();
    let all = client.sandboxes().await.map_err(told)?;
    let Some(found) = all.iter().find(|sandbox| sandbox.name == wanted) else {
        let names: Vec<&str> = all.iter().map(|sandbox| sandbox.name.as_str()).collect();
        return Err(format!(
            "The credential may not use the sandbox {wanted}. It may use: {}.",
            names.join(", ")
        ));
    };
    *production = found.kind.as_deref().map(|kind| kind == "production");
    match found.state.as_deref() {
        None | Some("active") => {
            let kind = found.kind.as_deref().unwrap_or("of unknown type");
            Ok(format!("The sandbox {wanted} is there ({kind})."))
        }
        Some(state) => Err(format!("The sandbox {wanted} is {state}; it has to be active.")),
    }
}

async fn read_flows(client: &PlatformClient) -> Result<String, String> {
    let read = Read::at(ObjectKind::Flow.collection()).with("limit", "1");
    client.get::<serde_json::Value>(&read).await.map_err(told)?;
    Ok("Flow Service can be read in this sandbox.".to_owned())
}

/// The refusals that have a known cure, named by the gateway's code as in Adobe's troubleshooting page.
fn told(error: PlatformError) -> String {
    let advice = match error.code() {
        Some("403003") => " Add the Experience Platform API to the project in the Developer Console.",
        Some("403025") => " The organization id does not belong to this credential.",
        Some("403027") => " Check the organization id, and give the credential a product profile.",
        Some("FLOW-2118-403" | "FLOW-2120-403" | "FLOW-2121-403") => {
            " Give the credential's role access to sources in this sandbox."
        }
        _ => "",
    };
    format!("{}{advice}", error.of_a_read())
}
