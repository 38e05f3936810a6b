use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const RULES: Rules = Rules {
    settle_ms: 100,
    looks_needed: 3,
    look_pause_ms: 10,
    failed_looks_max: 4,
};

/// The tutorial's seven steps.
fn tutorial() -> Machine {
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

/// A platform that acts on calls and keeps what it made; the truth against which the machine is judged.
#[derive(Default)]
struct World {
    made: BTreeMap<StepKind, u32>,
    alive: BTreeMap<StepKind, u32>,
}

impl World {
    fn make(&mut self, kind: StepKind) {
        *self.made.entry(kind).or_default() += 1;
        *self.alive.entry(kind).or_default() += 1;
    }

    fn alive(&self, kind: StepKind) -> u32 {
        self.alive.get(&kind).copied().unwrap_or(0)
    }
}

fn confirmed(step: StepKind, adopted: bool) -> Event {
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
    assert!(
        !machine.effects(99).contains(&Effect::LookUp(StepKind::Schema)),
        "the last look waits for settling"
    );
    assert!(machine.effects(100).contains(&Effect::LookUp(StepKind::Schema)));
    machine
        .apply(&Event::FoundNothing(StepKind::Schema), 100)
        .unwrap();
    assert!(machine.effects(100).contains(&Effect::Send(StepKind::Schema)));
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

/// What the outside does next to the setup.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answer,
    LoseAnswerAfterActing,
    LoseCallBeforeActing,
    Throttle,
    Refuse,
    Crash,
    LookFails,
    Resume,
    Undo,
    LetTimePass,
    /// Deliver an answer a second time, or an event that fits nothing.
    Stray,
}

fn fates() -> impl Strategy<Value = Vec<(Fate, usize)>> {
    let fate = prop_oneof![
        6 => Just(Fate::Answer),
        2 => Just(Fate::LoseAnswerAfterActing),
        2 => Just(Fate::LoseCallBeforeActing),
        1 => Just(Fate::Throttle),
        1 => Just(Fate::Refuse),
        2 => Just(Fate::Crash),
        1 => Just(Fate::LookFails),
        2 => Just(Fate::Resume),
        1 => Just(Fate::Undo),
        3 => Just(Fate::LetTimePass),
        1 => Just(Fate::Stray),
    ];
    proptest::collection::vec((fate, 0usize..7), 0..150)
}

/// Plays one effect against the world; the machine is told only what a client could know.
fn play(machine: &mut Machine, world: &mut World, effect: Effect, fate: Fate, now: i64) {
    let ok =
        |machine: &mut Machine, event: Event| machine.apply(&event, now).expect("the machine asked for it");
    match effect {
        Effect::Send(kind) => {
            ok(machine, Event::Sending(kind));
            match fate {
                Fate::LoseCallBeforeActing => ok(machine, Event::Unclear(kind)),
                Fate::LoseAnswerAfterActing => {
                    world.make(kind);
                    ok(machine, Event::Unclear(kind));
                }
                Fate::Throttle => ok(
                    machine,
                    Event::NotActed {
                        step: kind,
                        retry_at: now + 30,
                    },
                ),
                Fate::Refuse => ok(machine, Event::Rejected(kind, Question::Rejected)),
                Fate::Crash => {
                    if now % 2 == 0 {
                        world.make(kind);
                    }
                    ok(machine, Event::Recovered);
                }
                _ => {
                    world.make(kind);
                    ok(machine, confirmed(kind, false));
                }
            }
        }
        Effect::LookUp(kind) => match (fate, world.alive(kind)) {
            (Fate::LookFails, _) => ok(machine, Event::CouldNotLook(kind)),
            (_, 0) => ok(machine, Event::FoundNothing(kind)),
            (_, 1) => ok(machine, confirmed(kind, true)),
            (_, _) => ok(machine, Event::FoundSeveral(kind)),
        },
        Effect::Delete(kind) => {
            ok(machine, Event::Deleting(kind));
            match fate {
                Fate::Refuse => ok(machine, Event::DeleteFailed(kind)),
                Fate::Throttle => ok(
                    machine,
                    Event::NotActed {
                        step: kind,
                        retry_at: now + 30,
                    },
                ),
                Fate::Crash => ok(machine, Event::Recovered),
                _ => {
                    world.alive.insert(kind, 0);
                    ok(machine, Event::Deleted(kind));
                }
            }
        }
        Effect::WaitUntil(_) => {}
    }
}

/// Drives a setup with the given fates; afterwards everything goes well and a person resumes what asks.
fn drive(fates: &[(Fate, usize)]) -> (Machine, World) {
    let (mut machine, mut world, mut now) = (tutorial(), World::default(), 0i64);
    machine.apply(&Event::Recovered, now).unwrap();
    for (fate, pick) in fates {
        now += 1;
        let before = machine.clone();
        match fate {
            Fate::LetTimePass => now += 60,
            Fate::Resume => {
                let _ = machine.apply(&Event::Resumed, now);
            }
            Fate::Undo => {
                let _ = machine.apply(&Event::UndoRequested, now);
            }
            Fate::Stray => {
                let kind = StepKind::ALL[pick % StepKind::ALL.len()];
                if machine.apply(&Event::Deleted(kind), now).is_err() {
                    assert_eq!(machine, before, "a refused event changes nothing");
                }
            }
            _ => {
                let effects = machine.effects(now);
                if !effects.is_empty() {
                    play(
                        &mut machine,
                        &mut world,
                        effects[pick % effects.len()],
                        *fate,
                        now,
                    );
                }
            }
        }
        check(&machine, &world);
    }
    for _ in 0..400 {
        now += 20;
        if machine.state.is_final() {
            break;
        }
        let _ = machine.apply(&Event::Resumed, now);
        for effect in machine.effects(now) {
            if machine.effects(now).contains(&effect) {
                play(&mut machine, &mut world, effect, Fate::Answer, now);
            }
        }
        check(&machine, &world);
    }
    (machine, world)
}

/// What must hold after every event.
fn check(machine: &Machine, world: &World) {
    for step in &machine.steps {
        assert!(world.alive(step.kind) <= 1, "{} exists twice", step.kind);
        let sent_once_built =
            step.state == StepState::Planned || step.needs.iter().all(|n| world.made.contains_key(n));
        assert!(sent_once_built, "{} was sent before what it needs", step.kind);
        if step.state == StepState::Confirmed {
            assert!(
                step.object_id.is_some() && world.alive(step.kind) == 1,
                "{} is confirmed but not there",
                step.kind
            );
        }
        if step.state == StepState::Undone {
            assert_eq!(world.alive(step.kind), 0);
        }
    }
    assert_eq!(
        machine.state == SetupState::NeedsAttention,
        machine.question.is_some() && !machine.anything_on_its_way()
    );
    if machine.state == SetupState::Done {
        assert!(machine.steps.iter().all(|s| world.alive(s.kind) == 1));
    }
    if machine.state.is_active() {
        assert!(
            !machine.effects(i64::MAX - 1).is_empty() || machine.anything_on_its_way(),
            "no dead end: {machine:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever happens in whatever order: nothing exists twice, nothing exists unnamed, and it ends.
    #[test]
    fn any_order_of_events_ends_with_exactly_what_was_asked(fates in fates()) {
        let (machine, world) = drive(&fates);
        prop_assert!(machine.state.is_final(), "{machine:?}");
        for step in &machine.steps {
            let expected = u32::from(matches!(step.state, StepState::Confirmed | StepState::Kept));
            prop_assert_eq!(world.alive(step.kind), expected, "{}", step.kind);
        }
    }

    /// The machine rebuilt from stored rows goes on as the one that was never interrupted.
    #[test]
    fn restoring_loses_nothing(fates in fates()) {
        let (mut machine, mut world, mut now) = (tutorial(), World::default(), 0i64);
        machine.apply(&Event::Recovered, now).unwrap();
        for (fate, pick) in fates {
            now += 7;
            if matches!(fate, Fate::Undo) { let _ = machine.apply(&Event::UndoRequested, now); }
            let effects = machine.effects(now);
            if !effects.is_empty() { play(&mut machine, &mut world, effects[pick % effects.len()], fate, now); }
            let restored = Machine::restore(machine.state, machine.question, machine.undoing, machine.steps.clone(), RULES);
            prop_assert_eq!(restored.effects(now), machine.effects(now));
        }
    }
}
