//! A wire between a client and the emulator that can be cut in the middle of a request.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Passes connections on until the request that it was told of.
pub struct Forwarder {
    url: String,
    shared: Arc<Shared>,
}

/// Looks at the head and the body of a request before a byte of it goes on.
pub type Watcher = Arc<dyn Fn(String, Vec<u8>) -> BoxFuture<'static, ()> + Send + Sync>;

struct Shared {
    target: String,
    watcher: Mutex<Option<Watcher>>,
    cut: Mutex<Option<Cut>>,
    reached: CancellationToken,
    let_go: CancellationToken,
}

/// The request of which only half goes through.
struct Cut {
    /// End of its path.
    path: String,
    /// Text of its body.
    body: String,
}

impl Forwarder {
    /// Passes on to the server at this address: `http://127.0.0.1:9090`.
    pub async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            target: target.replace("http://", ""),
            watcher: Mutex::default(),
            cut: Mutex::default(),
            reached: CancellationToken::new(),
            let_go: CancellationToken::new(),
        });
        let passing = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&passing).pass(client));
            }
        });
        Self { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Half of the first POST with this end of its path and this text in its body goes through, and then nothing.
    pub fn cut(&self, path: &str, body: &str) {
        *self.shared.cut.lock().unwrap() = Some(Cut {
            path: path.to_owned(),
            body: body.to_owned(),
        });
    }

    /// From now on every request waits for this before it goes on.
    pub fn watch(&self, watcher: Watcher) {
        *self.shared.watcher.lock().unwrap() = Some(watcher);
    }

    /// Whether half of the request has gone through.
    pub fn is_cut(&self) -> bool {
        self.shared.reached.is_cancelled()
    }

    /// Ends the connection that was cut.
    pub fn let_go(&self) {
        self.shared.let_go.cancel();
    }
}

impl Shared {
    async fn pass(self: Arc<Self>, client: TcpStream) {
        let Ok(server) = TcpStream::connect(&self.target).await else {
            return;
        };
        let (from_client, mut to_client) = client.into_split();
        let (mut from_server, to_server) = server.into_split();
        let answers = tokio::spawn(async move {
            // Either side may go away at any time.
            let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
        });
        self.pass_requests(from_client, to_server).await;
        answers.abort();
    }

    async fn pass_requests(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        while let Some((head, body)) = request(&mut from).await {
            let watcher = self.watcher.lock().unwrap().clone();
            if let Some(watch) = watcher {
                watch(head.clone(), body.clone()).await;
            }
            let half = self.is_to_be_cut(&head, &body).then_some(body.len() / 2);
            let sent = [head.as_bytes(), &body[..half.unwrap_or(body.len())]].concat();
            if to.write_all(&sent).await.is_err() {
                return;
            }
            if half.is_some() {
                self.reached.cancel();
                tokio::select! {
                    () = self.let_go.cancelled() => {}
                    // The client is gone.
                    _ = from.read_u8() => {}
                }
                return;
            }
        }
    }

    fn is_to_be_cut(&self, head: &str, body: &[u8]) -> bool {
        let mut cut = self.cut.lock().unwrap();
        let path = head.split([' ', '?']).nth(1).unwrap_or_default();
        let text = String::from_utf8_lossy(body);
        let fits = |cut: &mut Cut| {
            head.starts_with("POST ") && path.ends_with(&cut.path) && text.contains(&cut.body)
        };
        cut.take_if(fits).is_some()
    }
}

/// Reads one request: its head with the empty line, and its body.
async fn request(from: &mut OwnedReadHalf) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    from.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// Waits until something is so; says what never was.
pub async fn until(what: &str, patience: Duration, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < patience, "it never came true that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
