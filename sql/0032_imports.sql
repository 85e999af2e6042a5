-- What an import has read elsewhere and not applied yet, what it maps to here, and what had to change on the way. It goes with its job.
CREATE TABLE import_rows (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  -- The table that it is from, or what was made of it: 'user', 'persona', 'new …', 'note'.
  kind varchar(60) NOT NULL,
  id text NOT NULL,
  row jsonb NOT NULL,
  PRIMARY KEY (tenant_id, job_id, kind, id),
  FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE CASCADE
);
CALL protect_by('import_rows',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
