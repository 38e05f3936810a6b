//! Flows and their runs: what is there, how it went, and switching it on and off.

pub(in crate::web::pages) mod asking;
mod filter;
pub(super) mod form;
pub mod list;
pub mod new;
pub mod new_blank;
pub(in crate::web::pages) mod row;
pub mod run;
pub mod run_again;
pub mod run_window;
pub mod show;
pub mod status;
pub mod switch;
pub(in crate::web::pages) mod view;
