use super::*;
use crate::domain::FindingState;

const BEGUN_AT: i64 = 1_000;

fn carrier(id: &str, marker: &str) -> Carrier {
    Carrier {
        kind: StepKind::Flow,
        id: id.to_owned(),
        name: format!("Name of {id}"),
        created_at: None,
        marker: marker.to_owned(),
    }
}

fn step(marker: &str, setup_state: SetupState, state: StepState, object_id: Option<&str>) -> MarkedStep {
    MarkedStep {
        marker: marker.to_owned(),
        setup_id: format!("setup of {marker}"),
        kind: StepKind::Flow,
        state,
        object_id: object_id.map(str::to_owned),
        setup_state,
        environment_id: "here".to_owned(),
        setup_updated_at: BEGUN_AT - 1,
    }
}

fn finding(verdict: Verdict, object_id: &str, marker: &str) -> Finding {
    Finding {
        id: format!("finding {object_id}"),
        team_id: "team".to_owned(),
        environment_id: "here".to_owned(),
        verdict,
        object_kind: StepKind::Flow,
        object_id: object_id.to_owned(),
        object_name: String::new(),
        marker: marker.to_owned(),
        setup_id: None,
        step: None,
        platform_created_at: None,
        found_at: 1,
        seen_at: 1,
        state: FindingState::Open,
        decided_by: None,
        decided_at: None,
        problem: None,
    }
}

/// A complete list of flows with these carriers.
fn look(carriers: &[Carrier]) -> Look {
    Look {
        begun_at: BEGUN_AT,
        carriers: carriers.to_vec(),
        listed: HashMap::from([(StepKind::Flow, carriers.iter().map(|c| c.id.clone()).collect())]),
        complete: HashSet::from([StepKind::Flow]),
    }
}

/// The ids that do not fit, with what they are.
fn misfits(look: &Look, owners: &[MarkedStep]) -> Vec<(String, Verdict)> {
    let judgement = judge(look, "here", owners, &[], &[]);
    judgement
        .misfits
        .into_iter()
        .map(|m| (m.carrier.id, m.verdict))
        .collect()
}

#[test]
fn one_object_for_each_confirmed_step_is_as_it_should_be() {
    use StepState::{Confirmed, Kept, UndoFailed};
    for (setup_state, state) in [
        (SetupState::Done, Confirmed),
        (SetupState::Undone, Kept),
        (SetupState::NeedsAttention, UndoFailed),
    ] {
        let owner = step("m", setup_state, state, Some("f-1"));
        assert_eq!(
            misfits(&look(&[carrier("f-1", "m")]), &[owner]),
            [],
            "{setup_state} {state}"
        );
    }
}

#[test]
fn what_a_step_does_not_use_is_a_duplicate() {
    let owner = step("m", SetupState::Done, StepState::Confirmed, Some("f-2"));
    let seen = look(&[carrier("f-1", "m"), carrier("f-2", "m"), carrier("f-3", "m")]);
    let expected = [
        ("f-1".to_owned(), Verdict::Duplicate),
        ("f-3".to_owned(), Verdict::Duplicate),
    ];
    assert_eq!(misfits(&seen, &[owner]), expected);
    // Also when the step's own object is gone.
    let owner = step("m", SetupState::Done, StepState::Confirmed, Some("f-9"));
    assert_eq!(
        misfits(&look(&[carrier("f-1", "m")]), &[owner]),
        [("f-1".to_owned(), Verdict::Duplicate)]
    );
}

#[test]
fn a_setup_that_asks_knows_none_of_several_as_its_own() {
    let owner = || step("m", SetupState::NeedsAttention, StepState::Unknown, None);
    let two = look(&[carrier("f-1", "m"), carrier("f-2", "m")]);
    assert_eq!(misfits(&two, &[owner()]).len(), 2);
    // One is what a look-up of the setup will take.
    assert_eq!(misfits(&look(&[carrier("f-1", "m")]), &[owner()]), []);
}

#[test]
fn what_no_finished_step_vouches_for_is_unclaimed() {
    let unclaimed = [("f-1".to_owned(), Verdict::Unclaimed)];
    let seen = look(&[carrier("f-1", "m")]);
    assert_eq!(misfits(&seen, &[]), unclaimed);
    for state in [
        StepState::Planned,
        StepState::Rejected,
        StepState::Undone,
        StepState::Unknown,
    ] {
        let owner = step("m", SetupState::Undone, state, None);
        assert_eq!(misfits(&seen, &[owner]), unclaimed, "{state}");
    }
    let undone = step("m", SetupState::Undone, StepState::Undone, Some("f-1"));
    assert_eq!(misfits(&seen, &[undone]), unclaimed);
}

#[test]
fn setups_at_work_and_other_environments_are_left_alone() {
    let seen = look(&[carrier("f-1", "m"), carrier("f-2", "m")]);
    for state in [
        SetupState::Queued,
        SetupState::Running,
        SetupState::Waiting,
        SetupState::Undoing,
    ] {
        assert_eq!(
            misfits(&seen, &[step("m", state, StepState::Unknown, None)]),
            [],
            "{state}"
        );
    }
    let elsewhere = MarkedStep {
        environment_id: "elsewhere".to_owned(),
        ..step("m", SetupState::Undone, StepState::Undone, None)
    };
    assert_eq!(misfits(&seen, &[elsewhere]), []);
    let changed = MarkedStep {
        setup_updated_at: BEGUN_AT,
        ..step("m", SetupState::Undone, StepState::Undone, None)
    };
    assert_eq!(misfits(&seen, &[changed]), []);
}

#[test]
fn an_object_that_one_setup_uses_is_nobodys_stray() {
    let owners = [
        step("m", SetupState::Done, StepState::Confirmed, Some("f-1")),
        step("n", SetupState::Undone, StepState::Undone, None),
    ];
    assert_eq!(
        misfits(&look(&[carrier("f-1", "m"), carrier("f-1", "n")]), &owners),
        []
    );
}

#[test]
fn only_a_complete_list_can_miss_something() {
    let made = [step("m", SetupState::Done, StepState::Confirmed, Some("f-1"))];
    let missing = |look: &Look, standing: &[Finding]| judge(look, "here", &[], &made, standing).missing;
    let mut empty = look(&[]);
    assert_eq!(missing(&empty, &[]), made);
    assert_eq!(missing(&empty, &[finding(Verdict::Vanished, "f-1", "m")]), []);
    empty.complete.clear();
    assert_eq!(missing(&empty, &[]), []);
    let mut edited = look(&[]);
    edited.listed = HashMap::from([(StepKind::Flow, HashSet::from(["f-1".to_owned()]))]);
    assert_eq!(missing(&edited, &[]), [], "it is there, only without its marker");
}

#[test]
fn the_shared_connection_is_missed_once_for_all_setups() {
    let shared = |marker| MarkedStep {
        kind: StepKind::DataLakeConnection,
        ..step(marker, SetupState::Done, StepState::Confirmed, Some("c-1"))
    };
    let mut connections = look(&[]);
    connections.complete = HashSet::from([StepKind::BaseConnection]);
    let missing = judge(&connections, "here", &[], &[shared("m"), shared("n")], &[]).missing;
    assert_eq!(missing.len(), 1);
}

#[test]
fn findings_end_when_a_complete_list_disproves_them() {
    let duplicate = finding(Verdict::Duplicate, "f-2", "m");
    let owner = [step("m", SetupState::Done, StepState::Confirmed, Some("f-1"))];
    let standing = [duplicate];
    let settled = |look: &Look, owners: &[MarkedStep]| judge(look, "here", owners, &[], &standing).settled;
    assert_eq!(
        settled(&look(&[carrier("f-1", "m"), carrier("f-2", "m")]), &owner),
        Vec::<String>::new()
    );
    let mut gone = look(&[carrier("f-1", "m")]);
    assert_eq!(settled(&gone, &owner), ["finding f-2"]);
    gone.complete.clear();
    assert_eq!(settled(&gone, &owner), Vec::<String>::new());
    // The setup took it as its own meanwhile.
    let taken = [step("m", SetupState::Done, StepState::Confirmed, Some("f-2"))];
    assert_eq!(settled(&look(&[carrier("f-2", "m")]), &taken), ["finding f-2"]);
    // It is at work on it: that is for the next look to say.
    let at_work = [step("m", SetupState::Running, StepState::Unknown, None)];
    assert_eq!(
        settled(&look(&[carrier("f-2", "m")]), &at_work),
        Vec::<String>::new()
    );
}

#[test]
fn what_was_gone_stays_gone_until_it_is_listed_again() {
    let standing = [finding(Verdict::Vanished, "f-1", "m")];
    let judged = judge(&look(&[]), "here", &[], &[], &standing);
    assert_eq!((judged.still_gone.len(), judged.settled.len()), (1, 0));
    let judged = judge(&look(&[carrier("f-1", "m")]), "here", &[], &[], &standing);
    assert!(judged.still_gone.is_empty() && judged.settled == ["finding f-1"]);
    let mut incomplete = look(&[]);
    incomplete.complete.clear();
    let judged = judge(&incomplete, "here", &[], &[], &standing);
    assert!(judged.still_gone.is_empty() && judged.settled.is_empty());
}
