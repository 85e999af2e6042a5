-- Notes that a personality keeps of a user, found again by what they are about.

CREATE TABLE memories (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  -- Nobody's in particular where there is none: every personality recalls it.
  personality_id uuid,
  content text NOT NULL CHECK (btrim(content) <> ''),
  tokens int NOT NULL CHECK (tokens >= 0),
  -- Where it comes from, as whoever wrote it says it.
  source varchar(50),
  -- None until it was made, and again when the content is another; vectors of two models are never compared.
  embedding vector(1536),
  embedding_model varchar(200),
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK ((embedding IS NULL) = (embedding_model IS NULL)),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
-- The same note once: who brings it again finds it.
CREATE UNIQUE INDEX memories_content ON memories (tenant_id, user_id, personality_id, md5(content)) NULLS NOT DISTINCT;
CREATE INDEX memories_unembedded ON memories (created_at) WHERE embedding IS NULL;
CALL protect('memories', 'owned', 'user_id');
-- Embeddings are made in the background.
CREATE POLICY worker ON memories TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT ON memories TO personactors_worker;
GRANT UPDATE (embedding, embedding_model) ON memories TO personactors_worker;
