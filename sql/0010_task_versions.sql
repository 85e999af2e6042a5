-- A task is changed under If-Match like every other entity.

ALTER TABLE planned_items ADD COLUMN version bigint NOT NULL DEFAULT 1;
