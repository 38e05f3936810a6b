//! Runs across flows.

mod days;
pub mod export;
mod export_rows;
pub(in crate::web::pages) mod filter;
mod found;
pub mod list;
