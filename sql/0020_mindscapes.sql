-- Mindscapes: what was observed of people, what is known of them by it, and what agents were given of that.

-- What is known of a person: the fold of all that was recorded of them, up to applied_number.
CREATE TABLE mindscapes (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  traits json NOT NULL,
  -- The number of the entry that changed the traits last; 0 as long as none did.
  version bigint NOT NULL,
  last_number bigint NOT NULL,
  applied_number bigint NOT NULL CHECK (applied_number <= last_number),
  is_paused boolean NOT NULL,
  -- Counts the writes of this row, which its next writer names.
  row_version bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CALL protect('mindscapes', 'owned', 'person_id');

-- Everything the fold is made of, in the person's own numbering: observations, traits that were set, feedback, and that
-- something was forgotten, whose own row and number are gone.
CREATE TABLE observations (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  number bigint NOT NULL CHECK (number > 0),
  kind varchar(12) NOT NULL CHECK (kind IN ('observation', 'traits', 'feedback', 'forgotten')),
  type varchar(50) NOT NULL CHECK (btrim(type) <> ''),
  content json NOT NULL,
  metadata json NOT NULL,
  source varchar(50),
  -- The sender's own id: once a person, whoever sends it again.
  client_id varchar(200),
  content_hash bytea NOT NULL CHECK (length(content_hash) = 32),
  -- The same was said before by somebody more to be trusted: it is kept, and counts for nothing.
  is_echo boolean NOT NULL DEFAULT false,
  observed_at timestamptz,
  created_at timestamptz NOT NULL,
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT observations_number UNIQUE (tenant_id, person_id, number),
  CONSTRAINT observations_client_id UNIQUE (tenant_id, person_id, client_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX observations_newest ON observations (tenant_id, created_at) WHERE kind = 'observation';
CREATE INDEX observations_person ON observations (tenant_id, person_id, created_at, number) WHERE kind = 'observation';
CREATE INDEX observations_content ON observations (tenant_id, person_id, content_hash);
CREATE INDEX observations_created_by ON observations (created_by) WHERE created_by IS NOT NULL;
CALL protect('observations', 'owned', 'person_id');

-- Each version of a mindscape, with what made it so.
CREATE TABLE mindscape_history (
  tenant_id uuid NOT NULL,
  person_id uuid NOT NULL,
  version bigint NOT NULL,
  cause json NOT NULL,
  -- By path: the trait before and after, and what came in.
  changes json NOT NULL,
  observed_at timestamptz NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, person_id, version),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE
);
CALL protect('mindscape_history', 'owned', 'person_id');

CREATE TABLE mapper_configs (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  -- The key of its grain: of the same config_id always the same.
  mapper uuid NOT NULL,
  config_id varchar(255) NOT NULL CHECK (btrim(config_id) <> ''),
  version int NOT NULL CHECK (version > 0),
  configuration json NOT NULL,
  status varchar(20) NOT NULL CHECK (status IN ('draft', 'active', 'deprecated')),
  usage_count int NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT mapper_configs_version UNIQUE (tenant_id, config_id, version),
  UNIQUE (tenant_id, mapper, version)
);
CREATE UNIQUE INDEX mapper_configs_active ON mapper_configs (tenant_id, config_id) WHERE status = 'active';
CREATE INDEX mapper_configs_status ON mapper_configs (tenant_id, status);
CREATE INDEX mapper_configs_created_by ON mapper_configs (created_by) WHERE created_by IS NOT NULL;
CALL protect_catalogue('mapper_configs');
-- What every tenant begins with is given to it in the background.
CREATE POLICY worker ON mapper_configs TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON mapper_configs TO personactors_worker;

-- What feedback made of a rule's weight. No version is made of it: a click must not bury the versions that people make.
CREATE TABLE mapper_rule_weights (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  config_id varchar(255) NOT NULL,
  rule_id varchar(255) NOT NULL,
  weight double precision NOT NULL,
  original_weight double precision NOT NULL,
  is_locked boolean NOT NULL DEFAULT false,
  last_adjusted timestamptz,
  adjustment_reason text,
  -- From here on not-helpful answers are counted; at most one adjustment down a day.
  lowered_at timestamptz,
  PRIMARY KEY (tenant_id, config_id, rule_id)
);
CALL protect_catalogue('mapper_rule_weights');

CREATE TABLE generated_personas (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  mapper_id uuid NOT NULL,
  mapper_config_id varchar(255) NOT NULL,
  mapper_version int NOT NULL,
  mindscape_version bigint NOT NULL,
  core json NOT NULL,
  overlay json NOT NULL,
  metadata json NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, person_id, id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, mapper_id) REFERENCES mapper_configs
);
CREATE INDEX generated_personas_person ON generated_personas (tenant_id, person_id, created_at);
CREATE INDEX generated_personas_newest ON generated_personas (tenant_id, created_at);
CREATE INDEX generated_personas_expires ON generated_personas (tenant_id, person_id, expires_at);
CREATE INDEX generated_personas_mapper ON generated_personas (tenant_id, mapper_config_id, created_at);
CREATE INDEX generated_personas_mapper_row ON generated_personas (tenant_id, mapper_id);
CREATE INDEX generated_personas_created_by ON generated_personas (created_by) WHERE created_by IS NOT NULL;
CALL protect('generated_personas', 'owned', 'person_id');

CREATE TABLE feedback (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  person_id uuid NOT NULL,
  persona_id uuid NOT NULL,
  rating int CHECK (rating BETWEEN 1 AND 5),
  helpful boolean,
  context json NOT NULL,
  rule_id varchar(255),
  suggestion_type varchar(100),
  mapper_config_id varchar(255) NOT NULL,
  mapper_version int NOT NULL,
  client_id varchar(200),
  -- The rule's weight has learnt from it.
  is_applied boolean NOT NULL,
  -- It lowered the weights of the traits behind its type: the count of those not helpful begins anew.
  has_lowered boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  created_by uuid REFERENCES api_keys (id) ON DELETE SET NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT feedback_client_id UNIQUE (tenant_id, person_id, client_id),
  FOREIGN KEY (tenant_id, person_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, person_id, persona_id) REFERENCES generated_personas (tenant_id, person_id, id) ON DELETE CASCADE
);
CREATE INDEX feedback_persona ON feedback (tenant_id, persona_id);
CREATE INDEX feedback_person ON feedback (tenant_id, person_id, created_at);
CREATE INDEX feedback_rule ON feedback (tenant_id, mapper_config_id, rule_id, created_at);
CREATE INDEX feedback_unapplied ON feedback (tenant_id, mapper_config_id) WHERE NOT is_applied;
CREATE INDEX feedback_created_by ON feedback (created_by) WHERE created_by IS NOT NULL;
CALL protect('feedback', 'owned', 'person_id');

-- What a person's own transaction may ask for (sql/0014).
DROP POLICY app_insert ON outbox_tasks;
CREATE POLICY app_insert ON outbox_tasks FOR INSERT TO personactors_app WITH CHECK (tenant_id = app_tenant() AND (
  app_scope() IN ('tenant', 'operator')
  OR (kind IN ('user.forget', 'focus.started', 'focus.ended', 'focus.end-live', 'mindscape.fold', 'mapper.learn')
      AND coalesce(payload ->> 'user', payload ->> 'person') = app_user()::text)));
