//! The `headgate` binary: parses arguments and hands over to [`headgate::cli`].

fn main() {}
