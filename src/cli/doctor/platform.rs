//! Adobe's addresses and the credentials of the environments.

use std::sync::Arc;
use std::time::Duration;

use super::finding::Finding;
use crate::cli::Exit;
use crate::config::Config;
use crate::platform::{CheckState, Clients, Endpoints, Http, HttpOptions, PlatformClient, check_credential};
use crate::store::environments::Environment;
use crate::store::{self, Store};
use crate::vault::KeyRing;

const CHECK: &str = "environment";
/// Longest wait for the answers about one environment.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn examine(
    store: &Store,
    config: &Config,
    ring: Option<KeyRing>,
    offline: bool,
) -> Vec<Finding> {
    let environments = match store::environments::list_all_active(store).await {
        Ok(environments) => environments,
        Err(error) => {
            let found = format!("The environments cannot be read: {error}.");
            return vec![Finding::problem(CHECK, Exit::InputOutput, found)];
        }
    };
    if environments.is_empty() {
        return vec![Finding::ok(CHECK, "There is none yet.")];
    }
    if offline {
        let found = format!("{} were not tried (--offline).", environments.len());
        return vec![Finding::ok(CHECK, found)];
    }
    let Some(ring) = ring else {
        let found = format!(
            "{} were not tried: their secrets cannot be opened.",
            environments.len()
        );
        return vec![Finding::warning(CHECK, found)];
    };
    let clients = match clients(config, ring) {
        Ok(clients) => clients,
        Err(error) => {
            return vec![Finding::problem(
                CHECK,
                Exit::Configuration,
                format!("{error:#}."),
            )];
        }
    };
    let mut findings = Vec::new();
    for environment in environments {
        findings.push(of_environment(&clients, &environment).await);
    }
    findings
}

fn clients(config: &Config, ring: KeyRing) -> anyhow::Result<Clients> {
    let endpoints = Endpoints::parse(config.platform_url.as_str(), config.ims_url.as_str())?;
    Ok(Clients::new(
        Http::new(endpoints, HttpOptions::default())?,
        Arc::new(ring),
    ))
}

async fn of_environment(clients: &Clients, environment: &Environment) -> Finding {
    let name = &environment.name;
    let ours = clients.platform_origin();
    if environment.platform_origin != ours {
        let origin = &environment.platform_origin;
        let found = format!("{name} belongs to {origin}, but the settings name {ours}.");
        return Finding::problem(CHECK, Exit::Configuration, found)
            .advice("Set platform_url to its address.");
    }
    match clients.client_for(&environment.access()) {
        Ok(client) => of_answers(name, &client).await,
        Err(error) => Finding::problem(CHECK, Exit::Configuration, format!("{name}: {error}."))
            .advice("Type its client secret again."),
    }
}

async fn of_answers(name: &str, client: &PlatformClient) -> Finding {
    let Ok(check) = tokio::time::timeout(PATIENCE, check_credential(client)).await else {
        let found = format!("{name}: no answer within {} s.", PATIENCE.as_secs());
        return Finding::problem(CHECK, Exit::Unreachable, found)
            .advice("Look at the network, the proxy and Adobe's status page.");
    };
    match check.steps.iter().find(|step| step.state == CheckState::Failed) {
        Some(step) => {
            let found = format!("{name}: \u{201c}{}\u{201d} failed. {}", step.name, step.detail);
            Finding::problem(CHECK, Exit::Unreachable, found)
        }
        None => {
            let ms: i64 = check.steps.iter().map(|step| step.duration_ms).sum();
            Finding::ok(
                CHECK,
                format!("{name}: sign-in, sandbox and Flow Service answer ({ms} ms)."),
            )
        }
    }
}
