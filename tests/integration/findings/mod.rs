//! The sweep, the findings it makes, and what people do about them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod asking;
mod deleting;
mod ground;
mod left_half_way;
mod refusing;
mod rounds;
mod sweeping;
