//! Everything an emulator remembers: plain maps in memory behind one lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::clock::{Clock, wall_ms};
use super::ids::{Ids, number_of, rng_of, uuid_from};
use super::ledger::Ledger;
use super::options::Options;
use super::rule_book::RuleBook;
use super::run_book::RunBook;
use super::seed;

/// One emulator.
#[derive(Debug)]
pub struct App {
    pub options: Options,
    pub clock: Clock,
    world: Mutex<World>,
    pub rules: Mutex<RuleBook>,
    pub ledger: Mutex<Ledger>,
}

/// Locks; a holder that panicked left plain data behind, so its state is used as it is.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl App {
    pub fn new(options: Options) -> Self {
        let clock = if options.manual_time {
            Clock::Manual(AtomicI64::new(options.manual_start_ms.unwrap_or_else(wall_ms)))
        } else {
            Clock::Wall
        };
        let world = World::begin(&options, clock.now_ms());
        let rules = RuleBook::new(options.random_seed);
        Self {
            options,
            clock,
            world: Mutex::new(world),
            rules: Mutex::new(rules),
            ledger: Mutex::default(),
        }
    }

    /// The state as of now, with every run made whose slot has come, and the time.
    pub fn world(&self) -> (MutexGuard<'_, World>, i64) {
        let mut world = lock(&self.world);
        let now_ms = self.clock.now_ms();
        world.runs.catch_up(now_ms);
        (world, now_ms)
    }

    /// Back to the state of the start; rules and ledger are emptied too.
    pub fn reset(&self) {
        *lock(&self.world) = World::begin(&self.options, self.clock.now_ms());
        let mut rules = lock(&self.rules);
        rules.clear();
        *rules = RuleBook::new(self.options.random_seed);
        drop(rules);
        *lock(&self.ledger) = Ledger::default();
    }

    pub fn token_is_valid(&self, token: &str) -> bool {
        let now_ms = self.clock.now_ms();
        lock(&self.world)
            .tokens
            .get(token)
            .is_some_and(|expires_at| now_ms < *expires_at)
    }

    /// Forgets every access token.
    pub fn revoke_tokens(&self) {
        lock(&self.world).tokens.clear();
    }

    /// What every Flow Service document says about who and where.
    pub fn provenance(&self, sandbox: &str) -> Map<String, Value> {
        let client = &self.options.client_id;
        object(json!({
            "createdBy": user_id(&self.options), "updatedBy": user_id(&self.options),
            "createdClient": client, "updatedClient": client,
            "sandboxId": sandbox_id(sandbox), "sandboxName": sandbox, "imsOrgId": self.options.organization,
        }))
    }
}

/// The technical account of the one credential.
pub fn user_id(options: &Options) -> String {
    format!(
        "{:024X}@techacct.adobe.com",
        u128::from(number_of(&options.client_id))
    )
}

/// The UUID of a sandbox, the same in every emulator.
pub fn sandbox_id(name: &str) -> String {
    uuid_from(&mut rng_of(&[number_of(name), 0x0073_616e_6462_6f78])).to_string()
}

/// The members of a JSON object; empty for any other value.
pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// All objects of all sandboxes.
#[derive(Debug)]
pub struct World {
    pub ids: Ids,
    /// Access tokens and when they end, epoch milliseconds.
    pub tokens: HashMap<String, i64>,
    pub schemas: Shelf<Record>,
    pub datasets: Shelf<Record>,
    pub mapping_sets: Shelf<Record>,
    pub connections: Shelf<Entity>,
    pub source_connections: Shelf<Entity>,
    pub target_connections: Shelf<Entity>,
    pub flows: Shelf<Entity>,
    pub runs: RunBook,
}

impl World {
    fn begin(options: &Options, now_ms: i64) -> Self {
        let mut world = Self {
            ids: Ids::new(options.random_seed),
            tokens: HashMap::new(),
            schemas: Shelf::default(),
            datasets: Shelf::default(),
            mapping_sets: Shelf::default(),
            connections: Shelf::default(),
            source_connections: Shelf::default(),
            target_connections: Shelf::default(),
            flows: Shelf::default(),
            runs: RunBook::new(options.random_seed.unwrap_or_default()),
        };
        if let Some(wanted) = options.seed {
            seed::plant(&mut world, options, wanted, now_ms);
        }
        world
    }
}

/// A schema, dataset or mapping set: a document of its service.
#[derive(Debug, Clone)]
pub struct Record {
    /// `$id` of a schema, hexadecimal id of a dataset or mapping set.
    pub id: String,
    pub sandbox: String,
    pub document: Map<String, Value>,
}

/// A connection, source connection, target connection or flow.
#[derive(Debug, Clone)]
pub struct Entity {
    pub id: String,
    pub sandbox: String,
    pub created_at: i64,
    pub updated_at: i64,
    /// With its inner quotes.
    pub etag: String,
    /// `enabled`, `disabled` or `draft`.
    pub state: &'static str,
    /// What the client sent, with secrets masked and schedule values in the types of the JSON Schema.
    pub content: Map<String, Value>,
    /// Flow Service's `lastOperation`; shown on flows.
    pub last_operation: Value,
}

impl Entity {
    pub fn new(
        ids: &mut Ids,
        sandbox: &str,
        now_ms: i64,
        state: &'static str,
        content: Map<String, Value>,
    ) -> Self {
        Self {
            id: ids.uuid(),
            sandbox: sandbox.to_owned(),
            created_at: now_ms,
            updated_at: now_ms,
            etag: ids.etag(now_ms),
            state,
            content,
            last_operation: json!({ "started": now_ms, "updated": 0, "operation": "create" }),
        }
    }

    /// Text at a path of members.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.content.get(*first)?, |value, name| value.get(name))?
            .as_str()
    }

    /// The only id in `sourceConnectionIds` or `targetConnectionIds`.
    pub fn only_id(&self, list: &str) -> Option<&str> {
        self.content.get(list)?.get(0)?.as_str()
    }
}

/// Something with an id in a sandbox.
pub trait Shelved {
    fn id(&self) -> &str;
    fn sandbox(&self) -> &str;
}

impl Shelved for Record {
    fn id(&self) -> &str {
        &self.id
    }
    fn sandbox(&self) -> &str {
        &self.sandbox
    }
}

impl Shelved for Entity {
    fn id(&self) -> &str {
        &self.id
    }
    fn sandbox(&self) -> &str {
        &self.sandbox
    }
}

/// Objects of one kind in the order of their making.
#[derive(Debug)]
pub struct Shelf<T> {
    items: BTreeMap<u64, T>,
    place_of: HashMap<String, u64>,
    next: u64,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            place_of: HashMap::new(),
            next: 1,
        }
    }
}

impl<T: Shelved> Shelf<T> {
    pub fn put(&mut self, item: T) {
        self.place_of.insert(item.id().to_owned(), self.next);
        self.items.insert(self.next, item);
        self.next += 1;
    }

    pub fn get(&self, sandbox: &str, id: &str) -> Option<&T> {
        self.items
            .get(self.place_of.get(id)?)
            .filter(|item| item.sandbox() == sandbox)
    }

    pub fn get_mut(&mut self, sandbox: &str, id: &str) -> Option<&mut T> {
        self.items
            .get_mut(self.place_of.get(id)?)
            .filter(|item| item.sandbox() == sandbox)
    }

    pub fn remove(&mut self, sandbox: &str, id: &str) -> Option<T> {
        self.get(sandbox, id)?;
        self.items.remove(&self.place_of.remove(id)?)
    }

    /// The objects of a sandbox with their places, oldest first.
    pub fn of(&self, sandbox: &str) -> impl DoubleEndedIterator<Item = (u64, &T)> {
        self.items
            .iter()
            .filter(move |(_, item)| item.sandbox() == sandbox)
            .map(|(place, item)| (*place, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_keeps_sandboxes_apart_and_the_order_of_making() {
        let mut ids = Ids::new(Some(1));
        let mut shelf = Shelf::default();
        let made: Vec<Entity> = ["prod", "dev", "prod"]
            .iter()
            .map(|sandbox| Entity::new(&mut ids, sandbox, 5, "enabled", Map::new()))
            .collect();
        for entity in &made {
            shelf.put(entity.clone());
        }
        let prod: Vec<&str> = shelf.of("prod").map(|(_, entity)| entity.id.as_str()).collect();
        assert_eq!(prod, [made[0].id.as_str(), made[2].id.as_str()]);
        assert!(shelf.get("dev", &made[0].id).is_none());
        assert!(shelf.remove("dev", &made[0].id).is_none());
        assert!(shelf.remove("prod", &made[0].id).is_some());
        assert!(shelf.get("prod", &made[0].id).is_none());
    }
}
