//! Pages about what the sweep found: objects too many, gone, or claimed by nobody.

pub mod delete;
pub mod dismiss;
pub mod list;
mod view;
