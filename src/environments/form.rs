//! What people type about an environment, and what is wrong with it.

use secrecy::{ExposeSecret, SecretString};

use crate::domain::{Problem, texts};
use crate::platform::USUAL_SCOPES;

/// Longest organization, sandbox or client id, in characters.
const ID_MAX: usize = 200;
/// Longest list of scopes, in characters.
const SCOPES_MAX: usize = 1000;

/// A new environment.
#[derive(Debug)]
pub struct EnvironmentForm {
    /// The team's name for it.
    pub name: String,
    /// Adobe organization, such as `0123456789ABCDEF01234567@AdobeOrg`.
    pub organization: String,
    /// Sandbox, in lower case.
    pub sandbox: String,
    /// Of the API credential.
    pub client_id: String,
    /// Of the API credential.
    pub client_secret: SecretString,
    /// Comma-separated; empty for the usual ones.
    pub scopes: String,
}

/// What can be changed about an environment. Organization and sandbox cannot: the ids that were read in one
/// would be taken for ids of another.
#[derive(Debug)]
pub struct SaveForm {
    /// The team's name for it.
    pub name: String,
    /// Of the API credential.
    pub client_id: String,
    /// Of the API credential; empty keeps the stored one.
    pub client_secret: SecretString,
    /// Comma-separated; empty for the usual ones.
    pub scopes: String,
}

impl EnvironmentForm {
    /// All mistakes, in the order of the form. `trimmed` first.
    pub(super) fn mistakes(&self) -> Vec<Problem> {
        let mistakes = [
            texts::check_name("name", "Name", &self.name),
            check_header("organization", "Organization", &self.organization),
            check_sandbox(&self.sandbox),
            check_header("client_id", "Client id", &self.client_id),
            texts::check_secret(
                "client_secret",
                "Client secret",
                self.client_secret.expose_secret(),
            ),
            check_scopes(&self.scopes),
        ];
        mistakes.into_iter().flatten().collect()
    }

    /// Without blanks that came along when copying.
    pub(super) fn trimmed(self) -> Self {
        Self {
            name: trim(&self.name),
            organization: trim(&self.organization),
            sandbox: trim(&self.sandbox),
            client_id: trim(&self.client_id),
            client_secret: trim_secret(&self.client_secret),
            scopes: scopes(&self.scopes),
        }
    }
}

impl SaveForm {
    /// All mistakes, in the order of the form. `trimmed` first.
    pub(super) fn mistakes(&self) -> Vec<Problem> {
        let secret = self.client_secret.expose_secret();
        let mistakes = [
            texts::check_name("name", "Name", &self.name),
            check_header("client_id", "Client id", &self.client_id),
            (!secret.is_empty())
                .then(|| texts::check_secret("client_secret", "Client secret", secret))
                .flatten(),
            check_scopes(&self.scopes),
        ];
        mistakes.into_iter().flatten().collect()
    }

    /// Without blanks that came along when copying.
    pub(super) fn trimmed(self) -> Self {
        Self {
            name: trim(&self.name),
            client_id: trim(&self.client_id),
            client_secret: trim_secret(&self.client_secret),
            scopes: scopes(&self.scopes),
        }
    }
}

fn trim(text: &str) -> String {
    text.trim().to_owned()
}

fn trim_secret(secret: &SecretString) -> SecretString {
    SecretString::from(secret.expose_secret().trim())
}

/// As IMS wants them: separated by commas alone.
fn scopes(text: &str) -> String {
    let scopes: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if scopes.is_empty() {
        USUAL_SCOPES.to_owned()
    } else {
        scopes
    }
}

/// A text that is sent in a header: it must be there, and plain.
fn check_header(field: &str, label: &str, value: &str) -> Option<Problem> {
    let (code, message) = if value.is_empty() {
        ("input.missing", format!("{label} is needed."))
    } else if value.chars().count() > ID_MAX {
        ("input.too_long", format!("{label}: at most {ID_MAX} characters."))
    } else if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message =
            format!("{label} may hold letters, digits and signs without blanks or accents. Copy it again.");
        ("input.characters", message)
    } else {
        return None;
    };
    Some(Problem::new(field, code, message))
}

fn check_sandbox(value: &str) -> Option<Problem> {
    check_header("sandbox", "Sandbox", value).or_else(|| {
        let fine = value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        (!fine).then(|| {
            let message = "Sandbox: give its name, not its title: lower-case letters, digits and hyphens, such as prod.";
            Problem::new("sandbox", "input.characters", message)
        })
    })
}

fn check_scopes(value: &str) -> Option<Problem> {
    (value.chars().count() > SCOPES_MAX || !value.bytes().all(|byte| byte.is_ascii_graphic())).then(|| {
        let message = "Scopes: copy the comma-separated list from the Developer Console.";
        Problem::new("scopes", "input.characters", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> EnvironmentForm {
        EnvironmentForm {
            name: " Marketing prod ".into(),
            organization: "0123456789ABCDEF01234567@AdobeOrg\n".into(),
            sandbox: "prod".into(),
            client_id: "headgate".into(),
            client_secret: SecretString::from(" p8e-long-secret "),
            scopes: "openid, AdobeID".into(),
        }
    }

    #[test]
    fn blanks_around_what_was_copied_are_dropped() {
        let form = form().trimmed();
        assert_eq!(form.mistakes(), []);
        assert_eq!(
            (form.name.as_str(), form.scopes.as_str()),
            ("Marketing prod", "openid,AdobeID")
        );
        assert_eq!(form.organization, "0123456789ABCDEF01234567@AdobeOrg");
        assert_eq!(form.client_secret.expose_secret(), "p8e-long-secret");
        let usual = EnvironmentForm {
            scopes: " ".into(),
            ..super::tests::form()
        };
        assert_eq!(usual.trimmed().scopes, USUAL_SCOPES);
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        let empty = EnvironmentForm {
            name: String::new(),
            organization: "a b".into(),
            sandbox: "Prod".into(),
            client_id: "é".into(),
            client_secret: SecretString::from("short"),
            scopes: "ä".into(),
        };
        let found: Vec<_> = empty.mistakes().into_iter().map(|p| (p.field, p.code)).collect();
        let expected = [
            ("name", "input.missing"),
            ("organization", "input.characters"),
            ("sandbox", "input.characters"),
            ("client_id", "input.characters"),
            ("client_secret", "secret.short"),
            ("scopes", "input.characters"),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn an_empty_secret_is_kept_when_saving() {
        let save = |secret: &str| {
            let client_secret = SecretString::from(secret);
            let (name, client_id, scopes) = ("a".into(), "b".into(), String::new());
            SaveForm {
                name,
                client_id,
                client_secret,
                scopes,
            }
            .trimmed()
            .mistakes()
        };
        assert_eq!(save(""), []);
        assert_eq!(save("short")[0].code, "secret.short");
    }
}
