//! An HTTP/1.1 server on raw sockets: one request per connection, and every way to answer badly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it arrived. Header names are lower case.
#[derive(Debug, Clone)]
pub(in crate::platform) struct Seen {
    pub(in crate::platform) method: String,
    /// Path and query, undecoded.
    pub(in crate::platform) target: String,
    pub(in crate::platform) headers: HashMap<String, String>,
    pub(in crate::platform) body: String,
}

/// How to answer.
#[derive(Debug, Clone)]
pub(in crate::platform) enum Say {
    Json(u16, Value),
    With(u16, Vec<(&'static str, String)>, String),
    /// These bytes, then the end.
    Raw(Vec<u8>),
    /// The connection is reset.
    Reset,
    /// Nothing, for longer than anybody waits.
    Silence,
}

pub(in crate::platform) type Answers = dyn Fn(&Seen, usize) -> Say + Send + Sync;

pub(in crate::platform) struct FakeServer {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl FakeServer {
    /// Hands out tokens, and answers anything else by `answers(request, how many came before it)`.
    pub(in crate::platform) async fn start(
        answers: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        Self::start_with_ims(token_answer, answers).await
    }

    pub(in crate::platform) async fn start_with_ims(
        ims: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
        answers: impl Fn(&Seen, usize) -> Say + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (ims, answers): (Arc<Answers>, Arc<Answers>) = (Arc::new(ims), Arc::new(answers));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, ims, answers) = (Arc::clone(&log), Arc::clone(&ims), Arc::clone(&answers));
                tokio::spawn(async move { serve(stream, &log, &*ims, &*answers).await });
            }
        });
        Self { address, seen }
    }

    pub(in crate::platform) fn address(&self) -> String {
        self.address.clone()
    }

    /// All requests but those for tokens.
    pub(in crate::platform) fn calls(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| !is_token(seen))
            .cloned()
            .collect()
    }

    pub(in crate::platform) fn token_calls(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| is_token(seen))
            .cloned()
            .collect()
    }
}

/// An address where nobody listens.
pub(in crate::platform) async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(in crate::platform) fn token_answer(_: &Seen, nth: usize) -> Say {
    Say::Json(
        200,
        json!({"access_token": format!("token-{nth}"), "token_type": "bearer", "expires_in": 86399}),
    )
}

fn is_token(seen: &Seen) -> bool {
    seen.target.starts_with("/ims/token/v3")
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Seen>>,
    ims: &Answers,
    answers: &Answers,
) -> Option<()> {
    let seen = read_request(&mut stream).await?;
    let (handler, nth) = {
        let mut log = log.lock().unwrap();
        let nth = log
            .iter()
            .filter(|other| is_token(other) == is_token(&seen))
            .count();
        log.push(seen.clone());
        (if is_token(&seen) { ims } else { answers }, nth)
    };
    let bytes = match handler(&seen, nth) {
        Say::Json(status, body) => response(
            status,
            &[("content-type", "application/json".to_owned())],
            &body.to_string(),
        ),
        Say::With(status, headers, body) => response(status, &headers, &body),
        Say::Raw(bytes) => bytes,
        Say::Reset => {
            stream.set_zero_linger().unwrap();
            return None;
        }
        Say::Silence => {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
            return None;
        }
    };
    stream.write_all(&bytes).await.ok()?;
    stream.shutdown().await.ok()
}

fn response(status: u16, headers: &[(&'static str, String)], body: &str) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{body}").into_bytes()
}

async fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, target) = (first.next()?, first.next()?);
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
    Some(Seen {
        method,
        target,
        headers,
        body,
    })
}
