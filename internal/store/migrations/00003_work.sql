-- +goose Up
-- What internal/jobs needs beside River's tables.

-- newest holds, for work of which only the newest counts, how often it was
-- wanted, up to which of these it was done, the newest arguments, and the job
-- that waits to do it (0: none).
CREATE TABLE newest (
    kind    text   NOT NULL,
    key     text   NOT NULL,
    wanted  bigint NOT NULL,
    done    bigint NOT NULL,
    waiting bigint NOT NULL,
    args    text   NOT NULL,
    updated bigint NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX newest_updated ON newest (updated);

-- A lane is what one job at a time may work on; job is the last that did.
CREATE TABLE lanes (
    lane    text   NOT NULL PRIMARY KEY,
    job     bigint NOT NULL,
    updated bigint NOT NULL
);
CREATE INDEX lanes_updated ON lanes (updated);

-- replicas are the processes that work. beat rises while one lives; seen is when it
-- last did, by its own clock, for people.
CREATE TABLE replicas (
    id   text   NOT NULL PRIMARY KEY,
    beat bigint NOT NULL,
    seen bigint NOT NULL
);

-- +goose Down
DROP TABLE replicas;
DROP TABLE lanes;
DROP TABLE newest;
