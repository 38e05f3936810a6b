//! Setups: watching, repairing and taking back the creation of a dataflow.

mod actions;
pub mod change;
pub mod decide;
pub mod events;
pub mod list;
pub mod show;
mod story;
mod view;
