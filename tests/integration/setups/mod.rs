//! The setup engine against the emulator over a socket.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod creating;
mod deciding;
mod deciding_pages;
mod interrupted;
mod killed;
mod pages;
mod shared;
mod supervised;
mod undoing;
