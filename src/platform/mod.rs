//! The client of Adobe Experience Platform: IMS, Flow Service, Schema Registry, Catalog, Data Prep, sandboxes.
//!
//! Reads are tried again when that is harmless; changes are sent once, and end confirmed, rejected, unknown or
//! not sent. Answers are read leniently (numbers as strings, two spellings), because the documents disagree.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`endpoints`], `http` | where calls may go, and the one client that makes them |
//! | `token` | access tokens |
//! | `client`, `pressure`, `retry_after` | one environment's client, and its restraint |
//! | [`clients`] | the clients of all environments |
//! | `calls`, `answers` | changes as data, and what their answers mean |
//! | `lookups`, `pages` | finding objects again, walking through lists |
//! | `flows`, `runs`, `specs`, `choices`, `check` | reads |
//! | `wire`, [`error`] | lenient parsing, and everything that can go wrong |

mod answers;
mod calls;
mod check;
mod choices;
mod client;
pub mod clients;
pub mod endpoints;
pub mod error;
mod flows;
mod http;
mod lookups;
mod pages;
mod pressure;
mod retry_after;
mod runs;
mod specs;
mod token;
mod wire;

pub use calls::{Answer, Call, Method, ObjectKind, Outcome};
pub use check::{CheckState, CheckStep, CredentialCheck};
pub use client::PlatformClient;
pub use clients::{ClientError, Clients};
pub use endpoints::{Endpoints, EndpointsError};
pub use error::{PlatformError, Reply, Service};
pub use flows::{Flow, ScheduleParams};
pub use http::{Http, HttpOptions};
pub use lookups::{Found, Lookup, Selector};
pub use pages::Page;
pub use runs::{Run, RunError, RunFilter};
pub use token::{Credential, USUAL_SCOPES};
