//! Pages and what they stand on: the only room that knows axum and askama.
//!
//! A request passes [`server`] → the layers of [`layers`] → the session layer → the rules of its row in the
//! [`route_table`] → a handler.

pub mod csrf;
pub mod error;
pub mod error_pages;
pub mod host;
pub mod layers;
pub mod limits;
pub mod next_path;
pub mod request_id;
pub mod route_table;
pub mod security_headers;
pub mod server;
pub mod session;
pub mod site;

#[cfg(test)]
mod tests;
