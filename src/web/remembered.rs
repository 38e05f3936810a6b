//! What a browser remembers for its user: choices that protect nothing, and the page a form was on.

use axum::http::{HeaderMap, HeaderName, header};
use url::Url;

use super::next_path;
use super::route_table::is_page;
use super::routes::ROUTES;
use super::site::Site;

/// Seconds for which browsers remember a choice: a year.
const REMEMBERED_S: u32 = 365 * 24 * 60 * 60;

/// The header that makes a browser remember a choice. Name and value are words or ids of ours.
pub fn remember(site: &Site, name: &'static str, value: &str) -> (HeaderName, String) {
    let secure = if site.is_https() { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path=/; Max-Age={REMEMBERED_S}; SameSite=Lax{secure}");
    (header::SET_COOKIE, cookie)
}

/// The page that a form was on, or the first page when that is none of ours.
pub fn page_before(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER);
    let referer = referer.and_then(|referer| Url::parse(referer.to_str().ok()?).ok());
    let path = referer.map(|url| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    });
    next_path::after_sign_in(path.as_deref(), |path| is_page(ROUTES, path)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(referer: &'static str) -> String {
        page_before(&HeaderMap::from_iter([(
            header::REFERER,
            referer.parse().unwrap(),
        )]))
    }

    #[test]
    fn the_way_back_leads_to_pages_of_ours_only() {
        assert_eq!(
            before("http://127.0.0.1:8080/environments?done=x"),
            "/environments?done=x"
        );
        assert_eq!(before("https://evil.example//evil.example"), "/");
        assert_eq!(before("https://evil.example/no-page-of-ours"), "/");
        assert_eq!(before("nonsense"), "/");
        assert_eq!(page_before(&HeaderMap::new()), "/");
    }
}
