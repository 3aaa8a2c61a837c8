-- +goose Up
-- The workflows that a repository's set-up starts: GitHub has no key for a run, so that
-- nobody else knows which repository has started its own.
CREATE TABLE starts (
    repository bigint NOT NULL,
    work       text   NOT NULL,
    began      bigint NOT NULL,
    done       bigint NOT NULL,
    PRIMARY KEY (repository, work)
);

-- +goose Down
DROP TABLE starts;
