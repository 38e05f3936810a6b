//! What the list of flows shows, all of it in the address.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use url::form_urlencoded;

use super::view::outcome_status;
use crate::domain::RunOutcome;
use crate::domain::connector::connectors;
use crate::domain::health::Health;
use crate::store::flow_lists::{FlowFilter, FlowKey, FlowOrder, FlowSort, ListedFlow};
use crate::store::saved_views::ViewedPage;
use crate::store::{Store, StoreError, connection_templates, people};
use crate::web::error::PageError;
use crate::web::health_view;
use crate::web::pages::filter_words::{one_of, outcome_of, set, unread};
use crate::web::pages::saved_views::{address, canonical};
use crate::web::visit::Visit;

/// The longest text that is searched for, in characters; other values are ids and words, and shorter.
const TEXT_CHARS: usize = 200;
/// People and templates to choose from.
const CHOICES_MAX: i64 = 200;
/// The choice of flows that Adobe lists no longer, beside Adobe's states.
const GONE: &str = "gone";
/// The choice of flows without an owner or template, which is no id.
const NONE: &str = "none";
/// The choice of flows that miss files of failed runs.
const MISSING: &str = "missing";
/// The same in an address.
pub(in crate::web::pages) const MISSING_FILES: &str = "files=missing";
/// Orders by their words.
const SORTS: [(&str, FlowSort); 4] = [
    ("name", FlowSort::Name),
    ("need", FlowSort::Need),
    ("last-run", FlowSort::LastRun),
    ("next-run", FlowSort::NextRun),
];

/// The address's parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct FlowsQuery {
    environment: String,
    state: String,
    health: String,
    outcome: String,
    connector: String,
    template: String,
    owner: String,
    files: String,
    q: String,
    sort: String,
    after: String,
    before: String,
}

/// The form above the table.
pub(super) struct Filters {
    pub(super) selects: Vec<Select>,
    pub(super) text: String,
    pub(super) sort: String,
    pub(super) are_set: bool,
    /// Those that are set and not in sight otherwise.
    pub(super) further: usize,
}

/// One menu.
pub(super) struct Select {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) choices: Vec<Choice>,
    /// One of the less usual ones.
    pub(super) is_further: bool,
}

/// One choice of a menu.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

impl FlowsQuery {
    /// Cuts what is longer than anything that can be meant.
    pub(super) fn cut(mut self) -> Self {
        for value in [
            &mut self.environment,
            &mut self.state,
            &mut self.health,
            &mut self.outcome,
            &mut self.connector,
            &mut self.template,
            &mut self.owner,
            &mut self.files,
            &mut self.q,
        ] {
            *value = value.trim().chars().take(TEXT_CHARS).collect();
        }
        self
    }

    /// What to read.
    ///
    /// # Errors
    /// A word that is none of the choices: leaving it out would give more than was asked for.
    pub(super) fn filter(&self) -> Result<FlowFilter<'_>, PageError> {
        let or_none = |text| set(text).map(|id| if id == NONE { "" } else { id });
        let words = Health::ALL.iter().map(|health| health.as_str());
        Ok(FlowFilter {
            environment_id: set(&self.environment),
            // What is gone has no state any more.
            state: set(&self.state).filter(|state| *state != GONE),
            connector: set(&self.connector),
            outcome: outcome_of(&self.outcome)?,
            text: set(&self.q),
            include_gone: self.state == GONE,
            health: one_of("health", &self.health, words)?,
            template_id: or_none(&self.template),
            owner_id: or_none(&self.owner),
            misses_files: match set(&self.files) {
                None => false,
                Some(MISSING) => true,
                Some(other) => return Err(unread("files", other, MISSING)),
            },
        })
    }

    /// A word of [`SORTS`], with a dash before it for the other way round.
    pub(super) fn order(&self) -> FlowOrder {
        let (word, is_reversed) = match self.sort.strip_prefix('-') {
            Some(word) => (word, true),
            None => (self.sort.as_str(), false),
        };
        let known = SORTS.iter().find(|(known, _)| *known == word);
        known.map_or_else(FlowOrder::default, |(_, by)| FlowOrder { by: *by, is_reversed })
    }

    /// The filters and, where it is not the usual one, the order: what a view keeps.
    pub(super) fn canonical(&self) -> String {
        self.with_order(self.order())
    }

    fn with_order(&self, order: FlowOrder) -> String {
        let order = match order_word(order) {
            word if word == SORTS[0].0 => String::new(),
            word => word,
        };
        let pairs = [
            ("environment", self.environment.as_str()),
            ("state", &self.state),
            ("health", &self.health),
            ("outcome", &self.outcome),
            ("connector", &self.connector),
            ("template", &self.template),
            ("owner", &self.owner),
            ("files", &self.files),
            ("q", &self.q),
            ("sort", &order),
        ];
        canonical(
            &form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish(),
        )
    }

    /// The address of the same list in another order, from its beginning.
    pub(super) fn sorted_by(&self, order: FlowOrder) -> String {
        address(ViewedPage::Flows, &self.with_order(order))
    }

    /// The address of the neighbouring page: `after` or `before` this flow.
    pub(super) fn page_at(&self, word: &'static str, flow: &ListedFlow, moment: i64) -> Option<String> {
        let key = serde_json::to_vec(&flow.key(moment)).ok()?;
        let list = address(ViewedPage::Flows, &self.canonical());
        Some(format!("{list}&{word}={}", BASE64URL_NOPAD.encode(&key)))
    }

    pub(super) fn after(&self) -> Option<FlowKey> {
        key(&self.after)
    }

    pub(super) fn before(&self) -> Option<FlowKey> {
        key(&self.before)
    }

    fn are_set(&self) -> bool {
        let are_set = [
            &self.environment,
            &self.health,
            &self.outcome,
            &self.connector,
            &self.template,
            &self.owner,
            &self.files,
            &self.q,
        ];
        // Flows that Adobe lists no longer are no choice among those that it does.
        are_set.iter().any(|word| set(word).is_some()) || set(&self.state).is_some_and(|state| state != GONE)
    }
}

fn order_word(order: FlowOrder) -> String {
    let known = SORTS.iter().find(|(_, by)| *by == order.by);
    let dash = if order.is_reversed { "-" } else { "" };
    known.map_or_else(String::new, |(word, _)| format!("{dash}{word}"))
}

fn key(text: &str) -> Option<FlowKey> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

impl Filters {
    /// The menus with what there is to choose from.
    pub(super) async fn read(store: &Store, visit: &Visit, query: &FlowsQuery) -> Result<Self, StoreError> {
        let team_id = &visit.session.team_id;
        let (templates, owners) = tokio::try_join!(
            connection_templates::list(store, team_id, true, None, CHOICES_MAX),
            people::users_of_team(store, team_id, None, CHOICES_MAX),
        )?;
        let health = Health::ALL
            .iter()
            .map(|h| (h.as_str().to_owned(), health_view::word(*h).to_owned()));
        let states = [
            ("enabled", "Enabled"),
            ("disabled", "Disabled"),
            (GONE, "Also no longer at Adobe"),
        ];
        let states = states.map(|(value, label)| (value.to_owned(), label.to_owned()));
        let outcomes = RunOutcome::ALL.iter().map(|outcome| {
            (
                outcome.as_str().to_owned(),
                outcome_status(*outcome).word().to_owned(),
            )
        });
        let files = [(MISSING.to_owned(), "Missing after failed runs".to_owned())];
        let environments = visit.environments.iter().map(|e| (e.id.clone(), e.name.clone()));
        let connectors = connectors().iter().map(|c| (c.slug.clone(), c.name.clone()));
        let no_template = std::iter::once((NONE.to_owned(), "None".to_owned()));
        let templates = templates
            .into_iter()
            .map(|listed| (listed.template.id, listed.template.name));
        let elsewhere = std::iter::once((NONE.to_owned(), "Made elsewhere".to_owned()));
        let owners = owners
            .into_iter()
            .map(|member| (member.user_id, member.user_name));
        let selects = vec![
            Select::new(
                "environment",
                "Environment",
                environments.collect(),
                &query.environment,
                false,
            ),
            Select::new("health", "Health", health.collect(), &query.health, false),
            Select::new("state", "State", states.into(), &query.state, false),
            Select::new(
                "connector",
                "Connector",
                connectors.collect(),
                &query.connector,
                true,
            ),
            Select::new(
                "template",
                "Template",
                no_template.chain(templates).collect(),
                &query.template,
                true,
            ),
            Select::new(
                "owner",
                "Set up by",
                elsewhere.chain(owners).collect(),
                &query.owner,
                true,
            ),
            Select::new("outcome", "Last run", outcomes.collect(), &query.outcome, true),
            Select::new("files", "Files", files.into(), &query.files, true),
        ];
        let further = selects
            .iter()
            .filter(|select| select.is_further && select.is_set())
            .count();
        Ok(Self {
            selects,
            text: query.q.clone(),
            sort: order_word(query.order()),
            are_set: query.are_set(),
            further,
        })
    }
}

impl Select {
    /// What is chosen and not among the choices is told, not hidden: it may have been archived, or have left.
    fn new(
        name: &'static str,
        label: &'static str,
        choices: Vec<(String, String)>,
        chosen: &str,
        is_further: bool,
    ) -> Self {
        let mut choices: Vec<Choice> = choices
            .into_iter()
            .map(|(value, label)| Choice {
                chosen: value == chosen,
                value,
                label,
            })
            .collect();
        if !chosen.is_empty() && !choices.iter().any(|choice| choice.chosen) {
            choices.push(Choice {
                value: chosen.to_owned(),
                label: "Not known here".to_owned(),
                chosen: true,
            });
        }
        Self {
            name,
            label,
            choices,
            is_further,
        }
    }

    fn is_set(&self) -> bool {
        self.choices.iter().any(|choice| choice.chosen)
    }
}
