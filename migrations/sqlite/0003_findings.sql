-- What the sweep found at the platform, and when it looked.

PRAGMA user_version = 3;

-- An object that does not fit our records. Rows stay: they tell what was decided.
CREATE TABLE findings (
    id                   TEXT   NOT NULL PRIMARY KEY,
    team_id              TEXT   NOT NULL REFERENCES teams (id),
    environment_id       TEXT   NOT NULL REFERENCES environments (id),
    verdict              TEXT   NOT NULL CHECK (verdict IN ('duplicate', 'unclaimed', 'vanished')),
    object_kind          TEXT   NOT NULL,          -- domain::setup::StepKind: the step that makes such objects
    object_id            TEXT   NOT NULL,          -- Adobe's
    object_name          TEXT   NOT NULL,
    marker               TEXT   NOT NULL,
    setup_id             TEXT   REFERENCES setups (id),
    step                 TEXT,                     -- of that setup
    platform_created_at  BIGINT,
    found_at             BIGINT NOT NULL,
    seen_at              BIGINT NOT NULL,          -- begin of the last look that saw it
    state                TEXT   NOT NULL CHECK (state IN ('open', 'deleting', 'deleted', 'dismissed', 'settled')),
    decided_by           TEXT   REFERENCES users (id),
    decided_at           BIGINT,                   -- set unless it is open
    problem              TEXT,                     -- why it could not be deleted
    UNIQUE (environment_id, verdict, object_kind, object_id)
);
CREATE INDEX findings_by_team ON findings (team_id, state, verdict, found_at, id);
CREATE INDEX findings_decided ON findings (team_id, decided_at, id) WHERE state IN ('deleted', 'dismissed', 'settled');
CREATE INDEX findings_deleting ON findings (state, decided_at, id) WHERE state = 'deleting';
CREATE INDEX findings_by_setup ON findings (setup_id, state);
CREATE INDEX findings_by_marker ON findings (marker, state);
CREATE INDEX setup_steps_by_object ON setup_steps (object_id);

-- When each environment is looked through as a whole.
CREATE TABLE sweeps (
    environment_id  TEXT   NOT NULL PRIMARY KEY REFERENCES environments (id),
    due_at          BIGINT NOT NULL,
    begun_at        BIGINT,
    ended_at        BIGINT                         -- of the last one that came to its end
);

-- How the reading of each of its collections went.
CREATE TABLE sweep_collections (
    environment_id    TEXT   NOT NULL REFERENCES environments (id),
    collection        TEXT   NOT NULL,             -- domain::setup::StepKind, as in findings
    attempted_at      BIGINT NOT NULL,
    read_at           BIGINT,                      -- the last complete reading
    failing_since_at  BIGINT,
    problem           TEXT,
    PRIMARY KEY (environment_id, collection)
);

-- The look at what a setup has made, after it has finished.
CREATE TABLE setup_checks (
    setup_id     TEXT   NOT NULL PRIMARY KEY REFERENCES setups (id),
    finished_at  BIGINT NOT NULL,                  -- of the setup: one that finishes again is looked at again
    attempts     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL,
    checked_at   BIGINT,                           -- it was looked at, or given up
    problem      TEXT
);
CREATE INDEX setups_finished ON setups (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX setups_finished_in ON setups (environment_id, finished_at) WHERE finished_at IS NOT NULL;
