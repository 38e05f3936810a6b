//! Flows and their runs: what is there, how it went, and switching it on and off.

pub(in crate::web::pages) mod asking;
mod changes;
pub(super) mod filter;
pub(super) mod form;
pub mod history;
pub mod list;
mod loaded;
pub mod new;
pub mod new_blank;
pub mod raw;
pub(in crate::web::pages) mod row;
pub mod run;
pub mod run_again;
pub mod run_at;
mod run_document;
pub mod run_window;
mod runs_view;
pub mod show;
pub mod status;
pub mod switch;
pub(in crate::web::pages) mod view;
