//! Drafts: reviewing what would be sent, changing it, sending it.

pub mod create;
pub mod delete;
pub mod edit;
pub mod editing;
pub mod list;
mod planned;
pub mod show;
