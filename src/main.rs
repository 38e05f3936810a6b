//! The `headgate` binary: starts the runtime and hands the arguments to [`headgate::cli`].

use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for blocking work, such as hashing a password, after everything else has ended.
const LAST_WORK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!(
                "headgate: the system does not let Headgate start threads: {error}. Nothing was started."
            );
            return headgate::cli::Exit::Software.into();
        }
    };
    let exit = runtime.block_on(headgate::cli::run(std::env::args_os()));
    runtime.shutdown_timeout(LAST_WORK);
    exit
}
