-- What a personality was imported from, so that it goes out again as it came in: the card, with all that has no column here,
-- and the picture or archive that carried it.
CREATE TABLE personality_cards (
  tenant_id uuid NOT NULL,
  personality_id uuid NOT NULL,
  -- json, not jsonb: as it was written, order and numbers included.
  card json NOT NULL,
  file bytea,
  format varchar(5) NOT NULL CHECK (format IN ('json', 'png', 'charx')),
  imported_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, personality_id),
  CHECK ((file IS NULL) = (format = 'json')),
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE
);
-- Part of a personality's inside: its grain knows who may see that.
CALL protect_by('personality_cards',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
