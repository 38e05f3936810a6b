//! Restraint towards a platform that is unwell or asks us to slow down: one gate for all callers of an
//! environment, a budget for retries and a circuit that opens while most calls fail, both of each kind of caller.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::PlatformError;

/// Longer waits are not slept through: the caller parks its work and frees its worker.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What each first try adds to the retry budget: retries stay within a fifth of the traffic.
const RETRY_SHARE: f64 = 0.2;
const RETRY_RESERVE: f64 = 10.0;

const WINDOW: Duration = Duration::from_secs(30);
const WINDOW_CALLS: usize = 20;
const OPEN_FOR: Duration = Duration::from_secs(30);
/// A probe that was dropped half-way must not keep the circuit waiting; one that takes longer gets company.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Pressure {
    gate: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct Gate {
    closed_until: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct State {
    retries_left: f64,
    recent: VecDeque<(Instant, bool)>,
    circuit: Circuit,
}

#[derive(Debug, Clone, Copy)]
enum Circuit {
    Closed,
    Open { until: Instant },
    Probing { since: Instant },
}

impl Default for State {
    fn default() -> Self {
        Self {
            retries_left: RETRY_RESERVE,
            recent: VecDeque::new(),
            circuit: Circuit::Closed,
        }
    }
}

impl Pressure {
    /// That of other callers behind the same gate: what fails for them says nothing to these.
    pub(super) fn of_others(&self) -> Self {
        Self {
            gate: Arc::clone(&self.gate),
            state: Mutex::default(),
        }
    }

    /// Asks to make a call at `now`. `Ok` is how long to sleep first, at most `patience`.
    ///
    /// # Errors
    /// [`PlatformError::Paused`] while the circuit is open or the gate closed for longer than that.
    pub(super) fn admit(&self, now: Instant, patience: Duration) -> Result<Duration, PlatformError> {
        let gate = self.gate.wait(now);
        if gate > patience {
            return Err(PlatformError::Paused {
                wait: gate,
                reason: "it asked us to send fewer calls",
            });
        }
        let failing = |wait| PlatformError::Paused {
            wait,
            reason: "most of the last calls failed",
        };
        let mut state = self.lock();
        match state.circuit {
            Circuit::Open { until } if now < until => return Err(failing(until - now)),
            Circuit::Probing { since } if now < since + PROBE_PATIENCE => {
                return Err(failing(Duration::from_secs(1)));
            }
            Circuit::Open { .. } | Circuit::Probing { .. } => state.circuit = Circuit::Probing { since: now },
            Circuit::Closed => {}
        }
        Ok(gate)
    }

    /// Records how a call ended: `healthy` is any answer but 5xx, 408 and silence.
    pub(super) fn record(&self, now: Instant, healthy: bool) {
        let mut state = self.lock();
        while state
            .recent
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW)
        {
            state.recent.pop_front();
        }
        state.recent.push_back((now, healthy));
        let failed = state.recent.iter().filter(|(_, healthy)| !healthy).count();
        let mostly_failing = state.recent.len() >= WINDOW_CALLS && failed * 2 >= state.recent.len();
        match state.circuit {
            Circuit::Probing { .. } if healthy => {
                state.circuit = Circuit::Closed;
                state.recent.clear();
            }
            Circuit::Probing { .. } => {
                state.circuit = Circuit::Open {
                    until: now + OPEN_FOR,
                }
            }
            Circuit::Closed if mostly_failing => {
                state.circuit = Circuit::Open {
                    until: now + OPEN_FOR,
                }
            }
            Circuit::Closed | Circuit::Open { .. } => {}
        }
    }

    /// Closes the gate for all callers, as the platform asked.
    pub(super) fn close_for(&self, now: Instant, wait: Duration) {
        let mut closed_until = self.gate.lock();
        *closed_until = closed_until.max(Some(now + wait));
    }

    /// Counts a first try of a read, which earns a share of a retry.
    pub(super) fn earn_retry(&self) {
        let mut state = self.lock();
        state.retries_left = (state.retries_left + RETRY_SHARE).min(RETRY_RESERVE);
    }

    /// Takes one retry from the budget, if there is one.
    pub(super) fn take_retry(&self) -> bool {
        let mut state = self.lock();
        let affordable = state.retries_left >= 1.0;
        if affordable {
            state.retries_left -= 1.0;
        }
        affordable
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is complete before anything could panic, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gate {
    fn wait(&self, now: Instant) -> Duration {
        self.lock()
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // A moment is set in one go.
        self.closed_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn admit(pressure: &Pressure, now: Instant) -> Result<Duration, PlatformError> {
        pressure.admit(now, LONGEST_SLEEP)
    }

    #[test]
    fn one_throttled_call_slows_everybody() {
        let (pressure, start) = (Pressure::default(), Instant::now());
        assert_eq!(admit(&pressure, start).unwrap(), Duration::ZERO);
        pressure.close_for(start, 20 * SECOND);
        pressure.close_for(start, 5 * SECOND);
        assert_eq!(admit(&pressure, start + 5 * SECOND).unwrap(), 15 * SECOND);
        assert_eq!(admit(&pressure, start + 25 * SECOND).unwrap(), Duration::ZERO);
        pressure.close_for(start, 120 * SECOND);
        assert_eq!(
            admit(&pressure, start).unwrap_err().retry_after(),
            Some(120 * SECOND)
        );
    }

    #[test]
    fn retries_stay_within_a_fifth_of_the_traffic() {
        let pressure = Pressure::default();
        let mut retries = 0;
        for _ in 0..1000 {
            pressure.earn_retry();
            retries += usize::from(pressure.take_retry());
        }
        assert!((200..=210).contains(&retries), "{retries}");
    }

    #[test]
    fn the_circuit_opens_probes_once_and_closes() {
        let (pressure, start) = (Pressure::default(), Instant::now());
        for call in 0..20 {
            assert!(admit(&pressure, start).is_ok(), "call {call}");
            pressure.record(start, call % 2 == 0);
        }
        assert!(admit(&pressure, start + SECOND).is_err());
        assert!(admit(&pressure, start + OPEN_FOR).is_ok());
        assert!(admit(&pressure, start + OPEN_FOR).is_err(), "only one probe");
        pressure.record(start + OPEN_FOR, false);
        assert!(admit(&pressure, start + OPEN_FOR + SECOND).is_err());
        assert!(admit(&pressure, start + 2 * OPEN_FOR).is_ok());
        pressure.record(start + 2 * OPEN_FOR, true);
        for _ in 0..5 {
            assert!(admit(&pressure, start + 2 * OPEN_FOR).is_ok());
        }
    }

    #[test]
    fn calls_that_fail_for_some_hold_back_only_those() {
        let (these, start) = (Pressure::default(), Instant::now());
        let others = these.of_others();
        for _ in 0..20 {
            others.record(start, false);
        }
        assert!(admit(&others, start).is_err());
        assert!(admit(&these, start).is_ok());
        others.close_for(start, 5 * SECOND);
        assert_eq!(admit(&these, start).unwrap(), 5 * SECOND, "the gate is one");
    }

    #[test]
    fn a_lost_probe_does_not_block_for_ever() {
        let (pressure, start) = (Pressure::default(), Instant::now());
        for _ in 0..20 {
            pressure.record(start, false);
        }
        assert!(admit(&pressure, start + OPEN_FOR).is_ok());
        assert!(admit(&pressure, start + OPEN_FOR + PROBE_PATIENCE).is_ok());
    }

    #[test]
    fn old_failures_are_forgotten() {
        let (pressure, start) = (Pressure::default(), Instant::now());
        for _ in 0..19 {
            pressure.record(start, false);
        }
        pressure.record(start + WINDOW + SECOND, false);
        assert!(admit(&pressure, start + WINDOW + SECOND).is_ok());
    }
}
