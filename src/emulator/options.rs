//! What an emulator can be told at its start.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// Settings of one emulator. [`Default`] is what `headgate emulator` starts with, except that both ports are
/// chosen by the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Address of IMS and of the gateway paths; port 0 lets the machine choose.
    pub listen: SocketAddr,
    /// Address of the control port; port 0 lets the machine choose.
    pub control: SocketAddr,
    /// The one client id that is known; also the expected `x-api-key`.
    pub client_id: String,
    /// Its secret. A made-up one: never put a real secret here.
    pub client_secret: String,
    /// The one organization, `{24 hex}@AdobeOrg`.
    pub organization: String,
    /// The tenant id inside schema ids, without the leading underscore.
    pub tenant: String,
    /// Names of the sandboxes; the first one is the default production sandbox, the others are for development.
    pub sandboxes: Vec<String>,
    /// Simulated seconds that pass per second of the clock, for schedules and run durations. At least 1.
    pub speed: u32,
    /// Milliseconds that every answer takes at least.
    pub latency_ms: u64,
    /// The clock stands still until it is advanced through the control port.
    pub manual_time: bool,
    /// Where the manual clock starts, epoch milliseconds UTC; the wall clock's time when `None`.
    pub manual_start_ms: Option<i64>,
    /// Seconds that an access token lives by the emulator's clock.
    pub token_lifetime_s: u32,
    /// Makes ids and outcomes repeatable. `None`: ids of created objects differ from start to start, while the
    /// seeded history stays the same.
    pub random_seed: Option<u64>,
    /// A history to begin with.
    pub seed: Option<SeedOptions>,
}

impl Default for Options {
    fn default() -> Self {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: local,
            control: local,
            client_id: "headgate-demo".to_owned(),
            client_secret: "headgate-demo-secret".to_owned(),
            organization: "0123456789ABCDEF01234567@AdobeOrg".to_owned(),
            tenant: "headgatedemo".to_owned(),
            sandboxes: vec!["prod".to_owned(), "dev".to_owned()],
            speed: 1,
            latency_ms: 0,
            manual_time: false,
            manual_start_ms: None,
            token_lifetime_s: 86_399,
            random_seed: None,
            seed: None,
        }
    }
}

impl Options {
    /// Refuses settings that contradict themselves.
    pub(super) fn check(&self) -> io::Result<()> {
        let refuse = |text: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, text.to_owned()));
        if self.sandboxes.is_empty() || self.sandboxes.iter().any(String::is_empty) {
            return refuse("the emulator needs at least one sandbox, each with a name");
        }
        if self.speed == 0 {
            return refuse("the speed must be at least 1");
        }
        if self.listen.port() != 0 && self.listen == self.control {
            return refuse("the platform and the control port need different addresses");
        }
        Ok(())
    }
}

/// Size of the history an emulator begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedOptions {
    /// Flows, spread over the sandboxes: two thirds in the first one.
    pub flows: u32,
    /// Days of history up to now.
    pub days: u32,
    /// Runs per flow and day, at most 96; `None` mixes hourly, daily, weekly and quarter-hourly flows.
    pub runs_per_day: Option<u32>,
}

impl Default for SeedOptions {
    fn default() -> Self {
        Self {
            flows: 12,
            days: 30,
            runs_per_day: None,
        }
    }
}
