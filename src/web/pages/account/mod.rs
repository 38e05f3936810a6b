//! What is one's own: how times are shown, the password, the sessions.

pub mod end_session;
pub mod password;
pub mod show;
pub mod theme;
