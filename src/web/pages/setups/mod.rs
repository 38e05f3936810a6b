//! Setups: watching, repairing and taking back the creation of a dataflow.

pub mod decide;
pub mod events;
pub mod list;
pub mod show;
mod view;
