//! What Headgate can tell about what others say.

pub mod error_code;
pub mod error_codes;
