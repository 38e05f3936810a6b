//! Connection templates: a team's versioned recipes, and the drafts that become dataflows.
//!
//! Forms come in as pairs and leave as a checked content, which is the only thing that can be saved. A saved
//! version is never changed: saving adds one, with secrets of its own.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `reading` | checking the forms |
//! | `before` | what was saved earlier, and which of its secrets may stay |
//! | `sealing` | sealing secrets for their owner |
//! | `saving` | create, save as a new version, archive, restore |
//! | [`drafts`] | creation forms in progress |

mod before;
pub mod drafts;
mod reading;
mod saving;
mod sealing;
#[cfg(test)]
mod tests;

use crate::audit::Actor;
use crate::store::StoreError;
use crate::vault::VaultError;

pub use before::Before;
pub use reading::{FlowContent, TemplateContent, read_answers, read_flow, read_template};
pub use saving::{archive, create, restore, save};

/// Who changes something, for which team, and when.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// As the audit trail names them.
    pub actor: &'a Actor,
    /// Our id of the person.
    pub user_id: &'a str,
    /// The team they work in.
    pub team_id: &'a str,
    /// UTC epoch milliseconds.
    pub now_ms: i64,
}

/// Why a template or a draft was not saved. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is none of that id in the team.
    #[error("it is not there any more")]
    NotFound,
    /// The team has another template of that name (E4).
    #[error("a template with this name exists")]
    Exists {
        /// The id of that template.
        id: String,
    },
    /// Somebody saved another version meanwhile (E29).
    #[error("the template was changed meanwhile")]
    Stale,
    /// What is stored cannot be read.
    #[error("what is stored cannot be read by this version of Headgate")]
    Damaged,
    /// A secret cannot be sealed, or a kept one not be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
