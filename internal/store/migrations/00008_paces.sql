-- +goose Up
-- How GitHub treats an installation, which every replica has to know: nothing is sent
-- before until, and new pull requests go at rate, in thousandths an hour.
CREATE TABLE paces (
    installation bigint NOT NULL PRIMARY KEY,
    until        bigint NOT NULL,
    why          text   NOT NULL,
    rate         bigint NOT NULL,
    updated      bigint NOT NULL
);

-- +goose Down
DROP TABLE paces;
