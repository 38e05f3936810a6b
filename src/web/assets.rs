//! The files of `static/`, embedded and served under names that change with their content.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use foldhash::fast::FixedState;
use rust_embed::RustEmbed;

/// The route that [`serve`] answers.
pub const ROUTE: &str = "/static/{hash}/{*path}";

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "*.md"]
struct Static;

struct Asset {
    url: String,
    content_type: HeaderValue,
    bytes: Cow<'static, [u8]>,
}

/// A page looks up a hundred icons.
static ASSETS: LazyLock<HashMap<String, Asset, FixedState>> = LazyLock::new(|| {
    Static::iter()
        .filter_map(|path| {
            let file = Static::get(&path)?;
            let hash = data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..8]);
            let asset = Asset {
                url: format!("/static/{hash}/{path}"),
                content_type: HeaderValue::from_static(content_type(&path)),
                bytes: file.data,
            };
            Some((path.into_owned(), asset))
        })
        .collect()
});

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// The URL of a file of `static/`, for templates: `asset("headgate.css")` is
/// `/static/0123456789abcdef/headgate.css`.
///
/// Empty for a file that does not exist; a test over all templates proves that none asks for one.
pub fn asset(path: &str) -> &'static str {
    ASSETS.get(path).map_or("", |asset| &asset.url)
}

/// Serves one embedded file for ever, or 404 when the hash is not that of the file as it is now.
///
/// No name from a request reaches the file system: the path only looks up a table that is fixed when building.
pub async fn serve(Path((hash, path)): Path<(String, String)>) -> Response {
    let found = ASSETS.get(&path).filter(|asset| {
        asset
            .url
            .strip_prefix("/static/")
            .is_some_and(|rest| rest.starts_with(&format!("{hash}/")))
    });
    match found {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.content_type.clone()),
                (
                    header::CACHE_CONTROL,
                    HeaderValue::from_static("public, max-age=31536000, immutable"),
                ),
            ],
            asset.bytes.clone(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ASSETS
        .values()
        .map(|asset| (asset.url.as_str(), asset.bytes.as_ref()))
}

#[cfg(test)]
pub(crate) fn text(path: &str) -> &'static str {
    std::str::from_utf8(&ASSETS[path].bytes).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, http::Request, routing::get};
    use sha2::{Digest, Sha256};
    use tower::ServiceExt;

    async fn fetch(path: &str) -> Response {
        let router = Router::new().route(ROUTE, get(serve));
        router
            .oneshot(Request::get(path).body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn every_file_is_served_under_its_hash_for_ever() {
        for (url, bytes) in all() {
            let answer = fetch(url).await;
            assert_eq!(answer.status(), StatusCode::OK, "{url}");
            assert_eq!(
                answer.headers()["cache-control"],
                "public, max-age=31536000, immutable"
            );
            assert_ne!(
                answer.headers()["content-type"],
                "application/octet-stream",
                "{url}"
            );
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
            assert!(url.starts_with(&format!("/static/{}/", &hash[..16])), "{url}");
            assert_eq!(
                axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap(),
                bytes
            );
        }
        assert!(asset("headgate.css").ends_with("/headgate.css"));
    }

    #[tokio::test]
    async fn anything_else_is_not_found() {
        let css = asset("headgate.css");
        let hash = css.split('/').nth(2).unwrap();
        for path in [
            "/static/0000000000000000/headgate.css".to_owned(),
            format!("/static/{}/headgate.css", &hash[..15]),
            format!("/static/{hash}/app.js"),
            format!("/static/{hash}/../headgate.css"),
            format!("/static/{hash}/%2e%2e/headgate.css"),
            format!("/static/{hash}/..%2f..%2fCargo.toml"),
            format!("/static/{hash}/vendor/README.md"),
            format!("/static/{hash}//etc/passwd"),
        ] {
            assert_eq!(fetch(&path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn vendored_files_are_the_published_ones() {
        let readme = include_str!("../../static/vendor/README.md");
        let vendored: Vec<_> = Static::iter()
            .filter(|path| path.starts_with("vendor/"))
            .collect();
        assert_eq!(
            vendored.len(),
            2,
            "a vendored file is missing or not listed here: {vendored:?}"
        );
        for path in vendored {
            let name = path.trim_start_matches("vendor/");
            let row = readme
                .lines()
                .find(|line| line.starts_with(&format!("| `{name}`")))
                .unwrap_or_else(|| panic!("static/vendor/README.md has no row for {name}"));
            let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(Static::get(&path).unwrap().data));
            assert!(
                row.ends_with(&format!("| {hash} |")),
                "{name} is not the file whose checksum is recorded"
            );
        }
    }

    #[test]
    fn own_files_stay_small() {
        assert!(
            text("headgate.css").len() <= 34_000,
            "the style sheet outgrew its budget (12 kB compressed)"
        );
        assert!(
            text("app.js").len() <= 5_000,
            "the script outgrew its budget (3 kB compressed)"
        );
        assert!(
            text("live.js").len() <= 2_500,
            "the script of live pages outgrew its budget"
        );
        assert!(
            text("list.js").len() <= 2_500,
            "the script of lists outgrew its budget"
        );
        assert!(
            text("icons.svg").len() <= 24_000,
            "the icon sprite outgrew its budget"
        );
    }
}
