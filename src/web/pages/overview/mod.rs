//! What needs me now.

mod attention;
pub mod show;
