-- AI characters, who may do what with them, what they are called and which model they speak with.

CREATE TABLE personalities (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  name varchar(255) NOT NULL CHECK (btrim(name) <> ''),
  slug varchar(50) NOT NULL CHECK (slug ~ '^[a-z][a-z0-9-]{2,49}$'),
  display_name varchar(255) NOT NULL,
  avatar_url text,
  system_prompt_id uuid,
  character_info text NOT NULL,
  personality_traits text NOT NULL,
  tone text,
  age text,
  appearance text,
  likes text,
  dislikes text,
  conversational_goals text,
  conversational_examples text,
  error_message text,
  -- json, not jsonb: what a client put there comes back as it was, order and numbers included.
  custom_fields json,
  tags text[] NOT NULL DEFAULT '{}',
  voice_enabled boolean NOT NULL DEFAULT false,
  voice_settings json,
  image_enabled boolean NOT NULL DEFAULT false,
  image_settings json,
  memory_enabled boolean NOT NULL DEFAULT true,
  context_window_size int NOT NULL DEFAULT 20 CHECK (context_window_size BETWEEN 1 AND 100),
  settings jsonb NOT NULL DEFAULT '{}',
  is_public boolean NOT NULL DEFAULT false,
  definition_public boolean NOT NULL DEFAULT false,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT personalities_slug UNIQUE (tenant_id, slug),
  CONSTRAINT personalities_system_prompt FOREIGN KEY (tenant_id, system_prompt_id) REFERENCES system_prompts ON DELETE SET NULL (system_prompt_id)
);
CREATE INDEX personalities_by_system_prompt ON personalities (tenant_id, system_prompt_id) WHERE system_prompt_id IS NOT NULL;
CREATE INDEX personalities_tags ON personalities USING gin (tags);

CREATE TABLE personality_owners (
  tenant_id uuid NOT NULL,
  personality_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role varchar(10) NOT NULL CHECK (role IN ('viewer', 'editor', 'owner')),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, personality_id, user_id),
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE,
  CONSTRAINT personality_owners_user FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX personality_owners_by_user ON personality_owners (tenant_id, user_id);

CREATE TABLE personality_default_configs (
  tenant_id uuid NOT NULL,
  personality_id uuid NOT NULL,
  llm_config_id uuid NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, personality_id),
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE,
  -- A config can't go while it is somebody's default.
  CONSTRAINT personality_default_configs_config FOREIGN KEY (tenant_id, llm_config_id) REFERENCES llm_configs
);
CREATE INDEX personality_default_configs_by_config ON personality_default_configs (tenant_id, llm_config_id);

CREATE TABLE personality_aliases (
  tenant_id uuid NOT NULL,
  alias varchar(100) NOT NULL CHECK (btrim(alias) <> ''),
  -- Whose word it is; nobody's are the tenant's.
  user_id uuid,
  personality_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE,
  CONSTRAINT personality_aliases_user FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE UNIQUE INDEX personality_aliases_alias ON personality_aliases (tenant_id, user_id, lower(alias)) NULLS NOT DISTINCT;
CREATE INDEX personality_aliases_by_personality ON personality_aliases (tenant_id, personality_id);

-- A user sees its own roles, and what is public or lent to it; the rest, and all writing, is tenant-wide work: the
-- personality's grain knows who may.
CALL protect_by('personality_owners',
  'tenant_id = app_tenant() AND (user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
CALL protect_by('personalities',
  'tenant_id = app_tenant() AND (is_public OR app_scope() IN (''tenant'', ''operator'') OR EXISTS (
     SELECT FROM personality_owners o WHERE o.tenant_id = personalities.tenant_id AND o.personality_id = personalities.id AND o.user_id = app_user()))',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
CALL protect_by('personality_default_configs',
  'tenant_id = app_tenant() AND EXISTS (
     SELECT FROM personalities p WHERE p.tenant_id = personality_default_configs.tenant_id AND p.id = personality_default_configs.personality_id)',
  'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
CALL protect_by('personality_aliases',
  'tenant_id = app_tenant() AND (user_id IS NULL OR user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))',
  'tenant_id = app_tenant() AND (user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))');

-- A user's own configs go with the user, also those that a personality had as its default: nobody else could use them.
CREATE FUNCTION user_configs_are_no_default() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  DELETE FROM personality_default_configs d USING llm_configs c
  WHERE d.tenant_id = OLD.tenant_id AND c.tenant_id = OLD.tenant_id AND c.owner_id = OLD.id AND d.llm_config_id = c.id;
  RETURN OLD;
END $$;
CREATE TRIGGER user_configs_are_no_default BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION user_configs_are_no_default();
