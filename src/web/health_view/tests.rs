//! What is said of each state.

use super::*;
use crate::domain::health::RULES;

const MINUTE: i64 = 60_000;
const NOW: i64 = 1_774_076_400_000; // 2026-03-21T07:00:00Z

fn judged(base: Health) -> Judgement {
    Judgement {
        rules: RULES,
        base,
        base_since_at: Some(NOW - 120 * MINUTE),
        in_a_row: 2,
        without_data: 0,
        perhaps_longer: false,
        known_since_at: None,
        made_again_at: Vec::new(),
        of_old_files_at: Vec::new(),
        ends_with_old_files: false,
        lost: Lost::default(),
        begins_late: false,
        brought_last_at: None,
        expected_at: Some(NOW - 60 * MINUTE),
        late_at: None,
        running_since_at: Some(NOW - 90 * MINUTE),
        stuck_at: None,
        last_records: Some(12),
        usual_duration_ms: Some(Usual {
            low: 8 * MINUTE,
            median: 9 * MINUTE,
            high: 10 * MINUTE,
            runs: 21,
        }),
        usual_records: Some(Usual {
            low: 9_800,
            median: 10_000,
            high: 10_400,
            runs: 10,
        }),
        never_brought_any: false,
    }
}

fn said(judged: &Judgement) -> (Health, String) {
    let view = HealthView::new(judged, &Times::new("UTC", NOW), NOW);
    (view.health, view.reason)
}

#[test]
fn every_state_says_why() {
    for base in Health::ALL {
        let (health, reason) = said(&judged(*base));
        assert_eq!(health, *base);
        assert!(reason.ends_with('.') && reason.len() > 15, "{reason}");
    }
}

#[test]
fn where_nothing_was_read_no_run_is_said_not_to_be_there() {
    let times = Times::new("UTC", NOW);
    let view = HealthView::new(&judged(Health::Waiting), &times, NEVER_READ);
    assert_eq!(
        (view.word, view.reason.as_str()),
        ("Not read yet", "Its runs were not read from Adobe yet.")
    );
    assert_eq!(
        HealthView::new(&judged(Health::Waiting), &times, NOW).word,
        "Waiting"
    );
    assert_eq!(
        HealthView::new(&judged(Health::Failed), &times, NEVER_READ).word,
        "Failed"
    );
}

#[test]
fn one_word_does_not_hide_the_rest() {
    let lost = Lost {
        since_at: Some(NOW - 300 * MINUTE),
        windows: 2,
        ..Lost::default()
    };
    let with = |base, late_at| Judgement {
        lost: lost.clone(),
        late_at,
        brought_last_at: Some(NOW - 180 * MINUTE),
        ..judged(base)
    };
    let sentence = " 2 runs since 21 Mar, 02:00 UTC failed, and no later run has brought their files.";
    let listed = |base, late_at| {
        let judged = with(base, late_at);
        HealthView::new(&judged, &Times::new("UTC", NOW), NOW).in_a_list()
    };
    assert!(listed(Health::Well, None).ends_with(sentence));
    assert!(listed(Health::Failed, None).ends_with(sentence));
    assert!(
        !said(&with(Health::Well, None)).1.contains(sentence),
        "a note says it there"
    );
    let late = Some(NOW - 45 * MINUTE);
    let failed = said(&with(Health::Failed, late)).1;
    assert_eq!(
        failed,
        "The last 2 runs failed. Another was expected at 21 Mar, 06:00 UTC, and none has come. Records came last \
         with the run of 21 Mar, 04:00 UTC."
    );
    let after_a_repeat = Judgement {
        of_old_files_at: vec![NOW - MINUTE],
        ..with(Health::Failed, None)
    };
    let repeated = said(&after_a_repeat).1;
    assert!(
        repeated.contains(" Records of new files came last with the run of 21 Mar, 04:00"),
        "{repeated}"
    );
    let (health, empty) = said(&with(Health::Empty, late));
    assert_eq!(health, Health::Late);
    assert!(
        empty.contains("The last run that ended brought no records. Records came last"),
        "{empty}"
    );
}

#[test]
fn where_older_runs_are_not_known_none_is_called_the_first() {
    let (_, all) = said(&judged(Health::Waiting));
    assert!(
        all.starts_with("There was no run yet. The first is expected at "),
        "{all}"
    );
    let (_, some) = said(&Judgement {
        known_since_at: Some(NOW - 60 * MINUTE),
        ..judged(Health::Waiting)
    });
    let beginning = "No run was seen since 21 Mar, 06:00 UTC. The next is expected at ";
    assert!(some.starts_with(beginning), "{some}");
}

#[test]
fn why_a_flow_is_off_is_told_where_it_is_known() {
    let view = || HealthView::new(&judged(Health::Off), &Times::new("UTC", NOW), NOW);
    assert!(
        view()
            .of_flow("disabled", false, None)
            .reason
            .contains("switched off")
    );
    assert!(
        view()
            .of_flow("disabled", true, None)
            .reason
            .contains("not list it any more")
    );
    assert!(
        view()
            .of_flow("draft", false, None)
            .reason
            .contains("\u{201c}draft\u{201d}")
    );
    let well = HealthView::new(&judged(Health::Well), &Times::new("UTC", NOW), NOW);
    assert_eq!(well.clone().of_flow("enabled", false, None).reason, well.reason);
}

#[test]
fn figures_stand_in_the_sentence() {
    assert_eq!(
        said(&judged(Health::Odd)).1,
        "The last run brought 12 records. Usual are 9,800 to 10,400 (10 runs). Odd is what is below 6,800 or \
         above 13,400."
    );
    let late = Judgement {
        late_at: Some(NOW - 45 * MINUTE),
        ..judged(Health::Well)
    };
    assert_eq!(
        said(&late),
        (
            Health::Late,
            "A run was expected at 21 Mar, 06:00 UTC. It should have been seen by 21 Mar, 06:15 UTC, and none has \
             come."
                .into()
        )
    );
    let stuck = Judgement {
        stuck_at: Some(NOW),
        ..judged(Health::Running)
    };
    assert_eq!(
        said(&stuck).1,
        "A run has been going on for 1 h 30 min. Usual are 8 min to 10 min (21 runs)."
    );
    assert_eq!(said(&judged(Health::Failed)).1, "The last 2 runs failed.");
    let after_empty_ones = |base, in_a_row| Judgement {
        in_a_row,
        without_data: 5,
        ..judged(base)
    };
    assert_eq!(
        said(&after_empty_ones(Health::Failed, 2)).1,
        "The last 2 runs failed. None of the last 5 runs brought records."
    );
    assert_eq!(
        said(&after_empty_ones(Health::Failed, 5)).1,
        "The last 5 runs failed."
    );
    let empty = said(&after_empty_ones(Health::Empty, 1)).1;
    assert!(
        empty.ends_with(" None of the last 5 runs brought records."),
        "{empty}"
    );
    let for_long = Judgement {
        in_a_row: 30,
        perhaps_longer: true,
        ..judged(Health::Failed)
    };
    assert_eq!(
        said(&for_long).1,
        "The last 30 runs failed. All runs that were looked at say so, and those before them may, too."
    );
}
