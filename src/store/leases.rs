//! Who may act for something now.
//!
//! A lease has an epoch that grows with every acquisition and never shrinks; the row outlives its holder. Work
//! that writes calls [`check`] in the same transaction, so a holder that lost its lease without noticing cannot
//! write any more.

use super::{Store, StoreError, WriteTx};

/// The epoch goes up even when the same holder comes back, so that a forgotten task of its own is fenced off too.
const ACQUIRE: &str = "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $3) \
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = leases.epoch + 1, \
     expires_at = excluded.expires_at WHERE leases.expires_at <= $4 RETURNING epoch";
const RENEW: &str = "UPDATE leases SET expires_at = $4 WHERE name = $1 AND holder = $2 AND epoch = $3";
const RELEASE: &str = "UPDATE leases SET expires_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
const EXPIRE_ALL: &str = "UPDATE leases SET expires_at = 0 WHERE expires_at > 0";
const EPOCH: &str = "SELECT epoch FROM leases WHERE name = $1";
const HOLDER: &str = "SELECT holder FROM leases WHERE name = $1 AND expires_at > $2";

/// Takes the lease until `now + ttl_ms` if nobody holds it at `now`; gives the new epoch.
pub async fn acquire(
    tx: &mut WriteTx,
    name: &str,
    holder: &str,
    now: i64,
    ttl_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let acquire = sqlx::query_scalar(ACQUIRE)
        .bind(name)
        .bind(holder)
        .bind(now + ttl_ms)
        .bind(now);
    change!(tx, |db| acquire.fetch_optional(db))
}

/// Holds the lease until `now + ttl_ms`. False: it was lost. One that only ran out is still the holder's.
pub async fn renew(
    tx: &mut WriteTx,
    name: &str,
    holder: &str,
    epoch: i64,
    now: i64,
    ttl_ms: i64,
) -> Result<bool, StoreError> {
    let renew = sqlx::query(RENEW)
        .bind(name)
        .bind(holder)
        .bind(epoch)
        .bind(now + ttl_ms);
    Ok(change!(tx, |db| renew.execute(db))?.rows_affected() == 1)
}

/// Gives the lease up. False: it was lost before.
pub async fn release(tx: &mut WriteTx, name: &str, holder: &str, epoch: i64) -> Result<bool, StoreError> {
    let release = sqlx::query(RELEASE).bind(name).bind(holder).bind(epoch);
    Ok(change!(tx, |db| release.execute(db))?.rows_affected() == 1)
}

/// Ends every lease, so that what a process left behind can be taken over at once. Only for a process that knows
/// that no other one works on this database.
pub async fn expire_all(tx: &mut WriteTx) -> Result<u64, StoreError> {
    Ok(change!(tx, |db| sqlx::query(EXPIRE_ALL).execute(db))?.rows_affected())
}

/// Refuses with [`StoreError::Stale`] unless `epoch` is the one in force.
pub async fn check(tx: &mut WriteTx, name: &str, epoch: i64) -> Result<(), StoreError> {
    let current: Option<i64> = change!(tx, |db| sqlx::query_scalar(EPOCH).bind(name).fetch_optional(db))?;
    if current == Some(epoch) {
        Ok(())
    } else {
        Err(StoreError::Stale)
    }
}

/// Who holds the lease at `now`.
pub async fn holder(store: &Store, name: &str, now: i64) -> Result<Option<String>, StoreError> {
    read!(store, |db| sqlx::query_scalar(HOLDER)
        .bind(name)
        .bind(now)
        .fetch_optional(db))
}
