//! The built binary in processes of its own, and what the system says about a process.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nobody listens there, so that a server has nothing to read and finds that out at once.
pub const NO_PLATFORM: &str = "http://127.0.0.1:9";
/// How long a server may take to answer.
const START_WITHIN: Duration = Duration::from_secs(60);

/// Clock ticks of `/proc` in a second: Linux shows 100 on every machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// `headgate` on a data directory and a platform, with nothing of the surroundings.
pub fn headgate(directory: &Path, platform: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headgate"));
    command
        .args(arguments)
        .env_clear()
        .env("HEADGATE_DATA_DIR", directory)
        .env("HEADGATE_PLATFORM_URL", platform)
        .env("HEADGATE_IMS_URL", platform)
        .env("HEADGATE_LOG", "warn");
    command
}

/// Runs a command to its end with this text on standard input; what it prints is shown.
pub fn run(mut command: Command, input: &str) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // Who needs no input may have ended before it comes.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    assert!(child.wait().unwrap().success(), "{command:?} failed");
}

/// A process that ends with this value.
pub struct Process(Child);

impl Process {
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An emulator; gives the addresses of its platform and of its control port.
pub fn emulator(arguments: &[&str]) -> (Process, String, String) {
    let fixed = ["emulator", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_headgate"))
        .args([&fixed[..], arguments].concat())
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = || {
        let line = lines.next().unwrap().unwrap();
        line.split_whitespace().next_back().unwrap().to_owned()
    };
    let (platform, control) = (address(), address());
    (Process(child), platform, control)
}

/// A server; gives its address when it answers.
pub fn server(directory: &Path, platform: &str, settings: &[&str]) -> (Process, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let mut command = headgate(
        directory,
        platform,
        &[&["serve", "--listen", &listen], settings].concat(),
    );
    let started = Instant::now();
    let process = Process(command.stderr(Stdio::null()).spawn().unwrap());
    while std::net::TcpStream::connect(&listen).is_err() {
        assert!(started.elapsed() < START_WITHIN, "the server does not answer");
        std::thread::sleep(Duration::from_millis(5));
    }
    (process, format!("http://{listen}"))
}

/// Resident memory in bytes of a process.
pub fn resident_bytes(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Processor time in seconds that a process (`/proc/{id}`) or this thread (`/proc/thread-self`) has used.
pub fn processor_seconds(place: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("{place}/stat")).unwrap();
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th word after it.
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks: f64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap())
        .sum();
    ticks / TICKS_PER_SECOND
}
