//! Holding what arrived at the emulator against what the database tells: every unsafe call was intended before it
//! was sent, nothing was made twice, nothing was made or deleted that no step names, and no row is missing.

use std::collections::{BTreeMap, BTreeSet};

use headgate::domain::setup::{SetupState, StepKind, StepState};
use headgate::emulator::Control;
use headgate::emulator::ledger::Entry;
use headgate::store::audit::{AuditEvent, AuditPhase};
use headgate::store::setup_journal::SetupEvent;
use headgate::store::setups::{Setup, Step};
use headgate::store::{self, Store};

/// Calls with this request id were made by a test itself.
pub const BY_HAND: &str = "by-hand";

/// What was counted, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Tally {
    pub setups: usize,
    pub unsafe_calls: usize,
    /// Calls without an earlier intent of their own.
    pub without_intent: Vec<String>,
    pub duplicates: Vec<String>,
    /// Objects that no step names, or that were deleted without being made by the setup.
    pub orphans: Vec<String>,
    /// Rows of journal and audit trail that do not fit together.
    pub lost_rows: Vec<String>,
    /// What the case itself found wrong.
    pub wrong: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.setups += other.setups;
        self.unsafe_calls += other.unsafe_calls;
        self.without_intent.extend(other.without_intent);
        self.duplicates.extend(other.duplicates);
        self.orphans.extend(other.orphans);
        self.lost_rows.extend(other.lost_rows);
        self.wrong.extend(other.wrong);
    }

    /// Notes that something does not hold.
    pub fn expect(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(words());
        }
    }

    /// Puts the name of the case before everything that is wrong with it.
    pub fn named(mut self, case: &str) -> Self {
        let lists = [
            &mut self.without_intent,
            &mut self.duplicates,
            &mut self.orphans,
            &mut self.lost_rows,
            &mut self.wrong,
        ];
        for text in lists.into_iter().flatten() {
            *text = format!("{case}: {text}");
        }
        self
    }

    pub fn assert_clean(&self) {
        let lists = [
            &self.without_intent,
            &self.duplicates,
            &self.orphans,
            &self.lost_rows,
            &self.wrong,
        ];
        let all: Vec<&String> = lists.into_iter().flatten().collect();
        assert!(all.is_empty(), "{} things are wrong: {all:#?}", all.len());
    }
}

/// A setup with everything that is stored about it.
struct Told {
    setup: Setup,
    steps: Vec<Step>,
    journal: Vec<SetupEvent>,
    audit: Vec<AuditEvent>,
}

impl Told {
    async fn read(store: &Store, team_id: &str, id: &str) -> Self {
        Self {
            setup: store::setups::any_by_id(store, id).await.unwrap().unwrap(),
            steps: store::setups::steps(store, id).await.unwrap(),
            journal: store::setup_journal::list(store, id, 0, 10_000).await.unwrap(),
            audit: store::audit::for_object(store, team_id, "setup", id, None, 10_000)
                .await
                .unwrap(),
        }
    }

    fn times_of(&self, step: StepKind, event: &str) -> Vec<i64> {
        let rows = self.journal.iter().map(|row| &row.facts);
        rows.filter(|row| row.step == Some(step) && row.event == event)
            .map(|row| row.at)
            .collect()
    }

    fn in_journal(&self, words: &[&str]) -> usize {
        let rows = self.journal.iter();
        rows.filter(|row| words.contains(&row.facts.event.as_str()))
            .count()
    }

    fn in_audit(&self, event: &str, phase: AuditPhase) -> usize {
        let rows = self.audit.iter().map(|row| &row.facts);
        rows.filter(|row| row.event == event && row.phase == phase)
            .count()
    }
}

/// Reads everything about these setups of a team and holds it against the ledger.
pub async fn account(control: &Control, store: &Store, team_id: &str, setup_ids: &[String]) -> Tally {
    let mut tally = Tally::default();
    let mut told = Vec::new();
    for id in setup_ids {
        told.push(Told::read(store, team_id, id).await);
    }
    tally.setups = told.len();
    let calls = unsafe_calls(control);
    tally.unsafe_calls = calls.len();
    let arrivals = Arrivals::sort(&calls, &told, &mut tally);
    for (step, entries) in &arrivals.creates {
        check_intents("sending", step, entries, &told, &mut tally);
    }
    for (step, entries) in &arrivals.deletions {
        check_intents("deleting", step, entries, &told, &mut tally);
    }
    check_objects(control, &arrivals, &told, &mut tally);
    for setup in &told {
        check_rows(setup, &mut tally);
    }
    let audit = store::audit::after(store, 0, 100_000).await.unwrap();
    let gapless = (1..).zip(&audit).all(|(seq, event)| event.seq == seq);
    if !gapless {
        tally.lost_rows.push("the audit trail has a gap".into());
    }
    tally
}

fn unsafe_calls(control: &Control) -> Vec<Entry> {
    let mut calls = control.ledger();
    calls.retain(|entry| {
        entry.target.starts_with("/data/foundation/")
            && entry.method != "GET"
            && entry.request_id.as_deref() != Some(BY_HAND)
    });
    calls
}

/// Which step of which setup; the data lake connection belongs to all setups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    setup: Option<usize>,
    step: StepKind,
}

/// The unsafe calls by the step that they belong to.
#[derive(Default)]
struct Arrivals<'a> {
    creates: BTreeMap<Owner, Vec<&'a Entry>>,
    deletions: BTreeMap<Owner, Vec<&'a Entry>>,
}

impl<'a> Arrivals<'a> {
    fn sort(calls: &'a [Entry], told: &[Told], tally: &mut Tally) -> Self {
        let mut arrivals = Self::default();
        for entry in calls {
            if entry.method == "POST" && !entry.body.is_object() {
                check_torn(entry, told, tally);
                continue;
            }
            let (place, owner) = match entry.method.as_str() {
                "POST" => (&mut arrivals.creates, owner_of_create(entry, told)),
                _ => (&mut arrivals.deletions, owner_of_deletion(entry, told)),
            };
            match owner {
                Some(owner) => place.entry(owner).or_default().push(entry),
                None => tally
                    .without_intent
                    .push(format!("{} {} belongs to no step", entry.method, entry.target)),
            }
        }
        arrivals
    }
}

/// A call whose body never came in whole: some step of its path was about to be sent.
fn check_torn(entry: &Entry, told: &[Told], tally: &mut Tally) {
    let path = entry.target.split('?').next().unwrap_or_default();
    let intended = told.iter().any(|setup| {
        let mut steps = setup.steps.iter().filter(|step| path.ends_with(&step.path));
        steps.any(|step| {
            let mut times = setup.times_of(step.kind, "sending").into_iter();
            times.any(|at| at <= entry.arrived_at_ms)
        })
    });
    if !intended {
        tally
            .without_intent
            .push(format!("half of a POST {path} arrived without an intent"));
    }
}

/// By the marker in its body.
fn owner_of_create(entry: &Entry, told: &[Told]) -> Option<Owner> {
    let body = entry.body.to_string();
    let path = entry.target.split('?').next()?;
    let fits = |step: &Step| {
        let is_shared = step.kind == StepKind::DataLakeConnection;
        let marked = body.contains(&step.marker) || (is_shared && !body.contains("hg1-"));
        path.ends_with(&step.path) && marked
    };
    told.iter().enumerate().find_map(|(place, setup)| {
        let step = setup.steps.iter().find(|step| fits(step))?;
        let shared = step.kind == StepKind::DataLakeConnection;
        Some(Owner {
            setup: (!shared).then_some(place),
            step: step.kind,
        })
    })
}

/// By the id at the end of its path.
fn owner_of_deletion(entry: &Entry, told: &[Told]) -> Option<Owner> {
    let id = deleted_id(entry);
    told.iter().enumerate().find_map(|(place, setup)| {
        let mut steps = setup.steps.iter();
        let step = steps.find(|step| step.object_id.as_deref() == Some(id.as_str()))?;
        Some(Owner {
            setup: Some(place),
            step: step.kind,
        })
    })
}

/// The id at the end of a deletion's path.
fn deleted_id(entry: &Entry) -> String {
    let segment = entry.target.rsplit('/').next().unwrap_or_default();
    let encoded = format!("id={}", segment.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(encoded.as_bytes()).next();
    decoded.unwrap().1.into_owned()
}

/// The n-th call needs an n-th intent that is not younger than it. A call that was refused for its token may be sent
/// once more under the same intent.
fn check_intents(event: &str, owner: &Owner, entries: &[&Entry], told: &[Told], tally: &mut Tally) {
    let setups = match owner.setup {
        Some(place) => &told[place..=place],
        None => told,
    };
    let mut intents: Vec<i64> = setups
        .iter()
        .flat_map(|setup| setup.times_of(owner.step, event))
        .collect();
    intents.sort_unstable();
    let mut used = 0;
    for entry in entries {
        let covered = intents.get(used).is_some_and(|at| *at <= entry.arrived_at_ms);
        if !covered {
            let words = format!(
                "{} {} at {} has no `{event}` before it: {intents:?}",
                entry.method, entry.target, entry.arrived_at_ms
            );
            tally.without_intent.push(words);
        }
        used += usize::from(entry.status != Some(401));
    }
}

/// Objects made and deleted, against the steps.
fn check_objects(control: &Control, arrivals: &Arrivals<'_>, told: &[Told], tally: &mut Tally) {
    let is_done = |entry: &Entry| entry.acted.is_some_and(|status| (200..300).contains(&status));
    let deletions = arrivals.deletions.values().flatten();
    let deleted: BTreeSet<String> = deletions
        .filter(|entry| is_done(entry))
        .map(|entry| deleted_id(entry))
        .collect();
    let ledger = control.ledger();
    let by_hand = ledger
        .iter()
        .filter(|entry| entry.method == "DELETE" && entry.request_id.as_deref() == Some(BY_HAND));
    let gone: BTreeSet<String> = by_hand.map(deleted_id).chain(deleted.clone()).collect();
    let mut made_by_us = BTreeSet::new();
    for (owner, entries) in &arrivals.creates {
        let made: Vec<&String> = entries
            .iter()
            .filter(|entry| is_done(entry))
            .filter_map(|entry| entry.object_id.as_ref())
            .collect();
        if made.len() > 1 {
            tally.duplicates.push(format!("{owner:?} made {made:?}"));
        }
        for id in made {
            made_by_us.insert(id.clone());
            if !is_accounted_for(id, owner, told, gone.contains(id)) {
                tally
                    .orphans
                    .push(format!("{owner:?} made {id}, which no step names"));
            }
        }
    }
    for id in deleted.difference(&made_by_us) {
        tally
            .orphans
            .push(format!("{id} was deleted and not made by a setup"));
    }
}

/// Whether a step says the truth about an object that was made for it.
fn is_accounted_for(id: &str, owner: &Owner, told: &[Told], is_gone: bool) -> bool {
    let setups = match owner.setup {
        Some(place) => &told[place..=place],
        None => told,
    };
    let mut steps = setups
        .iter()
        .flat_map(|setup| &setup.steps)
        .filter(|s| s.kind == owner.step);
    steps.any(|step| {
        let named = step.object_id.as_deref() == Some(id);
        match step.state {
            StepState::Undone => named && is_gone,
            StepState::Confirmed | StepState::Kept => named && !is_gone,
            StepState::UndoIntent | StepState::UndoFailed => named,
            // Not found out yet, which the setup says.
            StepState::Intent | StepState::Unknown => true,
            StepState::Planned | StepState::Rejected => false,
        }
    })
}

/// Journal and audit trail tell the same, without gaps.
fn check_rows(told: &Told, tally: &mut Tally) {
    let mut counts: Vec<(&str, usize, usize)> = vec![
        (
            "intents to create",
            told.in_journal(&["sending"]),
            told.in_audit("platform.create", AuditPhase::Intent),
        ),
        (
            "intents to delete",
            told.in_journal(&["deleting"]),
            told.in_audit("platform.delete", AuditPhase::Intent),
        ),
        ("starts", 1, told.in_audit("setup.started", AuditPhase::Done)),
    ];
    match told.setup.state {
        SetupState::Done => counts.push(("ends", 1, told.in_audit("setup.done", AuditPhase::Done))),
        SetupState::Undone => counts.push(("undos", 1, told.in_audit("setup.undone", AuditPhase::Done))),
        _ => {}
    }
    for (what, expected, found) in counts {
        if expected != found {
            let words = format!(
                "{}: {expected} {what}, but {found} in the audit trail",
                told.setup.id
            );
            tally.lost_rows.push(words);
        }
    }
    let ends = told.in_journal(&["confirmed", "found", "rejected", "deleted", "delete_failed"]);
    let outcomes = told.in_audit("platform.create", AuditPhase::Outcome)
        + told.in_audit("platform.delete", AuditPhase::Outcome);
    if outcomes < ends {
        let words = format!(
            "{}: {ends} outcomes, {outcomes} in the audit trail",
            told.setup.id
        );
        tally.lost_rows.push(words);
    }
    let gapless = (1..).zip(&told.journal).all(|(seq, row)| row.seq == seq);
    if !gapless {
        tally
            .lost_rows
            .push(format!("{}: the journal has a gap", told.setup.id));
    }
    for step in told.steps.iter().filter(|s| s.state == StepState::Confirmed) {
        let told_so = ["confirmed", "found"].map(|word| told.times_of(step.kind, word).len());
        if told_so == [0, 0] {
            let words = format!("{}: nothing tells that {} is confirmed", told.setup.id, step.kind);
            tally.lost_rows.push(words);
        }
    }
}
