//! Where the platform is: the only two addresses this process may call, read once at the start.

use reqwest::Url;

use super::error::{PlatformError, Service};

/// Everything but IMS lives below this path, says every API file of Adobe's.
const FOUNDATION: &str = "/data/foundation";

/// The addresses of the platform's gateway and of IMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    platform: Url,
    ims: Url,
}

/// Why an address cannot be used. Nothing was called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {problem}; write it like {example}")]
pub struct EndpointsError {
    what: &'static str,
    problem: &'static str,
    example: &'static str,
}

impl Endpoints {
    /// The platform's public gateway.
    pub const DEFAULT_PLATFORM: &str = "https://platform.adobe.io";
    /// Adobe's public sign-in service for server-to-server credentials.
    pub const DEFAULT_IMS: &str = "https://ims-na1.adobelogin.com";

    /// Reads both addresses.
    ///
    /// # Errors
    /// An address that is not absolute https (http is taken on a loopback host only), or carries a user,
    /// a path, a query or a fragment.
    pub fn parse(platform: &str, ims: &str) -> Result<Self, EndpointsError> {
        Ok(Self {
            platform: parse_origin("the platform address", platform, Self::DEFAULT_PLATFORM)?,
            ims: parse_origin("the IMS address", ims, Self::DEFAULT_IMS)?,
        })
    }

    /// The full address of a call: `path` is below `/data/foundation` and already percent-encoded.
    ///
    /// # Errors
    /// A path that does not survive as it stands (`..`, a space, `?`).
    pub fn platform_url(&self, path: &str, query: &[(String, String)]) -> Result<Url, PlatformError> {
        let mut url = self.platform.clone();
        let path = format!("{FOUNDATION}{path}");
        url.set_path(&path);
        if url.path() != path || !path.starts_with("/data/foundation/") {
            return Err(PlatformError::invalid(
                "the path contains characters or segments that are not allowed",
            ));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
            // A plus stands for a space in forms only; Adobe's samples write %20. A real plus is %2B by now.
            let encoded = url.query().unwrap_or_default().replace('+', "%20");
            url.set_query(Some(&encoded));
        }
        Ok(url)
    }

    /// The origin of the platform, such as `https://platform.adobe.io`.
    pub fn platform_origin(&self) -> String {
        self.platform.origin().ascii_serialization()
    }

    pub(super) fn token_url(&self) -> Url {
        let mut url = self.ims.clone();
        url.set_path("/ims/token/v3");
        url
    }

    /// Whether `url` lies at the origin (scheme, host, port) configured for `service`.
    pub(super) fn permits(&self, service: Service, url: &Url) -> bool {
        let configured = if service == Service::Ims {
            &self.ims
        } else {
            &self.platform
        };
        url.origin() == configured.origin()
    }

    pub(super) fn all_https(&self) -> bool {
        [&self.platform, &self.ims]
            .iter()
            .all(|url| url.scheme() == "https")
    }
}

fn parse_origin(what: &'static str, text: &str, example: &'static str) -> Result<Url, EndpointsError> {
    let refuse = |problem| EndpointsError {
        what,
        problem,
        example,
    };
    let url = Url::parse(text.trim()).map_err(|_| refuse("is not an absolute address"))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err(refuse("names no host")),
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => return Err(refuse("must be https unless the host is this machine")),
        _ => return Err(refuse("must be https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("must not carry a user or password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("must not carry a query or fragment"));
    }
    if url.path() != "/" {
        return Err(refuse("must end after the host"));
    }
    Ok(url)
}

/// Whether an id stands in an address as it is. Adobe's are UUIDs; one that is a path leads elsewhere.
pub fn is_one_segment(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
    id.bytes().all(is_plain) && id.bytes().any(|byte| byte != b'.')
}

/// An id as one segment of a path: everything but unreserved characters percent-encoded.
pub(super) fn segment(id: &str) -> String {
    id.bytes()
        .fold(String::with_capacity(id.len()), |mut encoded, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    encoded.push(byte.into())
                }
                other => encoded.push_str(&format!("%{other:02X}")),
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Endpoints {
        Endpoints::parse(Endpoints::DEFAULT_PLATFORM, Endpoints::DEFAULT_IMS).unwrap()
    }

    #[test]
    fn good_addresses_are_taken() {
        for good in [
            "https://a.example",
            "https://a.example/",
            "http://127.0.0.1:9090",
            "http://[::1]:9090",
        ] {
            Endpoints::parse(good, good).unwrap();
        }
        assert!(Endpoints::parse("http://localhost:1", Endpoints::DEFAULT_IMS).is_ok());
        assert!(defaults().all_https());
        assert!(
            !Endpoints::parse("http://localhost:1", Endpoints::DEFAULT_IMS)
                .unwrap()
                .all_https()
        );
    }

    #[test]
    fn bad_addresses_are_refused_in_one_line() {
        for bad in [
            "",
            "platform.adobe.io",
            "/data",
            "http://platform.adobe.io",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://a.example",
            "file:///etc/passwd",
            "https://",
            "https://user@a.example",
            "https://user:pa55@a.example",
            "https://a.example?x=1",
            "https://a.example?",
            "https://a.example#x",
            "https://a.example/path",
            "https://a.example:99999",
            "javascript:alert(1)",
            "data:text/plain,x",
            "https://a b.example",
        ] {
            for error in [
                Endpoints::parse(bad, Endpoints::DEFAULT_IMS).unwrap_err(),
                Endpoints::parse(Endpoints::DEFAULT_PLATFORM, bad).unwrap_err(),
            ] {
                assert!(
                    !error.to_string().contains('\n') && !error.to_string().contains("pa55"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn queries_are_encoded_once() {
        let url = defaults()
            .platform_url(
                "/flowservice/flows",
                &[("property".to_owned(), "name==a b+c&d#e".to_owned())],
            )
            .unwrap();
        assert_eq!(url.query(), Some("property=name%3D%3Da%20b%2Bc%26d%23e"));
        assert_eq!(url.path(), "/data/foundation/flowservice/flows");
    }

    #[test]
    fn paths_cannot_wander() {
        for bad in [
            "flowservice/flows",
            "",
            "/flowservice/../catalog/dataSets",
            "/flowservice/%2e%2e/x",
            "/flowservice/flows?x=1",
            "/flowservice/a b",
            "/flowservice/a#b",
            "/flowservice\\..\\x",
        ] {
            assert!(defaults().platform_url(bad, &[]).is_err(), "{bad}");
        }
        let schema = format!(
            "/schemaregistry/tenant/schemas/{}",
            segment("https://ns.adobe.com/t/schemas/1")
        );
        let url = defaults().platform_url(&schema, &[]).unwrap();
        assert!(
            url.path()
                .ends_with("/https%3A%2F%2Fns.adobe.com%2Ft%2Fschemas%2F1"),
            "{url}"
        );
    }

    #[test]
    fn origins_are_compared_whole() {
        let endpoints = defaults();
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(endpoints.permits(Service::Catalog, &url("https://platform.adobe.io:443/x")));
        assert!(endpoints.permits(Service::Ims, &url("https://ims-na1.adobelogin.com/x")));
        assert!(!endpoints.permits(Service::Ims, &url("https://platform.adobe.io/x")));
        assert!(!endpoints.permits(Service::FlowService, &url("https://ims-na1.adobelogin.com/x")));
        assert!(!endpoints.permits(Service::FlowService, &url("http://platform.adobe.io/x")));
        assert!(!endpoints.permits(Service::FlowService, &url("https://platform.adobe.io:8443/x")));
        assert!(!endpoints.permits(Service::FlowService, &url("https://platform.adobe.io.example/x")));
    }
}
