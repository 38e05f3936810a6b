use super::*;

pub(super) const RULES: Rules = Rules {
    settle_ms: 100,
    looks_needed: 3,
    look_pause_ms: 10,
    failed_looks_max: 4,
    deletions_max: 5,
};

/// The tutorial's seven steps.
pub(super) fn tutorial() -> Machine {
    use StepKind::*;
    let needs: [(StepKind, &[StepKind]); 7] = [
        (BaseConnection, &[]),
        (Schema, &[]),
        (DataLakeConnection, &[]),
        (Dataset, &[Schema]),
        (SourceConnection, &[BaseConnection, Schema]),
        (TargetConnection, &[Dataset, Schema, DataLakeConnection]),
        (Flow, &[SourceConnection, TargetConnection]),
    ];
    Machine::new(
        needs
            .into_iter()
            .map(|(kind, needs)| Step::planned(kind, needs.to_vec()))
            .collect(),
        RULES,
    )
}

pub(super) fn confirmed(step: StepKind, adopted: bool) -> Event {
    Event::Confirmed {
        step,
        id: format!("{step}-id"),
        adopted,
    }
}

fn run_to_end(machine: &mut Machine) -> Vec<Vec<StepKind>> {
    let mut waves = Vec::new();
    machine.apply(&Event::Recovered, 0).unwrap();
    while !machine.state.is_final() {
        let wave: Vec<StepKind> = machine
            .effects(0)
            .into_iter()
            .map(|e| match e {
                Effect::Send(kind) => kind,
                other => panic!("{other:?}"),
            })
            .collect();
        for kind in &wave {
            machine.apply(&Event::Sending(*kind), 0).unwrap();
        }
        for kind in &wave {
            machine.apply(&confirmed(*kind, false), 0).unwrap();
        }
        waves.push(wave);
    }
    waves
}

#[test]
fn runs_side_by_side_in_four_waves() {
    use StepKind::*;
    let mut machine = tutorial();
    let waves = run_to_end(&mut machine);
    assert_eq!(
        waves,
        [
            vec![BaseConnection, Schema, DataLakeConnection],
            vec![Dataset, SourceConnection],
            vec![TargetConnection],
            vec![Flow]
        ]
    );
    assert_eq!(machine.state, SetupState::Done);
}

#[test]
fn p3_an_unclear_call_is_sent_again_only_after_settling_and_three_empty_look_ups() {
    let mut machine = tutorial();
    machine.apply(&Event::Recovered, 0).unwrap();
    machine.apply(&Event::Sending(StepKind::Schema), 0).unwrap();
    machine.apply(&Event::Unclear(StepKind::Schema), 5).unwrap();
    for now in [5, 15] {
        assert!(
            machine.effects(now).contains(&Effect::LookUp(StepKind::Schema)),
            "at {now}"
        );
        machine
            .apply(&Event::FoundNothing(StepKind::Schema), now)
            .unwrap();
    }
    // It went astray at 5, so it has settled at 105.
    assert!(
        !machine.effects(104).contains(&Effect::LookUp(StepKind::Schema)),
        "the last look waits for settling"
    );
    assert!(machine.effects(105).contains(&Effect::LookUp(StepKind::Schema)));
    machine
        .apply(&Event::FoundNothing(StepKind::Schema), 105)
        .unwrap();
    assert!(machine.effects(105).contains(&Effect::Send(StepKind::Schema)));
}

#[test]
fn p5_failing_look_ups_never_lead_to_a_resend() {
    let mut machine = tutorial();
    machine.apply(&Event::Recovered, 0).unwrap();
    machine.apply(&Event::Sending(StepKind::Schema), 0).unwrap();
    machine.apply(&Event::Unclear(StepKind::Schema), 0).unwrap();
    for n in 1..=4 {
        machine
            .apply(&Event::CouldNotLook(StepKind::Schema), n * 1000)
            .unwrap();
    }
    assert_eq!(
        (machine.state, machine.question),
        (SetupState::NeedsAttention, Some(Question::CannotLook))
    );
    machine.apply(&Event::Resumed, 9000).unwrap();
    assert!(machine.effects(9000).contains(&Effect::LookUp(StepKind::Schema)));
}

#[test]
fn a_question_waits_for_what_is_on_its_way() {
    use StepKind::*;
    let mut machine = tutorial();
    machine.apply(&Event::Recovered, 0).unwrap();
    machine.apply(&Event::Sending(Schema), 0).unwrap();
    machine.apply(&Event::Sending(BaseConnection), 0).unwrap();
    machine
        .apply(&Event::Rejected(Schema, Question::Rejected), 1)
        .unwrap();
    assert_eq!(machine.state, SetupState::Running);
    machine.apply(&confirmed(BaseConnection, false), 2).unwrap();
    assert_eq!(machine.state, SetupState::NeedsAttention);
    assert!(machine.effects(2).is_empty());
    machine.apply(&Event::Resumed, 3).unwrap();
    assert!(machine.effects(3).contains(&Effect::Send(Schema)));
}

#[test]
fn undo_goes_backwards_and_keeps_what_is_shared() {
    use StepKind::*;
    let mut machine = tutorial();
    run_to_end(&mut machine);
    machine.apply(&Event::UndoRequested, 0).unwrap();
    let mut order = Vec::new();
    while machine.state != SetupState::Undone {
        let Effect::Delete(kind) = machine.effects(0)[0] else {
            panic!()
        };
        machine.apply(&Event::Deleting(kind), 0).unwrap();
        machine.apply(&Event::Deleted(kind), 0).unwrap();
        order.push(kind);
    }
    let at = |kind| order.iter().position(|k| *k == kind);
    assert_eq!(order[0], Flow);
    assert!(
        at(SourceConnection) < at(BaseConnection)
            && at(TargetConnection) < at(Dataset)
            && at(Dataset) < at(Schema)
    );
    assert_eq!(at(DataLakeConnection), None);
    assert_eq!(machine.step(DataLakeConnection).unwrap().state, StepState::Kept);
}

/// A setup whose schema was refused while the base connection was made.
fn refused() -> Machine {
    use StepKind::*;
    let mut machine = tutorial();
    machine.apply(&Event::Recovered, 0).unwrap();
    machine.apply(&Event::Sending(BaseConnection), 0).unwrap();
    machine.apply(&Event::Sending(Schema), 0).unwrap();
    machine.apply(&confirmed(BaseConnection, false), 1).unwrap();
    machine
        .apply(&Event::Rejected(Schema, Question::Rejected), 1)
        .unwrap();
    machine
}

#[test]
fn changed_answers_replan_what_was_not_made_and_nothing_else() {
    use StepKind::*;
    let mut machine = refused();
    let without_lake: Vec<(StepKind, Vec<StepKind>)> = machine
        .steps
        .iter()
        .filter(|step| step.kind != DataLakeConnection)
        .map(|step| (step.kind, step.needs.clone()))
        .collect();
    machine.apply(&Event::Changed(without_lake.clone()), 2).unwrap();
    assert_eq!((machine.state, machine.question), (SetupState::Running, None));
    assert_eq!(machine.step(DataLakeConnection), None);
    assert_eq!(machine.step(BaseConnection).unwrap().state, StepState::Confirmed);
    assert_eq!(machine.effects(2), [Effect::Send(Schema)]);

    let mut machine = refused();
    let before = machine.clone();
    let without_base: Vec<_> = without_lake
        .into_iter()
        .filter(|(kind, _)| *kind != BaseConnection)
        .collect();
    machine.apply(&Event::Changed(without_base), 2).unwrap_err();
    assert_eq!(machine, before, "what exists cannot be planned away");
}

#[test]
fn a_setup_can_be_left_and_still_be_taken_back() {
    use StepKind::*;
    let mut machine = refused();
    machine.apply(&Event::LeftAsIs, 2).unwrap();
    assert_eq!(machine.state, SetupState::Left);
    assert!(machine.effects(2).is_empty());
    machine.apply(&Event::Resumed, 3).unwrap_err();
    machine.apply(&Event::UndoRequested, 3).unwrap();
    assert_eq!(machine.effects(3), [Effect::Delete(BaseConnection)]);
}

#[test]
fn e31_what_cannot_be_deleted_can_be_kept_and_the_rest_goes_on() {
    use StepKind::*;
    let mut machine = tutorial();
    run_to_end(&mut machine);
    machine.apply(&Event::UndoRequested, 0).unwrap();
    machine.apply(&Event::Deleting(Flow), 0).unwrap();
    machine.apply(&Event::DeleteFailed(Flow), 0).unwrap();
    assert_eq!(
        (machine.state, machine.question),
        (SetupState::NeedsAttention, Some(Question::UndoBlocked))
    );
    machine.apply(&Event::KeepBlocked, 1).unwrap();
    assert_eq!(machine.step(Flow).unwrap().state, StepState::Kept);
    assert!(
        machine.is_needed_by_kept(SourceConnection),
        "the kept dataflow needs it"
    );
    assert!(
        machine.effects(1).contains(&Effect::Delete(SourceConnection)),
        "it is judged"
    );
}

#[test]
fn p3_an_old_proof_of_absence_is_renewed_before_the_call_is_sent_again() {
    use StepKind::Schema;
    let mut machine = tutorial();
    machine.apply(&Event::Recovered, 0).unwrap();
    machine.apply(&Event::Sending(Schema), 0).unwrap();
    machine.apply(&Event::Unclear(Schema), 0).unwrap();
    for now in [0, 10, 100] {
        machine.apply(&Event::FoundNothing(Schema), now).unwrap();
    }
    assert!(machine.effects(100).contains(&Effect::Send(Schema)), "at once");
    // A question comes between, and hours pass.
    machine.apply(&Event::Ask(Question::NotAllowed), 100).unwrap();
    let mut crashed = machine.clone();
    machine.apply(&Event::Resumed, 9_000_000).unwrap();
    assert!(machine.effects(9_000_000).contains(&Effect::LookUp(Schema)));
    assert!(!machine.effects(9_000_000).contains(&Effect::Send(Schema)));
    machine.apply(&Event::FoundNothing(Schema), 9_000_000).unwrap();
    assert!(
        machine.effects(9_000_000).contains(&Effect::Send(Schema)),
        "one look is enough"
    );
    let plan = crashed.steps.iter().map(|s| (s.kind, s.needs.clone())).collect();
    crashed.apply(&Event::Changed(plan), 9_000_000).unwrap();
    assert!(crashed.effects(9_000_000).contains(&Effect::LookUp(Schema)));
}
