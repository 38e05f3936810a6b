use proptest::prelude::*;

use super::flow_lists::{HOUR, NOW, read_runs};
use super::*;
use crate::domain::health::{Health, judged_at};
use crate::domain::schedule::{Frequency, next_slots};
use crate::store::flow_lists::{self, FlowFilter, FlowPage, FlowSort};
use crate::store::{flows, runs};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The SQL of lists says of every flow what the domain says.
    #[test]
    fn health_and_next_run_in_sql_are_those_of_the_domain(
        flows_given in prop::collection::vec(
            (
                prop::sample::select(Frequency::ALL),
                prop::option::of(-3i64..400),
                -2 * HOUR..2 * HOUR,
                any::<bool>(),
                prop::collection::vec((0i64..200, prop::sample::select(RunOutcome::ALL), 0i64..3), 0..12),
            ),
            1..12,
        ),
        after in 0i64..400,
        read in prop::option::of(-40i64..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let db = fixture().await;
            let moment = NOW + after * HOUR / 4;
            let (mut rows, mut ran) = (Vec::new(), Vec::new());
            for (n, (frequency, interval, start, is_on, its_runs)) in flows_given.iter().enumerate() {
                let id = format!("f{n}");
                let mut row = flow("env", &id);
                row.row.state = if *is_on { "enabled" } else { "disabled" }.into();
                row.row.frequency = Some(frequency.to_string());
                row.row.interval_count = *interval;
                row.row.start_at = Some(NOW + start);
                for (slot, outcome, records) in its_runs {
                    let mut row = run(&format!("{id}-{slot}"), &id, NOW + slot * HOUR / 4, *outcome);
                    row.row.records_out = Some(*records);
                    ran.push(row);
                }
                rows.push(row);
            }
            commit!(db, |tx| {
                flows::upsert_many(tx, &rows).await.expect("flows");
                runs::upsert_many(tx, &ran).await.expect("runs");
                if let Some(read) = read {
                    read_runs(tx, "env", moment + read * HOUR / 4).await;
                }
            });
            let mut counted = std::collections::BTreeMap::<Health, i64>::new();
            for health in Health::ALL {
                let filter = FlowFilter { health: Some(*health), ..FlowFilter::default() };
                let found = flow_lists::list(&db, "team", filter, FlowSort::Need, moment, FlowPage::First, 100);
                for flow in found.await.expect("a page") {
                    let judged = flow.health().expect("readable").expect("judged");
                    assert_eq!(flow.runs_read_at, read.map(|read| moment + read * HOUR / 4));
                    assert_eq!(judged.judgement.health_at(judged_at(moment, flow.runs_read_at)), *health);
                    *counted.entry(*health).or_default() += 1;
                    let given = rows.iter().find(|row| row.row.id == flow.id).expect("given");
                    let expected = match (&given.row.frequency, given.row.start_at) {
                        (Some(word), Some(start)) if given.row.state == "enabled" => {
                            let interval = given.row.interval_count.unwrap_or(1);
                            next_slots(word.parse().expect("a word"), interval, start, moment, 1).pop()
                        }
                        _ => None,
                    };
                    assert_eq!(flow.next_run_at, expected, "{given:?}");
                }
            }
            let counts = flow_lists::counts(&db, "team", moment).await.expect("counts");
            assert_eq!(counts, counted.into_iter().collect::<Vec<_>>());
            assert_eq!(counts.iter().map(|(_, count)| count).sum::<i64>(), rows.len() as i64);
        });
    }
}
