-- What a user wants otherwise: for one personality, and for all of them.

ALTER TABLE users ADD COLUMN settings jsonb NOT NULL DEFAULT '{}';

-- Beside the user, so that users and configs don't refer to each other in a circle.
CREATE TABLE user_default_llm_configs (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  llm_config_id uuid NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
  CONSTRAINT user_default_llm_configs_config FOREIGN KEY (tenant_id, llm_config_id) REFERENCES llm_configs ON DELETE CASCADE
);
CREATE INDEX user_default_llm_configs_by_config ON user_default_llm_configs (tenant_id, llm_config_id);
CALL protect('user_default_llm_configs', 'owned', 'user_id');

CREATE TABLE user_personality_configs (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  personality_id uuid NOT NULL,
  persona_id uuid,
  llm_config_id uuid,
  settings jsonb NOT NULL DEFAULT '{}',
  -- The user's version at its last change.
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id, personality_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id, persona_id) REFERENCES personas (tenant_id, owner_id, id) ON DELETE SET NULL (persona_id),
  FOREIGN KEY (tenant_id, llm_config_id) REFERENCES llm_configs ON DELETE SET NULL (llm_config_id)
);
CREATE INDEX user_personality_configs_personality ON user_personality_configs (tenant_id, personality_id);
CREATE INDEX user_personality_configs_persona ON user_personality_configs (tenant_id, user_id, persona_id) WHERE persona_id IS NOT NULL;
CREATE INDEX user_personality_configs_llm_config ON user_personality_configs (tenant_id, llm_config_id) WHERE llm_config_id IS NOT NULL;
CALL protect('user_personality_configs', 'owned', 'user_id');

-- A row that says nothing is removed, also where a deletion elsewhere took what it said.
CREATE FUNCTION remove_empty_override() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM user_personality_configs WHERE tenant_id = NEW.tenant_id AND user_id = NEW.user_id AND personality_id = NEW.personality_id;
  RETURN NULL;
END $$;
CREATE TRIGGER empty_override AFTER INSERT OR UPDATE ON user_personality_configs FOR EACH ROW
  WHEN (NEW.persona_id IS NULL AND NEW.llm_config_id IS NULL AND NEW.settings = '{}'::jsonb)
  EXECUTE FUNCTION remove_empty_override();
