//! How values of ours stand in columns.

use std::fmt;

use sqlx::database::Database;
use sqlx::error::BoxDynError;
use sqlx::{Decode, Type};

use super::audit::{ActorKind, AuditPhase};
use super::saved_views::ViewedPage;
use super::secrets::SecretOwner;
use super::sync_state::SyncTopic;
use crate::domain::health::Health;
use crate::domain::run_request::RequestState;
use crate::domain::setup::{Question, SetupState, StepKind, StepState};
use crate::domain::{FindingState, Role, RunOutcome, Verdict};

/// A text that no log may show, such as a password's hash.
#[derive(Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Reads the domain's enums from the words under which they are stored.
macro_rules! stored_as_word {
    ($($name:ty),+) => { $(
        impl<DB: Database> Type<DB> for $name
        where
            String: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                String::type_info()
            }
            fn compatible(ty: &DB::TypeInfo) -> bool {
                String::compatible(ty)
            }
        }
        impl<'r, DB: Database> Decode<'r, DB> for $name
        where
            &'r str: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(<&str as Decode<DB>>::decode(value)?.parse::<$name>()?)
            }
        }
    )+ };
}
stored_as_word!(
    Role,
    RunOutcome,
    Health,
    RequestState,
    SetupState,
    StepState,
    StepKind,
    Question,
    SecretOwner,
    SyncTopic,
    ViewedPage,
    ActorKind,
    AuditPhase,
    Verdict,
    FindingState
);

/// The `LIKE … ESCAPE '\'` pattern that finds `text` anywhere in a `LOWER(column)`.
///
/// Letters beyond ASCII must match in case: SQLite's `LOWER` knows only ASCII.
pub(super) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
