//! Under which addresses this server may be spoken to.

use std::net::SocketAddr;

use url::{Origin, Url};

/// Our own addresses: the public one, and this machine's own names for the port we listen on.
#[derive(Debug, Clone)]
pub struct Site {
    public: Address,
    local: Vec<Address>,
}

#[derive(Debug, Clone)]
struct Address {
    /// The values of `Host` that mean it, in lower case.
    hosts: Vec<String>,
    /// As browsers write it in `Origin`.
    origin: String,
}

impl Site {
    /// The addresses that follow from the public URL and the address listened on. The names of this
    /// machine can't be spoofed by DNS: a browser that sends them was sent to them by its user.
    pub fn new(public_url: &Url, listening: SocketAddr) -> Self {
        let here = ["127.0.0.1", "localhost", "[::1]"];
        let local = here
            .iter()
            .filter_map(|name| Url::parse(&format!("http://{name}:{}", listening.port())).ok());
        Self {
            public: Address::new(public_url),
            local: local.map(|url| Address::new(&url)).collect(),
        }
    }

    /// The origin that belongs to the value of a `Host` header, or nothing if it is not ours.
    pub fn origin_of(&self, host: &str) -> Option<&str> {
        let host = host.to_ascii_lowercase();
        let mut addresses = std::iter::once(&self.public).chain(&self.local);
        addresses
            .find(|address| address.hosts.contains(&host))
            .map(|address| address.origin.as_str())
    }

    /// The address that people use, as browsers write it in `Origin`.
    pub fn public_origin(&self) -> &str {
        &self.public.origin
    }

    /// Whether people come by https, so that cookies and HSTS may insist on it.
    pub fn is_https(&self) -> bool {
        self.public.origin.starts_with("https:")
    }
}

impl Address {
    fn new(url: &Url) -> Self {
        let name = url.host_str().unwrap_or_default();
        let with_port = url.port_or_known_default().map(|port| format!("{name}:{port}"));
        let without_port = url.port().is_none().then(|| name.to_owned());
        let origin = match url.origin() {
            origin @ Origin::Tuple(..) => origin.ascii_serialization(),
            Origin::Opaque(_) => String::new(),
        };
        Self {
            hosts: with_port.into_iter().chain(without_port).collect(),
            origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(public_url: &str) -> Site {
        Site::new(&Url::parse(public_url).unwrap(), "0.0.0.0:8080".parse().unwrap())
    }

    #[test]
    fn hosts_and_origins_belong_together() {
        let site = site("https://Gate.example.com");
        assert!(site.is_https());
        for host in ["gate.example.com", "GATE.example.com:443"] {
            assert_eq!(site.origin_of(host), Some("https://gate.example.com"), "{host}");
        }
        assert_eq!(site.origin_of("localhost:8080"), Some("http://localhost:8080"));
        assert_eq!(site.origin_of("[::1]:8080"), Some("http://[::1]:8080"));
        for host in [
            "",
            "gate.example.com:8080",
            "gate.example.com:80",
            "localhost",
            "evil.example",
            "xgate.example.com",
        ] {
            assert_eq!(site.origin_of(host), None, "{host}");
        }
    }

    #[test]
    fn an_unusual_port_must_be_named() {
        let site = site("http://gate.example.com:9000");
        assert!(!site.is_https());
        assert_eq!(
            site.origin_of("gate.example.com:9000"),
            Some("http://gate.example.com:9000")
        );
        assert_eq!(site.origin_of("gate.example.com"), None);
    }
}
