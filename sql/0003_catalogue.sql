-- What a tenant offers to all its members: system prompts, LLM configs, focus modes. A user may own LLM configs too.

-- As protect (0001), for tables whose readers and writers are none of its kinds.
CREATE PROCEDURE protect_by(target regclass, readable text, writable text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY app_select ON %s FOR SELECT TO personactors_app USING (%s)', target, readable);
  EXECUTE format('CREATE POLICY app_insert ON %s FOR INSERT TO personactors_app WITH CHECK (%s)', target, writable);
  EXECUTE format('CREATE POLICY app_update ON %s FOR UPDATE TO personactors_app USING (%s) WITH CHECK (%s)', target, writable, writable);
  EXECUTE format('CREATE POLICY app_delete ON %s FOR DELETE TO personactors_app USING (%s)', target, writable);
  EXECUTE format('CREATE POLICY migrator ON %s TO personactors_migrator USING (true) WITH CHECK (true)', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO personactors_app', target);
END $$;

-- Of the whole tenant: its members read, tenant-wide work writes. Rows without a tenant are the system's.
CREATE PROCEDURE protect_catalogue(target regclass) LANGUAGE plpgsql AS $$
BEGIN
  CALL protect_by(target,
    'tenant_id = app_tenant() OR (tenant_id IS NULL AND (app_tenant() IS NOT NULL OR app_scope() = ''operator''))',
    '(tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')) OR (tenant_id IS NULL AND app_scope() = ''operator'')');
END $$;

-- The version of a tenant's catalogue, raised by every change in it: its rows are many, their writer is one.
CREATE TABLE catalogues (
  tenant_id uuid REFERENCES tenants ON DELETE CASCADE,
  version bigint NOT NULL,
  UNIQUE NULLS NOT DISTINCT (tenant_id)
);
CALL protect_catalogue('catalogues');

CREATE TABLE system_prompts (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  name varchar(255) NOT NULL CHECK (btrim(name) <> ''),
  description text,
  content text NOT NULL,
  is_default boolean NOT NULL DEFAULT false,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX system_prompts_default ON system_prompts (tenant_id) WHERE is_default;
CALL protect_catalogue('system_prompts');

CREATE TABLE llm_configs (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  owner_id uuid,
  is_global boolean NOT NULL GENERATED ALWAYS AS (owner_id IS NULL) STORED,
  name varchar(100) NOT NULL CHECK (btrim(name) <> ''),
  description text,
  model varchar(200),
  vision_model varchar(200),
  provider varchar(100),
  temperature double precision CHECK (temperature BETWEEN 0 AND 2),
  top_p double precision CHECK (top_p BETWEEN 0 AND 1),
  min_p double precision CHECK (min_p BETWEEN 0 AND 1),
  top_a double precision CHECK (top_a BETWEEN 0 AND 1),
  top_k int CHECK (top_k >= 0),
  frequency_penalty double precision CHECK (frequency_penalty BETWEEN -2 AND 2),
  presence_penalty double precision CHECK (presence_penalty BETWEEN -2 AND 2),
  repetition_penalty double precision CHECK (repetition_penalty BETWEEN 0 AND 2),
  max_tokens int CHECK (max_tokens > 0),
  context_window_tokens int CHECK (context_window_tokens >= 1000),
  stop text[],
  seed bigint,
  logit_bias json,
  response_format json,
  reasoning varchar(10) CHECK (reasoning IN ('off', 'minimal', 'low', 'medium', 'high', 'max')),
  memory_score_threshold double precision CHECK (memory_score_threshold BETWEEN 0 AND 1),
  memory_limit int CHECK (memory_limit >= 0),
  is_default boolean NOT NULL DEFAULT false,
  is_free_default boolean NOT NULL DEFAULT false,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CHECK (owner_id IS NULL OR NOT (is_default OR is_free_default)),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users ON DELETE CASCADE
);
CREATE UNIQUE INDEX llm_configs_name ON llm_configs (tenant_id, owner_id, lower(name)) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX llm_configs_default ON llm_configs (tenant_id) WHERE is_default;
CREATE UNIQUE INDEX llm_configs_free_default ON llm_configs (tenant_id) WHERE is_free_default;
-- A member sees the global ones and its own, and writes its own.
CALL protect_by('llm_configs',
  'tenant_id = app_tenant() AND (owner_id IS NULL OR owner_id = app_user() OR app_scope() IN (''tenant'', ''operator''))',
  'tenant_id = app_tenant() AND (owner_id = app_user() OR app_scope() IN (''tenant'', ''operator''))');

CREATE TABLE focus_modes (
  tenant_id uuid REFERENCES tenants ON DELETE CASCADE,
  id uuid PRIMARY KEY,
  mode_name varchar(100) NOT NULL CHECK (btrim(mode_name) <> ''),
  display_name varchar(200) NOT NULL,
  description text,
  icon varchar(50),
  system_prompt text NOT NULL,
  default_model varchar(100),
  settings json NOT NULL DEFAULT '{}',
  is_system boolean NOT NULL GENERATED ALWAYS AS (tenant_id IS NULL) STORED,
  is_active boolean NOT NULL DEFAULT true,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT focus_modes_name UNIQUE NULLS NOT DISTINCT (tenant_id, mode_name)
);
CALL protect_catalogue('focus_modes');

-- A system mode and a tenant's mode never share a name, whoever comes first. Row-level security would hide one from the
-- other's writer, so this looks as its owner; the lock makes two at once follow each other.
CREATE FUNCTION focus_mode_name_is_free() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('focus_mode ' || NEW.mode_name, 0));
  IF EXISTS (SELECT FROM focus_modes f WHERE f.mode_name = NEW.mode_name AND f.id <> NEW.id AND (f.tenant_id IS NULL) <> (NEW.tenant_id IS NULL)) THEN
    RAISE EXCEPTION 'the mode name % is taken', NEW.mode_name USING ERRCODE = 'unique_violation', TABLE = 'focus_modes', CONSTRAINT = 'focus_modes_name';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER focus_mode_name BEFORE INSERT OR UPDATE OF mode_name ON focus_modes FOR EACH ROW EXECUTE FUNCTION focus_mode_name_is_free();

INSERT INTO focus_modes (id, mode_name, display_name, description, icon, system_prompt, created_at, updated_at)
SELECT id::uuid, mode_name, display_name, description, icon, system_prompt, '2025-01-01T00:00:00Z', '2025-01-01T00:00:00Z' FROM (VALUES
  ('01941f29-7c00-7000-8000-000000000001', 'general', 'General Assistant', 'Versatile AI for any task', 'MessageSquare', 'You are a helpful, harmless, and honest AI assistant.'),
  ('01941f29-7c00-7000-8000-000000000002', 'code', 'Code Expert', 'Programming and development focus', 'Code', 'You are an expert software developer. Focus on clean, efficient, well-documented code. Explain your reasoning and suggest best practices.'),
  ('01941f29-7c00-7000-8000-000000000003', 'writer', 'Creative Writer', 'Creative writing and content creation', 'PenTool', 'You are a creative writing assistant. Help with storytelling, content creation, and writing improvement. Be imaginative and expressive.'),
  ('01941f29-7c00-7000-8000-000000000004', 'analyst', 'Data Analyst', 'Data analysis and insights', 'BarChart', 'You are a data analyst. Focus on extracting insights, identifying patterns, and presenting findings clearly. Be precise and methodical.'),
  ('01941f29-7c00-7000-8000-000000000005', 'researcher', 'Research Assistant', 'Deep research and fact-finding', 'Search', 'You are a research assistant. Provide thorough, well-sourced information. Verify facts and present balanced perspectives.')
) AS modes (id, mode_name, display_name, description, icon, system_prompt);
