//! One file per subcommand.

pub mod emulator;
