//! Flows and their runs: what is there, how it went, and switching it on and off.

pub mod list;
pub mod run;
pub mod show;
pub mod status;
pub mod switch;
pub(in crate::web::pages) mod view;
