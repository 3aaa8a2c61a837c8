-- +goose Up
-- Since when GitHub refuses, for what may pass, to merge a member's pull request by
-- itself; 0 is not at all.
ALTER TABLE members ADD COLUMN merges_since bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE members DROP COLUMN merges_since;
