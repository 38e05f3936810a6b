//! The integration tests: one binary. Rooms and pages have a module each; `support` starts what they need.

mod access;
mod architecture;
mod audit;
mod commands;
mod doctor;
mod emulator;
mod environments;
mod faults;
mod findings;
mod flows;
mod generated_history;
mod health;
mod help;
mod history;
mod live;
mod runs;
mod session;
mod setups;
mod stopping;
mod support;
mod templates;
