//! The data directory and its file system.

use std::io::ErrorKind;
use std::path::Path;

use super::finding::Finding;
use crate::bootstrap::directory::{self, database};
use crate::cli::Exit;
use crate::config::Config;
use crate::store::disk::{self, Disk, Kind};

const MIB: u64 = 1024 * 1024;
/// Less than this is as good as nothing: one more write may fail.
const NOTHING: u64 = MIB;
/// A write-ahead log over this size is not folded into the database as it should be.
const LARGE_LOG: u64 = 256 * MIB;

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let directory = &config.data_dir;
    let first = of_directory(directory);
    if !directory.is_dir() {
        return vec![first];
    }
    let mut findings = vec![first, of_room(directory), of_kind(directory)];
    findings.extend(of_rights("directory rights", directory, 0o700));
    findings.extend(of_rights("database rights", &database(directory), 0o600));
    if config.key.is_none() {
        findings.extend(of_rights("key file rights", &config.key_file, 0o600));
    }
    findings.push(of_lock(directory));
    findings.push(of_log(&database(directory)));
    findings
}

fn of_directory(directory: &Path) -> Finding {
    let (check, user) = ("data directory", directory::user());
    match directory::usable(directory) {
        Ok(()) => Finding::ok(check, format!("It can be read and written by {user}.")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Finding::problem(check, Exit::CannotCreate, "There is no such directory.")
                .advice("Name the right one with --data-dir. On a new installation, headgate serve makes it.")
        }
        Err(error) => {
            let found = format!("It cannot be used by {user}: {error}.");
            Finding::problem(check, Exit::of_unusable(error.kind()), found).advice(
                "Give that user the rights (chown, chmod), mount it for writing, or name another one.",
            )
        }
    }
}

fn of_room(directory: &Path) -> Finding {
    let check = "free space";
    let disk = match Disk::of(directory) {
        Ok(disk) => disk,
        Err(error) => return Finding::warning(check, format!("It cannot be measured: {error}.")),
    };
    let free = format!(
        "{} MiB of {} MiB are free.",
        disk.free_bytes / MIB,
        disk.total_bytes / MIB
    );
    let reserve = disk.reserve_bytes() / MIB;
    if disk.read_only {
        Finding::problem(check, Exit::NoPermission, "The file system is mounted read-only.")
            .advice("Mount it for writing. Nothing is sent to Adobe until then.")
    } else if disk.free_bytes < NOTHING {
        Finding::problem(check, Exit::CannotCreate, free).advice(format!(
            "Make room: nothing is saved or sent until {reserve} MiB are free."
        ))
    } else if !disk.has_room() {
        Finding::warning(check, free).advice(format!(
            "Make room: a server that found it full waits until {reserve} MiB are free."
        ))
    } else {
        Finding::ok(check, free)
    }
}

fn of_kind(directory: &Path) -> Finding {
    let check = "file system";
    match disk::kind_of(directory) {
        Ok(Kind::Local(name)) => Finding::ok(check, format!("It is local ({name}).")),
        Ok(Kind::Unknown) => Finding::ok(check, "Nothing is known against it."),
        Ok(Kind::Memory) => Finding::warning(
            check,
            "It is in memory: everything is gone when the machine stops.",
        )
        .advice("Put the data directory on a disk."),
        Ok(Kind::Network(name)) => {
            let found = format!("It is reached over a network ({name}); databases on such ones get damaged.");
            Finding::warning(check, found).advice("Put the data directory on a local disk.")
        }
        Err(error) => Finding::warning(check, format!("It cannot be looked at: {error}.")),
    }
}

/// Nothing about a file that is not there: other checks tell of that.
#[cfg(unix)]
fn of_rights(check: &'static str, path: &Path, wanted: u32) -> Option<Finding> {
    use std::os::unix::fs::MetadataExt;
    let found = path.metadata().ok()?;
    let (mode, owner) = (found.mode() & 0o777, found.uid());
    let user = rustix::process::geteuid().as_raw();
    let shown = path.display();
    if mode & 0o077 != 0 {
        let what = format!("Others may use {shown} (mode {mode:03o}).");
        return Some(Finding::warning(check, what).advice(format!("chmod {wanted:o} {shown}")));
    }
    if owner != user && user != 0 {
        let what = format!("{shown} belongs to user id {owner}, and this is user id {user}.");
        return Some(Finding::warning(check, what).advice("Run Headgate as its owner, or chown it."));
    }
    let found = format!("Only its owner (user id {owner}) may use it (mode {mode:03o}).");
    Some(Finding::ok(check, found))
}

#[cfg(not(unix))]
fn of_rights(_: &'static str, _: &Path, _: u32) -> Option<Finding> {
    None
}

fn of_lock(directory: &Path) -> Finding {
    let check = "server";
    match directory::is_served(directory) {
        Ok(true) => Finding::ok(check, "A server runs on this data directory."),
        Ok(false) => Finding::ok(check, "No server runs on this data directory."),
        Err(error) => Finding::warning(check, format!("The lock file cannot be looked at: {error}.")),
    }
}

fn of_log(database: &Path) -> Finding {
    let check = "write-ahead log";
    let bytes = database
        .with_extension("db-wal")
        .metadata()
        .map_or(0, |log| log.len());
    let found = format!("It holds {} KiB.", bytes.div_ceil(1024));
    if bytes > LARGE_LOG {
        Finding::warning(check, found).advice("Something keeps it from being folded in: restart the server.")
    } else {
        Finding::ok(check, found)
    }
}
