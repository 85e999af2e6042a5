-- What people say of themselves, and what they correct, found again by meaning and by words.

CREATE TABLE narratives (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  type varchar(20) NOT NULL CHECK (type IN ('self_observation', 'curation')),
  text text NOT NULL CHECK (btrim(text) <> ''),
  curated_text text,
  tags text[] NOT NULL,
  trait_path varchar(200),
  action varchar(20) CHECK (action IN ('correct', 'expand', 'clarify')),
  original_value json,
  context json NOT NULL,
  source varchar(50),
  -- The sender's own id: once a person, whoever sends it again.
  client_id varchar(200),
  -- Of the text as it is compared with others: the same words from somebody less to be trusted add nothing.
  said bytea NOT NULL CHECK (length(said) = 32),
  words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('english', coalesce(curated_text || ' ', '') || text)) STORED,
  version int NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, person_id, id),
  CONSTRAINT narratives_client_id UNIQUE (tenant_id, person_id, client_id),
  CHECK ((type = 'curation') = (trait_path IS NOT NULL)),
  CHECK ((type = 'curation') = (action IS NOT NULL)),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX narratives_said ON narratives (tenant_id, person_id, said);
CREATE INDEX narratives_created_by ON narratives (created_by) WHERE created_by IS NOT NULL;
-- No index on words or tags: row-level security reads a person's rows first, and those by the person's index.
CALL protect('narratives', 'owned', 'person_id');

-- The vectors, of one model each: apart, so that a search by words doesn't read them, and in the row, so that one by meaning
-- reads them at once.
CREATE TABLE narrative_vectors (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  narrative_id uuid NOT NULL,
  type varchar(20) NOT NULL,
  model varchar(200) NOT NULL,
  embedding vector(1536) NOT NULL,
  PRIMARY KEY (tenant_id, person_id, narrative_id),
  FOREIGN KEY (tenant_id, person_id, narrative_id) REFERENCES narratives (tenant_id, person_id, id) ON DELETE CASCADE
);
ALTER TABLE narrative_vectors ALTER COLUMN embedding SET STORAGE PLAIN;
CREATE INDEX narrative_vectors_near ON narrative_vectors USING hnsw (embedding vector_cosine_ops);
CREATE INDEX narrative_vectors_model ON narrative_vectors (model, tenant_id, person_id);
CALL protect('narrative_vectors', 'owned', 'person_id');

-- What a narrative says of traits.
CREATE TABLE trait_narrative_links (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  narrative_id uuid NOT NULL,
  trait_path varchar(200) NOT NULL,
  link_type varchar(20) NOT NULL CHECK (link_type IN ('extracted_from', 'curates', 'supports', 'contradicts')),
  confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id, narrative_id, trait_path, link_type),
  FOREIGN KEY (tenant_id, person_id, narrative_id) REFERENCES narratives (tenant_id, person_id, id) ON DELETE CASCADE
);
CREATE INDEX trait_narrative_links_trait ON trait_narrative_links (tenant_id, person_id, trait_path);
CALL protect('trait_narrative_links', 'owned', 'person_id');

-- Which narratives went into a persona that was made for an agent.
CREATE TABLE persona_narrative_usage (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  persona_id uuid NOT NULL,
  narrative_id uuid NOT NULL,
  usage_type varchar(50) NOT NULL,
  relevance double precision NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id, persona_id, narrative_id, usage_type),
  FOREIGN KEY (tenant_id, person_id, persona_id) REFERENCES generated_personas (tenant_id, person_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, person_id, narrative_id) REFERENCES narratives (tenant_id, person_id, id) ON DELETE CASCADE
);
CREATE INDEX persona_narrative_usage_narrative ON persona_narrative_usage (tenant_id, person_id, narrative_id);
CALL protect('persona_narrative_usage', 'owned', 'person_id');

-- What a narrative says of traits is folded with the rest, under its own id.
ALTER TABLE observations DROP CONSTRAINT observations_kind_check;
ALTER TABLE observations ADD CONSTRAINT observations_kind_check CHECK (kind IN ('observation', 'traits', 'feedback', 'forgotten', 'narrative', 'curation'));

-- What a person's own transaction may ask for (sql/0020).
DROP POLICY app_insert ON outbox_tasks;
CREATE POLICY app_insert ON outbox_tasks FOR INSERT TO personactors_app WITH CHECK (tenant_id = app_tenant() AND (
  app_scope() IN ('tenant', 'operator')
  OR (kind IN ('user.forget', 'focus.started', 'focus.ended', 'focus.end-live', 'mindscape.fold', 'mapper.learn', 'narrative.embed')
      AND coalesce(payload ->> 'user', payload ->> 'person') = app_user()::text)));
