//! Signing in and out.

pub mod sign_in;
pub mod sign_in_demo;
pub mod sign_out;
