//! What the frame around every page needs to know.

use axum::http::{HeaderMap, header};

use super::{status::Status, times::TimeView};

/// Everything that `layout/base.html` and `layout/plain.html` show; each page has it as its field `layout`.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The first part of the window's title; begins with "Error: " when a form was refused.
    pub title: String,
    /// The session's token for unsafe requests; empty without a session.
    pub csrf: String,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// Who is signed in.
    pub person: Option<PersonView>,
    /// The environments of the person's team.
    pub environments: Vec<EnvironmentChoice>,
    /// The entry of the left list that this page belongs to.
    pub active: Option<NavEntry>,
    /// How many there are of what an entry of the left list leads to.
    pub counts: Vec<(NavEntry, i64)>,
    /// What the last action did.
    pub flash: Vec<Flash>,
    /// When the mirrored data on this page was read from Adobe.
    pub read_at: Option<TimeView>,
    /// The id under which the log knows this request.
    pub request_id: String,
    /// Says that this is a demonstration, and of what.
    pub demo: Option<String>,
    /// Says that nothing can be saved now, and why.
    pub alarm: Option<&'static str>,
    /// Seconds after which the page loads itself again in a browser without scripts.
    pub refresh_seconds: Option<u32>,
}

impl Layout {
    /// A frame without a session: sign-in and errors.
    pub fn signed_out(title: impl Into<String>, request_id: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            csrf: String::new(),
            theme: Theme::System,
            person: None,
            environments: Vec::new(),
            active: None,
            counts: Vec::new(),
            flash: Vec::new(),
            read_at: None,
            request_id: request_id.into(),
            demo: None,
            alarm: None,
            refresh_seconds: None,
        }
    }

    /// A frame for a person with a session.
    pub fn signed_in(
        title: impl Into<String>,
        request_id: impl Into<String>,
        person: PersonView,
        csrf: impl Into<String>,
    ) -> Self {
        Self {
            person: Some(person),
            csrf: csrf.into(),
            ..Self::signed_out(title, request_id)
        }
    }

    /// This program's version.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The environment that the page is about.
    pub fn environment(&self) -> Option<&EnvironmentChoice> {
        self.environments.iter().find(|environment| environment.selected)
    }

    /// The left list.
    pub fn nav(&self) -> Vec<NavItem> {
        NAV.iter()
            .map(|&(entry, label, href, icon, key)| NavItem {
                label,
                href,
                icon,
                key,
                current: self.active == Some(entry),
                count: self
                    .counts
                    .iter()
                    .find(|(counted, _)| *counted == entry)
                    .map(|(_, count)| super::numbers::count(*count).to_string()),
            })
            .collect()
    }
}

/// A place in the left list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NavEntry {
    /// What needs me now.
    Overview,
    /// All flows of the environment.
    Flows,
    /// What ran, across flows.
    Runs,
    /// Attempts to create a dataflow.
    Setups,
    /// What does not fit between Adobe and our records.
    Findings,
    /// The team's connection templates.
    Templates,
    /// Organizations, sandboxes and credentials.
    Environments,
    /// Who did what.
    Audit,
}

/// Entry, word, route, icon, and the key that follows `g`.
const NAV: [(NavEntry, &str, &str, &str, &str); 8] = [
    (NavEntry::Overview, "Overview", "/", "home", "o"),
    (NavEntry::Flows, "Flows", "/flows", "workflow", "f"),
    (NavEntry::Runs, "Runs", "/runs", "history", "r"),
    (NavEntry::Setups, "Setups", "/setups", "pulse", "s"),
    (NavEntry::Findings, "Findings", "/findings", "search", "i"),
    (NavEntry::Templates, "Templates", "/templates", "versions", "t"),
    (
        NavEntry::Environments,
        "Environments",
        "/environments",
        "plug",
        "e",
    ),
    (NavEntry::Audit, "Audit", "/audit", "log", "a"),
];

/// One line of the left list.
#[derive(Clone, Debug)]
pub struct NavItem {
    /// The word.
    pub label: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// Its glyph in the sprite.
    pub icon: &'static str,
    /// The key that follows `g`.
    pub key: &'static str,
    /// Whether the page belongs to it.
    pub current: bool,
    /// How many there are.
    pub count: Option<String>,
}

/// The person whose session it is.
#[derive(Clone, Debug)]
pub struct PersonView {
    /// The name as they typed it.
    pub name: String,
    /// The role as a word: viewer, editor, admin.
    pub role: String,
    /// The team they work in.
    pub team: String,
    /// Whether the role lets them create flows, which shows the New flow button.
    pub may_create: bool,
}

/// One environment in the list at the top.
#[derive(Clone, Debug)]
pub struct EnvironmentChoice {
    /// Our id.
    pub id: String,
    /// The team's name for it.
    pub name: String,
    /// Adobe's sandbox name.
    pub sandbox: String,
    /// Whether Adobe calls the sandbox a production one.
    pub is_production: bool,
    /// Whether the page is about it.
    pub selected: bool,
}

/// What an action did, told on the page that follows it.
#[derive(Clone, Debug)]
pub struct Flash {
    /// How it ended.
    pub status: Status,
    /// One sentence.
    pub text: String,
}

/// Which colours to use. Kept in the cookie [`Theme::COOKIE`], which holds nothing else and needs no protection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// What the system prefers.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The cookie's name.
    pub const COOKIE: &str = "hg-theme";

    /// The themes to choose from: theme, word, glyph.
    pub const CHOICES: [(Self, &str, &str); 3] = [
        (Self::System, "System", "device-desktop"),
        (Self::Light, "Light", "sun"),
        (Self::Dark, "Dark", "moon"),
    ];

    /// Reads a form's or a cookie's value.
    pub fn parse(value: &str) -> Option<Self> {
        Self::CHOICES
            .into_iter()
            .map(|(theme, ..)| theme)
            .find(|theme| theme.name() == value)
    }

    /// The theme that the request's cookie asks for.
    pub fn of(headers: &HeaderMap) -> Self {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == Self::COOKIE)
            .and_then(|(_, value)| Self::parse(value))
            .unwrap_or_default()
    }

    /// The value of `data-theme`; `None` follows the system.
    pub fn fixed(self) -> Option<&'static str> {
        (self != Self::System).then(|| self.name())
    }

    /// The value in forms and in the cookie.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_comes_from_the_cookie() {
        let of = |cookie: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, cookie.parse().unwrap());
            Theme::of(&headers)
        };
        assert_eq!(of("hg-theme=dark"), Theme::Dark);
        assert_eq!(of("a=b; hg-theme=light; c=d"), Theme::Light);
        assert_eq!(of("x-hg-theme=dark"), Theme::System);
        assert_eq!(of("hg-theme=\"><script>"), Theme::System);
        assert_eq!(Theme::of(&HeaderMap::new()), Theme::System);
    }

    #[test]
    fn exactly_the_active_entry_is_current_and_counts_stand_beside_their_entry() {
        let mut layout = Layout::signed_out("Flows", "r");
        layout.active = Some(NavEntry::Flows);
        layout.counts = vec![(NavEntry::Flows, 1280)];
        let nav = layout.nav();
        let current: Vec<_> = nav
            .iter()
            .filter(|item| item.current)
            .map(|item| item.href)
            .collect();
        assert_eq!(current, ["/flows"]);
        assert_eq!(nav[1].count.as_deref(), Some("1,280"));
        assert_eq!(nav[0].count, None);
    }
}
