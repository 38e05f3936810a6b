//! R1: whatever happens on the way, each run is stored once and everything that follows from it is right.

use std::time::Duration;

use headgate::emulator::faults::{BodyForm, Fault, Rule};
use headgate::emulator::{RunChange, SeedOptions, Tampering};
use headgate::store::sync_state::SyncTopic;

use crate::support::mirror::{Mirror, QUICK};
use crate::support::watched::{HOUR_MS, MINUTE_MS};

const MINUTE: u32 = 60_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn seed(flows: u32, days: u32, runs_per_day: u32) -> SeedOptions {
    SeedOptions {
        flows,
        days,
        runs_per_day: Some(runs_per_day),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_hundred_kills_between_pages_lose_and_double_nothing() {
    let mirror = Mirror::start(seed(10, 2, 24)).await;
    let control = mirror.emulator.control();
    let everything = |then| Tampering {
        from_ms: 0,
        to_ms: i64::MAX,
        one_in: 1,
        then,
    };
    // A page of the list ends within runs that began together.
    control.tamper(&everything(RunChange::BeganTogether {
        every_ms: 6 * HOUR_MS,
    }));
    let mut lengths = fastrand::Rng::with_seed(7);
    for kill in 0..100 {
        if kill % 10 == 0 {
            let status = Fault::Status {
                status: 500,
                body: BodyForm::default(),
            };
            control.arm(
                Rule::on("GET", "**/runs")
                    .nth(lengths.u32(1..6))
                    .times(2)
                    .then(status),
            );
        }
        let (_, task) = mirror.run(QUICK);
        tokio::time::sleep(Duration::from_millis(lengths.u64(5..120))).await;
        drop(task);
        mirror.advance(3 * MINUTE);
        if kill == 60 {
            let (to_ms, from_ms) = (mirror.now_ms(), mirror.now_ms() - HOUR_MS);
            // Runs that nobody has seen yet turn up six hours late, and others end six hours later than they began.
            let late = RunChange::SeenFrom {
                at_ms: to_ms + 6 * HOUR_MS,
            };
            control.tamper(&Tampering {
                from_ms,
                to_ms: to_ms + HOUR_MS,
                one_in: 3,
                then: late,
            });
            let long = RunChange::EndsAt {
                at_ms: to_ms + 6 * HOUR_MS,
            };
            control.tamper(&Tampering {
                from_ms: to_ms - 3 * MINUTE_MS,
                to_ms,
                one_in: 1,
                then: long,
            });
        }
    }
    control.disarm();
    let (_, task) = mirror.run(QUICK);
    for _ in 0..4 {
        mirror.advance(110 * MINUTE);
        mirror.read_since(mirror.now_ms()).await;
    }
    mirror
        .as_hours_pass("0 are missing, 0 double and 0 out of date", async || {
            let stored = mirror.mirrored().await.runs;
            assert!(stored.len() > 480, "{}", stored.len());
            let stored: Vec<(String, i64)> = stored
                .into_values()
                .map(|run| (run.id, run.platform_updated_at))
                .collect();
            (stored == mirror.last_changes_at_the_platform().await).then_some(())
        })
        .await;
    // Whatever was still running has ended.
    mirror.advance(10 * MINUTE);
    mirror.read_since(mirror.now_ms()).await;
    drop(task);
    let stored = mirror.mirrored().await;
    let anew = mirror.anew().await;
    let (_, _task) = anew.run(QUICK);
    anew.read_since(anew.now_ms()).await;
    let expected = anew.mirrored().await;
    for (id, run) in &expected.runs {
        assert_eq!(stored.runs.get(id), Some(run));
    }
    assert_eq!(stored, expected, "as if it had been read in one go");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_fill_goes_on_where_it_was_killed_and_tells_how_far_it_is() {
    let mirror = Mirror::start(seed(10, 12, 24)).await;
    let control = mirror.emulator.control();
    let slow = || {
        Rule::on("GET", "**/runs")
            .query_contains("startedAtUTC%3C")
            .times(0)
            .then(Fault::Delay { ms: 40 })
    };
    control.arm(slow());
    let (history, task) = mirror.run(QUICK);
    let begun = mirror
        .eventually("a part is filled", async || {
            let state = mirror.state(SyncTopic::Runs).await?;
            let far = mirror.now_ms() - 3 * DAY_MS;
            (state.filled_from_at? < far && state.fill_goal_at.is_some()).then_some(state)
        })
        .await;
    assert_eq!(begun.fill_goal_at, Some(mirror.now_ms() - 90 * DAY_MS));
    assert!(
        begun.succeeded_at.is_some(),
        "the newest runs do not wait for the oldest"
    );
    history.refresh(&mirror.environment_id).await.unwrap();
    drop((history, task));

    let killed_at = mirror
        .state(SyncTopic::Runs)
        .await
        .unwrap()
        .filled_from_at
        .unwrap();
    let calls_before = control.ledger().len();
    let (_, _task) = mirror.run(QUICK);
    mirror.read_since(mirror.now_ms()).await;
    let bounds = control
        .ledger()
        .split_off(calls_before)
        .into_iter()
        .filter_map(|entry| {
            let (_, bound) = entry.target.split_once("startedAtUTC%3C")?;
            bound.split('&').next()?.parse::<i64>().ok()
        });
    let newest = bounds.filter(|bound| *bound < mirror.now_ms() - DAY_MS).max();
    assert!(
        newest <= Some(killed_at),
        "{newest:?} was filled before the kill at {killed_at}"
    );
    let stored: Vec<String> = mirror.mirrored().await.runs.into_keys().collect();
    assert_eq!(stored, mirror.runs_at_the_platform().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_a_fill_that_fails_is_noted_and_keeps_nothing_else_from_being_read() {
    let mirror = Mirror::start(seed(10, 12, 24)).await;
    let control = mirror.emulator.control();
    let unwell = Fault::Status {
        status: 500,
        body: BodyForm::default(),
    };
    // Only the lists of the past have an end.
    control.arm(
        Rule::on("GET", "**/runs")
            .query_contains("startedAtUTC%3C")
            .times(0)
            .then(unwell),
    );
    let (history, _task) = mirror.run(QUICK);
    let failing = mirror
        .as_hours_pass("it is noted that older runs cannot be read", async || {
            let state = mirror.state(SyncTopic::Runs).await?;
            let tries = control.ledger();
            let tries = tries
                .iter()
                .filter(|entry| entry.target.contains("startedAtUTC%3C"));
            // More than it takes to hold back calls.
            (tries.count() > 25 && state.fill_failing_since_at.is_some()).then_some(state)
        })
        .await;
    assert!(failing.fill_problem.unwrap().contains("500"));
    assert!(failing.fill_next_try_at > failing.fill_failing_since_at);
    for _ in 0..5 {
        history.refresh(&mirror.environment_id).await.unwrap();
    }
    let state = mirror.state(SyncTopic::Runs).await.unwrap();
    assert_eq!(state.failing_since_at, None, "the newest runs are read");

    control.disarm();
    mirror
        .as_hours_pass("the history is filled", async || {
            let state = mirror.state(SyncTopic::Runs).await?;
            (state.fill_goal_at.is_none() && state.fill_failing_since_at.is_none()).then_some(())
        })
        .await;
    mirror.read_since(mirror.now_ms()).await;
    let stored: Vec<String> = mirror.mirrored().await.runs.into_keys().collect();
    assert_eq!(stored, mirror.runs_at_the_platform().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_the_platform_forgets_are_kept_and_marked() {
    let mirror = Mirror::start(seed(4, 3, 24)).await;
    let (_, _task) = mirror.run(QUICK);
    mirror.read_since(mirror.now_ms()).await;
    let before = mirror.mirrored().await;
    let now = mirror.now_ms();
    let forget = |from_ms, to_ms| {
        let then = RunChange::Forgotten;
        mirror.emulator.control().tamper(&Tampering {
            from_ms,
            to_ms,
            one_in: 1,
            then,
        })
    };
    // Some of the last hours, and the oldest of all.
    let lately = forget(now - 5 * HOUR_MS, now - 3 * HOUR_MS);
    let long_ago = forget(0, now - 70 * HOUR_MS);
    assert!(lately > 0 && long_ago > 0);
    let after = mirror
        .as_hours_pass("all forgotten runs are marked", async || {
            let after = mirror.mirrored().await;
            let marked = after.runs.values().filter(|run| run.gone_at.is_some()).count();
            (marked == lately + long_ago).then_some(after)
        })
        .await;
    assert!(
        before.runs.keys().all(|id| after.runs.contains_key(id)),
        "what was known stays"
    );
    let shown = after
        .runs
        .values()
        .filter(|run| run.gone_at.is_none())
        .map(|run| run.id.clone());
    assert_eq!(shown.collect::<Vec<_>>(), mirror.runs_at_the_platform().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_refused_half_way_is_read_anew_and_proves_no_absence() {
    let mirror = Mirror::start(seed(10, 2, 24)).await;
    let expired = Fault::Status {
        status: 400,
        body: BodyForm::default(),
    };
    let pages = Rule::on("GET", "**/runs").query_contains("continuationToken=");
    mirror.emulator.control().arm(pages.times(3).then(expired));
    let (_, _task) = mirror.run(QUICK);
    mirror.read_since(mirror.now_ms()).await;
    let stored = mirror.mirrored().await;
    assert!(stored.runs.values().all(|run| run.gone_at.is_none()));
    assert_eq!(
        stored.runs.into_keys().collect::<Vec<_>>(),
        mirror.runs_at_the_platform().await
    );
}
