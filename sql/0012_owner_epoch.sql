-- Under which ownership a stream is written. Whoever has to know that an earlier writer's lost transaction can't land any
-- more raises it; a transaction that names another one than the row has is refused.

ALTER TABLE streams ADD COLUMN owner_epoch bigint NOT NULL DEFAULT 0;
