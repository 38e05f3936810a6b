//! One field of a form, and what is wrong with a whole one.

use crate::domain::Problem;

/// Which control a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Textarea,
    /// A number; `step=any`.
    Number,
    /// A secret: never sent back to the browser. With [`FieldView::secret_set`] an empty answer keeps the stored one.
    Secret,
    /// A day.
    Date,
    /// A day and a minute, in the zone that the hint names.
    DateTime,
    /// One of a short list, in a menu.
    Select,
    /// One of a few, all in sight.
    Radio,
    /// Like [`FieldKind::Radio`], side by side as buttons.
    Presets,
    /// Text with proposals: for choices too many for a menu.
    Proposals,
    /// Yes or no; on when the value is `on`.
    Checkbox,
}

/// How wide a control is; its width tells how much is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldWidth {
    /// About ten characters.
    Short,
    /// About twenty.
    Medium,
    /// About forty.
    #[default]
    Long,
    /// All there is.
    Full,
}

impl FieldWidth {
    /// The CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Short => "w-short",
            Self::Medium => "w-medium",
            Self::Long => "w-long",
            Self::Full => "w-full",
        }
    }
}

/// One choice of a select, a radio group or a list of proposals.
#[derive(Clone, Debug)]
pub struct FieldOption {
    /// What is sent.
    pub value: String,
    /// What people read.
    pub label: String,
}

/// A field as `components/field.html` draws it: label, hint, error, control, in this order.
#[derive(Clone, Debug)]
pub struct FieldView {
    /// Its name in the form and its id on the page: letters, digits, `_`, `-` and `.`.
    pub name: String,
    /// What is asked.
    pub label: String,
    /// Help under the label; empty for none.
    pub hint: String,
    /// What was typed so far; ignored for secrets, so that a secret cannot come back by mistake.
    pub value: String,
    /// What is wrong with it; empty for nothing.
    pub error: String,
    /// The stable code of what is wrong, such as `input.missing`; shown as `data-code`.
    pub code: &'static str,
    /// Optional fields say so; required ones don't.
    pub required: bool,
    /// Which control.
    pub kind: FieldKind,
    /// The choices, for kinds that have them.
    pub options: Vec<FieldOption>,
    /// How wide.
    pub width: FieldWidth,
    /// The `autocomplete` token; secrets other than passwords use `off`.
    pub autocomplete: &'static str,
    /// Whether a secret is stored already.
    pub secret_set: bool,
}

impl FieldView {
    /// A required field without hint, value or error.
    pub fn new(kind: FieldKind, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            hint: String::new(),
            value: String::new(),
            error: String::new(),
            code: "",
            required: true,
            kind,
            options: Vec::new(),
            width: FieldWidth::default(),
            autocomplete: "off",
            secret_set: false,
        }
    }

    /// With help under the label.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: hint.into(),
            ..self
        }
    }

    /// With what was typed so far.
    pub fn value(self, value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..self
        }
    }

    /// With the first of these problems that is about this field, if any.
    pub fn problem_of(self, problems: &[Problem]) -> Self {
        match problems.iter().find(|problem| problem.field == self.name) {
            Some(problem) => Self {
                error: problem.message.clone(),
                code: problem.code,
                ..self
            },
            None => self,
        }
    }

    /// With another width.
    pub fn width(self, width: FieldWidth) -> Self {
        Self { width, ..self }
    }

    /// Not required.
    pub fn optional(self) -> Self {
        Self {
            required: false,
            ..self
        }
    }

    /// With choices, given as value and label.
    pub fn options<V: Into<String>, L: Into<String>>(
        self,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let options = options.into_iter().map(|(value, label)| FieldOption {
            value: value.into(),
            label: label.into(),
        });
        Self {
            options: options.collect(),
            ..self
        }
    }

    /// Shows a mistake.
    pub fn refuse(&mut self, problem: &Problem) {
        self.error.clone_from(&problem.message);
        self.code = problem.code;
    }

    /// The ids that describe the control, for `aria-describedby`; empty for none.
    pub fn described_by(&self) -> String {
        let hint = if self.hint.is_empty() && !self.secret_set {
            ""
        } else {
            "-hint"
        };
        let error = if self.error.is_empty() { "" } else { "-error" };
        let ids = [hint, error].map(|end| {
            if end.is_empty() {
                String::new()
            } else {
                format!("{}{end}", self.name)
            }
        });
        ids.join(" ").trim().to_owned()
    }

    /// The id that a link to this field aims at: the first choice of a radio group, else the control.
    pub fn target(&self) -> String {
        match self.kind {
            FieldKind::Radio | FieldKind::Presets => format!("{}-1", self.name),
            _ => self.name.clone(),
        }
    }

    /// The `type` of a plain `<input>`.
    pub fn input_type(&self) -> &'static str {
        match self.kind {
            FieldKind::Number => "number",
            FieldKind::Secret => "password",
            FieldKind::Date => "date",
            FieldKind::DateTime => "datetime-local",
            _ => "text",
        }
    }
}

/// What is wrong with a form, for `components/error_summary.html`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormErrors {
    /// What concerns no field of the page.
    pub general: Vec<Problem>,
    /// Where and what, in the order of the page.
    pub fields: Vec<FieldError>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The id to jump to.
    pub target: String,
    /// One sentence that says how to put it right.
    pub text: String,
    /// The stable code of what is wrong; empty if it has none.
    pub code: &'static str,
}

impl FormErrors {
    /// Collects the errors of fields, in their order.
    pub fn of<'a>(fields: impl IntoIterator<Item = &'a FieldView>) -> Self {
        let fields = fields
            .into_iter()
            .filter(|field| !field.error.is_empty())
            .map(|field| FieldError {
                target: field.target(),
                text: field.error.clone(),
                code: field.code,
            });
        Self {
            general: Vec::new(),
            fields: fields.collect(),
        }
    }

    /// Shows each mistake at its field and collects them all; those of no field stand first.
    pub fn at_fields<'a>(problems: &[Problem], fields: impl IntoIterator<Item = &'a mut FieldView>) -> Self {
        let mut general = problems.to_vec();
        let mut shown = Vec::new();
        for field in fields {
            if let Some(first) = problems.iter().find(|problem| problem.field == field.name) {
                field.refuse(first);
            }
            general.retain(|problem| problem.field != field.name);
            shown.push(&*field);
        }
        Self {
            general,
            ..Self::of(shown)
        }
    }

    /// Whether there is nothing wrong.
    pub fn is_empty(&self) -> bool {
        self.general.is_empty() && self.fields.is_empty()
    }

    /// How many things are wrong.
    pub fn len(&self) -> usize {
        self.general.len() + self.fields.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_leads_to_the_fields_that_are_wrong() {
        let mut name = FieldView::new(FieldKind::Text, "name", "Name");
        let mut every = FieldView::new(FieldKind::Presets, "every", "How often");
        let path = FieldView::new(FieldKind::Text, "path", "Path");
        name.error = "Give the flow a name.".into();
        every.error = "Choose how often.".into();
        let errors = FormErrors::of([&name, &path, &every]);
        let targets: Vec<_> = errors.fields.iter().map(|error| error.target.as_str()).collect();
        assert_eq!(targets, ["name", "every-1"]);
        assert_eq!(errors.len(), 2);
        assert!(FormErrors::of([&path]).is_empty());
    }

    #[test]
    fn mistakes_stand_at_their_fields_or_on_top() {
        let mut fields = [FieldView::new(FieldKind::Text, "name", "Name")];
        let problems = [
            Problem::new("owner", "input.unexpected", "There is no such field."),
            Problem::new("name", "input.missing", "Name is needed."),
            Problem::new("name", "input.characters", "Said once is enough."),
        ];
        let errors = FormErrors::at_fields(&problems, &mut fields);
        assert_eq!(
            (fields[0].error.as_str(), fields[0].code),
            ("Name is needed.", "input.missing")
        );
        assert_eq!((errors.general.len(), errors.fields.len()), (1, 1));
        assert_eq!(errors.general[0].code, "input.unexpected");
    }

    #[test]
    fn a_control_is_described_by_its_hint_and_its_error() {
        let mut field = FieldView::new(FieldKind::Text, "path", "Path");
        assert_eq!(field.described_by(), "");
        field.error = "No such folder.".into();
        assert_eq!(field.described_by(), "path-error");
        assert_eq!(field.hint("A folder").described_by(), "path-hint path-error");
    }
}
