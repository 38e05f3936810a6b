//! Finding out step by step whether an environment's credential works, and keeping what was found.

use std::time::Instant;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{EnvironmentError, Environments};
use crate::audit::{self, Actor, Change};
use crate::domain::connector::connectors;
use crate::platform::{CheckState, CheckStep, PlatformClient, check_credential};
use crate::store;
use crate::store::environments::{Environment, Specification};

/// What a check learned.
#[derive(Debug, Default)]
struct Findings {
    steps: Vec<CheckStep>,
    production: Option<bool>,
    specifications: Vec<(String, Value)>,
}

/// The steps of a stored check, in order; none before the first check.
pub fn steps_of(environment: &Environment) -> Vec<CheckStep> {
    let stored = environment.check_steps.as_deref();
    stored
        .and_then(|steps| serde_json::from_str(steps).ok())
        .unwrap_or_default()
}

impl Environments {
    /// Tries the credential: token, sandbox, Flow Service, kinds of source. What was found is stored: the steps,
    /// whether the sandbox is a production one, and what the platform says about each kind of source.
    ///
    /// Run it in a task that outlives its request: it waits for the platform.
    ///
    /// # Errors
    /// [`EnvironmentError`]; a credential that does not work is none, but a step that failed.
    pub async fn check(
        &self,
        actor: &Actor,
        team_id: &str,
        id: &str,
    ) -> Result<Vec<CheckStep>, EnvironmentError> {
        let environment = self.in_use(team_id, id).await?;
        let findings = self.find_out(&environment).await;
        self.keep(actor, &environment, &findings).await?;
        Ok(findings.steps)
    }

    async fn find_out(&self, environment: &Environment) -> Findings {
        let ours = self.inner.clients.platform_origin();
        if environment.platform_origin != ours {
            let detail = format!(
                "The environment belongs to {}, but this server is configured for {ours}. Add an environment of its own.",
                environment.platform_origin
            );
            return Findings::failed("Platform", detail);
        }
        let client = match self.inner.clients.client_for(&environment.access()) {
            Ok(client) => client,
            Err(error) => return Findings::failed("Client secret", error.to_string()),
        };
        let check = check_credential(&client).await;
        let mut findings = Findings {
            production: check.production,
            steps: check.steps,
            specifications: Vec::new(),
        };
        if findings.steps.iter().all(|step| step.state == CheckState::Passed) {
            findings.read_sources(&client).await;
        } else {
            findings.steps.push(CheckStep {
                name: SOURCES.to_owned(),
                state: CheckState::NotTried,
                detail: "Left out, because the step before did not pass.".to_owned(),
                duration_ms: 0,
            });
        }
        findings
    }

    async fn keep(
        &self,
        actor: &Actor,
        environment: &Environment,
        findings: &Findings,
    ) -> Result<(), EnvironmentError> {
        let now = self.inner.clock.now_ms();
        let mut tx = self.inner.store.begin().await?;
        store::environments::set_check(&mut tx, &environment.id, &json!(findings.steps).to_string(), now)
            .await?;
        if let Some(production) = findings.production {
            store::environments::set_production(&mut tx, &environment.id, production).await?;
        }
        for (id, raw) in &findings.specifications {
            let specification = Specification {
                environment_id: environment.id.clone(),
                id: id.clone(),
                name: raw["name"].as_str().unwrap_or_default().to_owned(),
                raw: raw.to_string(),
                read_at: now,
            };
            store::environments::upsert_specification(&mut tx, &specification).await?;
        }
        let steps = findings
            .steps
            .iter()
            .map(|step| json!({ "step": step.name, "state": step.state }));
        let after = json!({ "steps": steps.collect::<Vec<_>>(), "production": findings.production });
        let change = Change::new(
            "environment.checked",
            "environment",
            &environment.id,
            &environment.name,
        )
        .after(after);
        audit::record(&mut tx, actor, now, Some(&environment.team_id), &change).await?;
        Ok(tx.commit().await?)
    }
}

/// The last step: what the platform says about each connector.
const SOURCES: &str = "Kinds of source";

impl Findings {
    fn failed(name: &str, detail: String) -> Self {
        let step = CheckStep {
            name: name.to_owned(),
            state: CheckState::Failed,
            detail,
            duration_ms: 0,
        };
        Self {
            steps: vec![step],
            ..Self::default()
        }
    }

    /// Reads the connection specifications, all at once. One that is missing is told, but is no failure: an
    /// organization need not have every source.
    async fn read_sources(&mut self, client: &PlatformClient) {
        let started = Instant::now();
        let reads = connectors().iter().map(async |connector| {
            let read = client.connection_spec(&connector.spec_id).await;
            (connector, read)
        });
        let (mut missing, mut first_error) = (Vec::new(), None);
        for (connector, read) in join_all(reads).await {
            match read {
                Ok(spec) => self.specifications.push((connector.spec_id.clone(), spec.raw)),
                Err(error) => {
                    missing.push(connector.name.as_str());
                    first_error.get_or_insert_with(|| error.of_a_read());
                }
            }
        }
        let found = format!(
            "{} of {} kinds of source can be used",
            self.specifications.len(),
            connectors().len()
        );
        let (state, detail) = match first_error {
            None => (CheckState::Passed, format!("{found}.")),
            Some(error) if self.specifications.is_empty() => (CheckState::Failed, error),
            Some(_) => (
                CheckState::Passed,
                format!("{found}; not {}.", missing.join(", ")),
            ),
        };
        self.steps.push(CheckStep {
            name: SOURCES.to_owned(),
            state,
            detail,
            duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX),
        });
    }
}
