//! Log lines on standard error, as text or JSON.
//!
//! Secrets never reach a log: types that hold one print a mask, requests are logged without their
//! query, and libraries that print what goes over the wire are capped at `info` whatever the filter says.

use std::io::IsTerminal;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, ParseError, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer};

/// Libraries that would print headers, bodies or bound values when asked for `debug` or `trace`.
const WIRE: &[&str] = &[
    "h2",
    "hyper",
    "hyper_util",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio_util",
];
/// The most talkative level of [`WIRE`] that is let through.
const WIRE_LEVEL: Level = Level::INFO;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse; configuration has checked it before.
    #[error("the log filter does not parse")]
    Filter(#[from] ParseError),
    /// Something in this process logs already.
    #[error("logging is set up already")]
    Twice(#[from] TryInitError),
}

/// Sets up logging for the process, once, and logs panics like everything else.
///
/// # Errors
/// A filter that does not parse, or a second call.
pub fn init(filter: &str, json: bool) -> Result<(), TelemetryError> {
    subscriber(filter, json, std::io::stderr().is_terminal(), std::io::stderr)?.try_init()?;
    std::panic::set_hook(Box::new(|panic| {
        // The payload may hold anything, a secret included, so only the place is told.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a fault in Headgate: code panicked");
    }));
    Ok(())
}

fn subscriber<W>(
    filter: &str,
    json: bool,
    colour: bool,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + 'static, ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(colour);
    let lines = if json {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.boxed()
    };
    let filter = EnvFilter::try_new(filter)?.and(filter_fn(is_not_the_wire));
    Ok(tracing_subscriber::registry().with(lines.with_filter(filter)))
}

fn is_not_the_wire(metadata: &Metadata<'_>) -> bool {
    let library = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= WIRE_LEVEL || !WIRE.contains(&library)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(filter: &str, json: bool, log: impl FnOnce()) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = subscriber(filter, json, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn the_filter_decides() {
        let text = logged("warn,headgate::setups=debug", false, || {
            tracing::info!("quiet");
            tracing::debug!(target: "headgate::setups", "wanted");
        });
        assert!(text.contains("wanted") && !text.contains("quiet"), "{text}");
    }

    #[test]
    fn what_goes_over_the_wire_is_not_logged_at_any_filter() {
        let text = logged("trace,hyper=trace,h2::codec=trace", false, || {
            tracing::trace!(target: "h2::codec::framed_write", "canary");
            tracing::debug!(target: "hyper::proto", "canary");
            tracing::debug!(target: "sqlx::query", "canary");
            tracing::info!(target: "hyper", "wanted");
            tracing::trace!(target: "headgate", "wanted too");
        });
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(text.matches("wanted").count(), 2, "{text}");
    }

    #[test]
    fn one_event_is_one_line_whatever_is_in_it() {
        let nasty = "first\nsecond\r\u{1b}[31mred";
        let json = logged("info", true, || tracing::info!(name = nasty, "{nasty}"));
        assert_eq!(json.lines().count(), 1, "{json:?}");
        let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(parsed["name"], nasty);
        let text = logged("info", false, || tracing::info!(name = nasty, "said"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn a_filter_that_does_not_parse_is_refused() {
        assert!(subscriber("info,=,", false, false, std::io::sink).is_err());
    }
}
