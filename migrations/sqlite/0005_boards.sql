-- Wall boards: links that show how a team's flows do to whoever has them, without a sign-in.

PRAGMA user_version = 5;

CREATE TABLE board_links (
    id          TEXT   NOT NULL PRIMARY KEY,
    team_id     TEXT   NOT NULL REFERENCES teams (id),
    name        TEXT   NOT NULL,                   -- the screen it is for
    key_hash    TEXT   NOT NULL UNIQUE,            -- SHA-256 of the key in the link, hex
    created_by  TEXT   NOT NULL REFERENCES users (id),
    created_at  BIGINT NOT NULL,
    UNIQUE (team_id, name)
);
