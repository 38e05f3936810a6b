//! The client against a small server of our own that answers what each test tells it to, broken
//! connections included.

pub(super) mod fake_server;
mod lists;
mod mutations;
mod outcomes;
mod reads;
mod tokens;

use std::time::Duration;

use secrecy::SecretString;

use self::fake_server::FakeServer;
use super::{Credential, Endpoints, Http, HttpOptions, PlatformClient};

/// Long enough for a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
const SECRET: &str = "client-secret-canary";

/// A client whose platform and IMS are both `server`.
pub(super) fn client(server: &FakeServer) -> PlatformClient {
    client_of(&server.address(), &server.address())
}

/// The same, for servers that keep silent.
fn impatient_client(server: &FakeServer) -> PlatformClient {
    let http = http(&server.address(), &server.address(), Duration::from_millis(300));
    PlatformClient::new(http, credential(), "dev".to_owned())
}

fn client_of(platform: &str, ims: &str) -> PlatformClient {
    PlatformClient::new(http(platform, ims, PATIENCE), credential(), "dev".to_owned())
}

pub(super) fn http(platform: &str, ims: &str, patience: Duration) -> Http {
    let options = HttpOptions {
        connect_timeout: PATIENCE,
        read_timeout: patience,
        change_timeout: patience,
        retry_base: Duration::from_millis(10),
        environment_proxies: false,
    };
    Http::new(Endpoints::parse(platform, ims).unwrap(), options).unwrap()
}

pub(super) fn credential() -> Credential {
    Credential {
        client_id: "the-client".to_owned(),
        client_secret: SecretString::from(SECRET),
        organization: "0123456789ABCDEF01234567@AdobeOrg".to_owned(),
        scopes: "openid,AdobeID,session".to_owned(),
    }
}
