//! Dataflows: making one.

pub(super) mod form;
pub mod new;
pub mod new_blank;
