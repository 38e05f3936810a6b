-- History at scale: when runs ended, what the platform has forgotten, how each flow does, what it was set to, and
-- people's views.

PRAGMA user_version = 4;

-- The runs once more: with their end and with when the platform forgot them, and with its JSON packed and behind all
-- that lists read (store::documents; what was stored before stays as it was).
CREATE TABLE runs_anew (
    environment_id   TEXT   NOT NULL,
    id               TEXT   NOT NULL,              -- Adobe's
    flow_id          TEXT   NOT NULL,
    status           TEXT   NOT NULL,              -- as Adobe says it
    outcome          TEXT   NOT NULL,              -- domain::run::Outcome
    started_at       BIGINT NOT NULL,              -- falls back to the platform's creation time
    completed_at     BIGINT,
    duration_ms      BIGINT,
    records_in       BIGINT,
    records_out      BIGINT,
    records_failed   BIGINT,
    files_in         BIGINT,
    bytes_in         BIGINT,
    bytes_out        BIGINT,
    error_code       TEXT,
    error_message    TEXT,
    window_start_at  BIGINT,
    window_end_at    BIGINT,
    platform_updated_at BIGINT NOT NULL,
    read_at          BIGINT NOT NULL,
    ended_at         BIGINT,                       -- only of a final one; falls back to its last change
    gone_at          BIGINT,                       -- no longer at the platform since
    raw              BLOB   NOT NULL,
    PRIMARY KEY (environment_id, id)
);
INSERT INTO runs_anew (environment_id, id, flow_id, status, outcome, started_at, completed_at, duration_ms, records_in,
    records_out, records_failed, files_in, bytes_in, bytes_out, error_code, error_message, window_start_at,
    window_end_at, platform_updated_at, read_at, ended_at, raw)
SELECT environment_id, id, flow_id, status, outcome, started_at, completed_at, duration_ms, records_in,
    records_out, records_failed, files_in, bytes_in, bytes_out, error_code, error_message, window_start_at,
    window_end_at, platform_updated_at, read_at,
    CASE WHEN outcome IN ('succeeded', 'partial', 'failed') THEN COALESCE(completed_at, platform_updated_at) END,
    CAST(raw AS BLOB)
FROM runs;
DROP TABLE runs;
ALTER TABLE runs_anew RENAME TO runs;
CREATE INDEX runs_by_flow ON runs (environment_id, flow_id, started_at, id);
CREATE INDEX runs_unfinished ON runs (environment_id, started_at, id) WHERE outcome IN ('waiting', 'running', 'unknown');
CREATE INDEX runs_by_start ON runs (environment_id, started_at, id);
CREATE INDEX runs_troubled ON runs (environment_id, outcome, ended_at, id) WHERE outcome IN ('failed', 'partial');

-- How each flow does, kept by the same transaction as its runs. Lateness comes with time alone, so its moment is
-- stored and not the fact.
CREATE TABLE flow_health (
    environment_id  TEXT   NOT NULL,
    flow_id         TEXT   NOT NULL,
    base            TEXT   NOT NULL,               -- domain::health::Health, without what comes with time
    base_since_at   BIGINT,
    stuck_at        BIGINT,                        -- from then on: stuck
    late_at         BIGINT,                        -- from then on: late
    on_since_at     BIGINT,                        -- when we saw it switched on; NULL: it always was
    recent_from_at  BIGINT,                        -- start of the oldest run below, when there are as many as are kept
    judgement       TEXT   NOT NULL,               -- JSON of domain::health::Judgement
    recent          TEXT   NOT NULL,               -- JSON of domain::health::RecentRun, the oldest first
    PRIMARY KEY (environment_id, flow_id)
);
CREATE INDEX flow_health_ranked ON flow_health (environment_id, base, stuck_at, late_at, flow_id);

-- What a flow was set to, each time that it changed.
CREATE TABLE flow_versions (
    environment_id  TEXT   NOT NULL,
    flow_id         TEXT   NOT NULL,
    number          BIGINT NOT NULL,               -- 1, 2, 3, …
    valid_from_at   BIGINT NOT NULL,               -- when the platform changed it; of the first: when it was made
    seen_at         BIGINT NOT NULL,
    configuration   TEXT   NOT NULL,               -- JSON: what people set, without counters and tags
    PRIMARY KEY (environment_id, flow_id, number)
);

-- Filters that people keep under a name.
CREATE TABLE saved_views (
    id          TEXT   NOT NULL PRIMARY KEY,
    team_id     TEXT   NOT NULL REFERENCES teams (id),
    user_id     TEXT   NOT NULL REFERENCES users (id),
    page        TEXT   NOT NULL CHECK (page IN ('flows', 'runs')),
    name        TEXT   NOT NULL,
    query       TEXT   NOT NULL,                   -- what stands after the question mark
    is_shared   BIGINT NOT NULL,                   -- with the team
    is_default  BIGINT NOT NULL,                   -- of its owner, at most one a page
    created_at  BIGINT NOT NULL,
    UNIQUE (team_id, user_id, page, name)
);

-- How far a new environment's history is filled.
ALTER TABLE sync_state ADD COLUMN filled_from_at BIGINT;  -- everything that started since then is stored
ALTER TABLE sync_state ADD COLUMN fill_goal_at BIGINT;    -- NULL: nothing is being filled

-- Runs that people asked Adobe for. Written before the call, so that a form sent twice asks once.
CREATE TABLE run_requests (
    id               TEXT   NOT NULL PRIMARY KEY,  -- the one-time key of the form
    team_id          TEXT   NOT NULL REFERENCES teams (id),
    environment_id   TEXT   NOT NULL REFERENCES environments (id),
    flow_id          TEXT   NOT NULL,
    retried_run_id   TEXT,                         -- NULL: a window was asked for
    window_start_at  BIGINT,
    window_end_at    BIGINT,
    requested_by     TEXT   NOT NULL REFERENCES users (id),
    requested_at     BIGINT NOT NULL,
    state            TEXT   NOT NULL CHECK (state IN ('sent', 'started', 'refused', 'unknown')),
    answered_at      BIGINT,
    run_id           TEXT,                         -- of the run that was started
    problem          TEXT
);
CREATE UNIQUE INDEX run_requests_on_their_way ON run_requests (environment_id, flow_id) WHERE state = 'sent';
CREATE INDEX run_requests_by_flow ON run_requests (environment_id, flow_id, requested_at);
CREATE INDEX run_requests_by_run ON run_requests (environment_id, run_id);
