use std::io::Write;

use secrecy::ExposeSecret;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs
        .iter()
        .map(|(name, text)| (OsString::from(name), OsString::from(text)))
        .collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn load(
    toml: &str,
    variables: &[(&str, &str)],
    flags: &[(&'static str, &str)],
) -> Result<Loaded, ConfigError> {
    let file = file(toml);
    Config::load(Sources {
        file: Some(file.path().to_owned()),
        environment: environment(variables),
        flags: flags
            .iter()
            .map(|(key, text)| (*key, (*text).to_owned()))
            .collect(),
    })
}

fn mistakes(toml: &str, variables: &[(&str, &str)]) -> Vec<Mistake> {
    load(toml, variables, &[]).unwrap_err().mistakes
}

fn source(loaded: &Loaded, key: &str) -> String {
    loaded
        .in_force
        .iter()
        .find(|setting| setting.setting.key == key)
        .unwrap()
        .source
        .clone()
}

#[test]
fn nothing_set_gives_the_defaults() {
    let Loaded { config, in_force } = Config::load(Sources::default()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.key_file, PathBuf::from("./headgate-data/vault.keys"));
    assert_eq!(config.platform_url.as_str(), "https://platform.adobe.io/");
    assert_eq!((config.session_idle_minutes, config.session_hours), (60, 12));
    assert!(config.key.is_none());
    assert_eq!(in_force.len(), SETTINGS.len());
    assert!(
        in_force
            .iter()
            .all(|setting| ["default", "not set"].contains(&setting.source.as_str()))
    );
}

#[test]
fn each_source_wins_over_the_one_before() {
    let toml = "log = 'warn'\ntime_zone = 'Europe/Berlin'\nlisten = '127.0.0.1:1'\nsession_hours = 3";
    let variables = [
        ("HEADGATE_LISTEN", "127.0.0.1:2"),
        ("HEADGATE_LOG", "debug"),
        ("PATH", "/bin"),
    ];
    let loaded = load(toml, &variables, &[("listen", "127.0.0.1:3")]).unwrap();
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!(loaded.config.log, "debug");
    assert_eq!(loaded.config.time_zone, "Europe/Berlin");
    assert_eq!(loaded.config.session_hours, 3);
    assert_eq!(loaded.config.public_url.as_str(), "http://127.0.0.1:3/");
    assert_eq!(source(&loaded, "listen"), "--listen");
    assert_eq!(source(&loaded, "log"), "HEADGATE_LOG");
    assert!(source(&loaded, "session_hours").starts_with("session_hours in "));
    assert_eq!(source(&loaded, "public_url"), "default");
}

#[test]
fn an_empty_variable_is_not_set() {
    let loaded = load("", &[("HEADGATE_LISTEN", ""), ("HEADGATE_KEY", "")], &[]).unwrap();
    assert_eq!(source(&loaded, "listen"), "default");
    assert!(loaded.config.key.is_none());
}

#[test]
fn all_mistakes_are_reported_at_once_with_place_and_fix() {
    let toml = "listten = '127.0.0.1:1'\nlog_format = 'xml'\nsession_hours = [1]\n[server]\nport = 1";
    let variables = [
        ("HEADGATE_DATADIR", "/tmp"),
        ("HEADGATE_TIME_ZONE", "Mars/Olympus"),
        ("HEADGATE_SESSION_IDLE_MINUTES", "0"),
    ];
    let error = load(toml, &variables, &[("listen", "here")]).unwrap_err();
    assert_eq!(error.mistakes.len(), 8, "{error}");
    let text = error.to_string();
    for expected in [
        "8 mistakes",
        "Nothing was started or changed",
        "did you mean listen?",
        "server in ",
        "log_format in ",
        "session_hours in ",
        "did you mean HEADGATE_DATA_DIR?",
        "HEADGATE_TIME_ZONE: no time zone",
        "HEADGATE_SESSION_IDLE_MINUTES: this is not a whole number from 1 to 1440",
        "--listen: this is not an IP address",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert_eq!(text.matches("Fix: ").count(), 8);
}

#[test]
fn a_broken_or_missing_file_is_named_and_never_quoted() {
    let found = mistakes("key = K1:canary-canary-canary\n", &[("HEADGATE_LISTEN", "x")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(!format!("{found:?}").contains("canary"));
    let missing = Config::load(Sources {
        file: Some("/nonexistent/headgate.toml".into()),
        ..Sources::default()
    });
    assert_eq!(missing.unwrap_err().mistakes[0].problem, "there is no such file");
}

#[test]
fn secrets_are_never_shown() {
    let loaded = load("", &[("HEADGATE_KEY", "K1:canary-canary")], &[]).unwrap();
    assert_eq!(
        loaded.config.key.as_ref().unwrap().expose_secret(),
        "K1:canary-canary"
    );
    assert_eq!(source(&loaded, "key"), "HEADGATE_KEY");
    assert!(!format!("{loaded:?}").contains("canary"));
    assert!(
        SETTINGS
            .iter()
            .all(|setting| setting.flag().is_none() == setting.secret)
    );
}

#[test]
fn a_key_and_a_key_file_contradict_each_other() {
    let found = mistakes("key_file = '/keys'", &[("HEADGATE_KEY", "K1:x")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].problem.ends_with("HEADGATE_KEY"));
}

#[test]
fn plain_http_stays_on_this_machine_unless_told_otherwise() {
    let refused: [&[(&str, &str)]; 4] = [
        &[("HEADGATE_LISTEN", "0.0.0.0:8080")],
        &[
            ("HEADGATE_LISTEN", "0.0.0.0:8080"),
            ("HEADGATE_INSECURE_HTTP", "true"),
        ],
        &[("HEADGATE_LISTEN", "10.0.0.1:8080")],
        &[("HEADGATE_PUBLIC_URL", "http://headgate.example.com")],
    ];
    for variables in refused {
        assert_eq!(mistakes("", variables).len(), 1, "{variables:?}");
    }
    let accepted: [&[(&str, &str)]; 4] = [
        &[
            ("HEADGATE_LISTEN", "0.0.0.0:8080"),
            ("HEADGATE_PUBLIC_URL", "https://headgate.example.com"),
        ],
        &[
            ("HEADGATE_LISTEN", "10.0.0.1:8080"),
            ("HEADGATE_INSECURE_HTTP", "true"),
        ],
        &[("HEADGATE_LISTEN", "[::1]:8080")],
        &[("HEADGATE_PUBLIC_URL", "http://localhost:8080")],
    ];
    for variables in accepted {
        load("", variables, &[]).unwrap();
    }
}

#[test]
fn upstream_addresses_are_bare_https_origins_or_local() {
    let refused = [
        "platform.adobe.io",
        "http://platform.adobe.io",
        "ftp://platform.adobe.io",
        "https://",
        "https://u@a.example",
        "https://u:p@a.example",
        "https://a.example/path",
        "https://a.example/?q",
        "https://a.example/#f",
        "//a.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://a b",
        "http://127.0.0.1.example",
        "http://[::2]",
        "data:,x",
        "https://a.example:99999",
        "http://localhost.example",
        "https:///a",
        "http://0.0.0.0:1",
    ];
    for text in refused {
        for variable in ["HEADGATE_PLATFORM_URL", "HEADGATE_IMS_URL"] {
            // The URL standard reads `https:///a` as host `a`; it is then an origin like any other.
            let expected = usize::from(text != "https:///a");
            assert_eq!(
                load("", &[(variable, text)], &[])
                    .err()
                    .map_or(0, |e| e.mistakes.len()),
                expected,
                "{text}"
            );
        }
    }
    for text in [
        "https://a.example",
        "https://a.example:8443/",
        "http://127.0.0.1:9",
        "http://[::1]:9",
        "http://localhost:9",
    ] {
        load("", &[("HEADGATE_PLATFORM_URL", text)], &[]).unwrap();
    }
}

#[test]
fn every_setting_is_documented() {
    for setting in SETTINGS {
        assert!(setting.meaning.trim().ends_with(['.', ')']), "{}", setting.key);
        assert!(setting.meaning.len() < 140, "{}", setting.key);
    }
}

#[test]
fn contradictions_are_reported_beside_values_that_do_not_parse() {
    let variables = [
        ("HEADGATE_LOG_FORMAT", "xml"),
        ("HEADGATE_LISTEN", "0.0.0.0:80"),
        ("HEADGATE_KEY", "K1:x"),
        ("HEADGATE_KEY_FILE", "/keys"),
    ];
    assert_eq!(mistakes("", &variables).len(), 3);
}
