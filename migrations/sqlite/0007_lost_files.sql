-- Failed runs whose files no later run has brought, kept longer than the last runs.

PRAGMA user_version = 7;

ALTER TABLE flow_health ADD COLUMN lost_windows BIGINT NOT NULL DEFAULT 0;  -- how many are told
ALTER TABLE flow_health ADD COLUMN left_behind TEXT;                        -- JSON of domain::health::Left
-- Runs older than the last ones were not looked at yet, or have changed.
ALTER TABLE flow_health ADD COLUMN look_further BIGINT NOT NULL DEFAULT 1;
CREATE INDEX flow_health_lost ON flow_health (environment_id, flow_id) WHERE lost_windows > 0;
CREATE INDEX flow_health_look_further ON flow_health (environment_id, flow_id) WHERE look_further > 0;

-- When a flow was on with the schedule that it has since this version; NULL: an earlier release stored it.
ALTER TABLE flow_versions ADD COLUMN wanted TEXT;                         -- JSON of domain::health::Wanted
