-- Users' own AI assistants, and who used them how much. Public means: to all of the tenant.

CREATE TABLE user_personas (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  persona_name varchar(100) NOT NULL CHECK (btrim(persona_name) <> ''),
  display_name varchar(200) CHECK (btrim(display_name) <> ''),
  avatar_url varchar(500),
  system_prompt text NOT NULL CHECK (btrim(system_prompt) <> ''),
  voice_id varchar(100),
  personality_traits jsonb NOT NULL DEFAULT '[]',
  knowledge_domains jsonb NOT NULL DEFAULT '[]',
  -- Kept as it was sent, so json.
  conversation_style json NOT NULL DEFAULT '{}',
  is_public boolean NOT NULL DEFAULT false,
  usage_count bigint NOT NULL DEFAULT 0 CHECK (usage_count >= 0),
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
-- A list is the user's own and the tenant's public ones, each in the list's order: most used first.
CREATE INDEX user_personas_user ON user_personas (tenant_id, user_id, usage_count DESC, id);
CREATE INDEX user_personas_public ON user_personas (tenant_id, usage_count DESC, id) WHERE is_public;
-- Members see what is public; only the owner writes.
CALL protect_by('user_personas',
  'tenant_id = app_tenant() AND (user_id = app_user() OR (is_public AND app_user() IS NOT NULL) OR app_scope() IN (''tenant'', ''operator''))',
  'tenant_id = app_tenant() AND (user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))');

CREATE TABLE persona_usage_log (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  persona_id uuid NOT NULL,
  user_id uuid NOT NULL,
  chat_id varchar(200),
  tokens_used int CHECK (tokens_used >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, persona_id) REFERENCES user_personas ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX persona_usage ON persona_usage_log (tenant_id, persona_id, created_at DESC);
CREATE INDEX persona_usage_user ON persona_usage_log (tenant_id, user_id);
-- Written for oneself, about what one may use (the row of user_personas is looked for under its own policy), and never rewritten.
CALL protect_by('persona_usage_log',
  'tenant_id = app_tenant() AND (user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))',
  'tenant_id = app_tenant() AND (user_id = app_user() OR app_scope() IN (''tenant'', ''operator''))
     AND EXISTS (SELECT FROM user_personas p WHERE p.tenant_id = persona_usage_log.tenant_id AND p.id = persona_id)');
REVOKE UPDATE, DELETE ON persona_usage_log FROM personactors_app;
