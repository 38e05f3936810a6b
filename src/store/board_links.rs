//! Links to wall boards. A link is found by the hash of its key.

use super::{Hidden, Store, StoreError, WriteTx};

/// A link by which a screen shows the board of a team.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BoardLink {
    /// Ours.
    pub id: String,
    /// Whose flows it shows.
    pub team_id: String,
    /// The screen it is for; unique in the team.
    pub name: String,
    /// SHA-256 of its key, hex.
    pub key_hash: Hidden,
    /// The id of who made it.
    pub created_by: String,
    /// UTC epoch milliseconds.
    pub created_at: i64,
}

/// A link with the names around it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedBoardLink {
    /// The link.
    #[sqlx(flatten)]
    pub link: BoardLink,
    /// Of its team.
    pub team_name: String,
    /// Of who made it.
    pub creator_name: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT l.id, l.team_id, l.name, l.key_hash, l.created_by, l.created_at, t.name AS team_name, ",
            "u.name AS creator_name FROM board_links l JOIN teams t ON t.id = l.team_id ",
            "JOIN users u ON u.id = l.created_by WHERE ",
            $rest
        )
    };
}

const LIST: &str = select!("l.team_id = $1 ORDER BY l.name LIMIT $2");
const BY_KEY_HASH: &str = select!("l.key_hash = $1");
const COUNT: &str = "SELECT COUNT(*) FROM board_links WHERE team_id = $1";
const INSERT: &str = "INSERT INTO board_links (id, team_id, name, key_hash, created_by, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const DELETE: &str = "DELETE FROM board_links WHERE id = $2 AND team_id = $1 RETURNING name";
const DELETE_OF_MAKER: &str = "DELETE FROM board_links WHERE created_by = $1";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LIST, BY_KEY_HASH];

/// The links of a team, by name.
pub async fn list(store: &Store, team_id: &str, limit: i64) -> Result<Vec<NamedBoardLink>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST)
        .bind(team_id)
        .bind(limit)
        .fetch_all(db))
}

/// The link with a key of this hash.
pub async fn by_key_hash(store: &Store, key_hash: &str) -> Result<Option<NamedBoardLink>, StoreError> {
    read!(store, |db| sqlx::query_as(BY_KEY_HASH)
        .bind(key_hash)
        .fetch_optional(db))
}

/// How many links a team has.
pub async fn count(tx: &mut WriteTx, team_id: &str) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar(COUNT).bind(team_id);
    change!(tx, |db| count.fetch_one(db))
}

/// Adds a link. [`StoreError::Duplicate`]: the team has one of this name.
pub async fn insert(tx: &mut WriteTx, link: &BoardLink) -> Result<(), StoreError> {
    let insert = sqlx::query(INSERT)
        .bind(&link.id)
        .bind(&link.team_id)
        .bind(&link.name)
        .bind(link.key_hash.expose())
        .bind(&link.created_by)
        .bind(link.created_at);
    change!(tx, |db| insert.execute(db))?;
    Ok(())
}

/// Removes a link; gives its name. None: it is gone already.
pub async fn delete(tx: &mut WriteTx, team_id: &str, id: &str) -> Result<Option<String>, StoreError> {
    let delete = sqlx::query_scalar(DELETE).bind(team_id).bind(id);
    change!(tx, |db| delete.fetch_optional(db))
}

/// Removes the links that a person made; says how many those were.
pub async fn delete_of_maker(tx: &mut WriteTx, user_id: &str) -> Result<u64, StoreError> {
    let delete = sqlx::query(DELETE_OF_MAKER).bind(user_id);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected())
}
