//! The database, its keys, and what it says about setups.

use std::time::Duration;

use super::finding::Finding;
use crate::bootstrap::directory;
use crate::cli::Exit;
use crate::config::Config;
use crate::domain::{Clock, SystemClock};
use crate::store::checkup::{self, Identity, Integrity};
use crate::store::{self, Store, StoreError};
use crate::vault::{KeyRing, Sealed};

/// A call that is unclear for longer than this (in milliseconds) should have been found by now.
const UNCLEAR_FOR_LONG_MS: i64 = 15 * 60_000;

/// Opens it for reading. `None`: there is none, and the data directory was told about.
pub(super) async fn open(config: &Config) -> Result<Option<Store>, Finding> {
    let path = directory::database(&config.data_dir);
    if !config.data_dir.is_dir() {
        return Ok(None);
    }
    if !path.is_file() {
        let found = format!("{} is not there.", path.display());
        return Err(Finding::problem("database", Exit::CannotCreate, found)
            .advice("Name the right data directory. On a new installation, headgate serve makes it."));
    }
    let store = Store::open_read_only(&path).await;
    store.map(Some).map_err(|error| unreadable("database", &error))
}

pub(super) async fn examine(store: &Store, config: &Config, limit: Duration) -> Vec<Finding> {
    let identity = match checkup::identity(store).await {
        Ok(identity) => identity,
        Err(error) => return vec![unreadable("database", &error)],
    };
    let mut findings = of_identity(&identity);
    findings.push(of_pages(store, limit).await);
    if identity.is_ours {
        findings.push(of_references(store).await);
        findings.push(of_setups(store).await);
        findings.push(of_unclear_calls(store).await);
        findings.push(of_leases(store, config).await);
    }
    findings
}

fn unreadable(check: &'static str, error: &StoreError) -> Finding {
    let exit = match error {
        StoreError::ReadOnly => Exit::NoPermission,
        StoreError::NotOurs | StoreError::NewerSchema { .. } => Exit::Configuration,
        _ => Exit::InputOutput,
    };
    Finding::problem(check, exit, format!("It cannot be read: {error}."))
        .advice("Look at its rights and its disk; if it is damaged, restore a backup.")
}

fn of_identity(identity: &Identity) -> Vec<Finding> {
    let Identity {
        sqlite,
        schema,
        known_schema,
        ..
    } = identity;
    let engine = match store::database::refuse_old(sqlite) {
        Ok(()) => Finding::ok("SQLite", format!("Version {sqlite}.")),
        Err(error) => Finding::problem("SQLite", Exit::Configuration, format!("{error}.")),
    };
    let versions = format!("Schema {schema}; this binary knows up to {known_schema}.");
    let schema = if !identity.is_ours {
        let found = "The file is a database of another program.";
        Finding::problem("schema", Exit::Configuration, found).advice("Name the right data directory.")
    } else if schema > known_schema {
        Finding::problem("schema", Exit::Configuration, versions).advice("Use the newer binary.")
    } else if schema < known_schema {
        Finding::warning("schema", versions).advice("The next start of headgate serve brings it up to date.")
    } else {
        Finding::ok("schema", versions)
    };
    vec![engine, schema]
}

async fn of_pages(store: &Store, limit: Duration) -> Finding {
    let check = "integrity";
    match checkup::integrity(store, limit).await {
        Ok(Integrity::Sound) => Finding::ok(check, "Every page, row and index is sound."),
        Ok(Integrity::CutShort) => {
            let found = format!(
                "Nothing was found within {} s, and not all was looked at.",
                limit.as_secs()
            );
            Finding::warning(check, found).advice("Give it longer with --check-within.")
        }
        Ok(Integrity::Flawed(flaws)) => {
            let found = format!("The database is damaged: {}.", flaws.join("; "));
            Finding::problem(check, Exit::InputOutput, found)
                .advice("Stop the server, keep a copy of the data directory, and restore a backup.")
        }
        Err(error) => unreadable(check, &error),
    }
}

async fn of_references(store: &Store) -> Finding {
    let check = "references";
    match checkup::dangling(store).await {
        Ok(tables) if tables.is_empty() => Finding::ok(check, "Every row that is referred to is there."),
        Ok(tables) => {
            let tables: Vec<String> = tables
                .iter()
                .map(|(table, rows)| format!("{rows} in {table}"))
                .collect();
            let found = format!("Rows refer to others that are not there: {}.", tables.join(", "));
            Finding::problem(check, Exit::InputOutput, found).advice("Restore a backup.")
        }
        Err(error) => unreadable(check, &error),
    }
}

async fn of_setups(store: &Store) -> Finding {
    let check = "setups";
    match checkup::setups(store).await {
        Ok(setups) => {
            let (active, waiting, asking) = (setups.active, setups.waiting, setups.asking);
            let found = format!("{active} active, {waiting} waiting, {asking} asking.");
            if asking > 0 {
                Finding::warning(check, found).advice("Answer their questions under Setups.")
            } else {
                Finding::ok(check, found)
            }
        }
        Err(error) => unreadable(check, &error),
    }
}

async fn of_unclear_calls(store: &Store) -> Finding {
    let check = "unclear calls";
    let unclear = match checkup::unclear_calls(store).await {
        Ok(unclear) => unclear,
        Err(error) => return unreadable(check, &error),
    };
    let Some(sent_at) = unclear.oldest_sent_at else {
        return Finding::ok(check, "The outcome of every call is known.");
    };
    let age_ms = SystemClock.now_ms().saturating_sub(sent_at);
    let found = format!(
        "Of {} calls it is not known whether Adobe acted; the oldest is {} s old.",
        unclear.calls,
        age_ms / 1000
    );
    if age_ms > UNCLEAR_FOR_LONG_MS {
        Finding::warning(check, found).advice("Look at the setups that wait or ask; is the server running?")
    } else {
        Finding::ok(check, found)
    }
}

async fn of_leases(store: &Store, config: &Config) -> Finding {
    let check = "leases";
    let held = match checkup::leases(store, SystemClock.now_ms()).await {
        Ok(held) => held,
        Err(error) => return unreadable(check, &error),
    };
    let served = directory::is_served(&config.data_dir).unwrap_or(true);
    let found = format!("{held} held.");
    if held > 0 && !served {
        Finding::warning(check, found).advice("A server was killed; the next start takes its work over.")
    } else {
        Finding::ok(check, found)
    }
}

/// The keys, and whether they open what is sealed. Never makes any.
pub(super) async fn key_ring(store: &Store, config: &Config) -> (Option<KeyRing>, Finding) {
    let check = "keys";
    let sealed = match (
        store::secrets::canary(store).await,
        store::secrets::any_sealed(store).await,
    ) {
        (Ok(canary), Ok(any)) => (canary, any),
        (Err(error), _) | (_, Err(error)) => return (None, unreadable(check, &error)),
    };
    let ring = match &config.key {
        Some(keys) => KeyRing::from_text(keys),
        None => KeyRing::from_file_or_new(&config.key_file, false),
    };
    let advice = "Restore the key file that belongs to this database.";
    match (ring, sealed) {
        (Err(_), (None, false)) => (
            None,
            Finding::ok(check, "Nothing was sealed yet; the first start makes a key."),
        ),
        (Err(error), _) => (
            None,
            Finding::problem(check, Exit::Configuration, format!("{error}.")).advice(advice),
        ),
        (Ok(ring), (None, false)) => (
            Some(ring),
            Finding::ok(check, "They can be read; nothing was sealed yet."),
        ),
        (Ok(ring), (None, true)) => {
            let found = "They can be read, but nothing proves that they belong to this database.";
            (Some(ring), Finding::warning(check, found))
        }
        (Ok(ring), (Some(canary), _)) => match ring.check_canary(&Sealed::from_stored(canary)) {
            Ok(()) => (
                Some(ring),
                Finding::ok(check, "They open what is sealed in the database."),
            ),
            Err(error) => (
                None,
                Finding::problem(check, Exit::Configuration, format!("{error}.")).advice(advice),
            ),
        },
    }
}
