-- Long work: imports, exports, re-embedding. Here stands that there is a job, whose it is and what became of it; how far it
-- is, which nothing but the job itself needs, is in Orleans' grain storage (sql/0011).

CREATE TABLE jobs (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  kind varchar(40) NOT NULL CHECK (btrim(kind) <> ''),
  -- For whom; nobody's are the tenant's.
  user_id uuid,
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  status varchar(10) NOT NULL CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
  -- What it was asked for. It may name secrets, and goes when the job ends.
  input json,
  -- As it was told last.
  phase varchar(40) NOT NULL,
  done bigint NOT NULL,
  total bigint,
  report json,
  failure json,
  stays text,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  CHECK ((status = 'running') = (ended_at IS NULL)),
  CHECK (ended_at IS NULL OR input IS NULL),
  CONSTRAINT jobs_user FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX jobs_user_id ON jobs (tenant_id, user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX jobs_running ON jobs (tenant_id, user_id) WHERE status = 'running';
CREATE INDEX jobs_ended ON jobs (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX jobs_created_by ON jobs (created_by) WHERE created_by IS NOT NULL;
CALL protect('jobs', 'owned', 'user_id');
-- The worker looks which ones run, and takes away those that ended long ago.
CREATE POLICY worker ON jobs TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON jobs TO personactors_worker;

-- How far a job is goes with the job, whoever or whatever deletes that. Its grain's key is the tenant's id and its own.
CREATE INDEX orleans_storage_jobs ON orleans_storage (grain_id_extension) WHERE grain_type = 'job';
CREATE FUNCTION forget_job_progress() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  DELETE FROM orleans_storage
  WHERE grain_type = 'job' AND grain_id_extension = replace(OLD.tenant_id::text, '-', '') || '/' || replace(OLD.id::text, '-', '');
  RETURN NULL;
END $$;
CREATE TRIGGER forget_job_progress AFTER DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION forget_job_progress();
