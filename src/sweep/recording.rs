//! Writing down what a look says.

use super::Sweep;
use super::judging::{Judgement, Misfit};
use crate::domain::Verdict;
use crate::domain::setup::StepKind;
use crate::store::StoreError;
use crate::store::environments::Environment;
use crate::store::findings::{self, Finding, NewFinding};
use crate::store::sweeps::MarkedStep;

/// Findings written in one transaction: others are waiting for the writer too.
const AT_ONCE: usize = 200;

/// An object that was read by its id and is not there.
#[derive(Debug, Clone)]
pub(super) struct Vanished {
    pub(super) step: MarkedStep,
    pub(super) object_id: String,
    pub(super) name: String,
}

impl Sweep {
    /// Records a look that began at `begun_at`. Doing it twice, or only half of it, does no harm.
    pub(super) async fn record(
        &self,
        environment: &Environment,
        begun_at: i64,
        judgement: &Judgement,
        vanished: &[Vanished],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let misfits = judgement
            .misfits
            .iter()
            .map(|misfit| of_misfit(environment, misfit));
        let gone = vanished.iter().map(|gone| of_vanished(environment, gone));
        let still = judgement.still_gone.iter().map(again);
        let seen: Vec<NewFinding> = misfits
            .chain(gone)
            .chain(still)
            .map(|finding| NewFinding {
                found_at: now,
                seen_at: begun_at,
                ..finding
            })
            .collect();
        for chunk in seen.chunks(AT_ONCE) {
            let mut tx = self.inner.store.begin().await?;
            for finding in chunk {
                findings::observe(&mut tx, finding).await?;
            }
            tx.commit().await?;
        }
        for chunk in judgement.settled.chunks(AT_ONCE) {
            let mut tx = self.inner.store.begin().await?;
            for id in chunk {
                findings::settle(&mut tx, id, None, now).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }
}

fn blank(environment: &Environment, verdict: Verdict, kind: StepKind, id: &str) -> NewFinding {
    NewFinding {
        team_id: environment.team_id.clone(),
        environment_id: environment.id.clone(),
        verdict,
        object_kind: kind,
        object_id: id.to_owned(),
        object_name: String::new(),
        marker: String::new(),
        of: None,
        platform_created_at: None,
        found_at: 0,
        seen_at: 0,
    }
}

fn of_misfit(environment: &Environment, misfit: &Misfit) -> NewFinding {
    let carrier = &misfit.carrier;
    NewFinding {
        object_name: carrier.name.clone(),
        marker: carrier.marker.clone(),
        of: misfit.of.clone(),
        platform_created_at: carrier.created_at,
        ..blank(environment, misfit.verdict, carrier.kind, &carrier.id)
    }
}

fn of_vanished(environment: &Environment, gone: &Vanished) -> NewFinding {
    NewFinding {
        object_name: gone.name.clone(),
        marker: gone.step.marker.clone(),
        of: Some((gone.step.setup_id.clone(), gone.step.kind)),
        ..blank(environment, Verdict::Vanished, gone.step.kind, &gone.object_id)
    }
}

fn again(finding: &Finding) -> NewFinding {
    NewFinding {
        team_id: finding.team_id.clone(),
        environment_id: finding.environment_id.clone(),
        verdict: finding.verdict,
        object_kind: finding.object_kind,
        object_id: finding.object_id.clone(),
        object_name: finding.object_name.clone(),
        marker: finding.marker.clone(),
        of: finding.setup_id.clone().zip(finding.step),
        platform_created_at: finding.platform_created_at,
        found_at: 0,
        seen_at: 0,
    }
}
