//! Storage that runs full, breaks or turns read-only under the built binary, with an emulator behind it.
//!
//! They need Linux, root (to mount file systems and to trace a process) and `strace`, and fail without them. By
//! default each takes a sample of the moments at which storage can fail; `-- --ignored` takes all of them and
//! prints a table.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers fail by panicking"
)]

mod failing;
mod full;
mod killed;
mod read_only;
mod support;
