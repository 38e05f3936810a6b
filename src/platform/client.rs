//! The client of one environment: required headers, tokens, restraint and retries of reads.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::Request;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::calls::{Call, Method};
use super::error::{PlatformError, Service};
use super::http::{Exchange, Http, READ_LIMIT, header};
use super::pressure::{LONGEST_SLEEP, Pressure};
use super::reply::scrub;
use super::token::{Credential, Token, Tokens};
use super::wire;
use crate::lifecycle::aside_if;

/// Waits between tries of a read never grow beyond this.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// Changes of one environment that are on their way at once; Adobe says that many calls at once may fail.
const CHANGES_AT_ONCE: usize = 4;
/// A read is sent at most once more than this.
const RETRIES: usize = 3;
/// The bytes of an answer that is understood in no time.
const LONG_BODY: usize = 32 << 10;

/// What the JSON of an answer can be read into.
pub(super) trait Body: DeserializeOwned + Send + 'static {}
impl<B: DeserializeOwned + Send + 'static> Body for B {}

/// Talks to the platform as one credential in one sandbox. Cheap to clone; clones share the token and the
/// restraint towards the platform, so keep one per environment.
#[derive(Debug, Clone)]
pub struct PlatformClient {
    pub(super) inner: Arc<Inner>,
    request_id: Option<Arc<str>>,
    /// Reads of this client and its clones that may be on their way at once.
    reads_at_once: Option<Arc<Semaphore>>,
    lane: Lane,
}

/// Callers of different kinds: when most calls of the one fail, those of the other go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// People, and what they wait for.
    Front,
    /// What can wait.
    Background,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) http: Http,
    credential: Credential,
    sandbox: String,
    tokens: Tokens,
    pressure: Pressure,
    background_pressure: Pressure,
    /// Changes that may be on their way at once.
    pub(super) changes: Semaphore,
    /// Whether runs were found to be listed without an order only.
    pub(super) refuses_run_order: AtomicBool,
}

/// A read: path below `/data/foundation`, query not yet encoded, and the `Accept` that Schema Registry demands.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) accept: Option<&'static str>,
}

/// A request with all its headers but the token's.
pub(super) struct Outgoing {
    service: Service,
    request: Request,
    lane: Lane,
}

impl Read {
    pub(super) fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            query: Vec::new(),
            accept: None,
        }
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.query.push((key.to_owned(), value.into()));
        self
    }

    pub(super) fn accepting(mut self, accept: &'static str) -> Self {
        self.accept = Some(accept);
        self
    }
}

impl PlatformClient {
    /// A client for `credential` in `sandbox`. Nothing is sent yet; values that cannot be sent are found
    /// out by the first call.
    pub fn new(http: Http, credential: Credential, sandbox: String) -> Self {
        let (tokens, pressure) = (Tokens::default(), Pressure::default());
        Self {
            inner: Arc::new(Inner {
                http,
                credential,
                sandbox,
                tokens,
                background_pressure: pressure.of_others(),
                pressure,
                changes: Semaphore::new(CHANGES_AT_ONCE),
                refuses_run_order: AtomicBool::new(false),
            }),
            request_id: None,
            reads_at_once: None,
            lane: Lane::Front,
        }
    }

    /// The same client, sending `request_id` as `x-request-id` with all its reads, so that a page and what
    /// it asked of the platform can be told to belong together.
    pub fn traced(&self, request_id: &str) -> Self {
        Self {
            request_id: Some(Arc::from(request_id)),
            ..self.clone()
        }
    }

    /// The same client, of whose reads only so many are on their way at once; others wait. What an answer says is
    /// understood while the next one is fetched.
    pub fn with_reads_at_once(&self, most: u32) -> Self {
        Self {
            reads_at_once: Some(Arc::new(Semaphore::new(most as usize))),
            ..self.clone()
        }
    }

    /// The same client for reads that can wait: when most of them fail, only they are held back.
    pub fn in_background(&self) -> Self {
        Self {
            lane: Lane::Background,
            ..self.clone()
        }
    }

    /// The sandbox all calls go to.
    pub fn sandbox(&self) -> &str {
        &self.inner.sandbox
    }

    /// The addresses this client calls.
    pub fn endpoints(&self) -> &super::Endpoints {
        self.inner.http.endpoints()
    }

    /// Makes sure there is a valid token, asking IMS if needed.
    ///
    /// # Errors
    /// [`PlatformError::Auth`] when IMS refuses the credential; network trouble as usual.
    pub async fn sign_in(&self) -> Result<(), PlatformError> {
        self.inner.token().await.map(|_| ())
    }

    /// Reads, trying again with growing random waits while that may help and is affordable.
    pub(super) async fn get<B: Body>(&self, read: &Read) -> Result<B, PlatformError> {
        let pressure = self.inner.pressure(self.lane);
        pressure.earn_retry();
        let mut ceilings = ExponentialBuilder::new()
            .with_min_delay(self.inner.http.options().retry_base)
            .with_max_delay(LONGEST_BACKOFF)
            .with_max_times(RETRIES)
            .build();
        loop {
            let error = match self.get_once(read).await {
                Err(error) if is_worth_a_retry(&error) => error,
                done => return done,
            };
            match ceilings.next().filter(|_| pressure.take_retry()) {
                Some(ceiling) => tokio::time::sleep(wait_before_retry(&error, ceiling)).await,
                None => return Err(error),
            }
        }
    }

    async fn get_once<B: Body>(&self, read: &Read) -> Result<B, PlatformError> {
        let inner = &*self.inner;
        let mut request = inner.read_request(read, self.request_id.as_deref())?;
        request.lane = self.lane;
        inner.wait_for_admission(self.lane, LONGEST_SLEEP).await?;
        let mut token = inner.token().await?;
        // Nobody closes it.
        let place = match &self.reads_at_once {
            Some(places) => places.acquire().await.ok(),
            None => None,
        };
        let mut exchange = inner.exchange(&request, &token, READ_LIMIT).await?;
        if exchange.refuses_token() {
            token = inner.token_after(&token).await?;
            exchange = inner.exchange(&request, &token, READ_LIMIT).await?;
        }
        drop(place);
        let is_long = exchange.body.as_ref().is_ok_and(|body| body.len() > LONG_BODY);
        let inner = Arc::clone(&self.inner);
        aside_if(is_long, move || inner.understand(&exchange, &token)).await
    }
}

/// A pause is over when it is over: waiting for it is the caller's decision.
fn is_worth_a_retry(error: &PlatformError) -> bool {
    let soon = error.retry_after().is_none_or(|wait| wait <= LONGEST_SLEEP);
    error.is_transient() && soon && !matches!(error, PlatformError::Paused { .. })
}

/// What the service asked for, stretched, never less; else anything up to the ceiling.
fn wait_before_retry(error: &PlatformError, ceiling: Duration) -> Duration {
    error
        .retry_after()
        .map_or_else(|| ceiling.mul_f64(fastrand::f64()), stretched)
}

/// A wait that others keep too, made up to a fifth longer so that not all come back at once.
fn stretched(wait: Duration) -> Duration {
    wait.mul_f64(1.0 + 0.2 * fastrand::f64())
}

impl Inner {
    pub(super) async fn token(&self) -> Result<Token, PlatformError> {
        self.tokens.current(&self.http, &self.credential).await
    }

    pub(super) async fn token_after(&self, refused: &Token) -> Result<Token, PlatformError> {
        self.tokens
            .after_refusal(refused, &self.http, &self.credential)
            .await
    }

    pub(super) fn own_secrets<'a>(&'a self, token: &'a Token) -> [&'a str; 2] {
        [
            self.credential.client_secret.expose_secret(),
            token.value.expose_secret(),
        ]
    }

    /// What the answer to a read says, without our own secrets.
    fn understand<B: Body>(&self, exchange: &Exchange, token: &Token) -> Result<B, PlatformError> {
        let secrets = self.own_secrets(token);
        if !exchange.may_name(&secrets) {
            return exchange.success().map_err(|error| error.scrubbed(&secrets));
        }
        let mut body: Value = exchange.success().map_err(|error| error.scrubbed(&secrets))?;
        let mut names_one = false;
        // What is read is stored and shown: no service may make us repeat them.
        wire::each_text(&mut body, &mut |text| {
            if secrets.iter().any(|secret| text.contains(secret)) {
                names_one = true;
                *text = scrub(text, &secrets);
            }
        });
        if !names_one && !exchange.may_spell_out(&secrets) {
            // As it came: what is kept of it must not look otherwise because of its neighbour on a page.
            return exchange.success();
        }
        serde_json::from_value(body).map_err(|_| exchange.not_understood())
    }

    fn pressure(&self, lane: Lane) -> &Pressure {
        match lane {
            Lane::Front => &self.pressure,
            Lane::Background => &self.background_pressure,
        }
    }

    /// Waits until a change may be made, but no longer than `patience`.
    pub(super) async fn wait_to_change(&self, patience: Duration) -> Result<(), PlatformError> {
        self.wait_for_admission(Lane::Front, patience).await
    }

    async fn wait_for_admission(&self, lane: Lane, patience: Duration) -> Result<(), PlatformError> {
        let wait = self.pressure(lane).admit(Instant::now(), patience)?;
        if !wait.is_zero() {
            tokio::time::sleep(stretched(wait)).await;
        }
        Ok(())
    }

    fn read_request(&self, read: &Read, request_id: Option<&str>) -> Result<Outgoing, PlatformError> {
        let request_id = request_id.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let mut outgoing = self.request(reqwest::Method::GET, &read.path, &read.query, &request_id)?;
        if let Some(accept) = read.accept {
            outgoing
                .request
                .headers_mut()
                .insert(ACCEPT, header("Accept", accept)?);
        }
        Ok(outgoing)
    }

    pub(super) fn change_request(&self, call: &Call, request_id: &str) -> Result<Outgoing, PlatformError> {
        let method = match call.method {
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut outgoing = self.request(method, &call.path, &call.query, request_id)?;
        let headers = outgoing.request.headers_mut();
        if let Some(etag) = &call.if_match {
            headers.insert(IF_MATCH, header("If-Match", etag)?);
        }
        if let Some(body) = &call.body {
            headers.insert(CONTENT_TYPE, header("Content-Type", "application/json")?);
            *outgoing.request.body_mut() = Some(body.to_string().into());
        }
        Ok(outgoing)
    }

    fn request(
        &self,
        method: reqwest::Method,
        path: &str,
        query: &[(String, String)],
        request_id: &str,
    ) -> Result<Outgoing, PlatformError> {
        let service = Service::of_path(path)
            .ok_or_else(|| PlatformError::invalid("the path belongs to no service of the platform"))?;
        let mut request = Request::new(method, self.http.endpoints().platform_url(path, query)?);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, header("Accept", "application/json")?);
        headers.insert("x-request-id", header("x-request-id", request_id)?);
        headers.insert("x-api-key", header("x-api-key", &self.credential.client_id)?);
        headers.insert(
            "x-gw-ims-org-id",
            header("x-gw-ims-org-id", &self.credential.organization)?,
        );
        // The list of sandboxes is asked before one is chosen and is documented without this header.
        if service != Service::Sandboxes {
            headers.insert("x-sandbox-name", header("x-sandbox-name", &self.sandbox)?);
        }
        Ok(Outgoing {
            service,
            request,
            lane: Lane::Front,
        })
    }

    /// Sends a copy of the request with `token` and notes how the platform took it.
    pub(super) async fn exchange(
        &self,
        outgoing: &Outgoing,
        token: &Token,
        limit: usize,
    ) -> Result<Exchange, PlatformError> {
        let copy = outgoing.request.try_clone();
        let mut request = copy.ok_or_else(|| PlatformError::invalid("its body cannot be copied"))?;
        let mut bearer = header(
            "Authorization",
            &format!("Bearer {}", token.value.expose_secret()),
        )?;
        bearer.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, bearer);
        let result = self.http.exchange(outgoing.service, request, limit).await;
        let (now, pressure) = (Instant::now(), self.pressure(outgoing.lane));
        match &result {
            Ok(exchange) => {
                pressure.record(now, exchange.is_healthy());
                let asked_to_wait = exchange.status == reqwest::StatusCode::TOO_MANY_REQUESTS;
                if let Some(wait) = exchange.retry_after.filter(|_| asked_to_wait) {
                    pressure.close_for(now, wait);
                }
            }
            Err(PlatformError::Unreachable { .. } | PlatformError::Timeout { .. }) => {
                pressure.record(now, false)
            }
            Err(_) => {}
        }
        result
    }
}
