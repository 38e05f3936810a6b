//! Links to wall boards: a screen that nobody signs in at shows how a team's flows do.

use secrecy::SecretString;

use super::Accounts;
use super::sessions::{Person, hash_of, random_text};
use crate::audit::{self, Actor, Change};
use crate::domain::{Problem, new_id, texts};
use crate::store::board_links::{self, BoardLink, NamedBoardLink};
use crate::store::{StoreError, WriteTx};

/// Links of a team.
pub const BOARD_LINKS_MAX: i64 = 50;
/// Longest name, in characters.
pub const BOARD_LINK_NAME_MAX: usize = 60;

/// Why a link was not added or withdrawn. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BoardLinkError {
    /// Something typed is wrong.
    #[error("the link cannot be made as it is")]
    Mistakes(Vec<Problem>),
    /// There is no such link.
    #[error("there is no such link")]
    NotFound,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes a link; gives its key, which is not stored and cannot be shown again.
    ///
    /// # Errors
    /// [`BoardLinkError`]; nothing was changed.
    pub async fn add_board_link(
        &self,
        actor: &Actor,
        person: Person<'_>,
        name: &str,
    ) -> Result<SecretString, BoardLinkError> {
        let mistake = texts::check_name("name", "Screen", name)
            .or_else(|| texts::check_text("name", "Screen", name.trim(), BOARD_LINK_NAME_MAX));
        if let Some(mistake) = mistake {
            return Err(BoardLinkError::Mistakes(vec![mistake]));
        }
        let unlucky = |error: getrandom::Error| StoreError::Other(error.to_string());
        let key = SecretString::from(random_text().map_err(unlucky)?);
        let link = BoardLink {
            id: new_id(),
            team_id: person.team_id.to_owned(),
            name: name.trim().to_owned(),
            key_hash: hash_of(&key),
            created_by: person.user_id.to_owned(),
            created_at: self.inner.clock.now_ms(),
        };
        let mut tx = self.inner.store.begin().await?;
        if board_links::count(&mut tx, person.team_id).await? >= BOARD_LINKS_MAX {
            let message = format!("Screen: there are {BOARD_LINKS_MAX} links already. Withdraw one first.");
            return Err(BoardLinkError::Mistakes(vec![Problem::new(
                "name",
                "board.too_many",
                message,
            )]));
        }
        board_links::insert(&mut tx, &link).await.map_err(taken)?;
        let change = Change::new("board.shared", "board", &link.id, &link.name);
        self.record_board(&mut tx, actor, person, &change).await?;
        tx.commit().await?;
        Ok(key)
    }

    /// Withdraws a link: the screen that has it is shown nothing any more.
    ///
    /// # Errors
    /// [`BoardLinkError`]; nothing was changed.
    pub async fn withdraw_board_link(
        &self,
        actor: &Actor,
        person: Person<'_>,
        id: &str,
    ) -> Result<(), BoardLinkError> {
        let mut tx = self.inner.store.begin().await?;
        let name = board_links::delete(&mut tx, person.team_id, id).await?;
        let name = name.ok_or(BoardLinkError::NotFound)?;
        let change = Change::new("board.withdrawn", "board", id, &name);
        self.record_board(&mut tx, actor, person, &change).await?;
        Ok(tx.commit().await?)
    }

    /// The link of a key, if it was not withdrawn.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn find_board_link(&self, key: &SecretString) -> Result<Option<NamedBoardLink>, StoreError> {
        board_links::by_key_hash(&self.inner.store, hash_of(key).expose()).await
    }

    async fn record_board(
        &self,
        tx: &mut WriteTx,
        actor: &Actor,
        person: Person<'_>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now_ms();
        audit::record(tx, actor, now, Some(person.team_id), change).await
    }
}

fn taken(error: StoreError) -> BoardLinkError {
    match error {
        StoreError::Duplicate { .. } => {
            let message = "Screen: there is a link of this name already. Choose another name.";
            BoardLinkError::Mistakes(vec![Problem::new("name", "board.taken", message)])
        }
        other => BoardLinkError::Store(other),
    }
}
