//! How quickly pages come with a large history, beside the least that such a page could be.
//!
//! The flow page with its latest 50 runs is served by the real server, and in turns with it a bare handler that runs
//! the one indexed query on the same database and renders only those 50 rows. Then the overview, and the memory of a
//! server that has nothing to do. `cargo bench --bench pages -- --rounds 10`; the other arguments are `--flows`,
//! `--runs-per-flow`, `--connections`, `--seconds` and `--kept DIRECTORY`, where generated histories stay for the
//! next time.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on fails by panicking"
)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::response::Html;
use axum::routing::get;
use headgate::bootstrap::Running;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use support::installation::{Installation, Size, flow_places};
use support::load::{Browser, Taken};
use support::{argument, client_runtime, median, process, server_runtime};
use tokio::runtime::Runtime;

/// Least share of the bare handler's requests per second.
const SHARE: f64 = 0.4;
/// Readers and rows ahead, as the store has them.
const READERS: u32 = 2;
const ROW_BUFFER: usize = 256;

const LATEST: &str = "SELECT id, outcome, started_at, duration_ms, records_in, records_out, records_failed, files_in, \
     bytes_in, error_code, error_message FROM runs WHERE environment_id = $1 AND flow_id = $2 \
     ORDER BY started_at DESC, id DESC LIMIT 50";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    outcome: String,
    started_at: i64,
    duration_ms: Option<i64>,
    records_in: Option<i64>,
    records_out: Option<i64>,
    records_failed: Option<i64>,
    files_in: Option<i64>,
    bytes_in: Option<i64>,
    error_code: Option<String>,
    error_message: Option<String>,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = "<!doctype html><table>{% for r in rows %}<tr><td><a href=\"/runs/{{ r.id }}\">{{ r.started_at }}</a></td>\
        <td>{{ r.outcome }}{% if let Some(code) = r.error_code %} <code title=\"{{ r.error_message.as_deref().unwrap_or_default() }}\">{{ code }}</code>{% endif %}</td>\
        {% for number in r.numbers() %}<td>{{ number }}</td>{% endfor %}</tr>{% endfor %}</table>"
)]
struct Rows {
    rows: Vec<Row>,
}

impl Row {
    fn numbers(&self) -> [i64; 6] {
        [
            self.duration_ms,
            self.records_in,
            self.records_out,
            self.records_failed,
            self.files_in,
            self.bytes_in,
        ]
        .map(Option::unwrap_or_default)
    }
}

async fn bare(
    State(pool): State<SqlitePool>,
    UrlPath((environment, flow)): UrlPath<(String, String)>,
) -> Html<String> {
    let query = sqlx::query_as(LATEST).bind(environment).bind(flow);
    let rows = query.fetch_all(&pool).await.unwrap();
    Html(Rows { rows }.render().unwrap())
}

/// Serves the bare handler on a database; gives its address.
async fn serve_bare(database: &Path) -> String {
    let options = SqliteConnectOptions::new()
        .filename(database)
        .row_buffer_size(ROW_BUFFER)
        .pragma("query_only", "ON");
    let pool = SqlitePoolOptions::new().max_connections(READERS);
    let pool = pool.connect_with(options).await.unwrap();
    let router = Router::new()
        .route("/{environment}/{flow}", get(bare))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Somebody who asks for some pages.
struct Contender {
    name: String,
    browser: Browser,
    paths: Vec<String>,
    taken: Vec<Taken>,
}

impl Contender {
    fn new(name: impl Into<String>, browser: Browser, paths: Vec<String>) -> Self {
        Self {
            name: name.into(),
            browser,
            paths,
            taken: Vec::new(),
        }
    }

    /// All that came back.
    fn all(&self) -> Taken {
        let mut all = Taken::default();
        for taken in &self.taken {
            all.add(taken.clone());
        }
        all
    }
}

/// The median of what one contender had in requests per second for each of another's, round by round.
fn share(one: &Contender, of: &Contender) -> f64 {
    let rounds = one.taken.iter().zip(&of.taken);
    median(
        rounds
            .map(|(one, of)| one.per_second() / of.per_second())
            .collect(),
    )
}

fn main() {
    let kept: String = argument("kept", String::new());
    let large = Size {
        flows: argument("flows", 2_000),
        runs_per_flow: argument("runs-per-flow", 500),
    };
    let small = Size {
        flows: large.flows.min(200),
        runs_per_flow: 50,
    };
    let (server, client) = (server_runtime(), client_runtime());
    let installations = [large, small].map(|size| Installation::of(size, &kept));
    let [on_large, on_small] = installations
        .each_ref()
        .map(|installation| server.block_on(installation.serve()));
    flow_pages(
        &server,
        &client,
        [
            (large, &installations[0], &on_large),
            (small, &installations[1], &on_small),
        ],
    );
    for running in [on_large, on_small] {
        let _ = server.block_on(running.stop());
    }
    overview(&server, &client, &kept);
    idle_memory(&client, &installations[0]);
}

fn flow_pages(server: &Runtime, client: &Runtime, histories: [(Size, &Installation, &Running); 2]) {
    let connections = argument("connections", 16);
    let seconds = Duration::from_secs_f64(argument("seconds", 3.0));
    let rounds = argument("rounds", 5);
    println!(
        "Flow page with its latest 50 runs, {connections} connections, {rounds} rounds of {seconds:?} each"
    );
    let mut contenders = Vec::new();
    for (size, installation, running) in histories {
        let places = server.block_on(flow_places(&running.state.store));
        let of_runs = format!("{} runs", size.runs());
        let base = server.block_on(serve_bare(&installation.database()));
        let paths = places
            .iter()
            .map(|(environment, id)| format!("/{environment}/{id}"));
        let stranger = Browser::stranger(&base);
        contenders.push(Contender::new(
            format!("bare handler, {of_runs}"),
            stranger,
            paths.collect(),
        ));
        let browser = client.block_on(Browser::signed_in(&format!("http://{}", running.address)));
        let paths: Vec<String> = places.iter().map(|(_, id)| format!("/flows/{id}")).collect();
        let compressing = browser.accepting("gzip, br");
        contenders.push(Contender::new(
            format!("flow page, {of_runs}"),
            browser,
            paths.clone(),
        ));
        contenders.push(Contender::new(
            format!("flow page, {of_runs}, compressed"),
            compressing,
            paths,
        ));
    }
    // Statements are prepared and caches filled before anything counts.
    for round in 0..=rounds {
        for contender in &mut contenders {
            let Contender { browser, paths, .. } = &contender;
            let taken = client.block_on(browser.drive(paths, connections, seconds));
            if round > 0 {
                contender.taken.push(taken);
            }
        }
    }
    Taken::print_heading();
    for contender in &contenders {
        contender.all().print(&contender.name);
    }
    let [bare, page, _, small_bare, small_page, _] = &contenders[..] else {
        unreachable!("three contenders for each of two histories")
    };
    println!(
        "\nflow page / bare handler:          {:.3} (at least {SHARE})",
        share(page, bare)
    );
    println!(
        "flow page / the same, small:       {:.3} (0.9 to 1.1)",
        share(page, small_page)
    );
    println!(
        "bare handler / the same, small:    {:.3}",
        share(bare, small_bare)
    );
}

/// The first screen with 500 flows of 30 runs each, for one person at a time.
fn overview(server: &Runtime, client: &Runtime, kept: &str) {
    let size = Size {
        flows: 500,
        runs_per_flow: 30,
    };
    let installation = Installation::of(size, kept);
    let running = server.block_on(installation.serve());
    let browser = client.block_on(Browser::signed_in(&format!("http://{}", running.address)));
    println!(
        "\nOverview with {} flows of {} runs, one connection",
        size.flows, size.runs_per_flow
    );
    Taken::print_heading();
    for (name, browser) in [
        ("plain", browser.clone()),
        ("compressed", browser.accepting("gzip, br")),
    ] {
        let paths = ["/".to_owned()];
        let time = Duration::from_secs(2);
        client.block_on(browser.drive(&paths, 1, time / 4));
        client.block_on(browser.drive(&paths, 1, time)).print(name);
    }
    let _ = server.block_on(running.stop());
}

/// The built binary with the large history: memory before anybody asks, and after many have.
fn idle_memory(client: &Runtime, installation: &Installation) {
    let (server, base) = process::server(&installation.directory, process::NO_PLATFORM, &[]);
    let mib = || process::resident_bytes(server.id()) as f64 / f64::from(1 << 20);
    std::thread::sleep(Duration::from_secs(5));
    println!(
        "\nResident memory of the built binary: {:.1} MiB, idle after its start",
        mib()
    );
    let runtime = server_runtime();
    let places = runtime.block_on(async {
        let store = headgate::store::Store::open_read_only(&installation.database()).await;
        flow_places(&store.unwrap()).await
    });
    let paths: Vec<String> = places.iter().map(|(_, id)| format!("/flows/{id}")).collect();
    let browser = client.block_on(Browser::signed_in(&base));
    let started = Instant::now();
    client.block_on(browser.drive(&paths, 16, Duration::from_secs(5)));
    println!(
        "{:>45.1} MiB, after {:.0} s of requests",
        mib(),
        started.elapsed().as_secs_f64()
    );
    std::thread::sleep(Duration::from_secs(10));
    println!("{:>45.1} MiB, idle again for 10 s", mib());
}
