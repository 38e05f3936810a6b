//! How a run turns out: a pure function of the seed, the flow and the slot.

use fastrand::Rng;

use super::ids::rng_of;

/// What a flow usually brings, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Records of an average slot.
    pub records: u32,
    /// Bytes per record in the source files.
    pub bytes_per_record: u32,
    /// Files of an average slot.
    pub files: u32,
    /// Failed runs per thousand.
    pub failed_permille: u32,
    /// Runs per thousand that end well but reject some rows.
    pub rejecting_permille: u32,
    /// Every run from this slot time on fails, epoch milliseconds.
    pub failing_since_ms: Option<i64>,
    /// Every run from this slot time on finds no new records.
    pub empty_since_ms: Option<i64>,
    /// Every run from this slot time on brings a fraction of the usual.
    pub thin_since_ms: Option<i64>,
}

impl Profile {
    /// The profile of a flow that nobody described.
    pub fn of_flow(flow_number: u64) -> Self {
        let mut rng = rng_of(&[flow_number, 0x0070_726f_6669_6c65]);
        Self {
            records: rng.u32(200..20_000),
            bytes_per_record: rng.u32(120..900),
            files: rng.u32(1..6),
            failed_permille: 40,
            rejecting_permille: 40,
            failing_since_ms: None,
            empty_since_ms: None,
            thin_since_ms: None,
        }
    }
}

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was read is in the dataset.
    Success,
    /// Ends with status success although rows were rejected; Adobe's monitoring page shows such a run.
    RowsRejected,
    /// The files could not be copied: CONNECTOR-1001-500, a copy activity only.
    CopyFailed,
    /// The copied files could not be processed: CONNECTOR-2001-500.
    PromotionFailed,
    /// CONNECTOR-2001-500 with provider code 133: no files in the batch, a promotion activity only.
    BatchWithoutFiles,
}

impl Verdict {
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Self::CopyFailed | Self::PromotionFailed | Self::BatchWithoutFiles
        )
    }
}

/// Which run of a flow is meant.
#[derive(Debug, Clone, Copy)]
pub struct RunKey {
    pub seed: u64,
    pub flow_number: u64,
    /// Simulated time of the slot, epoch milliseconds.
    pub slot_ms: i64,
    /// 0 for the run of the slot itself; counts retries and runs on demand.
    pub attempt: u32,
}

impl RunKey {
    /// A generator for one purpose of this run.
    pub fn rng(&self, purpose: u64) -> Rng {
        rng_of(&[
            self.seed,
            self.flow_number,
            self.slot_ms.cast_unsigned(),
            u64::from(self.attempt),
            purpose,
        ])
    }
}

/// Sizes and simulated durations of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub records: u32,
    pub rejected: u32,
    pub files: u32,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// From the slot to the start of copying.
    pub start_after_ms: i64,
    /// From the slot until the run can be seen.
    pub visible_after_ms: i64,
    /// From the slot to the end of the copy activity.
    pub copied_after_ms: i64,
    /// From the slot to the end of the run.
    pub completed_after_ms: i64,
}

/// What a thin run brings of the usual.
const THIN_SHARE: f64 = 0.05;

/// No run takes longer than this from its start to its end.
pub const LONGEST_RUN_MS: i64 = 45 * 60_000;

/// Decides a run.
pub fn outcome(key: &RunKey, profile: &Profile, is_backfill: bool) -> Outcome {
    let mut rng = key.rng(1);
    let verdict = verdict(&mut rng, key, profile);
    let empty = profile.empty_since_ms.is_some_and(|since| key.slot_ms >= since);
    let thin = profile.thin_since_ms.is_some_and(|since| key.slot_ms >= since);
    let usual = f64::from(profile.records)
        * rhythm(key.slot_ms)
        * (0.85 + 0.3 * rng.f64())
        * if is_backfill { 12.0 } else { 1.0 }
        * if thin { THIN_SHARE } else { 1.0 };
    let read_nothing = empty || matches!(verdict, Verdict::CopyFailed | Verdict::BatchWithoutFiles);
    let records = if read_nothing { 0 } else { (usual as u32).max(1) };
    let rejected = match verdict {
        Verdict::RowsRejected => rng.u32(1..=(records / 50).max(1)).min(records),
        Verdict::PromotionFailed => records,
        _ => 0,
    };
    let files = if read_nothing {
        0
    } else {
        rng.u32(profile.files.max(1)..=profile.files.max(1) * 2)
    };
    let bytes_in = u64::from(records) * u64::from(profile.bytes_per_record);
    let bytes_out = u64::from(records - rejected) * u64::from(profile.bytes_per_record) * 7 / 10;
    let start_after_ms = rng.i64(2_000..12_000);
    let visible_after_ms = rng.i64(120_000..180_000);
    let work_ms = (i64::from(records) / 40).min(25 * 60_000) + rng.i64(60_000..300_000);
    let copied_after_ms = visible_after_ms + work_ms / 3;
    Outcome {
        verdict,
        records,
        rejected,
        files,
        bytes_in,
        bytes_out,
        start_after_ms,
        visible_after_ms,
        copied_after_ms,
        completed_after_ms: visible_after_ms + work_ms,
    }
}

fn verdict(rng: &mut Rng, key: &RunKey, profile: &Profile) -> Verdict {
    let dice = rng.u32(0..1000);
    let which = rng.u32(0..3);
    if profile.failing_since_ms.is_some_and(|since| key.slot_ms >= since) {
        return Verdict::CopyFailed;
    }
    if dice < profile.failed_permille {
        match which {
            0 => Verdict::CopyFailed,
            1 => Verdict::PromotionFailed,
            _ => Verdict::BatchWithoutFiles,
        }
    } else if dice < profile.failed_permille + profile.rejecting_permille
        && profile.empty_since_ms.is_none_or(|since| key.slot_ms < since)
    {
        Verdict::RowsRejected
    } else {
        Verdict::Success
    }
}

/// A shop's day: quiet before dawn, busiest in the early evening, busier at the weekend.
fn rhythm(slot_ms: i64) -> f64 {
    const DAY_MS: i64 = 86_400_000;
    let hour = slot_ms.rem_euclid(DAY_MS) as f64 / 3_600_000.0;
    let day = slot_ms.div_euclid(DAY_MS).rem_euclid(7); // 1970-01-01 was a Thursday: 2 and 3 are the weekend
    let weekend = if day == 2 || day == 3 { 1.25 } else { 1.0 };
    (1.0 + 0.6 * ((hour - 18.0) / 24.0 * std::f64::consts::TAU).cos()) * weekend
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(slot: i64) -> RunKey {
        RunKey {
            seed: 1,
            flow_number: 2,
            slot_ms: slot * 3_600_000,
            attempt: 0,
        }
    }

    #[test]
    fn the_same_slot_turns_out_the_same() {
        let profile = Profile::of_flow(2);
        assert_eq!(
            outcome(&key(5), &profile, false),
            outcome(&key(5), &profile, false)
        );
        assert_ne!(
            outcome(&key(5), &profile, false),
            outcome(&key(6), &profile, false)
        );
    }

    #[test]
    fn now_and_then_a_run_fails_or_rejects_rows() {
        let profile = Profile::of_flow(2);
        let outcomes: Vec<_> = (0..5000)
            .map(|slot| outcome(&key(slot), &profile, false))
            .collect();
        let failed = outcomes.iter().filter(|o| o.verdict.is_failure()).count();
        let rejecting = outcomes
            .iter()
            .filter(|o| o.verdict == Verdict::RowsRejected)
            .count();
        assert!((120..300).contains(&failed), "{failed}");
        assert!((120..300).contains(&rejecting), "{rejecting}");
        assert!(
            outcomes
                .iter()
                .all(|o| (o.verdict == Verdict::RowsRejected) == (o.rejected > 0 && !o.verdict.is_failure()))
        );
    }

    #[test]
    fn a_run_can_be_seen_before_it_ends_and_ends_in_bounded_time() {
        let profile = Profile {
            records: u32::MAX / 40,
            ..Profile::of_flow(3)
        };
        for slot in 0..500 {
            let o = outcome(&key(slot), &profile, slot == 0);
            assert!(o.start_after_ms < o.visible_after_ms && o.visible_after_ms < o.copied_after_ms);
            assert!(o.copied_after_ms < o.completed_after_ms && o.completed_after_ms < LONGEST_RUN_MS);
            assert!((120_000..180_000).contains(&o.visible_after_ms));
        }
    }

    #[test]
    fn a_broken_flow_fails_from_its_day_on_and_a_dry_one_brings_nothing() {
        let broken = Profile {
            failing_since_ms: Some(10 * 3_600_000),
            ..Profile::of_flow(2)
        };
        assert!((10..60).all(|slot| outcome(&key(slot), &broken, false).verdict == Verdict::CopyFailed));
        let dry = Profile {
            empty_since_ms: Some(0),
            failed_permille: 0,
            ..Profile::of_flow(2)
        };
        assert!((0..200).all(|slot| {
            let o = outcome(&key(slot), &dry, false);
            o.verdict == Verdict::Success && o.records == 0
        }));
    }
}
