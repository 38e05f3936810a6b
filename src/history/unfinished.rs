//! Unfinished runs are asked for one by one until they end, however long ago they started.

use std::collections::HashSet;

use super::ReadError;
use super::rounds::Reading;
use crate::store::runs;

/// Runs asked for in one reading.
const ASKED_PER_READING: usize = 20;
/// Unfinished runs looked through.
const LOOKED_THROUGH: i64 = 1_000;

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    turn: usize,
}

impl Reading<'_> {
    /// Reads unfinished runs that no list of this reading showed, taking turns when there are many.
    pub(super) async fn follow_unfinished(
        &self,
        unfinished: &mut Unfinished,
        seen: &HashSet<String>,
    ) -> Result<(), ReadError> {
        let stored =
            runs::unfinished(&self.history.inner.store, &self.environment.id, LOOKED_THROUGH).await?;
        let stored: Vec<_> = stored.iter().filter(|run| !seen.contains(&run.id)).collect();
        let asked = stored.len().min(ASKED_PER_READING);
        let mut read = Vec::with_capacity(asked);
        for place in 0..asked {
            let run = stored[(unfinished.turn + place) % stored.len()];
            match self.unless_stopping(self.client.run(&run.id)).await {
                Ok(run) => read.push(run),
                // The platform forgets runs; what was known of it stays.
                Err(ReadError::Platform(error)) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        unfinished.turn = unfinished.turn.wrapping_add(asked);
        if read.is_empty() {
            Ok(())
        } else {
            self.store_runs(&read, None).await
        }
    }
}
