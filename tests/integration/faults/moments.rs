//! The moments at which a process is stopped, and bringing it there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use headgate::domain::setup::StepKind;
use headgate::emulator::Control;
use headgate::emulator::faults::{Fault, When};
use headgate::setups::Point;

use super::steps::StepCalls;
use crate::support::forwarder::{Forwarder, until};
use crate::support::process::Server;

/// How long a process may take to come to a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where in the life of a call the process is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Around the row of the journal.
    AtPoint(Point),
    /// Half of the request has arrived.
    MidSend,
    /// It arrived and was not acted on; no answer came.
    SentNotActed,
    /// It was acted on; no answer came.
    SentActed,
    /// Half of the answer came.
    HalfReply,
}

/// Which kind of call a point belongs to. A new point does not compile until it is here, and so gets its kills.
const fn is_about_deleting(point: Point) -> bool {
    match point {
        Point::BeforeIntent | Point::AfterIntent | Point::BeforeOutcome | Point::AfterOutcome => false,
        Point::BeforeDeleteIntent
        | Point::AfterDeleteIntent
        | Point::BeforeDeleteOutcome
        | Point::AfterDeleteOutcome => true,
    }
}

fn points(about_deleting: bool) -> impl Iterator<Item = Moment> {
    let points = Point::ALL.iter().copied();
    points
        .filter(move |point| is_about_deleting(*point) == about_deleting)
        .map(Moment::AtPoint)
}

/// Every moment in the life of a create.
pub fn of_creates() -> Vec<Moment> {
    let on_the_wire = [
        Moment::MidSend,
        Moment::SentNotActed,
        Moment::SentActed,
        Moment::HalfReply,
    ];
    points(false).chain(on_the_wire).collect()
}

/// Every moment in the life of a deletion, which has no body and gets none.
pub fn of_deletions() -> Vec<Moment> {
    points(true)
        .chain([Moment::SentNotActed, Moment::SentActed])
        .collect()
}

/// A moment that is armed.
pub struct Trap {
    moment: Moment,
    step: StepKind,
    file: PathBuf,
}

impl Trap {
    /// Arms what can be armed before the process runs. `when` is the call.
    pub fn arm(
        moment: Moment,
        calls: StepCalls,
        when: When,
        directory: &Path,
        control: &Control,
        wire: &Forwarder,
    ) -> Self {
        match moment {
            Moment::AtPoint(_) => {}
            Moment::MidSend => wire.cut(
                calls.collection,
                when.body_contains.as_deref().unwrap_or_default(),
            ),
            Moment::SentNotActed => drop(control.arm(when.then(Fault::Hang { acts: false }))),
            Moment::SentActed => drop(control.arm(when.then(Fault::Hang { acts: true }))),
            Moment::HalfReply => drop(control.arm(when.then(Fault::HangHalf))),
        }
        Self {
            moment,
            step: calls.step,
            file: directory.join("point"),
        }
    }

    /// What the process must know.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        match self.moment {
            Moment::AtPoint(point) => {
                let text = format!("{point}:{}:{}", self.step, self.file.display());
                vec![("HEADGATE_POINT", text)]
            }
            _ => Vec::new(),
        }
    }

    /// Waits until the process is there.
    pub async fn reached(&self, server: &mut Server, control: &Control, wire: &Forwarder) {
        let what = format!("{} came to {:?}", self.step, self.moment);
        until(&what, PATIENCE, || {
            assert!(!server.is_gone(), "the server ended before {what}");
            match self.moment {
                Moment::AtPoint(_) => self.file.exists(),
                Moment::MidSend => wire.is_cut(),
                Moment::SentNotActed => is_held(control, |acted| acted.is_none()),
                Moment::SentActed | Moment::HalfReply => is_held(control, |acted| acted.is_some()),
            }
        })
        .await;
        if self.moment == Moment::HalfReply {
            // The half that was sent is on its way.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Lets the process go on.
    pub fn spring(&self, control: &Control, wire: &Forwarder) {
        control.disarm();
        wire.let_go();
        // Only a point has a file.
        let _ = std::fs::remove_file(&self.file);
    }
}

fn is_held(control: &Control, acted: impl Fn(Option<u16>) -> bool) -> bool {
    control
        .ledger()
        .iter()
        .any(|entry| entry.fault.as_deref().is_some_and(|f| f.starts_with("hang")) && acted(entry.acted))
}
