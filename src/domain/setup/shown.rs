//! Showing planned calls to a person: as JSON with words in place of references, and as curl.

use std::convert::Infallible;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::StepKind;
use super::body::{Reference, fill};
use crate::domain::schedule::{START_GUARD_S, Start};

/// What a masked secret looks like. It says nothing about the secret's length.
pub const MASK: &str = "••••••••";

/// The headers that need the reader's own values.
const CREDENTIAL_HEADERS: &str =
    "  -H \"Authorization: Bearer $ACCESS_TOKEN\" -H \"x-api-key: $API_KEY\" -H \"x-gw-ims-org-id: $ORG_ID\"";

impl StepKind {
    /// What people call the object that the step makes.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BaseConnection => "Base connection",
            Self::Schema => "Schema",
            Self::DataLakeConnection => "Data lake connection",
            Self::Dataset => "Dataset",
            Self::MappingSet => "Mapping set",
            Self::SourceConnection => "Source connection",
            Self::TargetConnection => "Target connection",
            Self::Flow => "Dataflow",
        }
    }

    fn variable(self) -> String {
        format!("{}_ID", self.as_str().to_ascii_uppercase())
    }
}

/// The body as a person reads it: secrets masked, ids of earlier steps in words.
pub fn shown_body(body: &Value) -> String {
    let Ok(shown) = fill::<Infallible>(body, &mut |reference| {
        Ok(json!(match reference {
            Reference::Step(kind) => format!("‹id of the {}›", kind.label().to_lowercase()),
            Reference::Secret(_) => MASK.to_owned(),
            Reference::Start(start) => shown_start(start),
        }))
    });
    format!("{shown:#}")
}

fn shown_start(start: &Start) -> String {
    match start {
        Start::Soon => format!("‹{} minutes after sending›", START_GUARD_S / 60),
        Start::TimeOfDay { time, zone } => format!("‹next {time} in {zone}›"),
        Start::At { at_ms } => (at_ms / 1000).to_string(),
    }
}

/// One call as it is to be copied.
#[derive(Debug, Clone, Copy)]
pub struct CurlCall<'a> {
    /// Origin of the platform, such as `https://platform.adobe.io`.
    pub origin: &'a str,
    /// `x-sandbox-name`.
    pub sandbox: &'a str,
    /// HTTP method.
    pub method: &'a str,
    /// Path below the origin, with its query.
    pub path_and_query: &'a str,
    /// Body with references.
    pub body: &'a Value,
}

/// The call as a shell command. Secrets, ids of earlier steps and the credential stand in it as variables.
pub fn curl(call: &CurlCall<'_>) -> String {
    let mut command = format!(
        "curl -sS -X {} '{}{}' \\\n",
        call.method, call.origin, call.path_and_query
    );
    // Writing into a String cannot fail.
    let _ = writeln!(command, "{CREDENTIAL_HEADERS} \\");
    let _ = writeln!(
        command,
        "  -H 'x-sandbox-name: {}' -H 'Content-Type: application/json' \\",
        call.sandbox
    );
    let _ = write!(command, "  --data-binary @- <<BODY\n{}\nBODY", heredoc(call.body));
    command
}

/// The body for an unquoted here-document: references become shell expansions, everything else is taken literally.
fn heredoc(body: &Value) -> String {
    const OPEN: &str = "\u{e000}";
    const CLOSE: &str = "\u{e001}";
    let Ok(marked) = fill::<Infallible>(body, &mut |reference| {
        let (expansion, quoted) = match reference {
            Reference::Step(kind) => (format!("${{{}}}", kind.variable()), true),
            Reference::Secret(name) => (format!("${{{}}}", shell_name(name)), true),
            Reference::Start(Start::Soon) => (format!("$(( $(date +%s) + {START_GUARD_S} ))"), false),
            Reference::Start(Start::TimeOfDay { .. }) => ("${START_TIME}".to_owned(), false),
            Reference::Start(Start::At { at_ms }) => return Ok(json!(at_ms / 1000)),
        };
        let quote = if quoted { "\"" } else { "" };
        Ok(json!(format!("{OPEN}{quote}{expansion}{quote}{CLOSE}")))
    });
    let literal = format!("{marked:#}")
        .replace('\\', "\\\\")
        .replace('`', "\\`")
        .replace('$', "\\$");
    // Only what stands between the marks is meant for the shell.
    let mut text = String::new();
    for (index, part) in literal.split(&format!("\"{OPEN}")).enumerate() {
        match part.split_once(&format!("{CLOSE}\"")) {
            Some((expansion, rest)) if index > 0 => {
                text.push_str(&expansion.replace("\\\\\"", "\"").replace("\\$", "$"));
                text.push_str(rest);
            }
            _ => text.push_str(part),
        }
    }
    text
}

/// `auth.s3SecretKey` as a shell variable: `S3_SECRET_KEY`.
fn shell_name(field: &str) -> String {
    let mut name = String::new();
    for c in field.rsplit('.').next().unwrap_or(field).chars() {
        if c.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Value {
        json!({
            "name": "It's \"50 $\" \\ `now`",
            "connectionId": Reference::Step(StepKind::BaseConnection).to_json(),
            "key": Reference::Secret("auth.s3SecretKey".into()).to_json(),
            "startTime": Reference::Start(Start::Soon).to_json(),
        })
    }

    #[test]
    fn people_read_words_and_masks() {
        let shown = shown_body(&body());
        assert!(shown.contains("‹id of the base connection›") && shown.contains(MASK));
        assert!(shown.contains("‹5 minutes after sending›"));
    }

    /// The copied command, run by a real shell with `cat` in place of curl, gives the intended JSON.
    #[test]
    fn a_shell_reads_back_exactly_the_body() {
        let call = CurlCall {
            origin: "https://platform.adobe.io",
            sandbox: "dev",
            method: "POST",
            path_and_query: "/data/foundation/flowservice/flows",
            body: &body(),
        };
        let script = format!("curl() {{ cat; }}\n{}", curl(&call));
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("BASE_CONNECTION_ID", "id-1")
            .env("S3_SECRET_KEY", "s3cret")
            .output()
            .unwrap();
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(read["name"], "It's \"50 $\" \\ `now`");
        assert_eq!(
            (&read["connectionId"], &read["key"]),
            (&json!("id-1"), &json!("s3cret"))
        );
        assert!(read["startTime"].as_i64().unwrap() > 1_700_000_000);
    }
}
