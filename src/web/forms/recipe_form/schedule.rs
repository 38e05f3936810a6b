//! When the flow runs.

use super::{FieldGroup, Filling, Fold, FormField, FormSection};
use crate::domain::schedule::Frequency;
use crate::web::forms::field::{FieldKind, FieldView, FieldWidth};

pub(super) fn section(filling: &Filling<'_>) -> FormSection {
    let field = |kind, name: &str, label: &str| FieldView::new(kind, name, label).value(filling.value(name));
    let presets = [
        ("once", "Once"),
        ("15min", "Every 15 minutes"),
        ("hour", "Every hour"),
        ("day", "Every day"),
        ("week", "Every week"),
        ("custom", "Other"),
    ];
    let starts = [
        ("soon", "Five minutes after it is made"),
        ("time", "At a time of day"),
        ("at", "On a day"),
    ];
    let interval = field(FieldKind::Text, "interval", "Interval")
        .hint("How many of the unit lie between two runs; at least 15 minutes. None for a single run.")
        .width(FieldWidth::Short)
        .optional();
    let fields: Vec<FormField> = vec![
        field(FieldKind::Presets, "repeat", "Runs")
            .options(presets)
            .into(),
        FormField::new(
            field(FieldKind::Select, "frequency", "Unit")
                .options(Frequency::ALL.iter().map(|f| (f.as_str(), f.as_str()))),
        )
        .only("if-repeat-custom"),
        FormField::new(interval).only("if-repeat-custom"),
        field(FieldKind::Presets, "start", "First run")
            .options(starts)
            .into(),
        FormField::new(
            field(FieldKind::Text, "start_time", "Time of day")
                .hint("As 06:00.")
                .width(FieldWidth::Short),
        )
        .only("if-start-time"),
        FormField::new(field(FieldKind::DateTime, "start_at", "Day and time").width(FieldWidth::Medium))
            .only("if-start-at"),
        FormField::new(
            field(FieldKind::Text, "start_zone", "Time zone")
                .hint("As Europe/Paris or UTC.")
                .width(FieldWidth::Medium),
        )
        .only("if-start-zone"),
        FormField::new(
            field(FieldKind::Checkbox, "backfill", "Bring older files too")
                .hint("The first run takes every file that is there already."),
        )
        .only("if-repeats"),
    ];
    let untouched = filling.value("repeat") == "hour"
        && filling.value("start") == "soon"
        && filling.value("backfill") == "on";
    FormSection {
        intro: "Unless you choose otherwise, every hour, beginning five minutes after the flow is made."
            .to_owned(),
        fold: if untouched { Fold::Folded } else { Fold::Open },
        groups: vec![FieldGroup::plain(fields)],
        ..FormSection::plain("schedule", "Schedule", Vec::new())
    }
}
