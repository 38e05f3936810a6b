//! How much and how long: every bound of the web surface in one place.

use std::time::Duration;

/// Largest request line with all headers, in bytes.
pub const HEAD_BYTES: usize = 16 * 1024;
/// Most headers of one request.
pub const HEADERS: usize = 100;
/// Largest body of a form, in bytes.
pub const FORM_BODY_BYTES: usize = 256 * 1024;
/// Largest body of a JSON import, in bytes.
pub const IMPORT_BODY_BYTES: usize = 1024 * 1024;
/// Longest time to receive the headers of a request, and to stay connected without sending one.
pub const HEAD_TIME: Duration = Duration::from_secs(10);
/// Longest time from the headers of a request to those of its answer, reading the body included.
pub const HANDLER_TIME: Duration = Duration::from_secs(15);
/// Most connections at once; more wait in the system's queue.
pub const CONNECTIONS: usize = 1024;
/// Longest time that requests in flight have to end when the process stops.
pub const GRACE: Duration = Duration::from_secs(10);
