//! Taking many rows of the platform at once.

use super::database::Engine;
use super::documents::Document;
use super::runs::Run;
use super::{StoreError, WriteTx};
use futures_util::future::join;
use sqlx::{Database, FromRow, QueryBuilder};

/// A row together with the platform's own JSON of it, which lists need not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored<T, R = String> {
    /// What we took from the JSON.
    pub row: T,
    /// Adobe's JSON.
    pub raw: R,
}

/// A run with its JSON, packed before a transaction has to wait for that.
pub type MirroredRun = Mirrored<Run, Document>;

/// Rows per statement: few enough for the limit of 32,766 values, many enough that the statement's own cost
/// does not count.
pub(super) const CHUNK: usize = 500;

/// Rows per statement where a row has up to 30 values, the most first. With few sizes each statement is prepared once
/// and kept.
const SIZES: [usize; 7] = [1_000, 300, 100, 30, 10, 3, 1];

/// Cuts rows into pieces of [`SIZES`].
pub(super) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (piece, left) = rest.split_at(size);
        rest = left;
        Some(piece)
    })
}

/// Runs queries one after the other and gives back their rows. While the database is at one, the next one is made
/// ready.
pub(super) async fn in_turn<T>(
    tx: &mut WriteTx,
    mut queries: impl Iterator<Item = QueryBuilder<Engine>>,
) -> Result<Vec<T>, StoreError>
where
    T: for<'r> FromRow<'r, <Engine as Database>::Row> + Send + Unpin,
{
    let mut rows = Vec::new();
    let mut next = queries.next();
    while let Some(mut query) = next {
        let run = async { change!(tx, |db| query.build_query_as::<T>().fetch_all(db)) };
        let (of_query, ready) = join(run, async { queries.next() }).await;
        rows.extend(of_query?);
        next = ready;
    }
    Ok(rows)
}

/// SQLite keeps every page of the trees as it was until a statement of many rows has ended well, a seventh of its
/// time, unless told that a failure may leave the rows before it. Here it takes back the whole transaction
/// ([`super::WriteTx::commit`]). On PostgreSQL this is `INSERT INTO`.
const INSERT: &str = "INSERT OR FAIL INTO";

/// `INSERT … INTO table (columns) `, to be followed by the rows.
pub(super) fn insert_into(table: &str, columns: &[&str]) -> QueryBuilder<Engine> {
    QueryBuilder::new(format!("{INSERT} {table} ({}) ", columns.join(", ")))
}

/// `a = excluded.a, …` for all columns.
pub(super) fn take_excluded(columns: &[&str]) -> String {
    let assignments: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    assignments.join(", ")
}

/// `a, b, …` with a table's name before each.
pub(super) fn qualified(table: &str, columns: &[&str]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("{table}.{column}")).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_leave_nothing_out() {
        for length in [0, 1, 2, 99, 100, 1_234, 3_999] {
            let rows: Vec<usize> = (0..length).collect();
            let together: Vec<usize> = pieces(&rows).flatten().copied().collect();
            assert_eq!(together, rows);
            assert!(pieces(&rows).all(|piece| SIZES.contains(&piece.len())));
        }
    }
}
