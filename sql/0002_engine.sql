-- What the embedded engine keeps (in the cluster edition Orleans' own tables take its place). Nothing of truth is in
-- here: what is due and what is the case stand in the tables of their subjects. Grain keys carry the tenant, the tables
-- don't: only the engine reads them, for all tenants at once.

CREATE TABLE reminders (
  grain text NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  first_at timestamptz NOT NULL,
  period interval NOT NULL CHECK (period >= interval '1 minute'),
  due_at timestamptz NOT NULL,
  PRIMARY KEY (grain, key, name)
) WITH (fillfactor = 80);
CREATE INDEX reminders_due ON reminders (due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON reminders TO personactors_app;

CREATE TABLE grain_state (
  grain text NOT NULL,
  key text NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  state json NOT NULL,
  PRIMARY KEY (grain, key, name)
) WITH (fillfactor = 80);
GRANT SELECT, INSERT, UPDATE, DELETE ON grain_state TO personactors_app;
