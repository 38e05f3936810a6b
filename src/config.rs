//! What can be set, and reading it: defaults < file < environment < flags.
//!
//! [`SETTINGS`] is the one list; the [`Config`] struct, the names of environment variables and flags,
//! the checks and the text of `headgate config` all come from it. Every mistake is reported at once.

mod layers;
mod parsers;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use layers::Layers;

/// One thing that can be set. Its environment variable and flag follow from its key.
#[derive(Debug)]
pub struct Setting {
    /// Name in the configuration file, such as `data_dir`.
    pub key: &'static str,
    /// Value when nothing is set; empty for "not set". `{key}` stands for another setting's value.
    pub default: &'static str,
    /// What it means, in one or two sentences.
    pub meaning: &'static str,
    /// Whether its value may never be shown. A secret has no flag: arguments are visible to other users.
    pub secret: bool,
}

impl Setting {
    /// The environment variable, such as `HEADGATE_DATA_DIR`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.key.to_uppercase())
    }

    /// The flag without its dashes, such as `data-dir`; none for a secret.
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.key.replace('_', "-"))
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

macro_rules! settings {
    (@secret) => { false };
    (@secret secret) => { true };
    ($( $(#[doc = $meaning:literal])+ $key:ident: $type:ty = $default:literal, $parser:expr $(, $secret:ident)?; )+) => {
        /// The settings in force. Secrets are masked in `Debug`.
        #[derive(Debug, Clone)]
        pub struct Config {
            $( $(#[doc = $meaning])+ pub $key: $type, )+
        }

        /// Everything that can be set, in the order of the documentation.
        pub const SETTINGS: &[Setting] = &[$( Setting {
            key: stringify!($key),
            default: $default,
            meaning: concat!($($meaning),+),
            secret: settings!(@secret $($secret)?),
        }, )+];

        /// Parses every setting before giving up, so that all mistakes are found.
        fn parse(layers: &Layers, mistakes: &mut Vec<Mistake>) -> Option<Config> {
            $( let $key = layers.parse(stringify!($key), $parser, mistakes); )+
            Some(Config { $( $key: $key?, )+ })
        }
    };
}

settings! {
    /// Directory of the database, the key file and backups. It is created on first start.
    data_dir: PathBuf = "./headgate-data", parsers::path;

    /// Address and port to listen on.
    listen: SocketAddr = "127.0.0.1:8080", parsers::address;

    /// Address that people type into their browser: scheme, host and, if unusual, port.
    public_url: Url = "http://{listen}", parsers::public_url;

    /// Whether to allow plain http for other machines. Passwords and cookies can then be read on the way.
    insecure_http: bool = "false", parsers::yes_or_no;

    /// Vault keys, as `K1:` and 32 bytes in unpadded base64url, separated by commas. Takes the place of the key file.
    key: Option<SecretString> = "", parsers::secret, secret;

    /// File with the vault keys. It is created on first start, as long as nothing has been sealed.
    key_file: PathBuf = "{data_dir}/vault.keys", parsers::path;

    /// Origin of Adobe's Platform APIs, or of the emulator.
    platform_url: Url = "https://platform.adobe.io", parsers::upstream_url;

    /// Origin of Adobe's identity service (IMS), where access tokens come from.
    ims_url: Url = "https://ims-na1.adobelogin.com", parsers::upstream_url;

    /// Time zone in which pages show times, as an IANA name such as `Europe/Berlin`.
    time_zone: String = "UTC", parsers::time_zone;

    /// Minutes without a request after which a session ends (1 to 1440).
    session_idle_minutes: u32 = "60", |text| parsers::whole_number(text, 1, 1_440);

    /// Hours after which a session ends in any case (1 to 168).
    session_hours: u32 = "12", |text| parsers::whole_number(text, 1, 168);

    /// Seconds that an object may take to turn up at Adobe after a lost answer (2 to 3600); no call is sent again before.
    settle_seconds: u32 = "60", |text| parsers::whole_number(text, 2, 3_600);

    /// Seconds between two looks at an environment for new runs (1 to 3600).
    history_interval_seconds: u32 = "10", |text| parsers::whole_number(text, 1, 3_600);

    /// Windows of an environment's past that are read side by side while its history is filled (1 to 32).
    history_side_by_side: u32 = "8", |text| parsers::whole_number(text, 1, 32);

    /// Calls per second and environment that keep a filled history up to date (1 to 50).
    history_calls_per_second: u32 = "2", |text| parsers::whole_number(text, 1, 50);

    /// Calls per second and environment that fill a new history, beside the former (1 to 1000).
    history_fill_calls_per_second: u32 = "200", |text| parsers::whole_number(text, 1, 1_000);

    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,headgate::setups=debug`.
    log: String = "info", parsers::log_filter;

    /// How log lines are written to standard error: `text` or `json`.
    log_format: LogFormat = "text", parsers::log_format;
}

/// The variable that names the configuration file; it is not a setting itself.
pub const FILE_VARIABLE: &str = "HEADGATE_CONFIG";
/// Stops a debug build at a point of a setup's journal, for tests; no setting, and unknown to a release.
#[cfg(debug_assertions)]
pub const POINT_VARIABLE: &str = "HEADGATE_POINT";
const VARIABLE_PREFIX: &str = "HEADGATE_";

/// Where settings are read from. Later fields win over earlier ones.
#[derive(Debug, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// The process environment; variables of other programs are passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// Flags of the command line, by the key of their setting.
    pub flags: Vec<(&'static str, String)>,
}

/// Something wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands, such as `HEADGATE_LISTEN` or `listen in headgate.toml`.
    pub place: String,
    /// What is wrong; never repeats a secret.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

/// Everything wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub mistakes: Vec<Mistake>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.mistakes.len() == 1 {
            "mistake"
        } else {
            "mistakes"
        };
        write!(
            f,
            "{} {plural} in the configuration. Nothing was started or changed.",
            self.mistakes.len()
        )?;
        for Mistake { place, problem, fix } in &self.mistakes {
            write!(f, "\n  {place}: {problem}\n    Fix: {fix}")?;
        }
        Ok(())
    }
}

/// One setting as it is in force.
#[derive(Debug)]
pub struct InForce {
    /// Which one.
    pub setting: &'static Setting,
    /// Its value, or nothing when it is not set or a secret.
    pub shown: Option<String>,
    /// Where the value comes from, in words; `not set` if from nowhere.
    pub source: String,
}

/// The settings, and where each comes from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The same for showing, in the order of [`SETTINGS`].
    pub in_force: Vec<InForce>,
}

impl Config {
    /// Reads all sources. Nothing but the file is touched.
    ///
    /// # Errors
    /// Every mistake of every source: unreadable file, unknown names, values that don't parse and
    /// settings that contradict each other.
    pub fn load(sources: Sources) -> Result<Loaded, ConfigError> {
        let mut mistakes = Vec::new();
        let layers = Layers::read(sources, &mut mistakes);
        let config = parse(&layers, &mut mistakes);
        contradictions(&layers, &mut mistakes);
        match config {
            Some(config) if mistakes.is_empty() => Ok(Loaded {
                config,
                in_force: layers.in_force(),
            }),
            _ => Err(ConfigError { mistakes }),
        }
    }
}

fn contradictions(layers: &Layers, mistakes: &mut Vec<Mistake>) {
    plain_http(layers, mistakes);
    if !layers.is_default("key") && !layers.is_default("key_file") {
        mistakes.push(Mistake {
            place: layers.place("key_file"),
            problem: format!("the vault keys are already given by {}", layers.place("key")),
            fix: "set one of the two".into(),
        });
    }
}

/// Passwords may cross a network by https only, unless somebody takes the risk on purpose.
fn plain_http(layers: &Layers, mistakes: &mut Vec<Mistake>) {
    // What does not parse has been reported already.
    let reported = &mut Vec::new();
    let listen = layers.parse("listen", parsers::address, reported);
    let public_url = layers.parse("public_url", parsers::public_url, reported);
    let accepted = layers.parse("insecure_http", parsers::yes_or_no, reported);
    let (Some(listen), Some(public_url), Some(accepted)) = (listen, public_url, accepted) else {
        return;
    };
    let stays_here = listen.ip().is_loopback() && parsers::is_loopback(&public_url);
    if listen.ip().is_unspecified() && layers.is_default("public_url") {
        mistakes.push(Mistake {
            place: layers.place("listen"),
            problem: format!("{listen} listens on every address, so the one people use must be told"),
            fix: "set public_url to the address that people type into their browser".into(),
        });
    } else if public_url.scheme() == "http" && !accepted && !stays_here {
        mistakes.push(Mistake {
            place: layers.place("public_url"),
            problem: format!(
                "{public_url} is plain http and reachable from other machines: passwords could be read on the way"
            ),
            fix: "put a TLS proxy in front and set public_url to its https address, \
                  or accept the risk with insecure_http=true"
                .into(),
        });
    }
}

#[cfg(test)]
mod tests;
