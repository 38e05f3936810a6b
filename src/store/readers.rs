//! The connections that only read.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::StoreError;

/// A few connections, each lent to one query at a time. Cheap to clone.
///
/// sqlx's own pool asks a connection for a sign of life before and after each loan, and each question takes as long as
/// a small query: two switches of threads. That is of use where a server may hang up, not with a file.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: SqliteConnectOptions,
    idle: Mutex<Vec<SqliteConnection>>,
    most: u32,
    places: Arc<Semaphore>,
    patience: Duration,
}

/// A connection on loan. Dropping it gives it back; a query that was dropped half-way ends before the next one begins.
#[derive(Debug)]
pub(super) struct Reader {
    /// There until it is dropped.
    connection: Option<SqliteConnection>,
    readers: Readers,
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// At most `most` connections, which are kept for good; who waits for one longer than `patience` is told that the
    /// database is busy.
    ///
    /// # Errors
    /// The first one cannot be opened.
    pub(super) async fn open(
        options: SqliteConnectOptions,
        most: u32,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        let readers = Self {
            inner: Arc::new(Inner {
                options,
                idle: Mutex::default(),
                most,
                places: Arc::new(Semaphore::new(most as usize)),
                patience,
            }),
        };
        drop(readers.lend().await?);
        Ok(readers)
    }

    /// Waits for a connection that nobody uses.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when all are in use for too long; a new one cannot be opened; the database was closed.
    pub(super) async fn lend(&self) -> Result<Reader, StoreError> {
        let place = Arc::clone(&self.inner.places).acquire_owned();
        let place = tokio::time::timeout(self.inner.patience, place).await;
        let place = place
            .map_err(|_| StoreError::Busy)?
            .map_err(|_| StoreError::from(sqlx::Error::PoolClosed))?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.inner.options.connect().await?,
        };
        Ok(Reader {
            connection: Some(connection),
            readers: self.clone(),
            _place: place,
        })
    }

    /// Waits for connections in use and closes them all. Nobody gets one any more.
    pub(super) async fn close(&self) {
        // Closed already, then there is nobody to wait for.
        let all = self.inner.places.acquire_many(self.inner.most).await;
        self.inner.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "a reading connection was not closed well");
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<SqliteConnection>> {
        // Whoever panicked has left whole connections behind.
        self.inner.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn most(&self) -> u32 {
        self.inner.most
    }
}

impl Reader {
    /// Takes note of a query that failed: a connection whose thread is gone is not lent again.
    pub(super) fn failed(mut self, error: sqlx::Error) -> StoreError {
        if matches!(error, sqlx::Error::WorkerCrashed) {
            self.connection = None;
        }
        error.into()
    }
}

#[expect(
    clippy::expect_used,
    reason = "the connection is taken by `failed` and by `drop` only, and both end the loan"
)]
impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.connection.as_ref().expect("a loan that goes on")
    }
}

#[expect(
    clippy::expect_used,
    reason = "the connection is taken by `failed` and by `drop` only, and both end the loan"
)]
impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.connection.as_mut().expect("a loan that goes on")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Before its place is free, so that who comes next finds it.
        if let Some(connection) = self.connection.take() {
            self.readers.idle().push(connection);
        }
    }
}
