//! What the runs of a flow come to each day, moved along by the transaction that stores the runs.

use std::collections::BTreeMap;

use super::bulk::{insert_into, pieces};
use super::database::Engine;
use super::{StoreError, WriteTx};
use crate::domain::RunOutcome;

const COLUMNS: &[&str] = &[
    "environment_id",
    "flow_id",
    "day",
    "succeeded",
    "partial",
    "failed",
    "unfinished",
    "records_out",
    "bytes_in",
];
const KEY_COLUMNS: usize = 3;

const CLEAR_HEAD: &str = "DELETE FROM run_days WHERE (environment_id, flow_id, day) IN (";
const CLEAR_TAIL: &str = ") AND succeeded + partial + failed + unfinished = 0";

/// The statement around the days of a piece, for a piece of one.
#[cfg(test)]
pub(super) fn chunk_statement() -> String {
    format!("{CLEAR_HEAD}VALUES ('e', 'f', 1){CLEAR_TAIL}")
}

/// Environment, flow and day of some runs.
pub(super) type Day<'a> = (&'a str, &'a str, i64);

/// By how much the sums of a day change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DayChange {
    succeeded: i64,
    partial: i64,
    failed: i64,
    unfinished: i64,
    records_out: i64,
    bytes_in: i64,
}

impl DayChange {
    /// One run more, or with `sign` -1 one less.
    pub(super) fn count(
        &mut self,
        sign: i64,
        outcome: RunOutcome,
        records_out: Option<i64>,
        bytes_in: Option<i64>,
    ) {
        let runs = match outcome {
            RunOutcome::Succeeded => &mut self.succeeded,
            RunOutcome::Partial => &mut self.partial,
            RunOutcome::Failed => &mut self.failed,
            RunOutcome::Waiting | RunOutcome::Running | RunOutcome::Unknown => &mut self.unfinished,
        };
        *runs += sign;
        self.records_out += sign * records_out.unwrap_or(0);
        self.bytes_in += sign * bytes_in.unwrap_or(0);
    }

    fn takes_runs_away(&self) -> bool {
        [self.succeeded, self.partial, self.failed, self.unfinished]
            .iter()
            .any(|runs| *runs < 0)
    }
}

/// Changes the sums of these days.
pub(super) async fn change(tx: &mut WriteTx, days: BTreeMap<Day<'_>, DayChange>) -> Result<(), StoreError> {
    let days: Vec<(Day<'_>, DayChange)> = days.into_iter().collect();
    for piece in pieces(&days) {
        add_to_days(tx, piece).await?;
    }
    let emptied: Vec<Day<'_>> = days
        .iter()
        .filter(|(_, change)| change.takes_runs_away())
        .map(|(day, _)| *day)
        .collect();
    for piece in pieces(&emptied) {
        clear_empty_days(tx, piece).await?;
    }
    Ok(())
}

async fn add_to_days(tx: &mut WriteTx, days: &[(Day<'_>, DayChange)]) -> Result<(), StoreError> {
    let mut upsert = insert_into("run_days", COLUMNS);
    upsert.push_values(days, |mut tuple, ((environment_id, flow_id, day), change)| {
        tuple
            .push_bind(*environment_id)
            .push_bind(*flow_id)
            .push_bind(*day)
            .push_bind(change.succeeded)
            .push_bind(change.partial)
            .push_bind(change.failed)
            .push_bind(change.unfinished)
            .push_bind(change.records_out)
            .push_bind(change.bytes_in);
    });
    let sums: Vec<String> = COLUMNS[KEY_COLUMNS..]
        .iter()
        .map(|column| format!("{column} = run_days.{column} + excluded.{column}"))
        .collect();
    upsert.push(format!(
        " ON CONFLICT (environment_id, flow_id, day) DO UPDATE SET {}",
        sums.join(", ")
    ));
    change!(tx, |db| upsert.build().execute(db))?;
    Ok(())
}

/// A day without runs has no row.
async fn clear_empty_days(tx: &mut WriteTx, days: &[Day<'_>]) -> Result<(), StoreError> {
    let mut delete = sqlx::QueryBuilder::<Engine>::new(CLEAR_HEAD);
    delete.push_values(days, |mut tuple, (environment_id, flow_id, day)| {
        tuple
            .push_bind(*environment_id)
            .push_bind(*flow_id)
            .push_bind(*day);
    });
    delete.push(CLEAR_TAIL);
    change!(tx, |db| delete.build().execute(db))?;
    Ok(())
}
