//! Environments: what can be chosen there.

pub mod choices;
