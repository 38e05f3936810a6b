//! What is wrong with something that a person typed.

/// One mistake in one field, with a stable code and a sentence for the person who made it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// The form field that it belongs to.
    pub field: String,
    /// Stable and documented, such as `input.missing`.
    pub code: &'static str,
    /// What is wrong and how to mend it; never repeats a secret.
    pub message: String,
}

impl Problem {
    /// A mistake in `field`.
    pub fn new(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
        }
    }
}
