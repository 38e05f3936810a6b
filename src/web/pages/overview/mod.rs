//! The first page: what needs a person, what comes next, how the flows have been doing.

pub mod show;
