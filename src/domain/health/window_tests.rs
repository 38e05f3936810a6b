//! Judgements by the windows of time whose files the runs read.

use super::tests::{HOUR, MINUTE, START, good, hourly, judge, run};
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
    assert_eq!(judged.brought_last_at, Some(START + 5 * HOUR + 2 * MINUTE));
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
        assert_eq!(lost.looked_at, runs.len());
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
    assert_eq!(lost(&runs), (1, vec![2]), "they may come");
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
    assert_eq!((count, newest.len()), (100, 5));
}

#[test]
fn when_records_came_last_is_known_whatever_kind_of_trouble_followed() {
    let mut runs = good();
    runs.push(run(10, RunOutcome::Succeeded, 0));
    runs.push(run(11, RunOutcome::Failed, 0));
    runs.push(run(12, RunOutcome::Succeeded, 0));
    let judged = judge(&hourly(), &runs);
    assert_eq!((judged.base, judged.in_a_row), (Health::Empty, 1));
    assert_eq!(judged.brought_last_at, Some(START + 9 * HOUR + 2 * MINUTE));
    let late_at = judged.late_at.expect("a moment");
    assert!(judged.is_late_at(late_at) && !judged.is_late_at(late_at - 1));
    let failed = judge(&hourly(), &runs[..12]);
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
fn windows_that_do_not_move_on_say_nothing() {
    let good = RunOutcome::Succeeded;
    let runs: Vec<RecentRun> = (0..10).map(|slot| of_window(slot, 0, good)).collect();
    assert_eq!(judge(&hourly(), &runs).expected_at, Some(START + 10 * HOUR));
}
