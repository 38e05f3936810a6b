//! One write transaction.

use sqlx::Transaction;
use sqlx::sqlite::SqliteConnection;

use super::StoreError;
use super::database::Engine;
use super::writability::Writability;

/// A write transaction. Dropping it without [`WriteTx::commit`] takes everything back.
///
/// Only one exists at a time. Await nothing but the store while holding it, and never begin a second one from
/// the same task: it would wait for the first until it is told [`StoreError::Busy`].
#[derive(Debug)]
pub struct WriteTx {
    transaction: Transaction<'static, Engine>,
    writability: Writability,
    has_failed: bool,
}

impl WriteTx {
    pub(super) fn new(transaction: Transaction<'static, Engine>, writability: Writability) -> Self {
        Self {
            transaction,
            writability,
            has_failed: false,
        }
    }

    /// Makes the changes durable: when this returns, they survive a power cut.
    ///
    /// # Errors
    /// A query in it failed before: some of its rows may be there and others not ([`super::bulk`]), so that nothing
    /// of the transaction is kept.
    pub async fn commit(self) -> Result<(), StoreError> {
        // After a write in it failed on the disk, what is left of it must not be committed. The database cannot
        // be opened again before this transaction has given up the writer.
        self.writability.gate()?;
        if self.has_failed {
            return Err(StoreError::Other(
                "a transaction was to be kept although a query in it had failed; nothing was changed"
                    .to_owned(),
            ));
        }
        let committed = self.transaction.commit().await;
        committed.map_err(|error| self.writability.note(error))
    }

    pub(super) async fn roll_back(self) -> Result<(), StoreError> {
        Ok(self.transaction.rollback().await?)
    }

    pub(super) fn writer(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Takes note of a query that failed.
    pub(super) fn failed(&mut self, error: sqlx::Error) -> StoreError {
        self.has_failed = true;
        self.writability.note(error)
    }
}
