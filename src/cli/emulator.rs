//! `headgate emulator`: serves a stand-in for the Platform APIs until it is told to stop.

use std::net::SocketAddr;

use clap::Args;

use super::{CliError, Exit};
use crate::emulator::{Emulator, Options, SeedOptions};
use crate::lifecycle::Lifecycle;
use crate::telemetry;

/// Serve a stand-in for Adobe's Platform APIs, for demonstrations, development and tests.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Address of IMS and of the gateway paths.
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// Address of the control port. Whoever reaches it may break things: keep it on loopback.
    #[arg(long, default_value = "127.0.0.1:9091")]
    control: SocketAddr,
    /// The client id that is known.
    #[arg(long, default_value = "headgate-demo")]
    client_id: String,
    /// Its secret. Invent one; never use a real secret here.
    #[arg(long, default_value = "headgate-demo-secret", hide_env_values = true)]
    client_secret: String,
    /// The organization that is known, {24 hexadecimal digits}@AdobeOrg.
    #[arg(long, default_value = "0123456789ABCDEF01234567@AdobeOrg")]
    organization: String,
    /// The tenant id in schema ids.
    #[arg(long, default_value = "headgatedemo")]
    tenant: String,
    /// Names of the sandboxes, separated by commas; the first is the production sandbox.
    #[arg(long, value_delimiter = ',', default_value = "prod,dev")]
    sandboxes: Vec<String>,
    /// Simulated seconds per second, for schedules and run durations.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    speed: u32,
    /// Milliseconds that every answer takes at least.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// Let time stand still until `POST /advance` at the control port.
    #[arg(long)]
    manual_time: bool,
    /// Seconds that an access token lives.
    #[arg(long, default_value_t = 86_399)]
    token_lifetime_s: u32,
    /// Make ids and outcomes the same in every start with this number.
    #[arg(long)]
    random_seed: Option<u64>,
    /// Begin with a believable history: how many flows, over how many days [12 30].
    #[arg(long, num_args = 0..=2, value_names = ["FLOWS", "DAYS"])]
    seed: Option<Vec<u32>>,
    /// Runs per seeded flow and day instead of the usual mixture.
    #[arg(long, requires = "seed", value_parser = clap::value_parser!(u32).range(1..=96))]
    seed_runs_per_day: Option<u32>,
}

impl Arguments {
    /// The settings that the arguments ask for.
    pub fn options(self) -> Options {
        let usual = SeedOptions::default();
        let seed = self.seed.map(|numbers| SeedOptions {
            flows: numbers.first().copied().unwrap_or(usual.flows),
            days: numbers.get(1).copied().unwrap_or(usual.days),
            runs_per_day: self.seed_runs_per_day,
        });
        Options {
            listen: self.listen,
            control: self.control,
            client_id: self.client_id,
            client_secret: self.client_secret,
            organization: self.organization,
            tenant: self.tenant,
            sandboxes: self.sandboxes,
            speed: self.speed,
            latency_ms: self.latency_ms,
            manual_time: self.manual_time,
            manual_start_ms: None,
            token_lifetime_s: self.token_lifetime_s,
            random_seed: self.random_seed,
            seed,
        }
    }
}

/// Serves until it is told to stop.
///
/// # Errors
/// When an address cannot be bound or the settings contradict themselves.
pub async fn run(arguments: Arguments) -> Result<(), CliError> {
    telemetry::init("info", false).map_err(|error| CliError::new(Exit::Configuration, error))?;
    let lifecycle = Lifecycle::new();
    lifecycle
        .stop_on_signals()
        .map_err(|error| CliError::new(Exit::Software, error))?;
    let running = Emulator::start(arguments.options()).await;
    let running = running.map_err(|error| CliError::new(Exit::Unreachable, error))?;
    println!("Platform APIs: {}", running.url());
    println!("Control port:  {}", running.control_url());
    running.until(lifecycle.stopping().cancelled_owned()).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        emulator: Arguments,
    }

    fn options(line: &[&str]) -> Options {
        Line::try_parse_from([&["emulator"], line].concat())
            .unwrap()
            .emulator
            .options()
    }

    #[test]
    fn without_flags_it_is_the_default_on_the_documented_ports() {
        let expected = Options {
            listen: ([127, 0, 0, 1], 9090).into(),
            control: ([127, 0, 0, 1], 9091).into(),
            ..Options::default()
        };
        assert_eq!(options(&[]), expected);
    }

    #[test]
    fn a_seed_takes_up_to_two_numbers() {
        assert_eq!(options(&["--seed"]).seed, Some(SeedOptions::default()));
        assert_eq!(
            options(&["--seed", "3", "7"]).seed,
            Some(SeedOptions {
                flows: 3,
                days: 7,
                runs_per_day: None
            })
        );
        let many = options(&[
            "--seed",
            "2000",
            "30",
            "--seed-runs-per-day",
            "17",
            "--sandboxes",
            "a,b,c",
        ]);
        assert_eq!(
            many.seed,
            Some(SeedOptions {
                flows: 2000,
                days: 30,
                runs_per_day: Some(17)
            })
        );
        assert_eq!(many.sandboxes, ["a", "b", "c"]);
        assert!(Line::try_parse_from(["emulator", "--seed", "1", "2", "3"]).is_err());
        assert!(Line::try_parse_from(["emulator", "--speed", "0"]).is_err());
    }
}
