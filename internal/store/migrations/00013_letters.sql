-- +goose Up
-- The dead letter of work of which only the newest counts, which newer work replaces;
-- 0 is none.
ALTER TABLE newest ADD COLUMN letter bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE newest DROP COLUMN letter;
