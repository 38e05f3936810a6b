//! The form of a view: name, sharing, default.

use serde::Deserialize;

use crate::accounts::views::{VIEW_NAME_MAX, ViewForm, Viewing};
use crate::domain::Problem;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth, FormErrors};
use crate::web::visit::Visit;

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SentView {
    pub(super) page: String,
    pub(super) query: String,
    name: String,
    shared: String,
    default: String,
}

impl SentView {
    pub(super) fn form(&self) -> ViewForm {
        ViewForm {
            name: self.name.clone(),
            is_shared: self.shared == "on",
            is_default: self.default == "on",
        }
    }
}

/// The fields of a view.
#[derive(Debug)]
pub(in crate::web::pages) struct ViewFields {
    pub(in crate::web::pages) name: FieldView,
    /// Only for those who may share.
    pub(in crate::web::pages) shared: Option<FieldView>,
    pub(in crate::web::pages) default: FieldView,
}

impl ViewFields {
    pub(super) fn empty(may_share: bool) -> Self {
        let form = ViewForm {
            name: String::new(),
            is_shared: false,
            is_default: false,
        };
        Self::of(&form, may_share, &[])
    }

    /// As filled in, with what is wrong. Who may not share can still keep to themselves what is shared.
    pub(super) fn of(form: &ViewForm, may_share: bool, problems: &[Problem]) -> Self {
        let on = |is_on: bool| if is_on { "on" } else { "" };
        let checkbox = |name: &str, label: &str, is_on| {
            FieldView::new(FieldKind::Checkbox, name, label)
                .value(on(is_on))
                .problem_of(problems)
        };
        let shared = checkbox("shared", "Share it with the team", form.is_shared);
        Self {
            name: FieldView::new(FieldKind::Text, "name", "Name of the view")
                .hint(format!("At most {VIEW_NAME_MAX} characters."))
                .value(&form.name)
                .width(FieldWidth::Medium)
                .problem_of(problems),
            shared: (may_share || form.is_shared).then_some(shared),
            default: checkbox(
                "default",
                "Show it to me whenever I open this list",
                form.is_default,
            ),
        }
    }

    pub(super) fn errors(&self) -> FormErrors {
        FormErrors::of(std::iter::once(&self.name).chain(&self.shared))
    }
}

/// Who acts, for the room of accounts.
pub(super) fn viewing(visit: &Visit) -> Viewing<'_> {
    Viewing {
        person: visit.person(),
        role: visit.session.role,
    }
}
