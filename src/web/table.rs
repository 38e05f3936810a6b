//! Heads of sorted tables and ways through their pages: both are plain links.

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    Descending,
}

impl Direction {
    /// The other one.
    pub const fn turned(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// The head of one column, for `components/table_head.html`.
#[derive(Clone, Debug)]
pub struct SortLink {
    /// What the column holds.
    pub label: String,
    /// A route of ours that sorts by this column, or turns the order round; `None` when it cannot be sorted.
    pub href: Option<String>,
    /// Set on the column by which the table is sorted now.
    pub sorted: Option<Direction>,
    /// Whether the column holds numbers, which stand at the right.
    pub numeric: bool,
}

/// The way to the neighbouring pages of a list, for `components/pagination.html`.
#[derive(Clone, Debug, Default)]
pub struct PageLinks {
    /// What is shown, e.g. `26–50 of 128 flows`.
    pub summary: String,
    /// The page before this one, a route of ours.
    pub previous: Option<String>,
    /// The page after this one, a route of ours.
    pub next: Option<String>,
}
