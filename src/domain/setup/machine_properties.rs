//! The machine against a model of the platform, under events in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{RULES, confirmed, tutorial};
use super::*;

/// A platform that acts on calls and keeps what it made; the truth against which the machine is judged.
#[derive(Default)]
struct World {
    made: BTreeMap<StepKind, u32>,
    alive: BTreeMap<StepKind, u32>,
    /// Calls that are acted on later than they were lost: kind and time.
    late: Vec<(StepKind, i64)>,
}

impl World {
    fn make(&mut self, kind: StepKind) {
        *self.made.entry(kind).or_default() += 1;
        *self.alive.entry(kind).or_default() += 1;
    }

    fn alive(&self, kind: StepKind) -> u32 {
        self.alive.get(&kind).copied().unwrap_or(0)
    }

    /// Acts on the late calls that are due.
    fn pass(&mut self, now: i64) {
        let (due, rest): (Vec<_>, Vec<_>) = self.late.drain(..).partition(|(_, at)| *at <= now);
        self.late = rest;
        for (kind, _) in due {
            self.make(kind);
        }
    }
}

/// What the outside does next to the setup.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answer,
    LoseAnswerAfterActing,
    LoseCallBeforeActing,
    /// The answer is lost, and the call is acted on within the time in which it may settle.
    ActLate,
    Throttle,
    Refuse,
    Crash,
    LookFails,
    Postpone,
    /// Somebody deletes an object at the platform.
    Vandal,
    Resume,
    /// A person plans anew what does not exist.
    Change,
    Undo,
    KeepBlocked,
    Leave,
    /// The person in whose name calls are made loses the right.
    Demote,
    LetTimePass,
    /// An answer is delivered a second time, or an event comes that fits nothing.
    Stray,
}

fn fates() -> impl Strategy<Value = Vec<(Fate, usize)>> {
    let fate = prop_oneof![
        8 => Just(Fate::Answer),
        2 => Just(Fate::LoseAnswerAfterActing),
        2 => Just(Fate::LoseCallBeforeActing),
        2 => Just(Fate::ActLate),
        1 => Just(Fate::Throttle),
        1 => Just(Fate::Refuse),
        2 => Just(Fate::Crash),
        1 => Just(Fate::LookFails),
        1 => Just(Fate::Postpone),
        1 => Just(Fate::Vandal),
        3 => Just(Fate::Resume),
        1 => Just(Fate::Change),
        1 => Just(Fate::Undo),
        1 => Just(Fate::KeepBlocked),
        1 => Just(Fate::Leave),
        1 => Just(Fate::Demote),
        3 => Just(Fate::LetTimePass),
        1 => Just(Fate::Stray),
    ];
    proptest::collection::vec((fate, 0usize..64), 0..150)
}

/// One run of a setup against the world.
struct Play {
    machine: Machine,
    world: World,
    now: i64,
    /// Somebody else deleted something: then less may exist than the machine believes.
    vandalised: bool,
}

impl Play {
    fn new() -> Self {
        let mut play = Self {
            machine: tutorial(),
            world: World::default(),
            now: 0,
            vandalised: false,
        };
        play.ok(Event::Recovered);
        play
    }

    /// Applies an event that the machine asked for.
    fn ok(&mut self, event: Event) {
        self.machine
            .apply(&event, self.now)
            .expect("the machine asked for it");
    }

    /// Applies an event that may not fit; then nothing changes.
    fn may(&mut self, event: Event) {
        let before = self.machine.clone();
        if self.machine.apply(&event, self.now).is_err() {
            assert_eq!(self.machine, before, "a refused event changes nothing");
        }
    }

    fn step(&mut self, fate: Fate, pick: usize) {
        self.now += 1;
        match fate {
            Fate::LetTimePass => self.now += 60,
            Fate::Resume => self.may(Event::Resumed),
            Fate::Undo => self.may(Event::UndoRequested),
            Fate::KeepBlocked => self.may(Event::KeepBlocked),
            Fate::Leave => self.may(Event::LeftAsIs),
            Fate::Demote => self.may(Event::Ask(Question::NotAllowed)),
            Fate::Change => {
                let plan = self.machine.steps.iter().map(|s| (s.kind, s.needs.clone()));
                self.may(Event::Changed(plan.collect()));
            }
            Fate::Vandal => {
                let kind = StepKind::ALL[pick % StepKind::ALL.len()];
                self.vandalised |= self.world.alive.insert(kind, 0).is_some_and(|n| n > 0);
            }
            Fate::Stray => self.stray(pick),
            _ => {
                let effects = self.machine.effects(self.now);
                if !effects.is_empty() {
                    self.play(effects[pick % effects.len()], fate);
                }
            }
        }
        self.world.pass(self.now);
        self.check();
    }

    /// Answers that come a second time. What is true of the world may be said again; nothing else is.
    fn stray(&mut self, pick: usize) {
        let kind = StepKind::ALL[pick % StepKind::ALL.len()];
        let settled = self.machine.step(kind).is_some_and(|step| {
            matches!(
                step.state,
                StepState::Confirmed | StepState::Rejected | StepState::Kept | StepState::Undone
            )
        });
        if !settled || self.machine.undoing {
            return;
        }
        let again = [
            confirmed(kind, false),
            Event::Unclear(kind),
            Event::Rejected(kind, Question::Rejected),
            Event::FoundNothing(kind),
            Event::FoundSeveral(kind),
            Event::DeleteFailed(kind),
            Event::NotActed {
                step: kind,
                retry_at: self.now,
            },
        ];
        let before = self.machine.clone();
        let event = &again[pick / StepKind::ALL.len() % again.len()];
        assert!(
            self.machine.apply(event, self.now).is_err(),
            "{event:?} came twice"
        );
        assert_eq!(self.machine, before);
    }

    /// Plays one effect against the world; the machine is told only what a client could know.
    fn play(&mut self, effect: Effect, fate: Fate) {
        match effect {
            Effect::Send(kind) => self.send(kind, fate),
            Effect::LookUp(kind) => self.look(kind, fate),
            Effect::Delete(kind) => self.delete(kind, fate),
            Effect::WaitUntil(_) => {}
        }
    }

    fn send(&mut self, kind: StepKind, fate: Fate) {
        let retry_at = self.now + 30;
        if matches!(fate, Fate::Postpone) {
            return self.ok(Event::Postponed { step: kind, retry_at });
        }
        self.ok(Event::Sending(kind));
        match fate {
            Fate::LoseCallBeforeActing => self.ok(Event::Unclear(kind)),
            Fate::LoseAnswerAfterActing => {
                self.world.make(kind);
                self.ok(Event::Unclear(kind));
            }
            Fate::ActLate => {
                self.world.late.push((kind, self.now + RULES.settle_ms - 1));
                self.ok(Event::Unclear(kind));
            }
            Fate::Throttle => self.ok(Event::NotActed { step: kind, retry_at }),
            Fate::Refuse => self.ok(Event::Rejected(kind, Question::Rejected)),
            Fate::Crash => {
                if self.now % 2 == 0 {
                    self.world.make(kind);
                }
                self.ok(Event::Recovered);
            }
            _ => {
                self.world.make(kind);
                self.ok(confirmed(kind, false));
            }
        }
    }

    fn look(&mut self, kind: StepKind, fate: Fate) {
        match (fate, self.world.alive(kind)) {
            (Fate::LookFails, _) => self.ok(Event::CouldNotLook(kind)),
            (_, 0) => self.ok(Event::FoundNothing(kind)),
            (_, 1) => self.ok(confirmed(kind, true)),
            (_, _) => self.ok(Event::FoundSeveral(kind)),
        }
    }

    /// The object is looked at first, as the worker does it.
    fn delete(&mut self, kind: StepKind, fate: Fate) {
        if matches!(fate, Fate::LookFails) {
            return self.ok(Event::CouldNotLook(kind));
        }
        if self.machine.is_needed_by_kept(kind) {
            return self.ok(Event::Kept(kind));
        }
        if self.world.alive(kind) == 0 {
            return self.ok(Event::Deleted(kind));
        }
        self.ok(Event::Deleting(kind));
        match fate {
            Fate::Refuse => self.ok(Event::DeleteFailed(kind)),
            Fate::Throttle => self.ok(Event::NotActed {
                step: kind,
                retry_at: self.now + 30,
            }),
            Fate::Crash => self.ok(Event::Recovered),
            _ => {
                self.world.alive.insert(kind, 0);
                self.ok(Event::Deleted(kind));
            }
        }
    }

    /// From here on all goes well, and a person resumes what asks.
    fn finish(&mut self) {
        for _ in 0..400 {
            self.now += 20;
            self.world.pass(self.now);
            if self.machine.state.is_final() {
                return;
            }
            self.may(Event::Resumed);
            for effect in self.machine.effects(self.now) {
                if self.machine.effects(self.now).contains(&effect) {
                    self.play(effect, Fate::Answer);
                }
            }
            self.check();
        }
    }

    /// What must hold after every event.
    fn check(&self) {
        let (machine, world) = (&self.machine, &self.world);
        for step in &machine.steps {
            let alive = world.alive(step.kind);
            assert!(alive <= 1, "{} exists twice", step.kind);
            assert!(alive == 0 || step.may_exist(), "{} exists unnamed", step.kind);
            let sent_once_built =
                step.state == StepState::Planned || step.needs.iter().all(|n| world.made.contains_key(n));
            assert!(sent_once_built, "{} was sent before what it needs", step.kind);
            if step.state == StepState::Confirmed {
                let there = self.vandalised || alive == 1;
                assert!(
                    step.object_id.is_some() && there,
                    "{} is confirmed but not there",
                    step.kind
                );
            }
            if step.state == StepState::Undone {
                assert_eq!(alive, 0);
            }
        }
        assert_eq!(
            machine.state == SetupState::NeedsAttention,
            machine.question.is_some() && !machine.anything_on_its_way()
        );
        if machine.state == SetupState::Done && !self.vandalised {
            assert!(machine.steps.iter().all(|s| world.alive(s.kind) == 1));
        }
        if machine.state.is_active() {
            assert!(
                !machine.effects(i64::MAX - 1).is_empty() || machine.anything_on_its_way(),
                "no dead end: {machine:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever happens in whatever order: nothing exists twice, nothing exists unnamed, and it ends.
    #[test]
    fn p11_any_order_of_events_ends_with_exactly_what_was_asked(fates in fates()) {
        let mut play = Play::new();
        for (fate, pick) in fates {
            play.step(fate, pick);
        }
        play.finish();
        prop_assert!(play.machine.state.is_final(), "{:?}", play.machine);
        if !play.vandalised && play.machine.state != SetupState::Left {
            for step in &play.machine.steps {
                let expected = u32::from(matches!(step.state, StepState::Confirmed | StepState::Kept));
                prop_assert_eq!(play.world.alive(step.kind), expected, "{}", step.kind);
            }
        }
    }

    /// The machine rebuilt from stored rows goes on as the one that was never interrupted.
    #[test]
    fn p11_restoring_loses_nothing(fates in fates()) {
        let mut play = Play::new();
        for (fate, pick) in fates {
            play.step(fate, pick);
            let machine = &play.machine;
            let restored = Machine::restore(machine.state, machine.question, machine.undoing, machine.steps.clone(), RULES);
            prop_assert_eq!(restored.effects(play.now), machine.effects(play.now));
        }
    }
}
