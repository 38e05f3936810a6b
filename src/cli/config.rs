//! `headgate config`: the settings in force, where each comes from and what it means.

use std::fmt::Write as _;
use std::io::Write;

use super::{CliError, SettingArguments};
use crate::config::InForce;

/// Flags of `headgate config`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How to print: for reading, or as a file that `--config` takes
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    settings: SettingArguments,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Table,
    Toml,
}

/// Prints the settings; nothing is started or changed.
///
/// # Errors
/// Mistakes in the settings, or an output that cannot be written.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), CliError> {
    let in_force = arguments.settings.load()?.in_force;
    let text: String = match arguments.format {
        Format::Table => in_force.iter().map(as_table).collect(),
        Format::Toml => in_force.iter().map(as_toml).collect(),
    };
    output
        .write_all(text.as_bytes())
        .map_err(|error| CliError::writing("standard output", error))
}

fn as_table(
    InForce {
        setting,
        shown,
        source,
    }: &InForce,
) -> String {
    let value = shown.as_deref().unwrap_or(if source == "not set" {
        "-"
    } else {
        "(set, not shown)"
    });
    let mut text = format!(
        "{} = {value}\n    from: {source}\n   {}\n",
        setting.key, setting.meaning
    );
    let _ = write!(text, "    {}", setting.variable());
    if let Some(flag) = setting.flag() {
        let _ = write!(text, ", --{flag}");
    }
    text.push_str("\n\n");
    text
}

fn as_toml(
    InForce {
        setting,
        shown,
        source,
    }: &InForce,
) -> String {
    let key = setting.key;
    let line = match shown {
        // A JSON string is a TOML basic string.
        Some(value) => format!("{key} = {}", serde_json::Value::from(value.as_str())),
        None => format!("# {key} = \"…\""),
    };
    format!("#{}\n# From: {source}.\n{line}\n\n", setting.meaning)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        config: Arguments,
    }

    fn print(flags: &[&str]) -> String {
        let parsed = CommandLine::parse_from([&["test"], flags].concat());
        let mut output = Vec::new();
        run(&parsed.config, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn the_table_tells_value_source_meaning_and_names() {
        let text = print(&["--listen", "127.0.0.1:9"]);
        assert!(text.contains("listen = 127.0.0.1:9\n    from: --listen\n    Address and port to listen on.\n    HEADGATE_LISTEN, --listen\n"), "{text}");
        assert!(text.contains("key = -\n    from: not set\n"), "{text}");
    }

    #[test]
    fn the_printed_file_gives_the_same_settings_again() {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        let first = print(&[
            "--format",
            "toml",
            "--data-dir",
            "/a \"quoted\" \\ path",
            "--session-hours",
            "3",
        ]);
        std::fs::write(file.path(), &first).unwrap();
        let again = print(&["--format", "toml", "--config", file.path().to_str().unwrap()]);
        let values = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| !line.starts_with("# From"))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(values(&first), values(&again));
        assert!(again.contains("# From: session_hours in "));
    }
}
