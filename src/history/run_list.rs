//! One list of runs, page by page.

use std::pin::Pin;

use futures_util::{Stream, TryStreamExt};

use super::ReadError;
use super::reading::Reading;
use crate::platform::{Page, PlatformError, Run, RunFilter};

/// How often a list may begin anew because the platform did not go on with it.
const RESTARTS: usize = 2;

type Pages = Pin<Box<dyn Stream<Item = Result<Page<Run>, PlatformError>> + Send>>;

/// A list that is being read. When the mark for its next page is not accepted any more, it begins anew, so a run may
/// come more than once.
pub(super) struct RunList<'a> {
    reading: &'a Reading,
    filter: RunFilter,
    pages: Pages,
    /// Pages read so far.
    pub(super) pages_read: usize,
    restarts: usize,
}

impl<'a> RunList<'a> {
    pub(super) fn new(reading: &'a Reading, filter: RunFilter) -> Self {
        Self {
            pages: Box::pin(reading.client.runs(&filter)),
            reading,
            filter,
            pages_read: 0,
            restarts: 0,
        }
    }

    /// The next page; none: the list has ended.
    pub(super) async fn next(&mut self) -> Result<Option<Page<Run>>, ReadError> {
        loop {
            match self.reading.call(self.pages.try_next()).await {
                Err(ReadError::Platform(error)) if self.may_begin_anew(&error) => {
                    self.restarts += 1;
                    self.pages = Box::pin(self.reading.client.runs(&self.filter));
                    self.pages_read = 0;
                }
                answer => {
                    let page = answer?;
                    self.pages_read += usize::from(page.is_some());
                    return Ok(page);
                }
            }
        }
    }

    /// Adobe does not say for how long a continuation token is good, nor how one that is not is refused.
    fn may_begin_anew(&self, error: &PlatformError) -> bool {
        let is_refused =
            matches!(error, PlatformError::Refused(_)) && matches!(error.status(), Some(400 | 404 | 410));
        self.pages_read > 0 && self.restarts < RESTARTS && is_refused
    }
}
