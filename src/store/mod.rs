//! The only room that knows SQL.
//!
//! One file per aggregate. Reads take [`&Store`](Store), writes take [`&mut WriteTx`](WriteTx), so a caller
//! decides what belongs into one transaction; nothing here decides a rule of the product. Times are UTC epoch
//! milliseconds (`_at`), JSON is text that the rooms parse, lists that a page shows are scoped by team and
//! paged by key.
//!
//! The SQL is constant and written in what SQLite and PostgreSQL share. Every query goes through `read!` or
//! `change!`, which are the only place where a second engine will show.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`database`], `readers` | opening the file, transactions, the write probe; the connections that only read |
//! | [`writability`], [`disk`] | full, read-only and failing storage; what the file system says of itself |
//! | [`error`] | what can go wrong |
//! | [`people`] | teams, users, memberships |
//! | [`sessions`] | who is signed in |
//! | [`environments`] | Adobe organization + sandbox + credential, and the specifications read there |
//! | [`connection_templates`] | recipes and their versions |
//! | [`secrets`] | sealed values |
//! | [`drafts`] | forms in progress |
//! | [`setups`], [`setup_lists`], [`setup_journal`] | attempts to make a dataflow with their steps; lists of them; what was done |
//! | [`findings`], [`sweeps`] | what does not fit between the platform and our records; when it was looked for |
//! | [`leases`] | who may act now |
//! | [`flows`], [`runs`], [`run_lists`], [`sync_state`] | the mirror of the platform and how fresh it is |
//! | `run_mirror` | storing runs, their sums, and what the platform has forgotten |
//! | [`flow_health`], [`flow_lists`] | how each flow does by its last runs; lists of them for people |
//! | [`judgements`], [`lost_files`] | judging flows, in the transaction that changes what counts for that |
//! | [`saved_views`] | filters of lists that people keep under a name |
//! | [`run_requests`] | runs that people asked for |
//! | [`flow_versions`] | what each flow was set to |
//! | [`flow_page`] | what the pages of one flow and of one run need, in few queries |
//! | [`audit`] | who did what |
//! | [`checkup`] | what an operator wants to know of a database |

/// Runs one query that only reads, on a reader.
macro_rules! read {
    ($store:expr, |$db:ident| $query:expr) => {{
        let mut reader = $store.reader().await?;
        let outcome = {
            let $db = &mut *reader;
            $query.await
        };
        outcome.map_err(|error| reader.failed(error))
    }};
}

/// Runs one query inside a write transaction.
macro_rules! change {
    ($tx:expr, |$db:ident| $query:expr) => {{
        let outcome = {
            let $db = $tx.writer();
            $query.await
        };
        outcome.map_err(|error| $tx.failed(error))
    }};
}

pub mod audit;
pub mod board_links;
mod bulk;
pub mod checkup;
pub mod connection_templates;
pub mod database;
pub mod disk;
mod documents;
pub mod drafts;
pub mod environments;
pub mod error;
pub mod findings;
pub mod flow_health;
mod flow_list_sql;
pub mod flow_lists;
pub mod flow_page;
pub mod flow_versions;
pub mod flows;
pub mod judgements;
pub mod later_runs;
pub mod leases;
pub mod lost_files;
pub mod people;
mod readers;
mod run_days;
pub mod run_lists;
mod run_mirror;
pub mod run_requests;
pub mod runs;
pub mod saved_views;
pub mod secrets;
pub mod sessions;
pub mod setup_journal;
pub mod setup_lists;
pub mod setups;
pub mod sweeps;
pub mod sync_state;
mod values;
pub mod writability;
mod write_tx;

pub use bulk::{Mirrored, MirroredRun};
pub use database::Store;
pub use documents::Document;
pub use error::StoreError;
pub use values::Hidden;
pub use writability::Writes;
pub use write_tx::WriteTx;

#[cfg(test)]
mod tests;
