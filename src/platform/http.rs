//! The one HTTP client of this process and the only function through which a call leaves it.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Request, Response, StatusCode};

use super::endpoints::Endpoints;
use super::error::{PlatformError, Service};
use super::reply::clean;
use super::retry_after::retry_after;

/// The most bytes read of an answer to a read.
pub(super) const READ_LIMIT: usize = 8 << 20;
/// The most bytes read of an answer to a change.
pub(super) const CHANGE_LIMIT: usize = 1 << 20;
const HEADERS_LIMIT: u32 = 64 << 10;

/// How patient the client is. The defaults are what production uses.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// For a TCP and TLS connection to stand.
    pub connect_timeout: Duration,
    /// For a whole GET, body included.
    pub read_timeout: Duration,
    /// For a whole POST, PATCH or DELETE, body included.
    pub change_timeout: Duration,
    /// The ceiling of the first random wait before a GET is sent again; it doubles each time.
    pub retry_base: Duration,
    /// Whether the proxies named in the environment (`HTTPS_PROXY` …) are used.
    pub environment_proxies: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            change_timeout: Duration::from_secs(60),
            retry_base: Duration::from_millis(500),
            environment_proxies: false,
        }
    }
}

/// The HTTP client. Built once; clones share its connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    endpoints: Endpoints,
    options: HttpOptions,
}

/// What came back: at least a status line.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) service: Service,
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) request_id: Option<String>,
    pub(super) content_type: Option<HeaderValue>,
    /// The whole body, or why it could not be read to its end.
    pub(super) body: Result<Vec<u8>, PlatformError>,
}

impl Http {
    /// Builds the client: no redirects (a redirected POST would carry our headers to another host), no
    /// retries of the library's own, no cookies, no decompression, https only unless a loopback address
    /// is configured.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(endpoints: Endpoints, options: HttpOptions) -> Result<Self, PlatformError> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("headgate/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .timeout(options.change_timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .http2_max_header_list_size(HEADERS_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .https_only(endpoints.all_https());
        if !options.environment_proxies {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            PlatformError::invalid(format!("the HTTP client could not be built ({})", causes(error)))
        })?;
        Ok(Self {
            client,
            endpoints,
            options,
        })
    }

    /// The addresses this client may call.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(super) fn options(&self) -> &HttpOptions {
        &self.options
    }

    /// Sends one request, once, after checking where it goes, and reads at most `limit` bytes of the answer.
    pub(super) async fn exchange(
        &self,
        service: Service,
        mut request: Request,
        limit: usize,
    ) -> Result<Exchange, PlatformError> {
        let timeout = if request.method().is_safe() {
            self.options.read_timeout
        } else {
            self.options.change_timeout
        };
        *request.timeout_mut() = Some(timeout);
        if !self.endpoints.permits(service, request.url()) {
            let origin = request.url().origin().ascii_serialization();
            return Err(PlatformError::OriginBlocked { origin });
        }
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| transport_error(service, error))?;
        let (status, headers) = (response.status(), response.headers());
        Ok(Exchange {
            service,
            status,
            retry_after: retry_after(headers),
            request_id: request_id(headers),
            content_type: headers.get(reqwest::header::CONTENT_TYPE).cloned(),
            body: read_capped(service, response, limit).await,
        })
    }
}

async fn read_capped(
    service: Service,
    mut response: Response,
    limit: usize,
) -> Result<Vec<u8>, PlatformError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| transport_error(service, error))?
    {
        if body.len() + chunk.len() > limit {
            return Err(PlatformError::TooLarge { service, limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    Some(clean(headers.get("x-request-id")?.to_str().ok()?, 200))
}

/// The only place where an error of the HTTP library becomes ours. Its own text holds the address with
/// the query, so that goes first; only errors of making the connection prove that nothing left.
fn transport_error(service: Service, error: reqwest::Error) -> PlatformError {
    let left = !(error.is_connect() || error.is_builder());
    if left && error.is_timeout() {
        return PlatformError::Timeout { service };
    }
    PlatformError::Unreachable {
        service,
        left,
        cause: causes(error),
    }
}

fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    // The innermost one is the operating system's or the TLS library's: it knows hosts, no requests.
    clean(&innermost.to_string(), 200)
}

/// A header value of ours. Refuses what could start a second header or be read in two ways.
pub(super) fn header(name: &str, value: &str) -> Result<HeaderValue, PlatformError> {
    let plain = !value.is_empty() && value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let value = if plain {
        HeaderValue::from_str(value).ok()
    } else {
        None
    };
    value.ok_or_else(|| {
        PlatformError::invalid(format!(
            "{name} is empty or holds characters that are not plain ASCII"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_plain() {
        assert!(header("x-api-key", "abc-123@AdobeOrg").is_ok());
        for bad in ["", "a\r\nb", "a\nb", "ä", "a\0", "a\u{7f}", "\t"] {
            let error = header("x-api-key", bad).unwrap_err().to_string();
            assert!(error.contains("x-api-key"), "{error}");
        }
    }

    #[test]
    fn an_error_without_a_cause_keeps_its_address_to_itself() {
        let response: Response = oauth2::http::Response::builder()
            .status(500)
            .body("")
            .unwrap()
            .into();
        let error = response.error_for_status().unwrap_err();
        let error = error.with_url("https://platform.adobe.io/x?query-canary".parse().unwrap());
        assert!(error.to_string().contains("canary"), "the library does tell it");
        let error = transport_error(Service::FlowService, error);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }

    #[test]
    fn production_patience_is_as_promised() {
        let options = HttpOptions::default();
        assert_eq!(options.connect_timeout.as_secs(), 5);
        assert_eq!(options.read_timeout.as_secs(), 30);
        assert_eq!(options.change_timeout.as_secs(), 60);
        assert!(!options.environment_proxies);
    }
}
