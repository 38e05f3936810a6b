//! What the file system under the data directory says about itself.

use std::io;
use std::path::Path;

/// After the disk was full, so many bytes must be free before anything is written again ([`Disk::has_room`]).
const RESERVE: u64 = 64 * 1024 * 1024;
/// On a small file system, this part of it is enough.
const RESERVE_PART: u64 = 8;

/// A file system, measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that this user may still write.
    pub free_bytes: u64,
    /// Its size in bytes.
    pub total_bytes: u64,
    /// Whether it is mounted read-only.
    pub read_only: bool,
}

impl Disk {
    /// Measures the file system that holds `path`.
    ///
    /// # Errors
    /// The path does not exist or may not be looked at.
    #[cfg(unix)]
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = rustix::fs::statvfs(path)?;
        Ok(Self {
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            read_only: found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
        })
    }

    /// Nothing is known here: only the write that is tried next can tell.
    #[cfg(not(unix))]
    pub fn of(path: &Path) -> io::Result<Self> {
        path.metadata().map(|_| Self {
            free_bytes: u64::MAX,
            total_bytes: u64::MAX,
            read_only: false,
        })
    }

    /// How many bytes must be free on a file system of this size.
    pub fn reserve_bytes(&self) -> u64 {
        RESERVE.min(self.total_bytes / RESERVE_PART)
    }

    /// Whether there is room enough to go on after it was full: some more than the next write needs, so that it
    /// is not full again a moment later.
    pub fn has_room(&self) -> bool {
        self.free_bytes >= self.reserve_bytes()
    }
}

/// What kind of file system holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A local one, with its name where it is a usual one.
    Local(&'static str),
    /// In memory: gone at the next start of the machine.
    Memory,
    /// Reached over a network: its locks and syncs cannot be relied on.
    Network(&'static str),
    /// Nothing is known of it.
    Unknown,
}

/// The kinds by the number that Linux gives them (`statfs(2)`).
#[cfg(target_os = "linux")]
const KINDS: &[(u64, Kind)] = &[
    (0xef53, Kind::Local("ext4")),
    (0x5846_5342, Kind::Local("xfs")),
    (0x9123_683e, Kind::Local("btrfs")),
    (0x2fc1_2fc1, Kind::Local("zfs")),
    (0xf2f5_2010, Kind::Local("f2fs")),
    (0x794c_7630, Kind::Local("overlayfs")),
    (0x0102_1994, Kind::Memory),
    (0x6969, Kind::Network("NFS")),
    (0x517b, Kind::Network("SMB")),
    (0xff53_4d42, Kind::Network("CIFS")),
    (0xfe53_4d42, Kind::Network("SMB 2")),
    (0x0102_1997, Kind::Network("9p")),
    (0x00c3_6400, Kind::Network("Ceph")),
    (0x5346_414f, Kind::Network("AFS")),
    (0x0bd0_0bd0, Kind::Network("Lustre")),
    (0x0116_1970, Kind::Network("GFS2")),
    (0x7461_636f, Kind::Network("OCFS2")),
    (0x6573_5546, Kind::Network("FUSE")),
];

/// What kind of file system holds `path`.
#[cfg(target_os = "linux")]
pub fn kind_of(path: &Path) -> io::Result<Kind> {
    // Its type differs between machines, and CIFS's number has the highest bit of 32 set.
    let number = rustix::fs::statfs(path)?.f_type as u64 & 0xffff_ffff;
    let known = KINDS.iter().find(|(known, _)| *known == number);
    Ok(known.map_or(Kind::Unknown, |(_, kind)| *kind))
}

/// What kind of file system holds `path`: not told here.
#[cfg(not(target_os = "linux"))]
pub fn kind_of(path: &Path) -> io::Result<Kind> {
    path.metadata().map(|_| Kind::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn disk(free_bytes: u64, total_bytes: u64) -> Disk {
        Disk {
            free_bytes,
            total_bytes,
            read_only: false,
        }
    }

    #[test]
    fn the_reserve_is_64_mib_or_an_eighth_of_a_small_disk() {
        assert!(disk(64 * MIB, 1_000_000 * MIB).has_room());
        assert!(!disk(64 * MIB - 1, 1_000_000 * MIB).has_room());
        assert!(disk(2 * MIB, 16 * MIB).has_room());
        assert!(!disk(2 * MIB - 1, 16 * MIB).has_room());
    }

    #[test]
    fn a_real_directory_is_measured() {
        let directory = tempfile::tempdir().expect("a directory");
        let disk = Disk::of(directory.path()).expect("a measure");
        assert!(disk.total_bytes > 0 && disk.free_bytes <= disk.total_bytes && !disk.read_only);
        assert!(Disk::of(&directory.path().join("missing")).is_err());
        assert!(kind_of(directory.path()).is_ok());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kind_is_told() {
        // The kernel's own, which is the same everywhere and in no list of ours.
        assert_eq!(kind_of(Path::new("/proc")).expect("a kind"), Kind::Unknown);
    }
}
