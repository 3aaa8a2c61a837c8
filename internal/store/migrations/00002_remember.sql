-- +goose Up
-- One text for SQLite and PostgreSQL. Times are milliseconds since 1970, 0 for never.

CREATE TABLE deliveries (
    guid         text    NOT NULL PRIMARY KEY,
    event        text    NOT NULL,
    action       text    NOT NULL,
    installation bigint  NOT NULL,
    repository   bigint  NOT NULL,
    received     bigint  NOT NULL,
    processed    bigint  NOT NULL,
    outcome      text    NOT NULL,
    jobs         bigint  NOT NULL
);
CREATE INDEX deliveries_processed ON deliveries (processed);

CREATE TABLE installations (
    id           bigint  NOT NULL PRIMARY KEY,
    account      text    NOT NULL,
    account_id   bigint  NOT NULL,
    account_type text    NOT NULL,
    permissions  text    NOT NULL,
    selection    text    NOT NULL,
    suspended    bigint  NOT NULL,
    updated      bigint  NOT NULL
);

CREATE TABLE repositories (
    id             bigint  NOT NULL PRIMARY KEY,
    installation   bigint  NOT NULL,
    owner          text    NOT NULL,
    name           text    NOT NULL,
    full_name      text    NOT NULL,
    default_branch text    NOT NULL,
    visibility     text    NOT NULL,
    template       text    NOT NULL,
    archived       boolean NOT NULL,
    created        bigint  NOT NULL,
    updated        bigint  NOT NULL
);
CREATE INDEX repositories_full_name ON repositories (full_name);
CREATE INDEX repositories_installation ON repositories (installation);

CREATE TABLE members (
    repository      bigint  NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    golden_path     text    NOT NULL,
    source          text    NOT NULL,
    channel         text    NOT NULL,
    version         text    NOT NULL,
    wanted          text    NOT NULL,
    state           text    NOT NULL,
    drifted         boolean NOT NULL,
    pull_request    bigint  NOT NULL,
    pushed_head     text    NOT NULL,
    offered         text    NOT NULL,
    refused         text    NOT NULL,
    digest          text    NOT NULL,
    paths           text    NOT NULL,
    error_kind      text    NOT NULL,
    error           text    NOT NULL,
    failed          bigint  NOT NULL,
    joined          bigint  NOT NULL,
    scaffolded      bigint  NOT NULL,
    first_deploy    bigint  NOT NULL,
    behind_since    bigint  NOT NULL,
    looked          bigint  NOT NULL,
    updated         bigint  NOT NULL,
    PRIMARY KEY (repository, golden_path)
);
CREATE INDEX members_state ON members (golden_path, state);

CREATE TABLE events (
    id           text    NOT NULL PRIMARY KEY,
    happened     bigint  NOT NULL,
    repository   bigint  NOT NULL,
    golden_path  text    NOT NULL,
    kind         text    NOT NULL,
    who          text    NOT NULL,
    what         text    NOT NULL,
    delivery     text    NOT NULL,
    job          bigint  NOT NULL
);
CREATE INDEX events_repository ON events (repository, id);

-- +goose Down
DROP TABLE events;
DROP TABLE members;
DROP TABLE repositories;
DROP TABLE installations;
DROP TABLE deliveries;
