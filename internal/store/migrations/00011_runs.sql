-- +goose Up
-- Which run of a workflow a start became, when it was asked for last and when that
-- ended, so that runs of other starts are not taken for one whose answer was lost; and
-- whether people were told that it cannot be known.
ALTER TABLE starts ADD COLUMN run bigint NOT NULL DEFAULT 0;
ALTER TABLE starts ADD COLUMN tried bigint NOT NULL DEFAULT 0;
ALTER TABLE starts ADD COLUMN ended bigint NOT NULL DEFAULT 0;
ALTER TABLE starts ADD COLUMN told bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE starts DROP COLUMN told;
ALTER TABLE starts DROP COLUMN ended;
ALTER TABLE starts DROP COLUMN tried;
ALTER TABLE starts DROP COLUMN run;
