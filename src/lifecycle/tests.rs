use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_or_ends_is_started_again() {
    let lifecycle = Lifecycle::new();
    let starts = Arc::new(AtomicU32::new(0));
    let counted = starts.clone();
    lifecycle.spawn_supervised("poller", SECOND, move |heartbeat| {
        let start = counted.fetch_add(1, Ordering::SeqCst);
        assert!(start != 0, "panics before its future exists");
        async move {
            assert!(start != 1, "panics in its future");
            if start > 2 {
                heartbeat.beat();
                std::future::pending::<()>().await;
            }
        }
    });
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(starts.load(Ordering::SeqCst), 4);
    let health = lifecycle.health();
    assert_eq!(
        (health[0].name, health[0].restarts, health[0].state),
        ("poller", 3, TaskState::Fresh)
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_that_always_fails_is_started_again_within_five_seconds() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn_supervised("broken", SECOND, |_| async {});
    tokio::time::sleep(600 * SECOND).await;
    let before = lifecycle.health()[0].restarts;
    tokio::time::sleep(50 * SECOND).await;
    assert!(
        lifecycle.health()[0].restarts - before >= 9,
        "{:?}",
        lifecycle.health()
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_task_is_late_then_lost() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn_supervised("silent", 10 * SECOND, |_| std::future::pending());
    lifecycle.spawn_supervised("lively", 10 * SECOND, |heartbeat| async move {
        loop {
            heartbeat.beat();
            tokio::time::sleep(SECOND).await;
        }
    });
    let state = |name| {
        lifecycle
            .health()
            .into_iter()
            .find(|task| task.name == name)
            .map(|task| task.state)
    };
    tokio::time::sleep(29 * SECOND).await;
    assert_eq!(state("silent"), Some(TaskState::Fresh));
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(state("silent"), Some(TaskState::Late));
    assert_eq!(lifecycle.wait_for_end().await, End::Lost("silent"));
    assert_eq!(state("lively"), Some(TaskState::Fresh));
}

#[tokio::test(start_paused = true)]
async fn stopping_is_soft_and_starts_nothing_again() {
    let lifecycle = Lifecycle::new();
    let stopping = lifecycle.stopping();
    lifecycle.spawn_supervised("worker", SECOND, move |_| {
        let stopping = stopping.clone();
        async move {
            stopping.cancelled().await;
            tokio::time::sleep(5 * SECOND).await;
        }
    });
    let work = lifecycle.spawn(async {
        tokio::time::sleep(SECOND).await;
        "done"
    });
    let waiting = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move { lifecycle.wait_for_end().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    lifecycle.shutdown(30 * SECOND).await.unwrap();
    assert_eq!(waiting.await.unwrap(), End::Asked);
    assert_eq!(work.await.unwrap(), "done");
    assert_eq!(lifecycle.health()[0].restarts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failed_disk_stops_softly_and_is_told_as_the_cause() {
    let lifecycle = Lifecycle::new();
    lifecycle.stop_because(End::DiskFailed);
    lifecycle.stop_because(End::Lost("another"));
    assert!(lifecycle.stopping().is_cancelled());
    assert_eq!(lifecycle.wait_for_end().await, End::DiskFailed);
}

#[tokio::test(start_paused = true)]
async fn shutdown_names_who_does_not_stop() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn_supervised("deaf", SECOND, |_| std::future::pending());
    tokio::time::sleep(SECOND).await;
    let asleep = Instant::now();
    let error = lifecycle.shutdown(30 * SECOND).await.unwrap_err();
    assert_eq!(error.tasks, ["deaf"]);
    assert_eq!(asleep.elapsed(), 30 * SECOND);
    assert_eq!(error.to_string(), "work still runs after 30s: deaf");
}

#[tokio::test(start_paused = true)]
async fn a_stop_cuts_the_pause_before_a_restart_short() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn_supervised("broken", SECOND, |_| async {});
    tokio::time::sleep(60 * SECOND).await;
    let asked = Instant::now();
    lifecycle.shutdown(30 * SECOND).await.unwrap();
    assert!(asked.elapsed() < Duration::from_millis(10));
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_asks_for_a_soft_stop() {
    let lifecycle = Lifecycle::new();
    lifecycle.stop_on_signals().unwrap();
    let own_id = std::process::id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-TERM", &own_id])
            .status()
            .unwrap()
            .success()
    );
    let ended = tokio::time::timeout(10 * SECOND, lifecycle.wait_for_end()).await;
    assert_eq!(ended.unwrap(), End::Asked);
}
