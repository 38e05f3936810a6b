//! `GET /runs.csv`, `/runs.jsonl`, `/flows/{id}/runs.csv`, `/flows/{id}/runs.jsonl`: runs as a file.
//!
//! The file is written while it is sent: memory does not grow with it, nothing is read for a client that has gone,
//! and a reading that fails breaks the connection, so that no part of a file looks like the whole.

use std::collections::VecDeque;
use std::future::ready;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};

use super::export_rows::Format;
use super::filter::RunsFilter;
use crate::store::flows;
use crate::store::run_lists::{self, RunPlace, RunSelection};
use crate::store::{Store, StoreError};
use crate::web::error::PageError;
use crate::web::state::AppState;
use crate::web::visit::Visit;

/// Letters of a flow's name in a file's name, at most.
const SLUG_CHARS: usize = 60;

/// The team's runs as CSV.
pub async fn csv(
    State(state): State<AppState>,
    visit: Visit,
    Query(filter): Query<RunsFilter>,
) -> Result<Response, PageError> {
    of_team(&state, &visit, &filter, Format::Csv).await
}

/// The team's runs as JSON lines.
pub async fn json_lines(
    State(state): State<AppState>,
    visit: Visit,
    Query(filter): Query<RunsFilter>,
) -> Result<Response, PageError> {
    of_team(&state, &visit, &filter, Format::JsonLines).await
}

/// A flow's runs as CSV.
pub async fn flow_csv(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(filter): Query<RunsFilter>,
) -> Result<Response, PageError> {
    of_flow(&state, &visit, &id, &filter, Format::Csv).await
}

/// A flow's runs as JSON lines.
pub async fn flow_json_lines(
    State(state): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(filter): Query<RunsFilter>,
) -> Result<Response, PageError> {
    of_flow(&state, &visit, &id, &filter, Format::JsonLines).await
}

async fn of_team(
    state: &AppState,
    visit: &Visit,
    filter: &RunsFilter,
    format: Format,
) -> Result<Response, PageError> {
    let wanted = filter.environment.trim();
    let environments: VecDeque<(String, String)> = visit
        .environments
        .iter()
        .filter(|environment| wanted.is_empty() || environment.id == wanted)
        .map(|environment| (environment.id.clone(), environment.name.clone()))
        .collect();
    if environments.is_empty() && !wanted.is_empty() {
        return Err(PageError::not_found());
    }
    let export = Export {
        store: state.store.clone(),
        format,
        selection: filter.selection(&visit.times())?,
        environments,
        flow_id: None,
        after: None,
    };
    export.answer(&file_name("all", visit, format)).await
}

async fn of_flow(
    state: &AppState,
    visit: &Visit,
    id: &str,
    filter: &RunsFilter,
    format: Format,
) -> Result<Response, PageError> {
    let flow = flows::by_id(&state.store, &visit.session.team_id, None, id).await?;
    let flow = flow.ok_or_else(PageError::not_found)?;
    let name = file_name(&slug(&flow.record.name), visit, format);
    let export = Export {
        store: state.store.clone(),
        format,
        selection: filter.selection(&visit.times())?,
        environments: [(flow.record.environment_id, flow.environment_name)].into(),
        flow_id: Some(flow.record.id),
        after: None,
    };
    export.answer(&name).await
}

/// What is still to be written.
struct Export {
    store: Store,
    format: Format,
    selection: RunSelection,
    /// Ids and names; the first one is being read.
    environments: VecDeque<(String, String)>,
    flow_id: Option<String>,
    after: Option<RunPlace>,
}

impl Export {
    /// Reads as much as there is to find out whether it can be read at all; the rest is read while it is sent.
    async fn answer(mut self, file_name: &str) -> Result<Response, PageError> {
        let mut first = self.format.head();
        first.extend(self.next_lines().await?.unwrap_or_default());
        let headers = [
            (header::CONTENT_TYPE, self.format.media_type().to_owned()),
            (
                header::CONTENT_DISPOSITION,
                format!("attachment; filename=\"{file_name}\""),
            ),
        ];
        let body = stream::once(ready(Ok(Bytes::from(first)))).chain(self.rest());
        Ok((headers, Body::from_stream(body)).into_response())
    }

    fn rest(self) -> impl Stream<Item = Result<Bytes, StoreError>> + Send {
        stream::try_unfold(self, |mut export| async move {
            let lines = export.next_lines().await.inspect_err(|error| {
                tracing::warn!(%error, "an export of runs was broken off");
            })?;
            Ok(lines.map(|lines| (Bytes::from(lines), export)))
        })
    }

    /// The next lines; nothing: that was all.
    async fn next_lines(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some((id, name)) = self.environments.front() {
            let batch = run_lists::batch(
                &self.store,
                id,
                self.flow_id.as_deref(),
                &self.selection,
                self.after.as_ref(),
            )
            .await?;
            let lines = self.format.lines(&batch.runs, name);
            let lines = lines.map_err(|error| StoreError::Other(error.to_string()))?;
            self.after = batch.next;
            if self.after.is_none() {
                self.environments.pop_front();
            }
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
        }
        Ok(None)
    }
}

fn file_name(what: &str, visit: &Visit, format: Format) -> String {
    let now = visit.times().at(visit.now_ms).iso().to_string();
    let day = now.split('T').next().unwrap_or_default();
    format!("runs-{what}-{day}.{}", format.ending())
}

/// A name in small letters, digits and single dashes.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().take(SLUG_CHARS) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "flow" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::super::export_rows::COLUMNS;
    use super::*;
    use crate::domain::RunOutcome;
    use crate::store::runs::{self, Run};
    use crate::store::{Mirrored, MirroredRun};

    fn run(number: i64) -> MirroredRun {
        let row = Run {
            environment_id: "env".into(),
            id: format!("run-{number:05}"),
            flow_id: "flow".into(),
            status: "success".into(),
            outcome: RunOutcome::Succeeded,
            started_at: 1_000_000_000 + number * 1000,
            completed_at: None,
            duration_ms: None,
            records_in: None,
            records_out: Some(number),
            records_failed: None,
            files_in: None,
            bytes_in: None,
            bytes_out: None,
            error_code: None,
            error_message: None,
            window_start_at: None,
            window_end_at: None,
            platform_updated_at: 0,
            read_at: 0,
            ended_at: None,
            gone_at: None,
        };
        let raw = "{}".into();
        Mirrored { row, raw }
    }

    async fn store(runs: Vec<MirroredRun>) -> (Store, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("h.db")).await.unwrap();
        add(&store, &runs).await;
        (store, directory)
    }

    async fn add(store: &Store, runs: &[MirroredRun]) {
        let mut tx = store.begin().await.unwrap();
        runs::upsert_many(&mut tx, runs).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn export(store: &Store, format: Format) -> Export {
        Export {
            store: store.clone(),
            format,
            selection: RunSelection::default(),
            environments: [("none".into(), "None".into()), ("env".into(), "Env".into())].into(),
            flow_id: None,
            after: None,
        }
    }

    const THREE_BATCHES: i64 = 2 * run_lists::BATCH as i64 + 10;

    #[tokio::test]
    async fn rows_are_read_when_they_are_asked_for_and_not_before() {
        let (store, _directory) = store((0..THREE_BATCHES).map(run).collect()).await;
        let mut rest = Box::pin(export(&store, Format::JsonLines).rest());
        let first = rest.next().await.unwrap().unwrap();
        let newest: serde_json::Value =
            serde_json::from_slice(first.split(|b| *b == b'\n').next().unwrap()).unwrap();
        assert_eq!(newest["records_stored"], THREE_BATCHES - 1);
        // Older than all others: nobody has looked there yet.
        add(&store, &[run(-5)]).await;
        let others: Vec<Bytes> = rest.try_collect().await.unwrap();
        let lines = |bytes: &Bytes| bytes.iter().filter(|b| **b == b'\n').count() as i64;
        assert_eq!(lines(&first), run_lists::BATCH as i64);
        assert_eq!(
            lines(&first) + others.iter().map(lines).sum::<i64>(),
            THREE_BATCHES + 1
        );
        let last = others.last().unwrap();
        assert!(String::from_utf8_lossy(last).contains("\"records_stored\":-5"));
    }

    #[tokio::test]
    async fn a_reading_that_fails_ends_the_body_with_an_error() {
        let (store, _directory) = store((0..THREE_BATCHES).map(run).collect()).await;
        let mut rest = Box::pin(export(&store, Format::Csv).rest());
        rest.next().await.unwrap().unwrap();
        store.close().await;
        assert!(rest.next().await.unwrap().is_err());
        assert!(rest.next().await.is_none());
        let refused = export(&store, Format::Csv).answer("x.csv").await;
        assert!(refused.is_err(), "what cannot be read at all is an error page");
    }

    #[tokio::test]
    async fn the_columns_are_those_of_the_lines() {
        let (store, _directory) = store(vec![run(1)]).await;
        let line = export(&store, Format::JsonLines)
            .next_lines()
            .await
            .unwrap()
            .unwrap();
        let text = String::from_utf8(line).unwrap();
        let mut from = 0;
        for column in COLUMNS {
            let at = text[from..].find(&format!("\"{column}\":"));
            from += at.unwrap_or_else(|| panic!("{column} is not in its place: {text}"));
        }
        assert_eq!(text.matches("\":").count(), COLUMNS.len());
        let mut csv = Format::Csv.head();
        csv.extend(export(&store, Format::Csv).next_lines().await.unwrap().unwrap());
        let mut reader = csv::Reader::from_reader(&csv[..]);
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
        assert_eq!(reader.records().count(), 1);
    }

    #[test]
    fn the_readme_names_the_columns_in_order() {
        let readme = include_str!("../../../../README.md");
        let told = readme
            .split("The columns: ")
            .nth(1)
            .unwrap()
            .split("Times are")
            .next()
            .unwrap();
        let told: Vec<&str> = told.split('`').skip(1).step_by(2).collect();
        assert_eq!(told, COLUMNS);
    }

    #[test]
    fn names_of_files_are_plain() {
        for (name, expected) in [
            ("Loyalty daily", "loyalty-daily"),
            ("  Çà et là / \"x\"\r\n; ../y ", "et-l-x-y"),
            ("日本", "flow"),
            ("", "flow"),
        ] {
            assert_eq!(slug(name), expected);
        }
        assert!(slug(&"é1".repeat(500)).len() <= SLUG_CHARS);
    }
}
