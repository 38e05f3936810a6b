//! Flow runs as the platform shows them.

use std::future::ready;
use std::sync::atomic::Ordering;

use futures_util::{Stream, TryStreamExt, stream};
use serde_json::value::RawValue;

use super::client::{PlatformClient, Read};
use super::endpoints::segment;
use super::error::{PlatformError, Service};
use super::loose::Loose;
use super::pages::{PAGE_SIZE, Page, RawPage};

const COLLECTION: &str = "/flowservice/runs";
const STARTED: &str = "metrics.durationSummary.startedAtUTC";
/// The numbers of Adobe's Flow Service error page for an order that is not supported.
const CANNOT_ORDER: [&str; 3] = ["1424", "1432", "1433"];
/// A run. Counts and sizes that the platform does not know (absent or -1) are `None`; times are UTC epoch
/// milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The flow it belongs to.
    pub flow_id: String,
    /// The status as the platform spells it; pages and API file disagree on case and underscores.
    pub status: String,
    /// When it started.
    pub started_at: Option<i64>,
    /// When it ended; absent while it runs and for some failures.
    pub completed_at: Option<i64>,
    /// When its record was made.
    pub created_at: Option<i64>,
    /// When its record last changed.
    pub updated_at: Option<i64>,
    /// Records read.
    pub records_in: Option<i64>,
    /// Records written.
    pub records_out: Option<i64>,
    /// Records refused.
    pub records_failed: Option<i64>,
    /// Files read.
    pub files_in: Option<i64>,
    /// Bytes read.
    pub bytes_in: Option<i64>,
    /// Bytes written.
    pub bytes_out: Option<i64>,
    /// What went wrong, most general first; may be there although the status says success.
    pub errors: Vec<RunError>,
    /// Files changed from this moment on were taken.
    pub window_start: Option<i64>,
    /// Files changed up to this moment were taken.
    pub window_end: Option<i64>,
    /// Changes with the run.
    pub etag: Option<String>,
    /// The platform's own JSON, with credentials masked and very long texts cut.
    pub raw: String,
}

/// One thing that went wrong in a run. Both texts are untrusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// For example `CONNECTOR-2001-500` or `INGEST-1212-400`.
    pub code: Option<String>,
    /// At most 2 KiB, without control characters.
    pub message: String,
}

/// Which runs to list. Both bounds are on the start of the run, exclusive, UTC epoch milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Of this flow only.
    pub flow_id: Option<String>,
    /// Started later than this.
    pub started_after: Option<i64>,
    /// Started earlier than this.
    pub started_before: Option<i64>,
    /// Of these ids only; empty: any. A few dozen, because they stand in the address.
    pub ids: Vec<String>,
    /// In which order, where the platform keeps one.
    pub order: RunOrder,
}

/// The order of a list of runs by their start. Adobe documents the parameter and not which fields it takes, so a
/// caller looks at what comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RunOrder {
    /// What started first comes first.
    #[default]
    OldestFirst,
    /// What started last comes first.
    NewestFirst,
}

fn refuses_order(error: &PlatformError) -> bool {
    let number = |code: &str| code.split('-').any(|part| CANNOT_ORDER.contains(&part));
    error.status() == Some(400) && error.code().is_some_and(number)
}

/// The runs of a page. One that cannot be understood is left out, so that it hides no other; where none can be, the
/// list is not what it should be.
fn understood(
    page: Page<Result<Run, PlatformError>>,
    wanted_flow: Option<&str>,
) -> Result<Page<Run>, PlatformError> {
    let (mut items, mut left_out) = (Vec::with_capacity(page.items.len()), Vec::new());
    for item in page.items {
        match item {
            // An id that means something to the filter language brings runs of others.
            Ok(run) if wanted_flow.is_some_and(|wanted| *wanted != run.flow_id) => {
                let detail = "the list shows runs of another flow";
                return Err(PlatformError::unreadable(Service::FlowService, detail));
            }
            Ok(run) => items.push(run),
            Err(error) => left_out.push(error),
        }
    }
    let number = left_out.len();
    if let Some(error) = left_out.pop() {
        if items.is_empty() {
            return Err(error);
        }
        tracing::warn!(number, %error, "runs that cannot be understood are left out");
    }
    Ok(Page {
        items,
        fetched: page.fetched,
        is_last: page.is_last,
    })
}

impl PlatformClient {
    /// Runs of the sandbox, page by page. Where the platform refuses the order, without one.
    pub fn runs(
        &self,
        filter: &RunFilter,
    ) -> impl Stream<Item = Result<Page<Run>, PlatformError>> + Send + use<> {
        let is_ordered = !self.inner.refuses_run_order.load(Ordering::Relaxed);
        let pages = Box::pin(self.list_runs(filter, is_ordered));
        let start = (self.clone(), filter.clone(), pages, is_ordered);
        stream::try_unfold(start, async |(client, filter, mut pages, is_ordered)| {
            let page = match pages.try_next().await {
                Err(error) if is_ordered && refuses_order(&error) => {
                    client.inner.refuses_run_order.store(true, Ordering::Relaxed);
                    pages = Box::pin(client.list_runs(&filter, false));
                    pages.try_next().await
                }
                answer => answer,
            };
            Ok(page?.map(|page| (page, (client, filter, pages, is_ordered))))
        })
    }

    fn list_runs(
        &self,
        filter: &RunFilter,
        is_ordered: bool,
    ) -> impl Stream<Item = Result<Page<Run>, PlatformError>> + Send + use<> {
        let mut read = Read::at(COLLECTION).with("limit", PAGE_SIZE.to_string());
        if is_ordered {
            read = match filter.order {
                RunOrder::OldestFirst => read.with("orderby", STARTED),
                RunOrder::NewestFirst => read.with("orderby", format!("-{STARTED}")),
            };
        }
        if let Some(id) = &filter.flow_id {
            read = read.with("property", format!("flowId=={id}"));
        }
        if !filter.ids.is_empty() {
            read = read.with("property", format!("id=={}", filter.ids.join(",")));
        }
        if let Some(after) = filter.started_after {
            read = read.with("property", format!("{STARTED}>{after}"));
        }
        if let Some(before) = filter.started_before {
            read = read.with("property", format!("{STARTED}<{before}"));
        }
        let pages = self.pages(Service::FlowService, read, |item: Box<RawValue>| {
            Ok(Run::from_json(item.get()))
        });
        let wanted = filter.flow_id.clone();
        pages.and_then(move |page| ready(understood(page, wanted.as_deref())))
    }

    /// One run.
    ///
    /// # Errors
    /// `is_not_found()` when there is none.
    pub async fn run(&self, id: &str) -> Result<Run, PlatformError> {
        let read = Read::at(format!("{COLLECTION}/{}", segment(id)));
        let body: Box<RawValue> = self.get(&read).await?;
        // A single object comes as a list of one, say Adobe's pages; the API file has it by itself.
        let list = serde_json::from_str::<Loose<RawPage>>(body.get());
        match list.as_ref().map(|list| list.items()) {
            Ok([run]) => Run::from_json(run.get()),
            _ => Run::from_json(body.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(runs: &[&str]) -> Page<Result<Run, PlatformError>> {
        Page {
            items: runs.iter().map(|json| Run::from_json(json)).collect(),
            fetched: runs.len(),
            is_last: true,
        }
    }

    const GOOD: &str = r#"{"id": "r", "flowId": "f"}"#;

    #[test]
    fn a_run_that_cannot_be_understood_hides_no_other() {
        for bad in [
            r#"{"id": "r"}"#,
            r#"{"flowId": "f"}"#,
            r#"{"id": "../disable?", "flowId": "f"}"#,
            r#"{"id": "..", "flowId": "f"}"#,
            r#"{"id": 7}"#,
        ] {
            let found = understood(page(&[bad, GOOD, bad]), Some("f")).unwrap();
            assert_eq!((found.items.len(), found.fetched), (1, 3), "{bad}");
            assert!(
                understood(page(&[bad]), None).is_err(),
                "{bad}: a list of such only is none"
            );
        }
        assert!(understood(page(&[]), None).unwrap().items.is_empty());
        assert!(
            understood(page(&[GOOD]), Some("g")).is_err(),
            "runs of another flow"
        );
    }
}
