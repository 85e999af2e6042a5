-- What another model embedded than the service's own is looked for from time to time, and embedded anew by a job.
CREATE INDEX memories_model ON memories (embedding_model, tenant_id) WHERE embedding_model IS NOT NULL;
CREATE POLICY worker ON narrative_vectors FOR SELECT TO personactors_worker USING (true);
GRANT SELECT (tenant_id, model) ON narrative_vectors TO personactors_worker;
