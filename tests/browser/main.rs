//! The browser tests: the real binary, in demo mode, seen through headless Chromium.
//!
//! They need `chromium` and `chromedriver` on the machine and fail without them; nothing is skipped.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests and their helpers fail by panicking"
)]

mod board;
mod every_page;
mod following;
mod journeys;
mod screenshots;
mod signing_in;
mod support;
