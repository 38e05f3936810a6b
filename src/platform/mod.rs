//! The client of Adobe Experience Platform: IMS, Flow Service, Schema Registry, Catalog, Data Prep and
//! sandboxes. The only room that speaks HTTP to the platform; it does not know what it is used for.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `endpoints` | the two addresses that may be called, and paths and queries below them |
//! | `http` | the one HTTP client, the origin check, reading with a cap |
//! | `token` | access tokens: one renewal at a time, in memory only |
//! | `pressure` | restraint: gate after a 429, retry budget, circuit |
//! | `client` `changes` | [`PlatformClient`]: headers, retried reads; changes, sent once |
//! | `answers` `error` `reply` `retry_after` `wire` | what answers mean, read leniently |
//! | `calls` `outcomes` | changes as data, and how they ended: [`Call`], [`Outcome`] |
//! | `clients` | one client per environment: [`Clients`] |
//! | `lookups` `objects` | finding objects again: [`Lookup`]; reading one by its id |
//! | `inventory` | reading a whole collection, whatever is in it |
//! | `marked` `users` | what setups make and how it is found again; what is built on an object |
//! | `pages` | walking through lists, with a ceiling |
//! | `flows` `runs` `connections` `schemas` `datasets` `mapping_sets` `sandboxes` `specs` | typed reads |
//! | `choices` | what a form lets people choose from |
//! | `check` | does a credential work, step by step |
//!
//! Two rules hold everywhere. A change is never sent twice unless the platform itself refused it for an old
//! token; what an unanswered one has done is found out by [`PlatformClient::find`]. And an answer is
//! untrusted: addresses in it are never called, its texts are capped and cleaned, its shape may surprise.

mod answers;
mod calls;
mod changes;
mod check;
mod choices;
mod client;
mod clients;
mod connections;
mod datasets;
mod endpoints;
mod error;
mod flows;
mod http;
mod inventory;
mod lookups;
mod loose;
mod mapping_sets;
mod marked;
mod objects;
mod outcomes;
mod pages;
mod pressure;
mod reply;
mod retry_after;
mod run_json;
mod runs;
mod sandboxes;
mod schemas;
mod specs;
mod token;
mod users;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

pub use calls::{Call, Method, ObjectKind};
pub use check::{CheckState, CheckStep, CredentialCheck, check_credential};
pub use client::PlatformClient;
pub use clients::{ClientError, Clients};
pub use connections::{Column, Connection, Entry, ExploreThrough, ExploreWhat, Explored, FileFormat};
pub use datasets::Dataset;
pub use endpoints::{Endpoints, EndpointsError, is_one_segment};
pub use error::{PlatformError, Service};
pub use flows::{Flow, LastRun, ScheduleParams};
pub use http::{Http, HttpOptions};
pub use lookups::{Found, Lookup, Selector};
pub use mapping_sets::{Mapping, MappingSet};
pub use outcomes::{Answer, Outcome};
pub use pages::Page;
pub use reply::{Reply, clean};
pub use runs::{Run, RunError, RunFilter, RunOrder};
pub use sandboxes::Sandbox;
pub use schemas::{SchemaSummary, schema_with_that_title};
pub use specs::Spec;
pub use token::{Credential, USUAL_SCOPES};
