//! Judgements by the windows of time whose files the runs read.

use super::tests::{HOUR, MINUTE, START, good, hourly, judge, judge_after, run};
use super::*;

/// A run of the files of a slot, started when `slot` says.
fn of_window(slot: i64, window: i64, outcome: RunOutcome) -> RecentRun {
    RecentRun {
        window_start_at: Some(START + (window - 1) * HOUR),
        window_end_at: Some(START + window * HOUR),
        ..run(slot, outcome, 10_000)
    }
}

fn windows(outcomes: &[RunOutcome]) -> Vec<RecentRun> {
    (0..)
        .zip(outcomes)
        .map(|(slot, outcome)| of_window(slot, slot, *outcome))
        .collect()
}

#[test]
fn a_run_made_again_says_nothing_of_what_came_after_its_files() {
    let (good, bad) = (RunOutcome::Succeeded, RunOutcome::Failed);
    let mut runs = windows(&[good, good, bad, bad, bad]);
    runs.push(of_window(5, 2, good));
    let judged = judge(&hourly(), &runs);
    assert_eq!((judged.base, judged.in_a_row), (Health::Failed, 3));
    assert_eq!(judged.of_old_files_at, [START + 5 * HOUR + 2 * MINUTE]);
    assert!(judged.ends_with_old_files);
    let last_of_new_files = Some(START + HOUR + 2 * MINUTE);
    assert_eq!(judged.brought_last_at, last_of_new_files);
    assert_eq!(judged.base_since_at, Some(START + 2 * HOUR + 2 * MINUTE));
    runs.push(of_window(6, 6, bad));
    assert_eq!(
        judge(&hourly(), &runs).in_a_row,
        4,
        "the good one does not part them"
    );
    // That of the newest files does.
    runs.push(of_window(7, 6, good));
    assert_eq!(judge(&hourly(), &runs).base, Health::Well);
    // Nor does one that failed once more.
    let mut runs = windows(&[bad, good, good]);
    runs.push(of_window(3, 0, bad));
    assert_eq!(judge(&hourly(), &runs).base, Health::Well);
}

#[test]
fn files_of_failed_runs_are_lost_until_a_later_run_brings_them() {
    let (good, bad) = (RunOutcome::Succeeded, RunOutcome::Failed);
    let lost = |runs: &[RecentRun]| -> (usize, Vec<i64>) {
        let lost = judge(&hourly(), runs).lost;
        assert_eq!(lost.since_at, Some(runs[0].started_at));
        let starts = lost.newest_at.iter();
        (lost.windows, starts.map(|at| (at - START) / HOUR).collect())
    };
    let mut runs = windows(&[good, bad, bad, good]);
    assert_eq!(lost(&runs), (2, vec![2, 1]), "the next window has other files");
    runs.push(of_window(4, 1, bad));
    assert_eq!(lost(&runs), (2, vec![4, 2]), "the same files, once more");
    let mut empty = of_window(5, 1, good);
    empty.records_out = Some(0);
    runs.push(empty);
    assert_eq!(lost(&runs).0, 2, "nothing came");
    let running = of_window(6, 1, RunOutcome::Running);
    runs.push(RecentRun {
        window_end_at: running.window_end_at.map(|at| at - 365),
        ..running
    });
    assert_eq!(lost(&runs), (2, vec![4, 2]), "they may come, and have not");
    runs.pop();
    runs.push(of_window(6, 1, good));
    assert_eq!(lost(&runs), (1, vec![2]));
    let wide = RecentRun {
        window_start_at: Some(START),
        ..of_window(7, 7, good)
    };
    runs.push(wide);
    assert_eq!(lost(&runs), (0, vec![]));
    runs.push(run(8, bad, 0));
    let untold = judge(&hourly(), &runs).lost;
    assert_eq!((untold.windows, untold.untold), (0, 1));
    let (count, newest) = lost(&windows(&[bad; 100]));
    assert_eq!((count, newest.len()), (100, 10));
}

#[test]
fn lost_files_are_not_forgotten_when_their_run_is_none_of_the_last_ones() {
    let (good, bad) = (RunOutcome::Succeeded, RunOutcome::Failed);
    let outcomes: Vec<RunOutcome> = (0..200)
        .map(|slot| if slot % 50 == 0 { bad } else { good })
        .collect();
    let mut runs = windows(&outcomes);
    let mut left = Left::default();
    let slots = |lost: &Lost| -> Vec<i64> {
        let starts = lost.newest_at.iter();
        starts.map(|at| (at - START) / HOUR).collect()
    };
    let mut last_ones = |runs: &[RecentRun]| -> Lost {
        let from = runs.len().saturating_sub(RECENT_RUNS);
        judge_after(&hourly(), &runs[from..], false, &mut left).lost
    };
    for count in 1..200 {
        last_ones(&runs[..count]);
    }
    let lost = last_ones(&runs);
    assert_eq!(slots(&lost), [150, 100, 50, 0]);
    assert_eq!(lost.since_at, Some(runs[0].started_at));
    // They may come, they do not, they come.
    runs.push(of_window(200, 50, RunOutcome::Running));
    assert_eq!(slots(&last_ones(&runs)), [150, 100, 50, 0]);
    let empty = RecentRun {
        records_out: Some(0),
        ..of_window(200, 50, good)
    };
    runs[200] = empty;
    assert_eq!(slots(&last_ones(&runs)), [150, 100, 50, 0]);
    runs[200] = of_window(200, 50, good);
    assert_eq!(slots(&last_ones(&runs)), [150, 100, 0]);
    // One that failed once more stands for both, and is not forgotten either.
    runs.push(of_window(201, 100, bad));
    assert_eq!(slots(&last_ones(&runs)), [201, 150, 0]);
    for slot in 202..240 {
        runs.push(of_window(slot, slot, good));
        last_ones(&runs);
    }
    assert_eq!(slots(&last_ones(&runs)), [201, 150, 0]);
    // Of a month at most, and only as long as all runs were seen.
    runs.push(of_window(30 * 24 + 100, 30 * 24 + 100, good));
    assert_eq!(slots(&last_ones(&runs)), [201, 150]);
    let later: Vec<RecentRun> = (900..940).map(|slot| of_window(slot, slot, good)).collect();
    assert!(left.is_parted_from(&later));
    let judged = judge_after(&hourly(), &later, false, &mut left);
    assert_eq!(
        (judged.lost.windows, judged.lost.since_at),
        (0, Some(later[0].started_at))
    );
}

#[test]
fn of_very_many_lost_files_the_oldest_are_forgotten_and_that_is_said() {
    let bad = windows(&[RunOutcome::Failed; 150]);
    let mut left = Left::default();
    let lost = judge_after(&hourly(), &bad, true, &mut left).lost;
    assert_eq!((lost.windows, lost.since_at), (100, Some(bad[50].started_at)));
    let parts = serde_json::to_string(&left).expect("JSON");
    assert_eq!(serde_json::from_str::<Left>(&parts).expect("the same"), left);
}

#[test]
fn when_records_came_last_is_known_whatever_kind_of_trouble_followed() {
    let mut runs = good();
    runs.push(run(10, RunOutcome::Succeeded, 0));
    runs.push(run(11, RunOutcome::Failed, 0));
    runs.push(run(12, RunOutcome::Succeeded, 0));
    let judged = judge(&hourly(), &runs);
    assert_eq!(
        (judged.base, judged.in_a_row, judged.without_data),
        (Health::Empty, 1, 3)
    );
    let since_at = Some(START + 10 * HOUR + 2 * MINUTE);
    assert_eq!(
        judged.base_since_at, since_at,
        "what kept data away is no new beginning"
    );
    assert_eq!(judged.brought_last_at, Some(START + 9 * HOUR + 2 * MINUTE));
    let late_at = judged.late_at.expect("a moment");
    assert!(judged.is_late_at(late_at) && !judged.is_late_at(late_at - 1));
    let failed = judge(&hourly(), &runs[..12]);
    assert_eq!((failed.base_since_at, failed.in_a_row), (since_at, 1));
    assert_eq!(failed.health_at(i64::MAX), Health::Failed);
    assert!(failed.is_late_at(i64::MAX), "that is so beside it");
}

#[test]
fn a_run_made_again_is_not_the_one_that_was_expected() {
    let good = RunOutcome::Succeeded;
    let runs = windows(&[good, good, good]);
    let expected_at = judge(&hourly(), &runs).expected_at;
    assert_eq!(expected_at, Some(START + 3 * HOUR));
    for window in [0, 2] {
        for outcome in [good, RunOutcome::Failed, RunOutcome::Running] {
            let mut runs = runs.clone();
            runs.push(of_window(8, window, outcome));
            let judged = judge(&hourly(), &runs);
            assert_eq!(judged.expected_at, expected_at, "{window} {outcome:?}");
            assert_eq!(judged.made_again_at, [START + 8 * HOUR + 2 * MINUTE]);
            assert!(judged.late_at.is_some_and(|at| at < START + 4 * HOUR));
        }
    }
    let once = Circumstances {
        frequency: Some(Frequency::Once),
        ..hourly()
    };
    let mut runs = runs;
    runs.push(of_window(8, 0, RunOutcome::Failed));
    assert_eq!(
        judge(&once, &runs).base,
        Health::Failed,
        "a window is run on purpose"
    );
}

#[test]
fn where_the_last_runs_begin_with_old_files_those_before_them_are_looked_at() {
    let (good, bad) = (RunOutcome::Succeeded, RunOutcome::Failed);
    let mut runs = windows(&[bad; 41]);
    runs.extend((0..20).map(|n| of_window(41 + n, n, good)));
    runs.extend((61..76).map(|slot| of_window(slot, slot - 20, bad)));
    let last_ones = judge(&hourly(), &runs[runs.len() - 30..]);
    assert!(
        last_ones.asks_for_more(),
        "they begin among those that were made again"
    );
    let all = judge_after(&hourly(), &runs, false, &mut Left::default());
    assert_eq!((all.base, all.in_a_row), (Health::Failed, 56));
    assert_eq!(all.base_since_at, Some(START + 2 * MINUTE));
    let usual = windows(&[good; 60]);
    assert!(!judge(&hourly(), &usual[30..]).asks_for_more());
}

#[test]
fn windows_that_do_not_move_on_say_nothing() {
    let good = RunOutcome::Succeeded;
    let runs: Vec<RecentRun> = (0..10).map(|slot| of_window(slot, 0, good)).collect();
    assert_eq!(judge(&hourly(), &runs).expected_at, Some(START + 10 * HOUR));
}
