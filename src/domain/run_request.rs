//! Asking the platform for a run: when its rules allow it, and what became of it.

use super::words::words;
use super::{RunOutcome, schedule};

words! {
    /// What became of a person's wish for a run.
    pub enum RequestState {
        /// The call is on its way.
        Sent = "sent",
        /// The platform confirmed it.
        Started = "started",
        /// The platform refused, or was not reached at all. Nothing runs because of it.
        Refused = "refused",
        /// The answer was lost: a run may have begun.
        Unknown = "unknown",
    }
}

/// After a lost answer nobody asks again for so long, in milliseconds: the platform shows a run two to three
/// minutes after it began, so until then nobody can tell whether there is one.
pub const DOUBT_MS: i64 = 5 * 60_000;

/// What the rules look at in a flow.
#[derive(Debug, Clone, Copy)]
pub struct FlowFacts<'a> {
    /// The platform lists it no longer.
    pub is_gone: bool,
    /// Adobe's state.
    pub is_enabled: bool,
    /// The schedule's unit and number, as Adobe says them.
    pub schedule: Option<(&'a str, Option<i64>)>,
    /// One of its runs is going on.
    pub is_running: bool,
    /// The last wish whose answer was lost, UTC epoch milliseconds.
    pub answer_lost_at: Option<i64>,
}

/// What the rules look at in a run.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts {
    /// What became of it.
    pub outcome: RunOutcome,
    /// Records stored, if the platform told.
    pub records_out: Option<i64>,
    /// The platform knows it no longer.
    pub is_gone: bool,
    /// A later run has brought its files.
    pub is_made_up_for: bool,
}

/// Why a run cannot be asked for, as a sentence for the button's place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// The flow is gone.
    #[error("Adobe does not list this dataflow any more, so it cannot run.")]
    FlowGone,
    /// The flow is switched off.
    #[error("The dataflow is switched off. Enable it first.")]
    FlowOff,
    /// The run is gone.
    #[error("Adobe does not know this run any more, so it cannot be run again.")]
    RunGone,
    /// The run has not ended.
    #[error("This run has not ended. It can be run again when it has failed.")]
    NotEnded,
    /// Its files have come otherwise.
    #[error("A later run has brought the files of this one, so Adobe is not asked for them a second time.")]
    MadeUpFor,
    /// The run did bring records.
    #[error("Adobe runs again only what failed or brought no records: this run has stored some.")]
    BroughtRecords,
    /// Another run of the flow is going on.
    #[error("A run of this dataflow is going on. Wait until it has ended.")]
    AnotherGoesOn,
    /// Only flows that are scheduled once can be run over a window.
    #[error(
        "Adobe runs a window of time on request only for dataflows that are scheduled once. This one runs {0} by \
         itself; for a window of the past, set up a second dataflow with the schedule \u{201c}once\u{201d}."
    )]
    Scheduled(String),
    /// The schedule is not known.
    #[error(
        "Adobe does not tell the schedule of this dataflow, and runs a window of time only for those scheduled once."
    )]
    NoSchedule,
    /// An earlier wish is not cleared up.
    #[error(
        "The answer to an earlier request was lost, so a run may have begun already. Adobe shows it two to three \
         minutes after its begin: wait for that before asking again."
    )]
    InDoubt,
}

/// Whether a run may be run again: a failed one, or one that ended well and stored nothing (Adobe's page on
/// retrying runs). What the platform did not tell is left to the platform.
///
/// # Errors
/// The rule that forbids it.
pub fn may_run_again(flow: &FlowFacts<'_>, run: RunFacts, now_ms: i64) -> Result<(), Hindrance> {
    match run {
        _ if flow.is_gone => Err(Hindrance::FlowGone),
        RunFacts { is_gone: true, .. } => Err(Hindrance::RunGone),
        RunFacts { outcome, .. } if !outcome.is_final() => Err(Hindrance::NotEnded),
        RunFacts {
            is_made_up_for: true, ..
        } => Err(Hindrance::MadeUpFor),
        RunFacts {
            outcome: RunOutcome::Succeeded | RunOutcome::Partial,
            records_out: Some(1..),
            ..
        } => Err(Hindrance::BroughtRecords),
        _ => nothing_else_is_on_its_way(flow, now_ms),
    }
}

/// Whether a run over a window of time may be asked for: only of enabled flows that are scheduled once (Adobe's
/// page on on-demand ingestion).
///
/// # Errors
/// The rule that forbids it.
pub fn may_run_window(flow: &FlowFacts<'_>, now_ms: i64) -> Result<(), Hindrance> {
    match flow.schedule {
        _ if flow.is_gone => Err(Hindrance::FlowGone),
        None => Err(Hindrance::NoSchedule),
        Some((unit, interval)) if unit != "once" => {
            Err(Hindrance::Scheduled(schedule::cadence(unit, interval)))
        }
        Some(_) if !flow.is_enabled => Err(Hindrance::FlowOff),
        Some(_) => nothing_else_is_on_its_way(flow, now_ms),
    }
}

fn nothing_else_is_on_its_way(flow: &FlowFacts<'_>, now_ms: i64) -> Result<(), Hindrance> {
    let in_doubt = |at: i64| now_ms.saturating_sub(at) < DOUBT_MS;
    if flow.is_running {
        Err(Hindrance::AnotherGoesOn)
    } else if flow.answer_lost_at.is_some_and(in_doubt) {
        Err(Hindrance::InDoubt)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_774_076_400_000;

    fn flow() -> FlowFacts<'static> {
        FlowFacts {
            is_gone: false,
            is_enabled: true,
            schedule: Some(("hour", Some(2))),
            is_running: false,
            answer_lost_at: None,
        }
    }

    fn run(outcome: RunOutcome, records_out: Option<i64>) -> RunFacts {
        RunFacts {
            outcome,
            records_out,
            is_gone: false,
            is_made_up_for: false,
        }
    }

    #[test]
    fn only_failed_and_empty_runs_are_run_again() {
        let again = |run| may_run_again(&flow(), run, NOW);
        assert_eq!(again(run(RunOutcome::Failed, Some(7))), Ok(()));
        assert_eq!(again(run(RunOutcome::Succeeded, Some(0))), Ok(()));
        assert_eq!(again(run(RunOutcome::Partial, None)), Ok(()));
        assert_eq!(
            again(run(RunOutcome::Partial, Some(1))),
            Err(Hindrance::BroughtRecords)
        );
        for going_on in [RunOutcome::Running, RunOutcome::Waiting, RunOutcome::Unknown] {
            assert_eq!(again(run(going_on, None)), Err(Hindrance::NotEnded));
        }
        let gone = RunFacts {
            is_gone: true,
            ..run(RunOutcome::Failed, None)
        };
        assert_eq!(again(gone), Err(Hindrance::RunGone));
        let made_up_for = RunFacts {
            is_made_up_for: true,
            ..run(RunOutcome::Failed, None)
        };
        assert_eq!(again(made_up_for), Err(Hindrance::MadeUpFor));
    }

    #[test]
    fn only_flows_scheduled_once_run_over_a_window() {
        let refusal = may_run_window(&flow(), NOW).unwrap_err();
        assert!(refusal.to_string().contains("every 2 hours"), "{refusal}");
        let once = FlowFacts {
            schedule: Some(("once", None)),
            ..flow()
        };
        assert_eq!(may_run_window(&once, NOW), Ok(()));
        let off = FlowFacts {
            is_enabled: false,
            ..once
        };
        assert_eq!(may_run_window(&off, NOW), Err(Hindrance::FlowOff));
        let running = FlowFacts {
            is_running: true,
            ..once
        };
        assert_eq!(may_run_window(&running, NOW), Err(Hindrance::AnotherGoesOn));
    }

    #[test]
    fn after_a_lost_answer_nobody_asks_again_until_the_run_would_show() {
        let doubtful = FlowFacts {
            answer_lost_at: Some(NOW),
            ..flow()
        };
        let failed = run(RunOutcome::Failed, None);
        assert_eq!(
            may_run_again(&doubtful, failed, NOW + DOUBT_MS - 1),
            Err(Hindrance::InDoubt)
        );
        assert_eq!(may_run_again(&doubtful, failed, NOW + DOUBT_MS), Ok(()));
    }
}
