//! Headgate: set up, share, watch and audit the dataflows that bring cloud-storage files into
//! Adobe Experience Platform.
//!
//! # The map of the house
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`domain`] | pure types and rules, no I/O: ids, time, roles, connectors, templates, schedules, plans, the setup state machine, run status |
//! | [`vault`] | sealing secrets at rest |
//! | [`store`] | the only room that knows SQL; one file per aggregate |
//! | [`platform`] | client of IMS, Flow Service, Schema Registry, Catalog, Data Prep and sandboxes |
//! | [`audit`] | who did what: composing and reading audit events |
//! | [`accounts`] | people, passwords, sessions, roles |
//! | [`environments`] | organization + sandbox + credential: adding, checking, archiving |
//! | [`connection_templates`] | versioned recipes and their parameters |
//! | [`setups`] | running, looking up, resuming and undoing the chain of calls that makes a dataflow |
//! | [`history`] | mirroring flows and runs |
//! | [`sweep`] | looking whether the platform still holds exactly what our setups made |
//! | [`web`] | route table, layers, forms, charts, pages |
//! | [`emulator`] | a stand-in for the Platform APIs; imports nothing from this crate |
//! | [`bootstrap`] | the only file that turns configuration into running parts |
//! | [`cli`] | one file per subcommand |
//!
//! Imports run one way, and a test (`tests/integration/architecture.rs`) keeps it so:
//!
//! ```text
//! domain  ←  vault config telemetry lifecycle  ←  store  platform  ←  audit
//!         ←  accounts  environments  connection_templates  setups  history  sweep  ←  web  ←  bootstrap  ←  cli  ←  main
//! emulator: beside the house; only cli and tests know it
//! ```

/// Pages and rows are made of many short texts; this one takes and gives them back in half the time of the usual one.
#[cfg(unix)]
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

pub mod accounts;
pub mod audit;
pub mod bootstrap;
pub mod cli;
pub mod config;
pub mod connection_templates;
pub mod domain;
pub mod emulator;
pub mod environments;
pub mod history;
pub mod lifecycle;
pub mod platform;
pub mod setups;
pub mod store;
pub mod sweep;
pub mod telemetry;
pub mod vault;
pub mod web;
