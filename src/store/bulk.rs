//! Taking many rows of the platform at once.

use super::database::Engine;
use sqlx::QueryBuilder;

/// A row together with the platform's own JSON of it, which lists need not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirrored<T> {
    /// What we took from the JSON.
    pub row: T,
    /// Adobe's JSON.
    pub raw: String,
}

/// Rows per statement: few enough for the limit of 32,766 values, many enough that the statement's own cost
/// does not count.
pub(super) const CHUNK: usize = 500;

/// `INSERT INTO table (columns) `, to be followed by the rows.
pub(super) fn insert_into(table: &str, columns: &[&str]) -> QueryBuilder<Engine> {
    QueryBuilder::new(format!("INSERT INTO {table} ({}) ", columns.join(", ")))
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
