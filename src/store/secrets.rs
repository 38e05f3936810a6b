//! Sealed values and the canary that tells whether the key ring fits.

use super::{Store, StoreError, WriteTx};
use crate::domain::words;

words! {
    /// What kind of thing a sealed value belongs to.
    pub enum SecretOwner {
        /// A version of a connection template.
        TemplateVersion = "template_version",
        /// A form in progress.
        Draft = "draft",
        /// A setup.
        Setup = "setup",
    }
}

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Secret {
    /// Ours; sealing is bound to it, so another value has another id.
    pub id: String,
    /// What kind of thing it belongs to.
    pub owner_kind: SecretOwner,
    /// Which one.
    pub owner_id: String,
    /// Which field of it.
    pub field: String,
    /// As the vault sealed it.
    pub sealed: String,
    /// Tells two values apart without opening them.
    pub fingerprint: String,
    /// The id of who typed it.
    pub set_by: String,
    /// UTC epoch milliseconds.
    pub set_at: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, owner_kind, owner_id, field, sealed, fingerprint, set_by, set_at FROM secrets ",
            $rest
        )
    };
}

const PUT: &str = "INSERT INTO secrets (id, owner_kind, owner_id, field, sealed, fingerprint, set_by, set_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (owner_kind, owner_id, field) DO UPDATE SET \
     id = excluded.id, sealed = excluded.sealed, fingerprint = excluded.fingerprint, set_by = excluded.set_by, \
     set_at = excluded.set_at";
const LIST: &str = select!("WHERE owner_kind = $1 AND owner_id = $2 ORDER BY field");
const GET: &str = select!("WHERE owner_kind = $1 AND owner_id = $2 AND field = $3");
const DELETE: &str = "DELETE FROM secrets WHERE owner_kind = $1 AND owner_id = $2 AND field = $3";
const DELETE_FOR: &str = "DELETE FROM secrets WHERE owner_kind = $1 AND owner_id = $2";
pub(super) const ANY_SEALED: &str = "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM vault_canary) \
     OR EXISTS (SELECT 1 FROM environments) OR EXISTS (SELECT 1 FROM secrets) THEN 1 ELSE 0 END AS BIGINT)";
pub(super) const CANARY: &str = "SELECT sealed FROM vault_canary WHERE id = 1";
const PUT_CANARY: &str = "INSERT INTO vault_canary (id, sealed) VALUES (1, $1) \
     ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed";

/// Reads on a page's path.
#[cfg(test)]
pub(super) const PAGE_READS: &[&str] = &[LIST, GET];

/// Stores a value in place of the one its field had.
pub async fn put(tx: &mut WriteTx, secret: &Secret) -> Result<(), StoreError> {
    let put = sqlx::query(PUT)
        .bind(&secret.id)
        .bind(secret.owner_kind.as_str())
        .bind(&secret.owner_id)
        .bind(&secret.field)
        .bind(&secret.sealed)
        .bind(&secret.fingerprint)
        .bind(&secret.set_by)
        .bind(secret.set_at);
    change!(tx, |db| put.execute(db))?;
    Ok(())
}

/// All values of an owner, by field.
pub async fn list(store: &Store, owner: SecretOwner, owner_id: &str) -> Result<Vec<Secret>, StoreError> {
    read!(store, |db| sqlx::query_as(LIST)
        .bind(owner.as_str())
        .bind(owner_id)
        .fetch_all(db))
}

/// The value of one field.
pub async fn get(
    store: &Store,
    owner: SecretOwner,
    owner_id: &str,
    field: &str,
) -> Result<Option<Secret>, StoreError> {
    read!(store, |db| sqlx::query_as(GET)
        .bind(owner.as_str())
        .bind(owner_id)
        .bind(field)
        .fetch_optional(db))
}

/// Removes the value of one field. False: there was none.
pub async fn delete(
    tx: &mut WriteTx,
    owner: SecretOwner,
    owner_id: &str,
    field: &str,
) -> Result<bool, StoreError> {
    let delete = sqlx::query(DELETE)
        .bind(owner.as_str())
        .bind(owner_id)
        .bind(field);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected() == 1)
}

/// Removes all values of an owner; says how many.
pub async fn delete_for(tx: &mut WriteTx, owner: SecretOwner, owner_id: &str) -> Result<u64, StoreError> {
    let delete = sqlx::query(DELETE_FOR).bind(owner.as_str()).bind(owner_id);
    Ok(change!(tx, |db| delete.execute(db))?.rows_affected())
}

/// Whether anything in the database was sealed: if so, a missing key must not be replaced by a fresh one.
pub async fn any_sealed(store: &Store) -> Result<bool, StoreError> {
    let any: i64 = read!(store, |db| sqlx::query_scalar(ANY_SEALED).fetch_one(db))?;
    Ok(any != 0)
}

/// The sealed canary.
pub async fn canary(store: &Store) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(CANARY).fetch_optional(db))
}

/// Stores the sealed canary in place of the one before.
pub async fn put_canary(tx: &mut WriteTx, sealed: &str) -> Result<(), StoreError> {
    change!(tx, |db| sqlx::query(PUT_CANARY).bind(sealed).execute(db))?;
    Ok(())
}
