//! The integration tests: one binary. Rooms and pages have a module each; `support` starts what they need.

mod access;
mod architecture;
mod emulator;
mod flows;
mod history;
mod setups;
mod support;
mod templates;
