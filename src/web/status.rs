//! How a state looks: one shape, one colour and one word for each, the same on every page.

/// The states that a badge, a step, a bar of a chart or a note can show.
///
/// Each has a shape of its own in `static/icons.svg` and a class in `static/headgate.css`; the word always stands
/// beside them, so that nothing is said by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Finished as wished; the quietest look, so that the eye goes to what is left.
    Succeeded,
    /// Finished badly, or refused.
    Failed,
    /// Some of it arrived; also warnings and differences (drift).
    Partial,
    /// Going on now; also plain information.
    Running,
    /// Should have happened by now, or is due.
    Late,
    /// Not begun, missing or paused.
    Waiting,
    /// Nobody can say yet: the answer was lost and is being looked up.
    Unknown,
}

impl Status {
    /// Every state, for tests and legends.
    pub const ALL: [Self; 7] = [
        Self::Succeeded,
        Self::Failed,
        Self::Partial,
        Self::Running,
        Self::Late,
        Self::Waiting,
        Self::Unknown,
    ];

    /// The CSS class that sets text colour and tint; with `m-` before it the fill of a chart mark, with `o-` its line.
    pub fn class(self) -> &'static str {
        match self {
            Self::Succeeded => "ok",
            Self::Failed => "fail",
            Self::Partial => "warn",
            Self::Running => "run",
            Self::Late => "late",
            Self::Waiting | Self::Unknown => "idle",
        }
    }

    /// The name of its shape in the icon sprite.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Succeeded => "s-ok",
            Self::Failed => "s-fail",
            Self::Partial => "s-warn",
            Self::Running => "s-run",
            Self::Late => "s-late",
            Self::Waiting => "s-wait",
            Self::Unknown => "s-unknown",
        }
    }

    /// The word that people read when the page has no better one.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Partial => "Partial",
            Self::Running => "Running",
            Self::Late => "Late",
            Self::Waiting => "Waiting",
            Self::Unknown => "Unknown",
        }
    }
}
