//! Judgements at moments on and beside the edge of each rule.

use proptest::prelude::*;

use super::{judge as judge_of, *};

/// As the store does: fewer than are asked for are all.
pub(super) fn judge(flow: &Circumstances, runs: &[RecentRun]) -> Judgement {
    judge_all(flow, runs, runs.len() < RECENT_RUNS)
}

fn judge_all(flow: &Circumstances, runs: &[RecentRun], is_whole: bool) -> Judgement {
    judge_after(flow, runs, is_whole, &mut Left::default())
}

/// After the judgements that left this behind.
pub(super) fn judge_after(
    flow: &Circumstances,
    runs: &[RecentRun],
    is_whole: bool,
    left: &mut Left,
) -> Judgement {
    left.look_at(runs);
    judge_of(flow, runs, is_whole, left)
}

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
/// A Sunday, 08:00 UTC.
pub(super) const START: i64 = 1_774_166_400_000;

pub(super) fn hourly() -> Circumstances {
    Circumstances {
        is_on: true,
        frequency: Some(Frequency::Hour),
        interval: 1,
        start_at: Some(START),
        on_since_at: Some(START - DAY),
        known_since_at: None,
    }
}

pub(super) fn run(slot: i64, outcome: RunOutcome, records: i64) -> RecentRun {
    RecentRun {
        outcome,
        started_at: START + slot * HOUR + 2 * MINUTE,
        duration_ms: outcome.is_final().then_some(10 * MINUTE),
        records_out: outcome.is_final().then_some(records),
        window_start_at: None,
        window_end_at: None,
    }
}

/// Ten good runs, one an hour.
pub(super) fn good() -> Vec<RecentRun> {
    (0..10)
        .map(|slot| run(slot, RunOutcome::Succeeded, 10_000 + slot * 10))
        .collect()
}

fn with(last: RecentRun) -> Vec<RecentRun> {
    let mut runs = good();
    runs.push(last);
    runs
}

#[test]
fn a_run_is_late_after_its_usual_delay_and_a_leeway() {
    let judged = judge(&hourly(), &good());
    assert_eq!(judged.base, Health::Well);
    assert_eq!(judged.expected_at, Some(START + 10 * HOUR));
    let late_at = START + 10 * HOUR + 2 * MINUTE + 15 * MINUTE;
    assert_eq!(judged.late_at, Some(late_at));
    assert_eq!(judged.health_at(late_at - 1), Health::Well);
    assert_eq!(judged.health_at(late_at), Health::Late);
    assert_eq!(judged.since(late_at), Some(START + 10 * HOUR));
}

#[test]
fn a_daily_flow_gets_an_hour_of_leeway_and_a_flow_without_schedule_is_never_late() {
    let daily = Circumstances {
        frequency: Some(Frequency::Day),
        ..hourly()
    };
    assert_eq!(judge(&daily, &[]).late_at, Some(START + HOUR));
    let unknown = Circumstances {
        frequency: None,
        ..hourly()
    };
    assert_eq!(judge(&unknown, &good()).late_at, None);
}

#[test]
fn a_first_run_is_expected_at_the_start_and_a_single_one_only_once() {
    let judged = judge(&hourly(), &[]);
    assert_eq!((judged.base, judged.expected_at), (Health::Waiting, Some(START)));
    let once = Circumstances {
        frequency: Some(Frequency::Once),
        ..hourly()
    };
    assert_eq!(judge(&once, &[]).late_at, Some(START + 15 * MINUTE));
    assert_eq!(judge(&once, &good()).expected_at, None);
}

#[test]
fn what_was_missed_while_it_was_off_is_not_late() {
    let judged = judge(
        &Circumstances {
            on_since_at: Some(START + 100 * HOUR + MINUTE),
            ..hourly()
        },
        &good(),
    );
    assert_eq!(judged.expected_at, Some(START + 101 * HOUR));
    let off = judge(
        &Circumstances {
            is_on: false,
            ..hourly()
        },
        &good(),
    );
    assert_eq!((off.base, off.late_at, off.stuck_at), (Health::Off, None, None));
}

#[test]
fn a_run_a_little_before_its_moment_counts_for_it() {
    let early = RecentRun {
        started_at: START + 10 * HOUR - MINUTE,
        ..run(10, RunOutcome::Succeeded, 10_000)
    };
    assert_eq!(
        judge(&hourly(), &with(early)).expected_at,
        Some(START + 11 * HOUR)
    );
}

#[test]
fn a_run_is_stuck_after_three_times_the_usual_and_nothing_is_late_meanwhile() {
    let judged = judge(&hourly(), &with(run(10, RunOutcome::Running, 0)));
    let began = START + 10 * HOUR + 2 * MINUTE;
    assert_eq!(judged.base, Health::Running);
    assert_eq!(judged.stuck_at, Some(began + 30 * MINUTE));
    assert_eq!(judged.late_at, None);
    assert_eq!(judged.health_at(began + 30 * MINUTE - 1), Health::Running);
    assert_eq!(judged.health_at(began + 30 * MINUTE), Health::Stuck);
    let few = judge(&hourly(), &[run(0, RunOutcome::Running, 0)]);
    assert_eq!(few.stuck_at, Some(START + 2 * MINUTE + DAY));
}

#[test]
fn failures_in_a_row_are_counted_from_the_first() {
    let mut runs = with(run(10, RunOutcome::Failed, 0));
    runs.push(run(11, RunOutcome::Failed, 0));
    runs.push(run(12, RunOutcome::Running, 0));
    let judged = judge(&hourly(), &runs);
    assert_eq!((judged.base, judged.in_a_row), (Health::Failed, 2));
    assert_eq!(judged.base_since_at, Some(START + 10 * HOUR + 2 * MINUTE));
    assert_eq!(judged.health_at(i64::MAX), Health::Failed, "worse than stuck");
}

#[test]
fn an_empty_run_is_told_unless_empty_runs_are_usual() {
    let empty = run(10, RunOutcome::Succeeded, 0);
    assert_eq!(judge(&hourly(), &with(empty)).base, Health::Empty);
    let mut sparse = good();
    for slot in [2, 5, 8] {
        sparse[slot].records_out = Some(0);
    }
    sparse.push(empty);
    assert_eq!(judge(&hourly(), &sparse).base, Health::Well);
    let never = judge(&hourly(), &[run(0, RunOutcome::Succeeded, 0)]);
    assert_eq!((never.base, never.never_brought_any), (Health::Empty, true));
    let untold = RecentRun {
        records_out: None,
        ..empty
    };
    assert_eq!(judge(&hourly(), &with(untold)).base, Health::Well);
}

#[test]
fn a_flow_that_brings_nothing_any_more_is_empty_until_something_comes() {
    let mut runs: Vec<RecentRun> = (0..20)
        .map(|slot| run(slot, RunOutcome::Succeeded, 10_000))
        .collect();
    for empty in 1..=40 {
        runs.push(run(19 + empty, RunOutcome::Succeeded, 0));
        let judged = judge_all(&hourly(), &runs, true);
        let is_said = (judged.base, judged.in_a_row, judged.never_brought_any);
        assert_eq!(is_said, (Health::Empty, empty as usize, false));
        assert_eq!(judged.base_since_at, Some(START + 20 * HOUR + 2 * MINUTE));
        assert_eq!(judged.usual_records.map(|usual| usual.runs), Some(20));
    }
    runs.push(run(60, RunOutcome::Succeeded, 10_000));
    assert_eq!(judge_all(&hourly(), &runs, true).base, Health::Well);
}

#[test]
fn a_flow_that_is_empty_at_weekends_is_not_told_for_that() {
    let mut runs: Vec<RecentRun> = (0..28)
        .map(|day| run(day, RunOutcome::Succeeded, if day % 7 < 5 { 10_000 } else { 0 }))
        .collect();
    assert_eq!(judge(&hourly(), &runs).base, Health::Well);
    runs.truncate(27);
    assert_eq!(judge(&hourly(), &runs).base, Health::Well);
}

#[test]
fn where_the_last_runs_are_not_enough_more_are_asked_for() {
    let runs = |count, outcome| -> Vec<RecentRun> {
        let outcomes = (0..count).map(|slot| run(slot, outcome, 100));
        outcomes.collect()
    };
    assert!(!judge(&hourly(), &runs(30, RunOutcome::Succeeded)).asks_for_more());
    assert!(judge(&hourly(), &runs(30, RunOutcome::Failed)).asks_for_more());
    let mut long = runs(40, RunOutcome::Succeeded);
    long.extend((40..140).map(|slot| run(slot, RunOutcome::Failed, 0)));
    let judged = judge_all(&hourly(), &long, false);
    assert_eq!((judged.in_a_row, judged.perhaps_longer), (100, false));
    assert_eq!(judged.base_since_at, Some(START + 40 * HOUR + 2 * MINUTE));
    assert_eq!(judged.usual_records.map(|usual| usual.runs), Some(RECENT_RUNS));
    assert!(!judged.asks_for_more());
}

#[test]
fn nothing_is_late_for_what_was_not_read_yet() {
    let known_since = |slot: i64| Circumstances {
        known_since_at: Some(START + slot * HOUR + 30 * MINUTE),
        ..hourly()
    };
    let expected_at = |flow: &Circumstances, runs: &[RecentRun]| judge(flow, runs).expected_at;
    assert_eq!(expected_at(&known_since(50), &[]), Some(START + 51 * HOUR));
    assert_eq!(expected_at(&known_since(50), &good()), Some(START + 51 * HOUR));
    assert_eq!(expected_at(&known_since(5), &good()), Some(START + 10 * HOUR));
    let once = Circumstances {
        frequency: Some(Frequency::Once),
        ..known_since(50)
    };
    assert_eq!(expected_at(&once, &[]), None);
    let hour = |known_since| Rhythm::of(Some("hour"), None, Some(0), Wanted::of_first(true), known_since);
    let missed = |known_since| {
        let rhythm = hour(known_since).expect("a rhythm");
        let mut missed = rhythm.missed_between(0, 5 * HOUR);
        missed.next().map(|missed| missed.count)
    };
    assert_eq!((missed(None), missed(Some(HOUR))), (Some(4), None));
}

#[test]
fn a_volume_far_from_the_usual_is_odd() {
    let of = |records| judge(&hourly(), &with(run(10, RunOutcome::Succeeded, records))).base;
    // Middle half 10,020 to 10,060; a tenth of the median is wider.
    assert_eq!(of(7_100), Health::Well);
    assert_eq!(of(6_900), Health::Odd);
    assert_eq!(of(13_000), Health::Well);
    assert_eq!(of(13_200), Health::Odd);
    let few = &good()[..4];
    let mut runs = few.to_vec();
    runs.push(run(4, RunOutcome::Succeeded, 1));
    assert_eq!(judge(&hourly(), &runs).base, Health::Well, "not enough history");
    assert_eq!(judge(&hourly(), &runs[..3]).usual_duration_ms, None);
}

#[test]
fn partial_and_unknown_are_told_and_an_unknown_word_comes_first() {
    assert_eq!(
        judge(&hourly(), &with(run(10, RunOutcome::Partial, 9_000))).base,
        Health::Partial
    );
    let mut runs = with(run(10, RunOutcome::Failed, 0));
    runs.push(run(11, RunOutcome::Unknown, 0));
    assert_eq!(judge(&hourly(), &runs).base, Health::Unknown);
}

#[test]
fn where_all_runs_looked_at_say_the_same_it_may_have_begun_earlier() {
    let failed: Vec<RecentRun> = (0..30).map(|slot| run(slot, RunOutcome::Failed, 0)).collect();
    assert!(judge(&hourly(), &failed).perhaps_longer);
    assert!(
        !judge(&hourly(), &failed[1..]).perhaps_longer,
        "there are no others"
    );
    let mut one_good = failed;
    one_good[0] = run(0, RunOutcome::Succeeded, 100);
    assert!(!judge(&hourly(), &one_good).perhaps_longer);
}

#[test]
fn recent_runs_are_stored_small() {
    let told = run(0, RunOutcome::Succeeded, 5);
    let json = serde_json::to_string(&told).unwrap();
    assert_eq!(json, r#"["succeeded",1774166520000,600000,5]"#);
    assert_eq!(serde_json::from_str::<RecentRun>(&json).unwrap(), told);
}

proptest! {
    #[test]
    fn any_history_can_be_judged(
        outcomes in prop::collection::vec((prop::sample::select(RunOutcome::ALL), any::<i64>(), any::<Option<i64>>(), any::<Option<i64>>()), 0..30),
        is_on: bool, interval: i64, start_at: Option<i64>, on_since_at: Option<i64>, known_since_at: Option<i64>, now: i64,
    ) {
        let mut runs: Vec<RecentRun> = outcomes.into_iter().map(RecentRun::from).collect();
        runs.sort_by_key(|run| run.started_at);
        for frequency in [None, Some(Frequency::Once), Some(Frequency::Minute), Some(Frequency::Week)] {
            let flow = Circumstances { is_on, frequency, interval, start_at, on_since_at, known_since_at };
            let judged = judge(&flow, &runs);
            let health = judged.health_at(now);
            prop_assert_eq!(health == Health::Off, !is_on);
            prop_assert!(judged.in_a_row <= runs.len());
        }
    }
}

#[test]
fn runs_are_missed_between_two_that_are_more_than_one_period_apart() {
    let rhythm = |frequency, wanted| {
        let frequency = Frequency::as_str(frequency);
        Rhythm::of(Some(frequency), Some(1), Some(0), wanted, None).expect("a rhythm")
    };
    let missed = |frequency, earlier, later| {
        let rhythm = rhythm(frequency, Wanted::of_first(true));
        rhythm.missed_between(earlier, later).next()
    };
    let hour = Frequency::Hour;
    let after = |hours: i64, minutes: i64| hours * HOUR + minutes * MINUTE;
    assert_eq!(missed(hour, after(5, 3), after(6, 3)), None);
    assert_eq!(missed(hour, after(5, 3), after(5, 40)), None, "run again by hand");
    assert_eq!(
        missed(hour, after(5, 3), after(8, 3)),
        Some(Missed {
            first_at: 6 * HOUR,
            period_ms: HOUR,
            count: 2
        })
    );
    assert_eq!(
        missed(hour, after(5, 3), after(7, -1)).map(|missed| missed.count),
        Some(1),
        "one that began a minute early is that of its moment"
    );
    assert_eq!(
        missed(hour, after(-9, 0), after(1, 3)).map(|missed| (missed.first_at, missed.count)),
        Some((0, 1)),
        "nothing is missed before the schedule begins"
    );
    assert_eq!(missed(Frequency::Once, 0, 99 * HOUR), None);
    let long = missed(hour, 0, 1_000_000 * HOUR).expect("a long gap");
    assert_eq!(long.moments(2).collect::<Vec<_>>(), [HOUR, 2 * HOUR]);
    assert_eq!(
        missed(hour, i64::MIN, i64::MAX).map(|missed| missed.first_at),
        Some(0)
    );
}
