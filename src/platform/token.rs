//! Access tokens of a server-to-server credential: asked of IMS, kept in memory only, renewed in time.

use std::time::{Duration, Instant};

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, RequestTokenError, Scope, TokenResponse,
    TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

use super::error::{PlatformError, Service};
use super::http::{CHANGE_LIMIT, Http};

/// The scopes Adobe's samples ask for; the Developer Console shows the list of a project.
pub const USUAL_SCOPES: &str =
    "openid,AdobeID,read_organizations,additional_info.projectedProductContext,session";

/// An OAuth server-to-server credential of the Adobe Developer Console.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Client id; also sent as `x-api-key`.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretString,
    /// IMS organization, `…@AdobeOrg`.
    pub organization: String,
    /// Scopes as one comma-separated text, the way IMS wants them.
    pub scopes: String,
}

/// Without `expires_in` a token is believed for this long.
const UNSTATED_LIFE: Duration = Duration::from_secs(5 * 60);
/// When an early renewal fails, the old token serves on and the next try waits this long.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);
/// `expires_in` is seconds at `/ims/token/v3`; the retired exchange answered milliseconds.
const MILLISECONDS_ABOVE: u64 = 10_000_000;

/// A token in use. The number tells a stale one from its successor.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) value: SecretString,
    number: u64,
}

#[derive(Debug)]
struct Held {
    token: Token,
    renew_at: Instant,
    expires_at: Instant,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    issued: u64,
    failed: Option<(Instant, PlatformError)>,
}

/// The tokens of one credential: at most one renewal is under way, and all who wait share its result.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<State>);

impl Tokens {
    /// A token to use now; renewed when 80 % of its life have passed.
    pub(super) async fn current(&self, http: &Http, credential: &Credential) -> Result<Token, PlatformError> {
        let asked_at = Instant::now();
        let mut state = self.0.lock().await;
        let now = Instant::now();
        match &mut state.held {
            Some(held) if now < held.renew_at => Ok(held.token.clone()),
            Some(held) if now < held.expires_at => {
                let old = held.token.clone();
                // Moved before asking, so that it holds even when this future is dropped half-way.
                held.renew_at = (now + RENEWAL_PAUSE).min(held.expires_at);
                Ok(renew(&mut state, http, credential).await.unwrap_or(old))
            }
            _ => renew_or_share(&mut state, asked_at, http, credential).await,
        }
    }

    /// A token other than `refused`, which a service did not accept.
    pub(super) async fn after_refusal(
        &self,
        refused: &Token,
        http: &Http,
        credential: &Credential,
    ) -> Result<Token, PlatformError> {
        let asked_at = Instant::now();
        let mut state = self.0.lock().await;
        match &state.held {
            Some(held) if held.token.number != refused.number => Ok(held.token.clone()),
            _ => {
                state.held = None;
                renew_or_share(&mut state, asked_at, http, credential).await
            }
        }
    }
}

/// Whoever waited while somebody else's renewal failed gets that failure instead of a try of its own.
async fn renew_or_share(
    state: &mut State,
    asked_at: Instant,
    http: &Http,
    credential: &Credential,
) -> Result<Token, PlatformError> {
    match &state.failed {
        Some((failed_at, error)) if *failed_at >= asked_at => Err(error.clone()),
        _ => renew(state, http, credential).await,
    }
}

async fn renew(state: &mut State, http: &Http, credential: &Credential) -> Result<Token, PlatformError> {
    let asked_at = Instant::now();
    let answer = match request_token(http, credential).await {
        Ok(answer) => answer,
        Err(error) => {
            let error = error.scrubbed(&[credential.client_secret.expose_secret()]);
            state.failed = Some((Instant::now(), error.clone()));
            return Err(error);
        }
    };
    state.issued += 1;
    let value = SecretString::from(answer.access_token().secret().as_str());
    let token = Token {
        value,
        number: state.issued,
    };
    let life = lifetime(answer.expires_in());
    state.held = Some(Held {
        token: token.clone(),
        renew_at: asked_at + life.mul_f64(0.8),
        expires_at: asked_at + life,
    });
    state.failed = None;
    Ok(token)
}

fn lifetime(expires_in: Option<Duration>) -> Duration {
    let life = match expires_in.map(|life| life.as_secs()) {
        Some(milliseconds) if milliseconds > MILLISECONDS_ABOVE => Duration::from_millis(milliseconds),
        Some(seconds) => Duration::from_secs(seconds),
        None => UNSTATED_LIFE,
    };
    // Bounds what a nonsense value could do to the arithmetic of instants.
    life.min(Duration::from_secs(7 * 24 * 3600))
}

async fn request_token(http: &Http, credential: &Credential) -> Result<BasicTokenResponse, PlatformError> {
    let client = BasicClient::new(ClientId::new(credential.client_id.clone()))
        .set_client_secret(ClientSecret::new(
            credential.client_secret.expose_secret().to_owned(),
        ))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(http.endpoints().token_url()));
    // The client goes in by value: with a reference inside, the future is not `Send` for every lifetime.
    let http = http.clone();
    let send = move |request| post(http.clone(), request);
    client
        .exchange_client_credentials()
        // One scope, because several would be joined by spaces and IMS wants commas.
        .add_scope(Scope::new(credential.scopes.clone()))
        .request_async(&send)
        .await
        .map_err(|error| match error {
            RequestTokenError::Request(error) => error,
            // The other variants hold the answer, which holds the token.
            _ => PlatformError::unreadable(Service::Ims, "no access token was found in the answer"),
        })
}

async fn post(http: Http, request: HttpRequest) -> Result<HttpResponse, PlatformError> {
    let request = reqwest::Request::try_from(request)
        .map_err(|_| PlatformError::invalid("the credential cannot be put into a request"))?;
    let exchange = http.exchange(Service::Ims, request, CHANGE_LIMIT).await?;
    if !exchange.status.is_success() {
        return Err(match exchange.failure() {
            PlatformError::Refused(reply) => PlatformError::Auth(reply),
            other => other,
        });
    }
    let mut response = HttpResponse::new(exchange.body?);
    *response.status_mut() = exchange.status;
    response.headers_mut().extend(
        exchange
            .content_type
            .map(|kind| (reqwest::header::CONTENT_TYPE, kind)),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::tests::fake_server::{FakeServer, Say, Seen};
    use crate::platform::tests::{PATIENCE, credential, http};

    /// Lets a held token grow older without waiting for it.
    async fn age(tokens: &Tokens, by: Duration) {
        let mut state = tokens.0.lock().await;
        let held = state.held.as_mut().unwrap();
        held.renew_at -= by;
        held.expires_at -= by;
    }

    async fn token(tokens: &Tokens, server: &FakeServer) -> Result<String, PlatformError> {
        let http = http(&server.address(), &server.address(), PATIENCE);
        tokens
            .current(&http, &credential())
            .await
            .map(|token| token.value.expose_secret().to_owned())
    }

    fn minute(_: &Seen, nth: usize) -> Say {
        let token = format!("token-{nth}");
        Say::Json(
            200,
            json!({"access_token": token, "token_type": "bearer", "expires_in": 60}),
        )
    }

    #[tokio::test]
    async fn a_token_is_renewed_at_four_fifths_of_its_life() {
        let server = FakeServer::start_with_ims(minute, |_, _| Say::Reset).await;
        let tokens = Tokens::default();
        assert_eq!(token(&tokens, &server).await.unwrap(), "token-0");
        age(&tokens, Duration::from_secs(30)).await;
        assert_eq!(token(&tokens, &server).await.unwrap(), "token-0");
        age(&tokens, Duration::from_secs(18)).await;
        assert_eq!(token(&tokens, &server).await.unwrap(), "token-1");
    }

    #[tokio::test]
    async fn an_early_renewal_that_fails_leaves_the_old_token_in_use_until_its_end() {
        let once = |seen: &Seen, nth: usize| {
            if nth == 0 {
                minute(seen, nth)
            } else {
                Say::Json(503, json!({}))
            }
        };
        let server = FakeServer::start_with_ims(once, |_, _| Say::Reset).await;
        let tokens = Tokens::default();
        token(&tokens, &server).await.unwrap();
        age(&tokens, Duration::from_secs(50)).await;
        for _ in 0..3 {
            assert_eq!(token(&tokens, &server).await.unwrap(), "token-0");
        }
        assert_eq!(
            server.token_calls().len(),
            2,
            "the failed renewal is not repeated at once"
        );
        age(&tokens, Duration::from_secs(11)).await;
        token(&tokens, &server).await.unwrap_err();
    }

    #[test]
    fn lifetimes_are_seconds_unless_they_cannot_be() {
        let life = |value| lifetime(Some(Duration::from_secs(value))).as_secs();
        assert_eq!(life(86_399), 86_399);
        assert_eq!(life(86_399_992), 86_399);
        assert_eq!(life(10_000_000), 7 * 24 * 3600);
        assert_eq!(life(u64::MAX), 7 * 24 * 3600);
        assert_eq!(lifetime(None), UNSTATED_LIFE);
    }

    #[test]
    fn a_credential_prints_without_its_secret() {
        let credential = Credential {
            client_id: "id".to_owned(),
            client_secret: SecretString::from("hunter22"),
            organization: "o@AdobeOrg".to_owned(),
            scopes: USUAL_SCOPES.to_owned(),
        };
        assert!(!format!("{credential:?}").contains("hunter22"));
    }
}
