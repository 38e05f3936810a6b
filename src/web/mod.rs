//! Pages, forms, charts and what they stand on: the only room that knows axum and askama.
//!
//! A request passes [`server`] → the layers of [`layers`] → the session layer → the rules of its row in the
//! [`route_table`] → a handler.

pub mod assets;
pub mod audit_sentence;
pub mod audit_trail;
pub mod call_view;
pub mod charts;
pub mod csrf;
pub mod error;
pub mod error_pages;
pub mod explained;
pub mod forms;
pub mod health_view;
pub mod host;
pub mod layers;
pub mod layout;
pub mod limits;
pub mod next_path;
pub mod numbers;
pub mod page;
pub mod pages;
pub mod remembered;
pub mod request_id;
pub mod route_table;
pub mod routes;
pub mod saving;
pub mod security_headers;
pub mod server;
pub mod session;
pub mod session_layer;
pub mod site;
pub mod state;
pub mod status;
pub mod stranger;
pub mod table;
pub mod times;
pub mod visit;
pub mod written;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod gallery_tests;
#[cfg(test)]
mod template_lint;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod token_tests;
