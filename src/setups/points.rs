//! Moments around the rows of the journal at which a test can stop this process. Debug builds only: a release
//! holds no trace of them.
//!
//! [`POINT_VARIABLE`] is `<point>:<step>:<file>`. When the point is reached for the first time, the file is made and
//! the worker waits until somebody removes it. With `panic:` before all that, the worker panics instead.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::config::POINT_VARIABLE;
use crate::domain::setup::StepKind;
use crate::domain::words;

words! {
    /// A moment around a row of the journal.
    pub enum Point {
        /// A create is about to be recorded.
        BeforeIntent = "before_intent",
        /// It is recorded, and nothing was sent.
        AfterIntent = "after_intent",
        /// What came of it is known, and not recorded.
        BeforeOutcome = "before_outcome",
        /// It is recorded.
        AfterOutcome = "after_outcome",
        /// A deletion is about to be recorded.
        BeforeDeleteIntent = "before_delete_intent",
        /// It is recorded, and nothing was sent.
        AfterDeleteIntent = "after_delete_intent",
        /// What came of it is known, and not recorded.
        BeforeDeleteOutcome = "before_delete_outcome",
        /// It is recorded.
        AfterDeleteOutcome = "after_delete_outcome",
    }
}

/// How often it is looked whether the file is still there.
const LOOK_EVERY: Duration = Duration::from_millis(3);

static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
    let text = std::env::var(POINT_VARIABLE).ok()?;
    let armed = Armed::parse(&text);
    if armed.is_none() {
        tracing::error!(%text, "{POINT_VARIABLE} names no point");
    }
    armed
});

#[derive(Debug)]
struct Armed {
    point: Point,
    step: StepKind,
    file: PathBuf,
    panics: bool,
    reached: AtomicBool,
}

impl Armed {
    fn parse(text: &str) -> Option<Self> {
        let (panics, text) = text
            .strip_prefix("panic:")
            .map_or((false, text), |rest| (true, rest));
        let (point, rest) = text.split_once(':')?;
        let (step, file) = rest.split_once(':')?;
        Some(Self {
            point: point.parse().ok()?,
            step: step.parse().ok()?,
            file: PathBuf::from(file),
            panics,
            reached: AtomicBool::new(false),
        })
    }
}

/// Stops here when one of these steps is armed for this point.
pub(super) async fn reached(point: Point, steps: &[StepKind]) {
    let Some(armed) = &*ARMED else { return };
    if armed.point != point || !steps.contains(&armed.step) || armed.reached.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Err(error) = std::fs::write(&armed.file, b"") {
        tracing::error!(%error, file = %armed.file.display(), "the file of {POINT_VARIABLE} cannot be made");
        return;
    }
    assert!(!armed.panics, "{POINT_VARIABLE} says to panic at {point}");
    while armed.file.exists() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_named_by_point_step_and_file() {
        let armed = Armed::parse("after_intent:flow:/tmp/a:b").unwrap();
        assert_eq!(
            (armed.point, armed.step, armed.panics),
            (Point::AfterIntent, StepKind::Flow, false)
        );
        assert_eq!(armed.file, PathBuf::from("/tmp/a:b"));
        assert!(Armed::parse("panic:before_outcome:schema:x").unwrap().panics);
        for wrong in [
            "",
            "after_intent",
            "after_intent:flow",
            "later:flow:x",
            "after_intent:soup:x",
        ] {
            assert!(Armed::parse(wrong).is_none(), "{wrong}");
        }
    }
}
