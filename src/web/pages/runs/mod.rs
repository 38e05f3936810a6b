//! Runs across flows.

pub mod export;
mod export_rows;
pub(in crate::web::pages) mod filter;
