//! Runs as files: what is in them is what the database holds, and a part never looks like the whole.

use headgate::domain::RunOutcome;
use headgate::store::MirroredRun;
use headgate::store::flows;
use headgate::store::runs;
use reqwest::StatusCode;
use serde_json::Value;

use crate::flows::list::{record, run};
use crate::support::app::{Answer, Visitor};
use crate::support::stored::runs_of;
use crate::support::watched::{HOUR_MS, NOW_MS, Watched};

/// Runs of the first flow: more than four batches.
const MANY: i64 = 2_300;

fn numbered(watched: &Watched, flow: i64, number: i64, outcome: RunOutcome) -> MirroredRun {
    let mut run = run(watched, flow, outcome);
    run.row.id = format!("run-{flow:03}-{number:05}");
    // Several start at the same moment.
    run.row.started_at = NOW_MS - (number / 3) * HOUR_MS / 2;
    run.row.records_out = (number % 7 != 0).then_some(number * 1000);
    run.row.records_failed = Some(-number);
    run
}

fn outcome(number: i64) -> RunOutcome {
    RunOutcome::ALL[usize::try_from(number).unwrap() % RunOutcome::ALL.len()]
}

async fn store(watched: &Watched, flow_numbers: &[i64], rows: &[MirroredRun]) {
    let records: Vec<_> = flow_numbers
        .iter()
        .map(|number| record(watched, *number))
        .collect();
    let mut tx = watched.app.store().begin().await.unwrap();
    flows::upsert_many(&mut tx, &records).await.unwrap();
    runs::upsert_many(&mut tx, rows).await.unwrap();
    tx.commit().await.unwrap();
}

async fn with_many() -> Watched {
    let watched = Watched::start().await;
    let mut rows: Vec<_> = (0..MANY)
        .map(|number| numbered(&watched, 1, number, outcome(number)))
        .collect();
    rows.extend((0..40).map(|number| numbered(&watched, 2, number, RunOutcome::Failed)));
    store(&watched, &[1, 2], &rows).await;
    watched
}

/// The cells of a file by column, after the header.
fn table(answer: &Answer) -> Vec<std::collections::HashMap<String, String>> {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn objects(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    answer
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn ids(visitor: &mut Visitor, query: &str) -> Vec<String> {
    let lines = objects(&visitor.get(&format!("/runs.jsonl{query}")).await);
    lines
        .iter()
        .map(|line| line["run_id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_flows_file_holds_every_run_as_it_is_stored() {
    let watched = with_many().await;
    let mut vera = watched.app.visitor("vera").await;
    let stored = runs_of(watched.app.store(), &watched.environment.id, "flow-001").await;
    assert_eq!(stored.len() as i64, MANY);

    let answer = vera.get("/flows/flow-001/runs.csv").await;
    assert_eq!(
        answer.headers["content-disposition"],
        "attachment; filename=\"runs-flow-001-b-2026-03-01.csv\""
    );
    assert_eq!(answer.headers["cache-control"], "no-store");
    let rows = table(&answer);
    assert_eq!(rows.len(), stored.len());
    let number = |told: Option<i64>| told.map(|n| n.to_string()).unwrap_or_default();
    let moment = |told: Option<i64>| {
        let at = told.map(|at| jiff::Timestamp::from_millisecond(at).unwrap().to_string());
        at.unwrap_or_default()
    };
    for (row, run) in rows.iter().zip(&stored) {
        for (column, value) in [
            ("run_id", run.id.clone()),
            ("flow_id", run.flow_id.clone()),
            ("flow_name", "Flow 001 <b>".to_owned()),
            ("environment", "Retail dev".to_owned()),
            ("outcome", run.outcome.as_str().to_owned()),
            ("adobe_status", run.status.clone()),
            ("started_at", moment(Some(run.started_at))),
            ("ended_at", moment(run.ended_at)),
            ("gone_at", moment(run.gone_at)),
            ("duration_ms", number(run.duration_ms)),
            ("records_stored", number(run.records_out)),
            ("records_rejected", number(run.records_failed)),
            ("error_code", String::new()),
        ] {
            assert_eq!(row[column], value, "{column} of {}", run.id);
        }
    }
    let lines = objects(&vera.get("/flows/flow-001/runs.jsonl").await);
    assert_eq!(lines.len(), stored.len());
    for (line, run) in lines.iter().zip(&stored) {
        assert_eq!(line["run_id"], run.id.as_str());
        assert_eq!(line["records_stored"], serde_json::json!(run.records_out));
        assert_eq!(line["error_code"], Value::Null);
        assert!(line.get("raw").is_none());
    }
}

#[tokio::test]
async fn filters_choose_among_the_teams_runs() {
    let watched = with_many().await;
    let mut ana = watched.app.visitor("ana").await;
    let all = ids(&mut ana, "").await;
    assert_eq!(all.len() as i64, MANY + 40);
    let failed = ids(&mut ana, "?outcome=failed").await;
    let expected = (0..MANY).filter(|n| outcome(*n) == RunOutcome::Failed).count() + 40;
    assert_eq!(failed.len(), expected);
    let environment = format!(
        "?environment={}&q=FLOW+002&outcome=failed",
        watched.environment.id
    );
    assert_eq!(ids(&mut ana, &environment).await.len(), 40);
    assert_eq!(ids(&mut ana, "?q=folder-2").await.len(), 40, "by source path");
    // NOW is the first moment of March 1.
    let day = ids(&mut ana, "?from=2026-02-28&to=2026-02-28").await;
    let in_day = |n: &i64| (1..=48).contains(&(n / 3));
    assert_eq!(
        day.len(),
        (0..MANY).filter(in_day).count() + (0..40).filter(in_day).count()
    );
    assert_eq!(ids(&mut ana, "?from=2026-03-01").await.len(), 6);
    assert_eq!(
        objects(&ana.get("/flows/flow-002/runs.jsonl?outcome=partial").await).len(),
        0
    );

    for (wrong, status) in [
        ("?environment=nothing", StatusCode::NOT_FOUND),
        ("?outcome=fine", StatusCode::BAD_REQUEST),
        ("?from=yesterday", StatusCode::BAD_REQUEST),
        ("?to=2026-02-30", StatusCode::BAD_REQUEST),
        ("?from=2026-02-28&to=2026-02-27", StatusCode::BAD_REQUEST),
    ] {
        let answer = ana.get(&format!("/runs.csv{wrong}")).await;
        assert_eq!(answer.status, status, "{wrong}");
        assert!(!answer.headers.contains_key("content-disposition"), "{wrong}");
    }
}

#[tokio::test]
async fn nobody_gets_the_runs_of_others() {
    let watched = with_many().await;
    let mut mallory = watched.app.visitor("mallory").await;
    for path in ["/flows/flow-001/runs.csv", "/flows/flow-001/runs.jsonl"] {
        assert_eq!(mallory.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let foreign = format!("/runs.csv?environment={}", watched.environment.id);
    assert_eq!(mallory.get(&foreign).await.status, StatusCode::NOT_FOUND);
    // Nothing of their own: a file with a head, and an empty one.
    let head = mallory.get("/runs.csv").await;
    assert!(head.body.starts_with("run_id,flow_id,") && head.body.ends_with("\r\n"));
    assert_eq!(head.body.lines().count(), 1);
    assert_eq!(mallory.get("/runs.jsonl").await.body, "");
}

#[tokio::test]
async fn cells_are_harmless_in_spreadsheets_and_lines_are_exact() {
    let watched = Watched::start().await;
    let messages = [
        "=HYPERLINK(\"http://evil\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "a,\"b\"\r\nc",
        "plain",
        "über",
    ];
    let rows: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| {
            let mut run = numbered(
                &watched,
                1,
                i64::try_from(number).unwrap() * 3,
                RunOutcome::Failed,
            );
            run.row.error_code = Some("CONNECTOR-1001-500".into());
            run.row.error_message = Some((*message).to_owned());
            run
        })
        .collect();
    store(&watched, &[1], &rows).await;
    let mut ana = watched.app.visitor("ana").await;
    let file = ana.get("/flows/flow-001/runs.csv").await;
    for (row, message) in table(&file).iter().zip(messages) {
        let armed = message.starts_with(['=', '+', '-', '@', '\t']);
        let expected = if armed {
            format!("'{message}")
        } else {
            message.to_owned()
        };
        assert_eq!(row["error_message"], expected);
        assert_eq!(
            row["error_meaning"],
            "The files could not be copied from the source"
        );
        assert!(!row["records_rejected"].starts_with('\''), "numbers stay numbers");
    }
    assert!(
        file.body.contains("\"a,\"\"b\"\"\r\nc\""),
        "quoted as in RFC 4180"
    );
    let lines = objects(&ana.get("/flows/flow-001/runs.jsonl").await);
    for (line, message) in lines.iter().zip(messages) {
        assert_eq!(line["error_message"], message);
        assert!(line["records_rejected"].is_i64());
    }
}

#[tokio::test]
async fn a_file_that_breaks_off_is_not_complete_and_one_that_is_dropped_ends() {
    let watched = Watched::start().await;
    let rows: Vec<_> = (0..8_000)
        .map(|number| {
            let mut run = numbered(&watched, 1, number, RunOutcome::Failed);
            run.row.error_message = Some("x".repeat(2_000));
            run
        })
        .collect();
    store(&watched, &[1], &rows).await;
    let mut ana = watched.app.visitor("ana").await;
    // Enough to fill what the sockets hold; most of it is not read yet when the first part is here.
    let mut dropped = ana.open("/flows/flow-001/runs.csv").await;
    assert!(dropped.chunk().await.unwrap().is_some());
    drop(dropped);
    assert_eq!(
        ana.get("/flows/flow-001/runs.jsonl").await.body.lines().count(),
        8_000
    );

    // By a connection of its own: one that has carried a large file lets the server send far ahead.
    let mut broken = watched.app.visitor("ana").await;
    let mut broken = broken.open("/flows/flow-001/runs.csv").await;
    assert!(broken.chunk().await.unwrap().is_some());
    watched.app.store().close().await;
    let end = loop {
        match broken.chunk().await {
            Ok(Some(_)) => {}
            other => break other,
        }
    };
    assert!(end.is_err(), "the body seemed complete");
}
