-- +goose Up
-- The commit of our pull request whose check says what a person has to decide, and
-- a digest of that; '' where nothing is open.
ALTER TABLE members ADD COLUMN undecided text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE members DROP COLUMN undecided;
