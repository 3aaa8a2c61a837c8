-- +goose Up
-- Which resolutions were ever learned from a repository, also those that were forgotten
-- since: a lock goes on saying what was decided, and is not learned from twice. hunk is a
-- digest, as in resolutions.
CREATE TABLE lessons (
    installation bigint NOT NULL,
    repository   bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    golden_path  text   NOT NULL,
    hunk         text   NOT NULL,
    take         text   NOT NULL,
    learned      bigint NOT NULL,
    PRIMARY KEY (installation, repository, golden_path, hunk, take)
);
CREATE INDEX lessons_learned ON lessons (repository, learned);

INSERT INTO lessons (installation, repository, golden_path, hunk, take, learned)
SELECT installation, repository, golden_path, hunk, take, resolved FROM resolutions;

-- +goose Down
DROP TABLE lessons;
