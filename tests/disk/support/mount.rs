//! Small file systems, mounted for one test.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::run;

/// A file system of its own. Unmounted when dropped.
pub struct Mount {
    place: PathBuf,
    // Removed after the file system is unmounted.
    home: tempfile::TempDir,
}

impl Mount {
    /// In memory, of this many MiB.
    pub fn in_memory(mib: u32) -> Self {
        let mount = Self::place();
        let size = format!("size={mib}m");
        run(
            "mount",
            &["-t", "tmpfs", "-o", &size, "headgate-test", mount.text()],
        );
        mount
    }

    /// ext4 in a file.
    pub fn ext4() -> Self {
        let mount = Self::place();
        File::create(mount.image()).unwrap().set_len(48 << 20).unwrap();
        run("mkfs.ext4", &["-q", mount.image().to_str().unwrap()]);
        mount.mount_image();
        mount
    }

    fn place() -> Self {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("disk");
        std::fs::create_dir(&place).unwrap();
        Self { place, home }
    }

    fn image(&self) -> PathBuf {
        self.home.path().join("image")
    }

    fn text(&self) -> &str {
        self.place.to_str().unwrap()
    }

    pub fn path(&self) -> &Path {
        &self.place
    }

    pub fn mount_image(&self) {
        let image = self.image();
        run(
            "mount",
            &[
                "-o",
                "loop,errors=remount-ro",
                image.to_str().unwrap(),
                self.text(),
            ],
        );
    }

    /// `ro` or `rw`; nothing may have a file of it open for writing.
    pub fn remount(&self, how: &str) {
        run("mount", &["-o", &format!("remount,{how}"), self.text()]);
    }

    pub fn unmount(&self) {
        run("umount", &[self.text()]);
    }

    /// What the kernel does when it finds the file system damaged: from now on nothing is written to it.
    pub fn stop_writes(&self) {
        run("mount", &["-o", "remount,abort", self.text()]);
    }

    /// Takes all the room that is left. Dropping the value gives it back.
    pub fn fill(&self) -> Filler {
        let path = self.place.join("filler");
        let mut file = File::create(&path).unwrap();
        // Whole blocks first, then the last bytes.
        for piece in [vec![0; 65_536], vec![0; 512], vec![0; 1]] {
            loop {
                match file.write(&piece) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        Filler(path)
    }
}

/// A file that takes all the room.
pub struct Filler(PathBuf);

impl Drop for Filler {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily, because a failed test may leave a process on it; it may be unmounted already.
        let _ = std::process::Command::new("umount")
            .args(["-l", self.text()])
            .stderr(std::process::Stdio::null())
            .status();
    }
}
