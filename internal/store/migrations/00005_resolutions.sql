-- +goose Up
-- How people resolved conflicts, one row for a conflict and a repository. hunk is a
-- digest of the conflict's texts; wrote is what somebody wrote that is neither side's,
-- and digest is of that.
CREATE TABLE resolutions (
    installation bigint NOT NULL,
    hunk         text   NOT NULL,
    repository   bigint NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    golden_path  text   NOT NULL,
    take         text   NOT NULL,
    digest       text   NOT NULL,
    wrote        text   NOT NULL,
    resolved     bigint NOT NULL,
    PRIMARY KEY (installation, hunk, repository)
);
CREATE INDEX resolutions_repository ON resolutions (repository, resolved);

-- +goose Down
DROP TABLE resolutions;
