//! Organizations, sandboxes and credentials of the team.

pub mod archive;
pub mod check;
pub mod choices;
pub mod edit;
pub mod list;
pub mod new;
pub mod select;
pub mod show;
