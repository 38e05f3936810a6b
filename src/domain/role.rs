//! What a person may do in a team.

use super::words::words;

words! {
    /// A person's role in one team; each includes the ones before it.
    pub enum Role {
        /// Sees flows, runs, templates and audit events.
        Viewer = "viewer",
        /// Also creates flows and templates.
        Editor = "editor",
        /// Also manages environments and people.
        Admin = "admin",
    }
}
