//! From the text of one setting to its value. No message repeats the text: it may be a secret put in the wrong place.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::LogFormat;

/// What is wrong with a text, and what would be right.
#[derive(Debug)]
pub(super) struct Fault {
    pub problem: String,
    pub fix: String,
}

type Parsed<T> = Result<T, Fault>;

fn fault<T>(problem: impl Into<String>, fix: impl Into<String>) -> Parsed<T> {
    Err(Fault {
        problem: problem.into(),
        fix: fix.into(),
    })
}

pub(super) fn path(text: &str) -> Parsed<PathBuf> {
    if text.is_empty() {
        return fault("no path is given", "give a path, or leave the setting out");
    }
    Ok(PathBuf::from(text))
}

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    SocketAddr::from_str(text).or_else(|_| {
        fault(
            "this is not an IP address and a port",
            "give both, such as 127.0.0.1:8080 for this machine only, or 0.0.0.0:8080 for every network",
        )
    })
}

pub(super) fn yes_or_no(text: &str) -> Parsed<bool> {
    bool::from_str(text).or_else(|_| fault("this is neither true nor false", "give true or false"))
}

pub(super) fn secret(text: &str) -> Parsed<Option<SecretString>> {
    Ok((!text.is_empty()).then(|| SecretString::from(text)))
}

pub(super) fn whole_number(text: &str, least: u32, most: u32) -> Parsed<u32> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => fault(
            format!("this is not a whole number from {least} to {most}"),
            format!("give a number from {least} to {most}"),
        ),
    }
}

pub(super) fn time_zone(text: &str) -> Parsed<String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => fault(
            "no time zone has this name",
            "give an IANA name such as Europe/Berlin, or UTC",
        ),
    }
}

pub(super) fn log_filter(text: &str) -> Parsed<String> {
    match EnvFilter::try_new(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => fault(
            "this is not a log filter",
            "give a level such as info, or info,headgate::setups=debug",
        ),
    }
}

pub(super) fn log_format(text: &str) -> Parsed<LogFormat> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => fault("there is no such log format", "give text or json"),
    }
}

/// An origin that browsers come to.
pub(super) fn public_url(text: &str) -> Parsed<Url> {
    origin(text)
}

/// An origin that we send credentials to: https, unless it is on this machine.
pub(super) fn upstream_url(text: &str) -> Parsed<Url> {
    let url = origin(text)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return fault(
            "credentials would be sent over plain http",
            "give an https:// address; http:// is for the emulator on this machine",
        );
    }
    Ok(url)
}

fn origin(text: &str) -> Parsed<Url> {
    let example = "give scheme and host only, such as https://headgate.example.com";
    let Ok(url) = Url::parse(text) else {
        return fault("this is not an absolute address", example);
    };
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return fault("the scheme is neither http nor https", example);
    }
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if !bare {
        return fault("there is more in it than scheme, host and port", example);
    }
    Ok(url)
}

/// Whether a URL names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
