use super::*;
use crate::domain::health::Health;
use crate::domain::setup::SetupState;
use crate::store::flow_lists::{self, FlowFilter, FlowKey, FlowOrder, FlowPage, FlowSort, ListedFlow};
use crate::store::sync_state::SyncTopic;
use crate::store::{WriteTx, flows, runs, sync_state};

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const NOW: i64 = 500_000 * HOUR;

/// All pages of three, from the beginning or from the end.
async fn page_through(
    db: &Store,
    filter: FlowFilter<'_>,
    sort: impl Into<FlowOrder>,
    backward: bool,
) -> Vec<ListedFlow> {
    let sort: FlowOrder = sort.into();
    let mut seen: Vec<ListedFlow> = Vec::new();
    let mut key: Option<FlowKey> = None;
    if backward {
        // From behind the last one.
        let all = flow_lists::list(db, "team", filter, sort, NOW, FlowPage::First, 10_000).await;
        let last = all.expect("all").pop().expect("a flow");
        key = Some(last.key(NOW));
        seen.push(last);
    }
    loop {
        let part = match &key {
            None => FlowPage::First,
            Some(key) if backward => FlowPage::Before(key),
            Some(key) => FlowPage::After(key),
        };
        let mut page = flow_lists::list(db, "team", filter, sort, NOW, part, 3)
            .await
            .expect("a page");
        let end = if backward { page.first() } else { page.last() };
        let Some(end) = end else { return seen };
        key = Some(end.key(NOW));
        if backward {
            page.append(&mut seen);
            seen = page;
        } else {
            seen.append(&mut page);
        }
    }
}

fn names(flows: &[ListedFlow]) -> Vec<&str> {
    flows.iter().map(|flow| flow.id.as_str()).collect()
}

/// The runs of an environment were read to the end.
pub(super) async fn read_runs(tx: &mut WriteTx, environment_id: &str, at: i64) {
    let read = sync_state::record_success(tx, environment_id, SyncTopic::Runs, at, at);
    read.await.expect("noted");
}

/// Nine flows in two environments of the team, and one that is not the team's.
async fn in_two_environments() -> Fixture {
    let db = fixture().await;
    commit!(db, |tx| {
        envs::insert(tx, &environment("env2", "team"))
            .await
            .expect("an environment");
        envs::insert(tx, &environment("theirs", "other"))
            .await
            .expect("an environment");
        let mut rows: Vec<_> = (0..8).map(|n| flow("env", &format!("f{n}"))).collect();
        rows[2].row.name = "Flow f1".into();
        rows.extend([flow("env2", "g1"), flow("theirs", "h1")]);
        for (row, state, start_at) in [(4, "enabled", NOW + 7), (7, "disabled", NOW + 1)] {
            rows[row].row.state = String::from(state);
            rows[row].row.start_at = Some(start_at);
        }
        flows::upsert_many(tx, &rows).await.expect("flows");
        let ran = [
            run("r1", "f3", NOW - 3_000, RunOutcome::Failed),
            run("r2", "f5", NOW - 1_000, RunOutcome::Succeeded),
            run("r3", "f6", NOW - 1_000, RunOutcome::Succeeded),
        ];
        runs::upsert_many(tx, &ran).await.expect("runs");
        read_runs(tx, "env", NOW).await;
        read_runs(tx, "env2", NOW).await;
    });
    db
}

#[tokio::test]
async fn pages_are_complete_in_each_order_and_both_ways() {
    let db = in_two_environments().await;
    for (sort, expected) in [
        (
            FlowSort::Name,
            ["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "g1"],
        ),
        // Those that never ran are late: they were to run every hour since 1970.
        (
            FlowSort::Need,
            ["f3", "f0", "f1", "f2", "g1", "f4", "f5", "f6", "f7"],
        ),
        (
            FlowSort::LastRun,
            ["f5", "f6", "f3", "f0", "f1", "f2", "f4", "f7", "g1"],
        ),
        // f4 begins in 7 ms, the others in 10, and f7 is disabled.
        (
            FlowSort::NextRun,
            ["f4", "f0", "f1", "f2", "f3", "f5", "f6", "g1", "f7"],
        ),
    ] {
        let forward = page_through(&db, FlowFilter::default(), sort, false).await;
        assert_eq!(names(&forward), expected, "{sort:?}");
        let backward = page_through(&db, FlowFilter::default(), sort, true).await;
        assert_eq!(names(&backward), expected, "{sort:?} from the end");
        let turned = FlowOrder {
            by: sort,
            is_reversed: true,
        };
        for backward in [false, true] {
            let mut listed = page_through(&db, FlowFilter::default(), turned, backward).await;
            listed.reverse();
            assert_eq!(names(&listed), expected, "{turned:?}");
        }
    }
    commit!(db, |tx| {
        envs::archive(tx, "team", "env2", 9).await.expect("archived")
    });
    let left = page_through(&db, FlowFilter::default(), FlowSort::Name, false).await;
    assert_eq!(left.len(), 8);
}

#[tokio::test]
async fn two_thousand_flows_with_equal_values_are_listed_once_each() {
    let db = fixture().await;
    commit!(db, |tx| {
        let rows: Vec<_> = (0..2_000)
            .map(|n| {
                let mut row = flow("env", &format!("f{n:04}"));
                row.row.name = format!("Flow {}", n % 3);
                row
            })
            .collect();
        flows::upsert_many(tx, &rows).await.expect("flows");
    });
    for sort in [
        FlowSort::Name,
        FlowSort::Need,
        FlowSort::LastRun,
        FlowSort::NextRun,
    ] {
        let mut seen = std::collections::BTreeSet::new();
        let mut key: Option<FlowKey> = None;
        loop {
            let part = key.as_ref().map_or(FlowPage::First, FlowPage::After);
            let page = flow_lists::list(&db, "team", FlowFilter::default(), sort, NOW, part, 150)
                .await
                .expect("a page");
            let Some(last) = page.last() else { break };
            key = Some(last.key(NOW));
            for flow in page {
                assert!(seen.insert(flow.id), "{sort:?} repeats a flow");
            }
        }
        assert_eq!(seen.len(), 2_000, "{sort:?}");
    }
}

#[tokio::test]
async fn what_needs_a_person_is_counted_and_comes_first() {
    let db = in_two_environments().await;
    let counts = flow_lists::counts(&db, "team", NOW).await.expect("counts");
    assert_eq!(
        counts,
        [
            (Health::Failed, 1),
            (Health::Late, 4),
            (Health::Waiting, 1),
            (Health::Well, 2),
            (Health::Off, 1)
        ]
    );
    let troubled = flow_lists::troubled(&db, "team", NOW, 2).await.expect("troubled");
    let said: Vec<_> = troubled
        .iter()
        .map(|flow| {
            (
                flow.id.as_str(),
                flow.judgement.health_at(NOW),
                flow.environment_name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("f3", Health::Failed, "Name of env"),
            ("f0", Health::Late, "Name of env"),
            ("f1", Health::Late, "Name of env")
        ],
        "at most two of a kind"
    );
    assert_eq!(flow_lists::counts(&db, "nobody", NOW).await.expect("counts"), []);
}

#[tokio::test]
async fn the_next_runs_of_all_flows_come_in_order() {
    let db = in_two_environments().await;
    let next = flow_lists::next_runs(&db, "team", NOW, 3)
        .await
        .expect("next runs");
    let said: Vec<_> = next
        .iter()
        .map(|run| (run.flow_id.as_str(), run.at - NOW))
        .collect();
    assert_eq!(said, [("f4", 7), ("f0", 10), ("f1", 10)]);
}

#[tokio::test]
async fn who_set_a_flow_up_and_from_what_is_told_and_filtered() {
    let db = fixture().await;
    commit!(db, |tx| {
        let rows: Vec<_> = (0..3).map(|n| flow("env", &format!("f{n}"))).collect();
        flows::upsert_many(tx, &rows).await.expect("flows");
        add_template(tx, "t1").await.expect("a template");
        for (id, flow_id, template, by, at) in [
            ("s0", "f1", None, "ben", 5),
            ("s1", "f1", Some("t1-v1"), "ana", 10),
            ("s2", "f2", None, "ben", 11),
        ] {
            let mut setup = super::setups::setup(id, SetupState::Done, at);
            setup.flow_id = Some(flow_id.into());
            setup.template_version_id = template.map(str::to_owned);
            setup.started_by = by.into();
            store_setups::insert(tx, &setup, &[]).await.expect("a setup");
        }
    });
    let all = page_through(&db, FlowFilter::default(), FlowSort::Name, false).await;
    let told: Vec<_> = all
        .iter()
        .map(|flow| {
            (
                flow.owner_name.as_deref(),
                flow.template_name.as_deref(),
                flow.template_version,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (None, None, None),
            (Some("ANA"), Some("Template t1"), Some(1)),
            (Some("BEN"), None, None)
        ],
        "the last setup counts"
    );
    let by = FlowFilter::default();
    for (template_id, owner_id, expected) in [
        (Some("t1"), None, vec!["f1"]),
        (Some(""), None, vec!["f0", "f2"]),
        (Some("t9"), None, vec![]),
        (None, Some("ben"), vec!["f2"]),
        (None, Some(""), vec!["f0"]),
        (Some(""), Some("ana"), vec![]),
    ] {
        let filter = FlowFilter {
            template_id,
            owner_id,
            ..by
        };
        assert_eq!(
            names(&page_through(&db, filter, FlowSort::Name, false).await),
            expected,
            "{filter:?}"
        );
    }
}

#[tokio::test]
async fn filters() {
    let db = fixture().await;
    commit!(db, |tx| {
        let mut rows: Vec<_> = (0..5).map(|n| flow("env", &format!("f{n}"))).collect();
        rows[0].row.state = "disabled".into();
        rows[1].row.connector = Some("sftp".into());
        rows[2].row.name = "100% of Sales_2026".into();
        rows[3].row.source_path = Some("/drop/sales%".into());
        rows[4].row.source_path = None;
        flows::upsert_many(tx, &rows).await.expect("flows");
        runs::upsert_many(tx, &[run("r1", "f4", 5, RunOutcome::Failed)])
            .await
            .expect("runs");
    });
    let by = FlowFilter::default();
    for (filter, expected) in [
        (
            FlowFilter {
                environment_id: Some("env"),
                ..by
            },
            vec!["f2", "f0", "f1", "f3", "f4"],
        ),
        (
            FlowFilter {
                environment_id: Some("none"),
                ..by
            },
            vec![],
        ),
        (
            FlowFilter {
                state: Some("disabled"),
                ..by
            },
            vec!["f0"],
        ),
        (
            FlowFilter {
                connector: Some("sftp"),
                ..by
            },
            vec!["f1"],
        ),
        (
            FlowFilter {
                outcome: Some(RunOutcome::Failed),
                ..by
            },
            vec!["f4"],
        ),
        (
            FlowFilter {
                text: Some("SALES"),
                ..by
            },
            vec!["f2", "f3"],
        ),
        (
            FlowFilter {
                text: Some("0%"),
                ..by
            },
            vec!["f2"],
        ),
        (
            FlowFilter {
                text: Some("s_2"),
                ..by
            },
            vec!["f2"],
        ),
        (
            FlowFilter {
                text: Some("\\"),
                ..by
            },
            vec![],
        ),
    ] {
        assert_eq!(
            names(&page_through(&db, filter, FlowSort::Name, false).await),
            expected,
            "{filter:?}"
        );
    }
}
