//! What a look at the platform means. Pure: no I/O.

use std::collections::{HashMap, HashSet};

use super::objects::{Carrier, collection};
use crate::domain::Verdict;
use crate::domain::setup::{SetupState, StepKind, StepState};
use crate::store::findings::Finding;
use crate::store::sweeps::MarkedStep;

/// What a look brought. What is in it is true; what is not in it is absent only if the collection is complete.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// When it began (UTC epoch milliseconds). A setup that changed since is left to the next look.
    pub(super) begun_at: i64,
    /// Objects that carry our markers, whichever object was asked for.
    pub(super) carriers: Vec<Carrier>,
    /// Ids of everything that was listed, by collection.
    pub(super) listed: HashMap<StepKind, HashSet<String>>,
    /// Collections that were read to their end.
    pub(super) complete: HashSet<StepKind>,
}

/// An object that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) verdict: Verdict,
    pub(super) carrier: Carrier,
    /// The setup and step that it belongs to.
    pub(super) of: Option<(String, StepKind)>,
}

/// What a look says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Duplicates and objects that nobody claims.
    pub(super) misfits: Vec<Misfit>,
    /// Findings that are still true although the look did not show their object anew: what is gone stays gone.
    pub(super) still_gone: Vec<Finding>,
    /// Ids of findings that are not true any more.
    pub(super) settled: Vec<String>,
    /// Steps whose object was not listed. Whether it is gone is told only by reading it.
    pub(super) missing: Vec<MarkedStep>,
}

/// Compares a look with our records: the owners of the markers that it showed, the steps whose objects must be
/// there, and the findings that stand so far.
pub(super) fn judge(
    look: &Look,
    environment_id: &str,
    owners: &[MarkedStep],
    made: &[MarkedStep],
    standing: &[Finding],
) -> Judgement {
    let owners: HashMap<&str, &MarkedStep> = owners.iter().map(|step| (step.marker.as_str(), step)).collect();
    let own: HashSet<&str> = owners.values().filter_map(|step| own_object(step)).collect();
    let mut groups: HashMap<&str, Vec<&Carrier>> = HashMap::new();
    for carrier in &look.carriers {
        groups.entry(&carrier.marker).or_default().push(carrier);
    }
    let mut judgement = Judgement::default();
    let mut undecided: HashSet<&str> = HashSet::new();
    for (marker, carriers) in groups {
        let owner = owners.get(marker).copied();
        match verdict(owner, environment_id, look.begun_at, carriers.len()) {
            None => {
                undecided.insert(marker);
            }
            Some(verdict) => {
                let of = owner.map(|step| (step.setup_id.clone(), step.kind));
                let strays = carriers
                    .into_iter()
                    .filter(|carrier| !own.contains(carrier.id.as_str()));
                judgement.misfits.extend(strays.map(|carrier| Misfit {
                    verdict,
                    carrier: carrier.clone(),
                    of: of.clone(),
                }));
            }
        }
    }
    judgement
        .misfits
        .sort_by(|a, b| (a.carrier.kind, &a.carrier.id).cmp(&(b.carrier.kind, &b.carrier.id)));
    for finding in standing {
        judgement.review(look, finding, &undecided);
    }
    judgement.missing = missing(look, made, standing);
    judgement
}

/// What an object with this owner's marker is, unless it is the owner's own; none: that cannot be said now, or is for
/// others to say.
fn verdict(
    owner: Option<&MarkedStep>,
    environment_id: &str,
    begun_at: i64,
    carriers: usize,
) -> Option<Verdict> {
    let Some(step) = owner else {
        return Some(Verdict::Unclaimed);
    };
    // Another environment of ours may lie in the same sandbox: what it made is judged there.
    if step.environment_id != environment_id || step.setup_updated_at >= begun_at {
        return None;
    }
    if own_object(step).is_some() {
        return Some(Verdict::Duplicate);
    }
    match step.setup_state {
        state if state.is_final() => Some(Verdict::Unclaimed),
        SetupState::NeedsAttention if carriers > 1 => Some(Verdict::Duplicate),
        _ => None,
    }
}

/// The object that a step vouches for.
pub(super) fn own_object(step: &MarkedStep) -> Option<&str> {
    let vouches = !matches!(
        step.state,
        StepState::Planned | StepState::Rejected | StepState::Undone
    );
    step.object_id.as_deref().filter(|_| vouches)
}

impl Judgement {
    /// Whether a finding is still true.
    fn review(&mut self, look: &Look, finding: &Finding, undecided: &HashSet<&str>) {
        let place = collection(finding.object_kind);
        let is_listed = look
            .listed
            .get(&place)
            .is_some_and(|ids| ids.contains(&finding.object_id));
        if finding.verdict == Verdict::Vanished {
            if is_listed {
                self.settled.push(finding.id.clone());
            } else if look.complete.contains(&place) {
                self.still_gone.push(finding.clone());
            }
            return;
        }
        let is_seen = self.misfits.iter().any(|misfit| {
            misfit.verdict == finding.verdict
                && misfit.carrier.kind == place
                && misfit.carrier.id == finding.object_id
        });
        let proves_absence = look.complete.contains(&place) && !undecided.contains(finding.marker.as_str());
        if !is_seen && proves_absence {
            self.settled.push(finding.id.clone());
        }
    }
}

/// Steps whose object should be in a complete list and is not, each object once.
fn missing(look: &Look, made: &[MarkedStep], standing: &[Finding]) -> Vec<MarkedStep> {
    let known = |step: &MarkedStep| {
        standing.iter().any(|finding| {
            finding.verdict == Verdict::Vanished && Some(&finding.object_id) == step.object_id.as_ref()
        })
    };
    let mut seen: HashSet<&str> = HashSet::new();
    made.iter()
        .filter(|step| {
            step.setup_updated_at < look.begun_at && look.complete.contains(&collection(step.kind))
        })
        .filter(|step| {
            let Some(id) = own_object(step) else { return false };
            let listed = look
                .listed
                .get(&collection(step.kind))
                .is_some_and(|ids| ids.contains(id));
            !listed && seen.insert(id)
        })
        .filter(|step| !known(step))
        .cloned()
        .collect()
}

#[cfg(test)]
#[path = "judging_tests.rs"]
mod tests;
