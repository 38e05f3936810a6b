//! Checking a credential step by step: what was reached, and where it ended.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{PlatformClient, Read};
use super::error::{PlatformError, Service};
use super::wire;

/// One step of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckStep {
    /// What was tried, for people.
    pub name: String,
    /// How it went.
    pub state: CheckState,
    /// What was found, or what went wrong. Holds no secret.
    pub detail: String,
    /// Milliseconds.
    pub duration_ms: i64,
}

/// How a step of a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// It worked.
    Passed,
    /// It did not.
    Failed,
    /// A step before failed.
    NotTried,
}

/// What a check found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialCheck {
    /// Token, sandbox, Flow Service.
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

impl PlatformClient {
    /// Tries the credential: a token, the sandbox in the list of those it may use, Flow Service.
    pub async fn check_credential(&self) -> CredentialCheck {
        let mut check = CredentialCheck {
            steps: Vec::new(),
            production: None,
        };
        check
            .step("Access token from IMS", async {
                self.sign_in().await?;
                Ok("Adobe accepted client id, secret and scopes.".to_owned())
            })
            .await;
        let mut production = None;
        check
            .step("Sandbox", async {
                production = Some(self.sandbox_is_production().await?);
                Ok(format!("The credential may use the sandbox {}.", self.sandbox()))
            })
            .await;
        check.production = production;
        check
            .step("Flow Service", async {
                self.get(&Read::at("/flowservice/flows").with("limit", "1"))
                    .await?;
                Ok("Dataflows can be read.".to_owned())
            })
            .await;
        check
    }

    async fn sandbox_is_production(&self) -> Result<bool, PlatformError> {
        let body = self.get(&Read::at("/sandbox-management/")).await?;
        let sandboxes = wire::elements(&body, "/sandboxes");
        let ours = |sandbox: &&Value| wire::text(sandbox, "/name").as_deref() == Some(self.sandbox());
        let Some(sandbox) = sandboxes.iter().find(ours) else {
            let names: Vec<String> = sandboxes.iter().filter_map(|s| wire::text(s, "/name")).collect();
            let seen = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            let detail = format!(
                "the sandbox {} is not among those the credential may use ({seen})",
                self.sandbox()
            );
            return Err(PlatformError::unreadable(Service::Sandboxes, detail));
        };
        Ok(wire::text(sandbox, "/type").as_deref() == Some("production"))
    }
}

impl CredentialCheck {
    async fn step(&mut self, name: &str, attempt: impl Future<Output = Result<String, PlatformError>>) {
        let (name, started) = (name.to_owned(), Instant::now());
        let (state, detail) = if self.passed() {
            match attempt.await {
                Ok(detail) => (CheckState::Passed, detail),
                Err(error) => (CheckState::Failed, error.to_string()),
            }
        } else {
            (CheckState::NotTried, "A step before failed.".to_owned())
        };
        let duration_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.steps.push(CheckStep {
            name,
            state,
            detail,
            duration_ms,
        });
    }
}
