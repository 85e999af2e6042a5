-- What jobs are given as a file, and what they make. It goes with its job, an archive after a day.
CREATE TABLE job_files (
  tenant_id uuid NOT NULL,
  job_id uuid NOT NULL,
  name varchar(20) NOT NULL CHECK (name IN ('input', 'archive')),
  content bytea NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (tenant_id, job_id, name),
  FOREIGN KEY (tenant_id, job_id) REFERENCES jobs ON DELETE CASCADE
);
CREATE INDEX job_files_expires ON job_files (expires_at) WHERE expires_at IS NOT NULL;
CALL protect_by('job_files',
  'tenant_id = app_tenant() AND EXISTS (SELECT FROM jobs j WHERE j.tenant_id = job_files.tenant_id AND j.id = job_files.job_id)',
  'tenant_id = app_tenant() AND EXISTS (SELECT FROM jobs j WHERE j.tenant_id = job_files.tenant_id AND j.id = job_files.job_id)');
CREATE POLICY worker ON job_files TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON job_files TO personactors_worker;
