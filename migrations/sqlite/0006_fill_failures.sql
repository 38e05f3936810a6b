-- Why older runs cannot be read at present, and when what failed is tried again.

PRAGMA user_version = 6;

ALTER TABLE sync_state ADD COLUMN next_try_at BIGINT;            -- of what failed
ALTER TABLE sync_state ADD COLUMN fill_failing_since_at BIGINT;  -- NULL: reading older runs does not fail
ALTER TABLE sync_state ADD COLUMN fill_problem TEXT;
ALTER TABLE sync_state ADD COLUMN fill_next_try_at BIGINT;

-- While a gap is filled, what lies behind it stays known; until now that was forgotten.
ALTER TABLE sync_state ADD COLUMN filled_before_at BIGINT;       -- filled_from_at of before the gap
UPDATE sync_state SET filled_from_at =
    (SELECT MIN(r.started_at) FROM runs r WHERE r.environment_id = sync_state.environment_id)
WHERE topic = 'runs' AND fill_goal_at IS NULL AND filled_from_at >
    (SELECT MIN(r.started_at) FROM runs r WHERE r.environment_id = sync_state.environment_id);
