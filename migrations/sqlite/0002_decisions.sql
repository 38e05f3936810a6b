-- What a person decides about a setup, and how unknown outcomes are settled.

PRAGMA user_version = 2;

-- In whose name its calls are made: who started it, or who last told it to go on.
ALTER TABLE setups ADD COLUMN driven_by TEXT REFERENCES users (id);
UPDATE setups SET driven_by = started_by;

-- The origin of the platform that its calls went to; NULL: none was made yet, or a person said that the new one is
-- the same.
ALTER TABLE setups ADD COLUMN platform_origin TEXT;

-- Since when it is not known whether the last call acted.
ALTER TABLE setup_steps ADD COLUMN unclear_at BIGINT;
UPDATE setup_steps SET unclear_at = sent_at WHERE state = 'unknown';
-- Deletions sent since a person last decided.
ALTER TABLE setup_steps ADD COLUMN deletions BIGINT NOT NULL DEFAULT 0;

-- Calls that may have made something nobody knows of yet.
CREATE INDEX setup_steps_unclear ON setup_steps (kind, setup_id) WHERE state IN ('intent', 'unknown');
