//! A believable history to begin with: flows of a retailer, set up days ago, with every run since.
//!
//! The history is made by the same generator as everything later: each flow gets its timetable as of the day it
//! was set up, at the speed of real time, and the book of runs catches up to now.

use serde_json::{Map, Value, json};

use super::flow_service::{self, specs};
use super::ids::{Ids, number_of, rng_of};
use super::options::{Options, SeedOptions};
use super::run_book::NewLane;
use super::run_generator::Profile;
use super::schedule::{Schedule, Timetable};
use super::seed_cast::{Fate, ROLES, Role, STORAGES};
use super::state::{Entity, World, object};
use super::{catalog, data_prep, schema_creation};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Fills an empty world.
pub fn plant(world: &mut World, options: &Options, wanted: SeedOptions, now_ms: i64) {
    // The ids of the history depend on the random seed alone, so that they can be bookmarked.
    let seed = options.random_seed.unwrap_or_default();
    let ids_of_calls = std::mem::replace(
        &mut world.ids,
        Ids::new(Some(rng_of(&[seed, number_of("seed")]).u64(..))),
    );
    let days = i64::from(wanted.days.clamp(1, 3_650));
    let begin_ms = (now_ms - days * DAY_MS).div_euclid(DAY_MS) * DAY_MS;
    let mut planter = Planter {
        world,
        options,
        wanted,
        begin_ms,
        now_ms,
        grounds: Vec::new(),
    };
    for number in 0..wanted.flows as usize {
        planter.plant_flow(number);
    }
    let world = planter.world;
    while world.runs.is_behind(now_ms) {
        world.runs.catch_up(now_ms);
    }
    go_on_at_speed(world, options, now_ms);
    world.ids = ids_of_calls;
}

/// From now on simulated time passes at the speed asked for.
fn go_on_at_speed(world: &mut World, options: &Options, now_ms: i64) {
    for sandbox in &options.sandboxes {
        let World { flows, runs, .. } = world;
        for (_, flow) in flows.of(sandbox) {
            runs.retime(&flow.id, now_ms, |table| {
                let is_paused = table.is_paused();
                table.change(table.schedule(), now_ms, options.speed);
                if is_paused {
                    table.pause();
                }
            });
            runs.set_speed(&flow.id, options.speed);
        }
    }
}

/// What the flows of a sandbox stand on.
struct Ground {
    sandbox: String,
    /// Ids of the base connections, in the order of [`STORAGES`].
    storages: Vec<String>,
    data_lake: String,
}

struct Planter<'a> {
    world: &'a mut World,
    options: &'a Options,
    wanted: SeedOptions,
    begin_ms: i64,
    now_ms: i64,
    grounds: Vec<Ground>,
}

impl Planter<'_> {
    /// Keeps an object of Flow Service and answers its id.
    fn keep(&mut self, kind: flow_service::Kind, sandbox: &str, at_ms: i64, content: Value) -> String {
        let entity = Entity::new(&mut self.world.ids, sandbox, at_ms, "enabled", object(content));
        let id = entity.id.clone();
        kind.shelf_mut(self.world).put(entity);
        id
    }

    fn ground(&mut self, sandbox: &str) -> usize {
        if let Some(position) = self.grounds.iter().position(|ground| ground.sandbox == sandbox) {
            return position;
        }
        let kind = flow_service::Kind::Connection;
        let storages = STORAGES.iter().map(|storage| {
            let content = json!({
                "name": storage.name, "description": "Set up by the data platform team",
                "auth": { "specName": storage.auth, "params": (storage.params)() },
                "connectionSpec": { "id": storage.spec, "version": "1.0" },
            });
            self.keep(kind, sandbox, self.begin_ms, content)
        });
        let storages = storages.collect();
        let lake = json!({
            "name": "Dataset base connection", "connectionSpec": { "id": specs::DATA_LAKE_SPEC_ID, "version": "1.0" },
        });
        let data_lake = self.keep(kind, sandbox, self.begin_ms, lake);
        self.grounds.push(Ground {
            sandbox: sandbox.to_owned(),
            storages,
            data_lake,
        });
        self.grounds.len() - 1
    }

    fn plant_flow(&mut self, number: usize) {
        let role = &ROLES[number % ROLES.len()];
        let round = number / ROLES.len();
        let name = if round == 0 {
            role.name.to_owned()
        } else {
            format!("{} {}", role.name, round + 1)
        };
        let others = &self.options.sandboxes[1..];
        let sandbox = match number % 3 {
            2 if !others.is_empty() => others[(number / 3) % others.len()].clone(),
            _ => self.options.sandboxes[0].clone(),
        };
        let (params, schedule) = self.schedule(role, number);
        let created_ms = schedule.start_ms - 30 * MINUTE_MS;
        let Some(flow) = self.parts(role, &name, &sandbox, created_ms, params) else {
            return;
        };
        let fate = if round == 0 { role.fate } else { Fate::Usual };
        let lane = NewLane {
            profile: Some(self.profile(role, fate)),
            ..flow_service::lane(self.world, &flow, Timetable::new(schedule, created_ms, 1), 1)
        };
        self.world.runs.open(lane);
        let (id, disabled) = (flow.id.clone(), fate == Fate::Disabled);
        self.world.flows.put(Entity {
            state: if disabled { "disabled" } else { "enabled" },
            ..flow
        });
        let paused_ms = match fate {
            Fate::Disabled => Some(self.now_ms - 3 * DAY_MS),
            Fate::SilentForHours => Some(self.now_ms - 5 * HOUR_MS),
            _ => None,
        };
        if let Some(at_ms) = paused_ms {
            self.world.runs.retime(&id, at_ms, Timetable::pause);
        }
    }

    /// `scheduleParams` as they are kept, and what they mean.
    fn schedule(&self, role: &Role, number: usize) -> (Map<String, Value>, Schedule) {
        let (frequency, interval) = match self.wanted.runs_per_day {
            Some(runs) => ("minute", (1440 / i64::from(runs.max(1))).max(15)),
            None => (role.frequency, role.interval),
        };
        // Quarter-hourly flows are young, so that they do not drown the others.
        let young = frequency == "minute" && self.wanted.runs_per_day.is_none();
        let first_day_ms = if young {
            self.begin_ms
                .max((self.now_ms - 4 * DAY_MS).div_euclid(DAY_MS) * DAY_MS)
        } else {
            self.begin_ms
        };
        let minute = (number as i64 * 37) % 240 + 60;
        let start_s = (first_day_ms + minute * MINUTE_MS) / 1000;
        let params = object(
            json!({ "startTime": start_s, "frequency": frequency, "interval": interval, "backfill": number.is_multiple_of(4) }),
        );
        let schedule = Schedule::of_params(&params).unwrap_or(Schedule {
            start_ms: start_s * 1000,
            every_ms: None,
            backfill: false,
        });
        (params, schedule)
    }

    fn profile(&self, role: &Role, fate: Fate) -> Profile {
        Profile {
            records: role.records,
            bytes_per_record: role.bytes_per_record,
            files: role.files,
            // What is odd about a flow shall be seen, and not hide behind a failure.
            failed_permille: if fate == Fate::ThinSinceYesterday { 0 } else { 40 },
            rejecting_permille: if fate == Fate::ThinSinceYesterday { 0 } else { 40 },
            failing_since_ms: (fate == Fate::FailingSinceYesterday).then_some(self.now_ms - DAY_MS),
            empty_since_ms: (fate == Fate::DryForTwoDays).then_some(self.now_ms - 2 * DAY_MS),
            thin_since_ms: (fate == Fate::ThinSinceYesterday).then_some(self.now_ms - DAY_MS),
        }
    }

    /// Schema, dataset, mapping set, source and target connection of a flow, and the flow itself.
    fn parts(
        &mut self,
        role: &Role,
        name: &str,
        sandbox: &str,
        at_ms: i64,
        schedule: Map<String, Value>,
    ) -> Option<Entity> {
        let class = if role.events { "experienceevent" } else { "profile" };
        let mut references = vec![json!({ "$ref": format!("https://ns.adobe.com/xdm/context/{class}") })];
        if !role.events {
            references.push(json!({ "$ref": "https://ns.adobe.com/xdm/context/profile-person-details" }));
            references.push(json!({ "$ref": "https://ns.adobe.com/xdm/context/identitymap" }));
        }
        let sent = object(
            json!({ "type": "object", "title": format!("{name} schema"), "description": "", "allOf": references }),
        );
        let schema = schema_creation::add(self.world, self.options, sandbox, sent, at_ms).ok()?;
        let content_type = "application/vnd.adobe.xed-full-notext+json; version=1";
        let dataset = object(
            json!({ "name": format!("{name} dataset"), "schemaRef": { "id": schema.id, "contentType": content_type } }),
        );
        let dataset = catalog::add(self.world, self.options, sandbox, dataset, at_ms);
        let schema_ref =
            json!({ "id": schema.id, "version": "application/vnd.adobe.xed-full+json;version=1" });
        let ready = role.format == "parquet_xdm";
        let ground = self.ground(sandbox);
        let storage = &STORAGES[role.storage];
        let base = self.grounds[ground].storages[role.storage].clone();
        let mut data = json!({ "format": role.format });
        if ready {
            data["schema"] = schema_ref.clone();
        }
        let kind = if role.path.ends_with(".csv") && !role.path.contains('*') {
            "file"
        } else {
            "folder"
        };
        let source = self.keep(flow_service::Kind::Source, sandbox, at_ms, json!({
            "name": format!("{name} source"), "baseConnectionId": base, "data": data,
            "params": { "path": format!("{}{}", storage.root, role.path), "type": kind, "recursive": kind == "folder" },
            "connectionSpec": { "id": storage.spec, "version": "1.0" },
        }));
        let mut target = json!({
            "name": format!("{name} target"), "data": { "format": "parquet_xdm", "schema": schema_ref },
            "params": { "dataSetId": dataset.id }, "connectionSpec": { "id": specs::DATA_LAKE_SPEC_ID, "version": "1.0" },
        });
        if ready {
            target["baseConnectionId"] = json!(self.grounds[ground].data_lake);
        }
        let target = self.keep(flow_service::Kind::Target, sandbox, at_ms, target);
        let mut flow = json!({
            "name": name, "description": format!("{} from {}", role.path, storage.name),
            "flowSpec": { "id": specs::FLOW_SPEC_ID, "version": "1.0" },
            "sourceConnectionIds": [source], "targetConnectionIds": [target], "scheduleParams": schedule,
        });
        if !ready {
            let mappings = json!({ "outputSchema": { "schemaRef": { "id": schema.id, "contentType": content_type } }, "mappings": [
                { "sourceType": "ATTRIBUTE", "source": "id", "destination": "_id" } ] });
            let set = data_prep::add(self.world, self.options, sandbox, object(mappings), at_ms);
            flow["transformations"] =
                json!([{ "name": "Mapping", "params": { "mappingId": set.id, "mappingVersion": 0 } }]);
        }
        Some(Entity::new(
            &mut self.world.ids,
            sandbox,
            at_ms,
            "enabled",
            object(flow),
        ))
    }
}
