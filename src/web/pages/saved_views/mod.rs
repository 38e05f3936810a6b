//! Views: filters of a list that people keep under a name, on whichever page has them.

pub(in crate::web::pages) mod bar;
pub mod edit;
mod form;
pub mod save;

use url::form_urlencoded;

use crate::store::saved_views::ViewedPage;

/// What shows everything, also to those who have a default view: an address without any query shows that.
const EVERYTHING: &str = "all=1";
/// Parameters of a page's address that are no filters.
const NO_FILTERS: [&str; 4] = ["after", "before", "all", "done"];

/// The filters of a query, each way of writing the same ones alike.
pub(in crate::web::pages) fn canonical(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| !value.is_empty() && !NO_FILTERS.contains(&name.as_ref()))
        .collect();
    pairs.sort();
    pairs.dedup();
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The address of a page with these filters.
pub(in crate::web::pages) fn address(page: ViewedPage, query: &str) -> String {
    let query = if query.is_empty() { EVERYTHING } else { query };
    format!("/{page}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_filters_have_one_query() {
        for (query, expected) in [
            ("", ""),
            ("all=1&done=view-saved", ""),
            ("state=&q=a+b&health=failed&after=xyz", "health=failed&q=a+b"),
            ("q=a%20b&health=failed&health=failed", "health=failed&q=a+b"),
            ("q=%0d%0aLocation:%20//evil&%23", "q=%0D%0ALocation%3A+%2F%2Fevil"),
            ("q=é&q=%ff", "q=%C3%A9&q=%EF%BF%BD"),
        ] {
            assert_eq!(canonical(query), expected, "{query}");
            assert_eq!(canonical(expected), expected);
        }
        assert_eq!(address(ViewedPage::Flows, ""), "/flows?all=1");
        assert_eq!(address(ViewedPage::Runs, "q=a"), "/runs?q=a");
    }
}
