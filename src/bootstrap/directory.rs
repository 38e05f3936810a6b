//! The data directory: what lies in it, whether this user can use it, and whether a server holds it.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::StartError;

/// The database's file in the data directory.
const DATABASE: &str = "headgate.db";
/// Held by the one process that serves a data directory.
const LOCK: &str = "headgate.lock";
/// Whoever only looks whether a server runs holds the lock for a moment.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// The database of a data directory.
pub fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// Who this process runs as, as the system tells it in the rights of files.
pub fn user() -> String {
    #[cfg(unix)]
    return format!("user id {}", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    "this user".to_owned()
}

/// Makes the directory, for its owner only, if it is not there, and proves that this user can work in it.
pub(super) fn prepare(directory: &Path) -> Result<(), StartError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|source| unusable("data directory", directory, source))?;
    usable(directory).map_err(|source| unusable("data directory", directory, source))
}

/// Asks the system whether this user may list, change and enter the directory. Nothing is written.
///
/// # Errors
/// What is in the way, such as a missing permission or a file system that is mounted read-only.
pub fn usable(directory: &Path) -> io::Result<()> {
    if !std::fs::metadata(directory)?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD, accessat};
        let needed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        accessat(CWD, directory, needed, AtFlags::EACCESS)?;
    }
    Ok(())
}

/// What `error` means for `path`, whose part in Headgate is `role`.
pub(super) fn unusable(role: &'static str, path: &Path, source: io::Error) -> StartError {
    let (missing, advice) = match source.kind() {
        ErrorKind::PermissionDenied => (
            "the right to read, write and enter it is missing",
            "Give it to this user (chown, chmod), or run Headgate as its owner",
        ),
        ErrorKind::ReadOnlyFilesystem => (
            "its file system is mounted read-only",
            "Mount it for writing, or name another data directory",
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => (
            "it, or a part of its path, is no directory",
            "Name another data directory",
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ("no room is left there", "Free some space"),
        _ => (
            "the system does not let it be used",
            "Look at the disk and the path",
        ),
    };
    StartError::Unusable {
        role,
        path: path.display().to_string(),
        user: user(),
        missing,
        advice,
        source,
    }
}

/// Takes the directory for this process, until the file is dropped.
pub(super) fn lock(directory: &Path) -> Result<File, StartError> {
    let path = directory.join(LOCK);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(|source| unusable("lock file", &path, source))?;
    for last in (0..LOCK_TRIES).map(|n| n + 1 == LOCK_TRIES) {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if last => break,
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(unusable("lock file", &path, source)),
        }
    }
    Err(StartError::InUse(directory.display().to_string()))
}

/// Whether a server holds the directory.
///
/// # Errors
/// The lock file cannot be read; one that does not exist means that no server ever ran.
pub fn is_served(directory: &Path) -> io::Result<bool> {
    let file = match File::open(directory.join(LOCK)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        // Dropping the file gives it up again.
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d12_one_process_holds_a_directory_and_others_can_see_that() {
        let directory = tempfile::tempdir().unwrap();
        assert!(!is_served(directory.path()).unwrap());
        let held = lock(directory.path()).unwrap();
        assert!(is_served(directory.path()).unwrap());
        let second = lock(directory.path());
        assert!(matches!(second, Err(StartError::InUse(_))), "{second:?}");
        drop(held);
        assert!(!is_served(directory.path()).unwrap());
        lock(directory.path()).unwrap();
    }

    #[test]
    fn d11_a_refusal_names_role_path_user_and_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [file.join("below"), file] {
            let refused = prepare(&path).unwrap_err().to_string();
            for expected in ["data directory", path.to_str().unwrap(), &user(), "no directory"] {
                assert!(refused.contains(expected), "{refused}");
            }
        }
    }
}
