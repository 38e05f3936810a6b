//! What open pages are told, and reading from Adobe on a person's word.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking"
)]

use std::ops::RangeInclusive;
use std::time::Duration;

use headgate::domain::RunOutcome;
use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::store::runs;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::flows::list::run;
use crate::support::app::Visitor;
use crate::support::refusals::{BY_IDS, refuse_filter};
use crate::support::watched::{HOUR_MS, MINUTE_MS, NOW_MS, Watched};

/// How long a stream may be silent on a machine that is busy with other tests. How soon news come is a matter of the
/// pace at which a watched environment is read, for which there is a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open stream.
struct Stream {
    response: reqwest::Response,
    unread: String,
}

impl Stream {
    async fn open(visitor: &mut Visitor, path: &str) -> Self {
        let response = visitor.open(path).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            unread: String::new(),
        }
    }

    /// Waits until the server ends it.
    async fn end(self) {
        let rest = tokio::time::timeout(PATIENCE, self.response.text()).await;
        rest.expect("the stream goes on").unwrap();
    }

    /// The next event with its data.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find(|line| line.starts_with(name));
                    line.map(|line| line[name.len()..].trim().to_owned())
                        .unwrap_or_default()
                };
                let told = (
                    field("event:"),
                    serde_json::from_str(&field("data:")).unwrap_or_default(),
                );
                self.unread = rest.to_owned();
                return told;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk())
                .await
                .expect("the stream is silent")
                .unwrap()
                .expect("the stream ended");
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of that name.
    async fn wait_for(&mut self, name: &str) -> Value {
        let wanted = async {
            loop {
                let (event, data) = self.next().await;
                if event == name {
                    return data;
                }
            }
        };
        tokio::time::timeout(PATIENCE, wanted)
            .await
            .unwrap_or_else(|_| panic!("no {name:?} within {PATIENCE:?}"))
    }
}

/// Moves time on now and again: the server's clock stands still by itself.
async fn as_time_passes<T>(watched: &Watched, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(Duration::from_millis(500)) => watched.advance(1_000),
        }
    }
}

#[tokio::test]
async fn pages_of_a_flow_and_of_the_team_and_its_board_hear_of_a_new_run() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let mut of_flow = Stream::open(&mut ana, &format!("/flows/{flow}/live")).await;
    let mut of_team = Stream::open(&mut ana, "/live").await;
    let mut of_board = Stream::open(&mut ana, "/board/live").await;
    for stream in [&mut of_flow, &mut of_team, &mut of_board] {
        let (event, data) = stream.next().await;
        assert_eq!(event, "beat");
        assert_eq!(data["failing"], false);
        assert!(data["read"]["at"].is_string(), "{data}");
    }
    // Longer than a run needs to appear, and shorter than a session may be idle.
    watched.advance(10 * MINUTE_MS);
    let news = as_time_passes(&watched, async {
        of_team.wait_for("changed").await;
        of_board.wait_for("changed").await;
        loop {
            of_flow.wait_for("changed").await;
            // The flow itself may change first.
            let page = ana.get(&format!("/flows/{flow}")).await;
            if page.has(&format!("a[href*='/flows/{flow}/runs/']")) {
                return;
            }
        }
    });
    tokio::time::timeout(3 * PATIENCE, news)
        .await
        .expect("the new run is told");
}

#[tokio::test]
async fn the_platform_is_asked_no_more_often_for_fifty_viewers_than_for_one() {
    let watched = Watched::start().await;
    watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let calls_in_a_minute = async || {
        let before = watched.app.emulator.control().ledger().len();
        for _ in 0..12 {
            watched.advance(5_000);
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        watched.app.emulator.control().ledger().len() - before
    };
    let one = Stream::open(&mut ana, "/live").await;
    let alone = calls_in_a_minute().await;
    drop(one);
    let mut audience = Vec::new();
    for _ in 0..50 {
        audience.push(Stream::open(&mut ana, "/live").await);
    }
    let together = calls_in_a_minute().await;
    assert!(
        together <= alone + alone / 2 + 5,
        "{together} calls for fifty, {alone} for one"
    );
}

/// Answers for a run that the emulator does not know.
fn tell_of_run(watched: &Watched, id: &str, flow: &str, status: &str) {
    let started_at = NOW_MS - HOUR_MS;
    let run = json!({"id": id, "flowId": flow, "etag": status, "createdAt": started_at, "updatedAt": started_at,
        "metrics": {"durationSummary": {"startedAtUTC": started_at, "completedAtUTC": started_at + MINUTE_MS},
        "statusSummary": {"status": status}}});
    let answer = Fault::Answer {
        status: 200,
        body: json!({"items": [run]}),
    };
    let of_run = Rule::on("GET", &format!("**/runs/{id}"));
    watched.app.emulator.control().arm(of_run.times(0).then(answer));
}

/// Stores runs of a flow that go on since an hour ago, here as at the platform.
async fn begin_runs(watched: &Watched, flow: &str, numbers: RangeInclusive<i64>) {
    let going = numbers.map(|number| {
        let mut running = run(watched, number, RunOutcome::Running);
        running.row.flow_id = flow.to_owned();
        running.row.started_at = NOW_MS - HOUR_MS;
        (running.row.duration_ms, running.row.ended_at) = (None, None);
        tell_of_run(watched, &running.row.id, flow, "inProgress");
        running
    });
    let going: Vec<_> = going.collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    runs::upsert_many(&mut tx, &going).await.unwrap();
    tx.commit().await.unwrap();
}

/// Ends run 1 at the platform while its flow's page is open; milliseconds until the page has been told.
async fn ms_until_the_end_is_told(watched: &Watched, flow: &str) -> i64 {
    let mut ana = watched.app.visitor("ana").await;
    let mut stream = Stream::open(&mut ana, &format!("/flows/{flow}/live")).await;
    let was_asked = async || {
        let ledger = watched.app.emulator.control().ledger();
        let mut of_run = ledger
            .iter()
            .filter(|call| call.target.ends_with("/runs/run-001"));
        of_run.next().map(drop)
    };
    watched.as_time_passes("the run is asked for", was_asked).await;
    watched.app.emulator.control().disarm();
    tell_of_run(watched, "run-001", flow, "success");
    let ended_at = watched.now_ms();
    as_time_passes(watched, async {
        loop {
            stream.wait_for("changed").await;
            let page = ana.get(&format!("/flows/{flow}")).await;
            if page.text().contains("Succeeded") {
                return;
            }
        }
    })
    .await;
    watched.now_ms() - ended_at
}

/// Four seconds between two readings, and as much again for a busy machine. By its age a run that began an hour ago is
/// due in a minute.
const SECONDS_MS: i64 = 20_000;

#[tokio::test]
async fn the_end_of_a_run_that_began_an_hour_ago_is_told_in_seconds() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "week", Some(1)).await;
    watched.read().await;
    begin_runs(&watched, &flow, 1..=1).await;
    let waited_ms = ms_until_the_end_is_told(&watched, &flow).await;
    assert!(waited_ms <= SECONDS_MS, "{waited_ms}");
}

#[tokio::test]
async fn of_many_unfinished_runs_those_of_the_flow_that_is_looked_at_are_asked_for_first() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "week", Some(1)).await;
    let other = watched.flow("Orders", "week", Some(1)).await;
    watched.read().await;
    refuse_filter(watched.app.emulator.control(), BY_IDS);
    // Many more than are asked for one by one in a reading.
    begin_runs(&watched, &other, 101..=180).await;
    begin_runs(&watched, &flow, 1..=1).await;
    let waited_ms = ms_until_the_end_is_told(&watched, &flow).await;
    assert!(waited_ms <= SECONDS_MS, "{waited_ms}");
}

#[tokio::test]
async fn a_check_that_fails_is_told_with_the_last_time_of_reading() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let mut stream = Stream::open(&mut ana, &format!("/flows/{flow}/live")).await;
    let fault = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**").then(fault));
    let failing = as_time_passes(&watched, async {
        loop {
            let (_, data) = stream.next().await;
            if data["failing"] == true {
                return data;
            }
        }
    });
    let data = tokio::time::timeout(Duration::from_secs(60), failing)
        .await
        .unwrap();
    assert!(data["read"]["at"].is_string(), "the age of what is shown: {data}");
}

#[tokio::test]
async fn others_hear_nothing() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut mallory = watched.app.visitor("mallory").await;
    let answer = mallory.open(&format!("/flows/{flow}/live")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let mut stranger = watched.app.stranger();
    for path in ["/live", "/board/live"] {
        let answer = stranger.open(path).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{path}");
    }
}

#[tokio::test]
async fn pages_that_are_still_open_hear_nothing_more_after_a_sign_out() {
    let watched = Watched::start().await;
    let flow = watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut ana = watched.app.visitor("ana").await;
    let page = ana.get("/flows").await;
    let mut streams = Vec::new();
    for path in ["/live", "/board/live", &format!("/flows/{flow}/live")] {
        let mut stream = Stream::open(&mut ana, path).await;
        stream.wait_for("beat").await;
        streams.push(stream);
    }
    let signed_out = ana.submit(&page, "/sign-out", &[]).await;
    assert_eq!(signed_out.status, StatusCode::SEE_OTHER);
    for stream in streams {
        stream.end().await;
    }
}

#[tokio::test]
async fn everything_is_read_again_on_a_persons_word_and_a_failure_is_told() {
    let watched = Watched::start().await;
    watched.flow("Loyalty", "hour", Some(1)).await;
    watched.read().await;
    let mut vera = watched.app.visitor("vera").await;
    let page = vera.get("/flows").await;
    let before = watched.app.emulator.control().ledger().len();
    let fields = page.form("/refresh");
    let answer = vera.post("/refresh", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(
        answer.location().contains("done=refreshed"),
        "{}",
        answer.location()
    );
    assert!(watched.app.emulator.control().ledger().len() > before);
    assert!(
        vera.follow(&answer)
            .await
            .text()
            .contains("Everything was read from Adobe again.")
    );
    let fault = Fault::Status {
        status: 403,
        body: BodyForm::default(),
    };
    watched
        .app
        .emulator
        .control()
        .arm(Rule::on("GET", "**").then(fault));
    let answer = vera.post("/refresh", &fields).await;
    let page = vera.follow(&answer).await;
    assert!(
        page.text().contains("Adobe could not be read."),
        "{}",
        page.text()
    );
}
