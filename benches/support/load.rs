//! A browser's side: signing in, and many connections that ask again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::TryStreamExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::form_urlencoded;

use super::installation::{LOGIN, PASSWORD};
use super::process::processor_seconds;

/// Who asks, on connections that stay open.
#[derive(Clone)]
pub struct Browser {
    base: String,
    cookie: String,
    /// Value of `accept-encoding`; empty: not sent.
    encodings: &'static str,
    client: Client<HttpConnector, Body>,
}

/// What came back in a time.
#[derive(Debug, Default, Clone)]
pub struct Taken {
    /// Microseconds of each request, up to the last byte of its answer.
    pub latencies_us: Vec<u32>,
    pub seconds: f64,
    /// Processor time of this process without the thread that asks.
    pub server_seconds: f64,
    pub bytes: usize,
}

impl Browser {
    /// Somebody without a session.
    pub fn stranger(base: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            base: base.to_owned(),
            cookie: String::new(),
            encodings: "",
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Somebody who has signed in by the form.
    pub async fn signed_in(base: &str) -> Self {
        let mut browser = Self::stranger(base);
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("login", LOGIN), ("password", PASSWORD)])
            .finish();
        let request = Request::post(format!("{base}/sign-in"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, base)
            .header("sec-fetch-site", "same-origin");
        let request = request.body(Body::from(form)).unwrap();
        let answer = browser.client.request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "the sign-in was refused");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        browser.cookie = cookie.split(';').next().unwrap().to_owned();
        browser
    }

    /// The same one, who understands these encodings.
    pub fn accepting(&self, encodings: &'static str) -> Self {
        Self {
            encodings,
            ..self.clone()
        }
    }

    /// Reads a page that has to be there.
    pub async fn get(&self, path: &str) -> (HeaderMap, Bytes) {
        let (headers, body) = self.ask(path).await;
        (headers, to_bytes(body, usize::MAX).await.unwrap())
    }

    /// Reads such a page and gives its length only.
    async fn length(&self, path: &str) -> usize {
        let (_, body) = self.ask(path).await;
        let pieces = body.into_data_stream();
        let lengths = pieces.try_fold(0, async |sum, piece| Ok(sum + piece.len()));
        lengths.await.unwrap()
    }

    async fn ask(&self, path: &str) -> (HeaderMap, Body) {
        let mut request = Request::get(format!("{}{path}", self.base));
        for (name, value) in [
            (header::COOKIE, self.cookie.as_str()),
            (header::ACCEPT_ENCODING, self.encodings),
        ] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let answer = self.client.request(request.body(Body::empty()).unwrap()).await;
        let (parts, body) = answer.unwrap().into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        (parts.headers, Body::new(body))
    }

    /// Asks for one after the other until the time is over; gives microseconds of each, and all bytes.
    async fn walk<'a>(
        &self,
        paths: impl Iterator<Item = &'a String>,
        started: Instant,
        time: Duration,
    ) -> (Vec<u32>, usize) {
        let (mut latencies_us, mut bytes) = (Vec::new(), 0);
        for path in paths {
            let asked = Instant::now();
            if asked.duration_since(started) >= time {
                break;
            }
            bytes += self.length(path).await;
            latencies_us.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
        (latencies_us, bytes)
    }

    /// Asks for one of `paths` after the other on so many connections, for so long. Runs on the calling thread only.
    pub async fn drive(&self, paths: &[String], connections: usize, time: Duration) -> Taken {
        let paths: Arc<[String]> = paths.into();
        let ours = || processor_seconds("/proc/thread-self");
        let (started, all_before, ours_before) = (Instant::now(), processor_seconds("/proc/self"), ours());
        let turns: Vec<_> = (0..connections)
            .map(|connection| {
                // Each connection walks through all paths, beginning elsewhere.
                let first = connection * paths.len() / connections;
                let (browser, paths) = (self.clone(), Arc::clone(&paths));
                // A task of its own is looked at only when its own answer comes.
                tokio::spawn(async move {
                    let turn = paths.iter().cycle().skip(first);
                    browser.walk(turn, started, time).await
                })
            })
            .collect();
        let mut answers = Vec::new();
        for turn in turns {
            answers.push(turn.await.unwrap());
        }
        let mut taken = Taken {
            seconds: started.elapsed().as_secs_f64(),
            server_seconds: processor_seconds("/proc/self") - all_before - (ours() - ours_before),
            ..Taken::default()
        };
        for (latencies_us, bytes) in answers {
            taken.latencies_us.extend(latencies_us);
            taken.bytes += bytes;
        }
        taken
    }
}

impl Taken {
    /// Both together, as if measured in one go.
    pub fn add(&mut self, other: Self) {
        self.latencies_us.extend(other.latencies_us);
        self.seconds += other.seconds;
        self.server_seconds += other.server_seconds;
        self.bytes += other.bytes;
    }

    pub fn per_second(&self) -> f64 {
        self.latencies_us.len() as f64 / self.seconds
    }

    /// Milliseconds that so many of a hundred requests did not exceed.
    pub fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).map_or(f64::NAN, |us| f64::from(*us) / 1_000.0)
    }

    /// Microseconds of the server's processor time for one request.
    pub fn server_us(&self) -> f64 {
        self.server_seconds * 1_000_000.0 / self.latencies_us.len() as f64
    }

    /// Mean size of an answer in bytes.
    pub fn mean_bytes(&self) -> usize {
        self.bytes / self.latencies_us.len().max(1)
    }

    pub fn print_heading() {
        println!(
            "{:<44}{:>10}{:>9}{:>9}{:>12}{:>10}",
            "", "requests/s", "p50 ms", "p99 ms", "server us", "bytes"
        );
    }

    pub fn print(&self, name: &str) {
        println!(
            "{name:<44}{:>10.0}{:>9.2}{:>9.2}{:>12.0}{:>10}",
            self.per_second(),
            self.percentile_ms(50),
            self.percentile_ms(99),
            self.server_us(),
            self.mean_bytes()
        );
    }
}
