-- Times are UTC epoch milliseconds (BIGINT, names end in _at); booleans are BIGINT 0/1; JSON is TEXT.
-- Types are those that SQLite and PostgreSQL share, so the tables are not STRICT (STRICT knows no BIGINT).

-- The file's own marks: "HdGt", and the newest migration.
PRAGMA application_id = 1214531444;
PRAGMA user_version = 1;

CREATE TABLE teams (
    id          TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL UNIQUE,
    created_at  BIGINT NOT NULL
);

CREATE TABLE users (
    id            TEXT   NOT NULL PRIMARY KEY,
    login         TEXT   NOT NULL UNIQUE,          -- lower case, what is typed at sign-in
    name          TEXT   NOT NULL,                 -- shown to others
    password_hash TEXT,                            -- argon2id PHC string; NULL: cannot sign in with a password
    time_zone     TEXT,                            -- IANA name; NULL: the server's default
    disabled_at   BIGINT,
    created_at    BIGINT NOT NULL
);

CREATE TABLE memberships (
    team_id     TEXT   NOT NULL REFERENCES teams (id),
    user_id     TEXT   NOT NULL REFERENCES users (id),
    role        TEXT   NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id);

CREATE TABLE sessions (
    token_hash      TEXT   NOT NULL PRIMARY KEY,   -- SHA-256 of the cookie's value, hex
    user_id         TEXT   NOT NULL REFERENCES users (id),
    team_id         TEXT   NOT NULL REFERENCES teams (id),
    csrf            TEXT   NOT NULL,
    client_address  TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL                -- absolute end; the idle limit is counted from last_seen_at
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- One Adobe organization + sandbox + API credential of a team.
CREATE TABLE environments (
    id                        TEXT   NOT NULL PRIMARY KEY,
    team_id                   TEXT   NOT NULL REFERENCES teams (id),
    name                      TEXT   NOT NULL,
    platform_origin           TEXT   NOT NULL,     -- ids of one host must never be mixed with another's
    organization              TEXT   NOT NULL,     -- x-gw-ims-org-id
    sandbox                   TEXT   NOT NULL,     -- x-sandbox-name
    production                BIGINT NOT NULL,     -- 1: a production sandbox
    client_id                 TEXT   NOT NULL,
    client_secret             TEXT   NOT NULL,     -- sealed
    client_secret_fingerprint TEXT   NOT NULL,
    scopes                    TEXT   NOT NULL,
    data_lake_connection_id   TEXT,                -- the shared dataset base connection, once it is known
    check_steps               TEXT,                -- JSON: the last check of the credential, step by step
    checked_at                BIGINT,
    created_by                TEXT   NOT NULL,
    created_at                BIGINT NOT NULL,
    updated_at                BIGINT NOT NULL,
    archived_at               BIGINT,
    UNIQUE (team_id, name)
);

-- What the platform says about its sources, so that forms can follow it without waiting for it.
CREATE TABLE connection_specifications (
    environment_id  TEXT   NOT NULL REFERENCES environments (id),
    id              TEXT   NOT NULL,               -- Adobe's
    name            TEXT   NOT NULL,
    raw             TEXT   NOT NULL,
    read_at         BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);

CREATE TABLE connection_templates (
    id               TEXT   NOT NULL PRIMARY KEY,
    team_id          TEXT   NOT NULL REFERENCES teams (id),
    name             TEXT   NOT NULL,
    purpose          TEXT   NOT NULL,
    current_version  BIGINT NOT NULL,
    created_by       TEXT   NOT NULL REFERENCES users (id),
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    archived_at      BIGINT,
    UNIQUE (team_id, name)
);

-- Never updated: each save is a new row.
CREATE TABLE template_versions (
    id           TEXT   NOT NULL PRIMARY KEY,
    template_id  TEXT   NOT NULL REFERENCES connection_templates (id),
    version      BIGINT NOT NULL,
    recipe       TEXT   NOT NULL,                  -- JSON of domain::recipe::Recipe
    note         TEXT   NOT NULL,                  -- what changed, in the author's words
    created_by   TEXT   NOT NULL REFERENCES users (id),
    created_at   BIGINT NOT NULL,
    UNIQUE (template_id, version)
);

-- Sealed values. They belong to a template version, a draft or a setup and go with it.
CREATE TABLE secrets (
    id           TEXT   NOT NULL PRIMARY KEY,
    owner_kind   TEXT   NOT NULL CHECK (owner_kind IN ('template_version', 'draft', 'setup')),
    owner_id     TEXT   NOT NULL,
    field        TEXT   NOT NULL,
    sealed       TEXT   NOT NULL,
    fingerprint  TEXT   NOT NULL,
    set_by       TEXT   NOT NULL,
    set_at       BIGINT NOT NULL,
    UNIQUE (owner_kind, owner_id, field)
);

CREATE TABLE vault_canary (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    sealed  TEXT   NOT NULL
);

-- The answers of one creation form so far; a setup made from it points back here, at most once.
CREATE TABLE drafts (
    id                   TEXT   NOT NULL PRIMARY KEY,
    team_id              TEXT   NOT NULL REFERENCES teams (id),
    environment_id       TEXT   NOT NULL REFERENCES environments (id),
    template_version_id  TEXT   REFERENCES template_versions (id),
    recipe               TEXT   NOT NULL,          -- JSON of domain::recipe::Recipe
    answers              TEXT   NOT NULL,          -- JSON object: parameter name -> text
    created_by           TEXT   NOT NULL REFERENCES users (id),
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL
);
CREATE INDEX drafts_by_author ON drafts (created_by, team_id, updated_at, id);

CREATE TABLE setups (
    id                   TEXT   NOT NULL PRIMARY KEY,
    team_id              TEXT   NOT NULL REFERENCES teams (id),
    environment_id       TEXT   NOT NULL REFERENCES environments (id),
    template_version_id  TEXT   REFERENCES template_versions (id),
    draft_id             TEXT   NOT NULL UNIQUE,   -- one form, one setup, however often it is sent
    flow_name            TEXT   NOT NULL,
    state                TEXT   NOT NULL,
    question             TEXT,                     -- why a person is asked: a stable code
    question_detail      TEXT,
    undoing              BIGINT NOT NULL,
    retry_at             BIGINT,                   -- nothing to do before
    recipe               TEXT   NOT NULL,          -- JSON: every text rendered, no secrets
    answers              TEXT   NOT NULL,
    flow_id              TEXT,
    started_by           TEXT   NOT NULL REFERENCES users (id),
    created_at           BIGINT NOT NULL,
    updated_at           BIGINT NOT NULL,
    finished_at          BIGINT
);
CREATE INDEX setups_by_team ON setups (team_id, created_at, id);
CREATE INDEX setups_by_team_state ON setups (team_id, state, created_at, id);
CREATE INDEX setups_by_state ON setups (state, created_at);
CREATE INDEX setups_by_template ON setups (template_version_id);
CREATE INDEX setups_by_flow ON setups (environment_id, flow_id);

CREATE TABLE setup_steps (
    setup_id             TEXT   NOT NULL REFERENCES setups (id),
    kind                 TEXT   NOT NULL,          -- domain::setup::StepKind
    position             BIGINT NOT NULL,
    needs                TEXT   NOT NULL,          -- JSON array of kinds
    marker               TEXT   NOT NULL UNIQUE,
    method               TEXT   NOT NULL,
    path                 TEXT   NOT NULL,
    query                TEXT   NOT NULL,          -- JSON array of pairs
    body                 TEXT   NOT NULL,          -- JSON with references to other steps and to secrets
    state                TEXT   NOT NULL,
    attempt              BIGINT NOT NULL,
    looks                BIGINT NOT NULL,          -- complete look-ups that found nothing since the last send
    failed_looks         BIGINT NOT NULL,          -- look-ups in a row that could not be completed
    object_id            TEXT,
    etag                 TEXT,
    adopted              BIGINT NOT NULL,          -- 1: existed already, or was found instead of made
    sent_body            TEXT,                     -- what was sent last, references filled in but for secrets
    request_hash         TEXT,
    sent_at              BIGINT,
    answered_at          BIGINT,
    retry_at             BIGINT,
    answer_status        BIGINT,
    answer               TEXT,                     -- what the platform said, scrubbed and capped
    problem              TEXT,                     -- JSON: code, message, upstream request id
    upstream_request_id  TEXT,
    PRIMARY KEY (setup_id, kind)
);

-- The journal. Rows are only ever added.
CREATE TABLE setup_events (
    setup_id  TEXT   NOT NULL REFERENCES setups (id),
    seq       BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    step      TEXT,
    event     TEXT   NOT NULL,
    detail    TEXT   NOT NULL,
    epoch     BIGINT NOT NULL,
    PRIMARY KEY (setup_id, seq)
);

-- Who may act for something now. The epoch only grows and outlives the holder.
CREATE TABLE leases (
    name        TEXT   NOT NULL PRIMARY KEY,
    holder      TEXT   NOT NULL,
    epoch       BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE TABLE flows (
    environment_id        TEXT   NOT NULL REFERENCES environments (id),
    id                    TEXT   NOT NULL,         -- Adobe's
    name                  TEXT   NOT NULL,
    description           TEXT   NOT NULL,
    state                 TEXT   NOT NULL,         -- as Adobe says it
    connector             TEXT,                    -- our slug; NULL: a source we do not know
    source_connection_id  TEXT,
    target_connection_id  TEXT,
    base_connection_id    TEXT,
    dataset_id            TEXT,
    source_path           TEXT,
    frequency             TEXT,
    interval_count        BIGINT,
    start_at              BIGINT,
    backfill              BIGINT,
    etag                  TEXT,
    platform_created_at   BIGINT,
    platform_updated_at   BIGINT,
    platform_created_by   TEXT,
    raw                   TEXT   NOT NULL,
    last_run_id           TEXT,
    last_run_outcome      TEXT,
    last_run_at           BIGINT,
    read_at               BIGINT NOT NULL,
    gone_at               BIGINT,                  -- no longer listed by the platform since
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX flows_by_name ON flows (environment_id, name, id);
CREATE INDEX flows_counted ON flows (environment_id, gone_at, last_run_outcome);

CREATE TABLE runs (
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
    raw              TEXT   NOT NULL,
    read_at          BIGINT NOT NULL,
    PRIMARY KEY (environment_id, id)
);
CREATE INDEX runs_by_flow ON runs (environment_id, flow_id, started_at, id);
CREATE INDEX runs_unfinished ON runs (environment_id, started_at, id) WHERE outcome IN ('waiting', 'running', 'unknown');

-- Day sums per flow, kept by the same transaction as the runs.
CREATE TABLE run_days (
    environment_id  TEXT   NOT NULL,
    flow_id         TEXT   NOT NULL,
    day             BIGINT NOT NULL,               -- days since 1970-01-01 UTC of the run's start
    succeeded       BIGINT NOT NULL,
    partial         BIGINT NOT NULL,
    failed          BIGINT NOT NULL,
    unfinished      BIGINT NOT NULL,
    records_out     BIGINT NOT NULL,
    bytes_in        BIGINT NOT NULL,
    PRIMARY KEY (environment_id, flow_id, day)
);
-- Holds all that a team's day sums need.
CREATE INDEX run_days_by_day ON run_days (environment_id, day, succeeded, partial, failed, unfinished, records_out, bytes_in);

CREATE TABLE sync_state (
    environment_id   TEXT   NOT NULL REFERENCES environments (id),
    topic            TEXT   NOT NULL,              -- 'flows', 'runs', 'specifications'
    watermark_at     BIGINT NOT NULL,              -- everything the platform changed before is stored
    attempted_at     BIGINT NOT NULL,
    succeeded_at     BIGINT,
    failing_since_at BIGINT,
    problem          TEXT,
    PRIMARY KEY (environment_id, topic)
);

-- Who did what. Only ever added to; `prev_hash` and `hash` wait for the chain.
CREATE TABLE audit_events (
    seq                  BIGINT NOT NULL PRIMARY KEY,  -- without gaps, given under the writer's lock
    id                   TEXT   NOT NULL UNIQUE,
    at                   BIGINT NOT NULL,
    team_id              TEXT,                     -- NULL: concerns the whole installation
    actor_kind           TEXT   NOT NULL CHECK (actor_kind IN ('person', 'system', 'operator')),
    actor_id             TEXT,
    actor_name           TEXT   NOT NULL,          -- as shown at the time
    actor_role           TEXT,
    session_fingerprint  TEXT,
    client_address       TEXT,
    request_id           TEXT   NOT NULL,
    event                TEXT   NOT NULL,
    object_kind          TEXT   NOT NULL,
    object_id            TEXT   NOT NULL,
    object_name          TEXT   NOT NULL,
    before               TEXT,                     -- JSON of what changed, without secrets
    after                TEXT,
    phase                TEXT   NOT NULL CHECK (phase IN ('done', 'intent', 'outcome', 'refused')),
    intent_id            TEXT,                     -- an outcome names its intent
    prev_hash            TEXT,
    hash                 TEXT
);
CREATE INDEX audit_by_team ON audit_events (team_id, seq);
CREATE INDEX audit_by_object ON audit_events (team_id, object_kind, object_id, seq);
CREATE INDEX audit_by_actor ON audit_events (team_id, actor_id, seq);
CREATE INDEX audit_by_event ON audit_events (team_id, event, seq);

CREATE TRIGGER audit_events_no_update BEFORE UPDATE OF seq, id, at, team_id, actor_kind, actor_id, actor_name,
    actor_role, session_fingerprint, client_address, request_id, event, object_kind, object_id, object_name,
    before, after, phase, intent_id ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;
CREATE TRIGGER setup_events_no_update BEFORE UPDATE ON setup_events
BEGIN SELECT RAISE(ABORT, 'the journal is never changed'); END;
CREATE TRIGGER setup_events_no_delete BEFORE DELETE ON setup_events
BEGIN SELECT RAISE(ABORT, 'the journal is never deleted'); END;
