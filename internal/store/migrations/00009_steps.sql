-- +goose Up
-- What became of the things that a job does one after the other, by number, as JSON, so
-- that it goes on where it failed. Kept for as long as the job.
CREATE TABLE steps (
    job      bigint NOT NULL,
    position bigint NOT NULL,
    what     text   NOT NULL,
    PRIMARY KEY (job, position)
);

-- +goose Down
DROP TABLE steps;
