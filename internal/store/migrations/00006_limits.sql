-- +goose Up
-- opened is when a pull request was last allowed to be opened. held is the digest of
-- the golden path that waits, and held_until when it is tried again. merges is the
-- number of the pull request for which we switched automatic merging on.
ALTER TABLE members ADD COLUMN opened bigint NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN held text NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN held_until bigint NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN merges bigint NOT NULL DEFAULT 0;
CREATE INDEX members_opened ON members (opened);

-- Whoever counts open pull requests holds this row, so that two do not take one place.
CREATE TABLE counting (
    what    text   NOT NULL PRIMARY KEY,
    updated bigint NOT NULL
);

-- +goose Down
DROP TABLE counting;
DROP INDEX members_opened;
ALTER TABLE members DROP COLUMN merges;
ALTER TABLE members DROP COLUMN held_until;
ALTER TABLE members DROP COLUMN held;
ALTER TABLE members DROP COLUMN opened;
