//! What needs a person, the most far-reaching first, a few of each kind.

use crate::domain::health::{Health, judged_at};
use crate::store::flow_lists::TroubledFlow;
use crate::store::setup_lists::ListedSetup;
use crate::web::health_view::{self, HealthView};
use crate::web::numbers;
use crate::web::pages::flows::filter::MISSING_FILES;
use crate::web::pages::freshness::Freshness;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// Things of one kind that are shown; the rest stands behind a link.
pub(super) const OF_A_KIND: usize = 5;

/// What needs a person for one reason.
pub(super) struct Kind {
    pub(super) items: Vec<Item>,
    /// "12 more failed flows" and where they are.
    pub(super) more: Option<(String, String)>,
}

/// Something that needs a person.
pub(super) struct Item {
    pub(super) status: Status,
    pub(super) word: &'static str,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) environment: String,
    pub(super) since: Option<TimeView>,
}

/// What the attention list is made of.
pub(super) struct Troubles<'a> {
    pub(super) freshness: &'a Freshness,
    /// One more than is shown, if there are more.
    pub(super) setups: Vec<ListedSetup>,
    /// At most [`OF_A_KIND`] for each kind of health.
    pub(super) flows: Vec<TroubledFlow>,
    /// How many flows do how.
    pub(super) counts: &'a [(Health, i64)],
    /// How many flows miss files of failed runs.
    pub(super) missing_files: i64,
    pub(super) open_findings: i64,
}

impl Troubles<'_> {
    /// Kinds without any are left out.
    pub(super) fn kinds(self, times: &Times, now_ms: i64) -> Vec<Kind> {
        let mut kinds = vec![environments(self.freshness), setups(self.setups, times)];
        let views: Vec<(TroubledFlow, HealthView)> = self
            .flows
            .into_iter()
            .map(|flow| {
                let moment = judged_at(now_ms, flow.runs_read_at);
                let view = HealthView::new(&flow.judgement, times, moment);
                (flow, view)
            })
            .collect();
        for health in Health::ALL.iter().filter(|health| health.needs_a_person()) {
            let total = self.counts.iter().find(|(counted, _)| counted == health);
            let items = views
                .iter()
                .filter(|(_, view)| view.health == *health)
                .map(of_flow);
            kinds.push(flows(
                *health,
                items.collect(),
                total.map_or(0, |(_, count)| *count),
            ));
        }
        kinds.push(missing_files(self.missing_files));
        kinds.push(misfits(self.open_findings));
        kinds.retain(|kind| !kind.items.is_empty());
        kinds
    }
}

fn environments(freshness: &Freshness) -> Kind {
    let item = |failing: &crate::web::pages::freshness::Failing| {
        let known = failing.read_at.as_ref().map_or_else(
            || "It was never read to the end.".to_owned(),
            |read| format!("What is shown of it is as of {}.", read.local()),
        );
        let next_try = failing.problem.next_try.as_ref();
        let next = next_try.map_or_else(String::new, |next| format!(", next at {}", next.short()));
        Item {
            status: Status::Failed,
            word: "Not read",
            href: format!("/environments/{}", failing.environment_id),
            title: format!("{} cannot be read", failing.environment),
            detail: format!("{} {known} Headgate goes on trying{next}.", failing.problem.words),
            environment: String::new(),
            since: Some(failing.problem.since.clone()),
        }
    };
    Kind {
        items: freshness.failing.iter().map(item).collect(),
        more: None,
    }
}

fn setups(setups: Vec<ListedSetup>, times: &Times) -> Kind {
    let more = (setups.len() > OF_A_KIND).then(|| {
        let href = "/setups?state=needs_attention".to_owned();
        ("More setups ask".to_owned(), href)
    });
    let item = |setup: ListedSetup| Item {
        status: Status::Partial,
        word: "Asks",
        href: format!("/setups/{}", setup.id),
        title: format!("The setup of {} asks you", setup.flow_name),
        detail: format!("{} of {} steps are done.", setup.steps_confirmed, setup.steps),
        environment: setup.environment_name,
        since: Some(times.at(setup.updated_at)),
    };
    Kind {
        items: setups.into_iter().take(OF_A_KIND).map(item).collect(),
        more,
    }
}

fn of_flow((flow, view): &(TroubledFlow, HealthView)) -> Item {
    Item {
        status: view.status,
        word: view.word,
        href: format!("/flows/{}", flow.id),
        title: flow.name.clone(),
        detail: view.reason.clone(),
        environment: flow.environment_name.clone(),
        since: view.since.clone(),
    }
}

fn flows(health: Health, items: Vec<Item>, total: i64) -> Kind {
    let left = total - items.len() as i64;
    let more = (left > 0).then(|| {
        let (word, noun) = (
            health_view::word(health).to_lowercase(),
            if left == 1 { "flow" } else { "flows" },
        );
        (
            format!("{} more: {word} {noun}", numbers::count(left)),
            format!("/flows?health={health}"),
        )
    });
    Kind { items, more }
}

/// What a failed run has left behind, as one item whatever its number: also where all is well by now.
fn missing_files(flows: i64) -> Kind {
    let title = if flows == 1 {
        "1 flow misses files of failed runs".to_owned()
    } else {
        format!("{} flows miss files of failed runs", numbers::count(flows))
    };
    one_item(
        flows,
        Item {
            status: Status::Partial,
            word: "Files missing",
            href: format!("/flows?{MISSING_FILES}"),
            title,
            detail:
                "No later run has brought them, even where the flow does well again. Its page names the last of the runs."
                    .to_owned(),
            environment: String::new(),
            since: None,
        },
    )
}

/// What the sweep found, as one item whatever its number.
fn misfits(open: i64) -> Kind {
    let title = if open == 1 {
        "One object at Adobe does not fit what was set up".to_owned()
    } else {
        format!(
            "{} objects at Adobe do not fit what was set up",
            numbers::count(open)
        )
    };
    let item = Item {
        status: Status::Partial,
        word: "Findings",
        href: "/findings".to_owned(),
        title,
        detail: "Made more than once, gone, or claimed by nobody: each needs a decision.".to_owned(),
        environment: String::new(),
        since: None,
    };
    one_item(open, item)
}

fn one_item(count: i64, item: Item) -> Kind {
    Kind {
        items: (count > 0).then_some(item).into_iter().collect(),
        more: None,
    }
}
