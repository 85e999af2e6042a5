-- Conversations: channels, who is in them, which characters answer there, and what was said.

CREATE TABLE channels (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  -- As its frontend names it.
  channel_id varchar(128) NOT NULL CHECK (channel_id <> ''),
  settings jsonb NOT NULL DEFAULT '{}',
  -- Of the newest message. It never goes back, whatever is deleted.
  last_number bigint NOT NULL CHECK (last_number >= 0),
  version bigint NOT NULL,
  -- Counts the writes of all that is the channel's, which its next writer names.
  row_version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, channel_id)
);

CREATE TABLE channel_members (
  tenant_id uuid NOT NULL,
  channel_id varchar(128) NOT NULL,
  user_id uuid NOT NULL,
  added_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, channel_id, user_id),
  FOREIGN KEY (tenant_id, channel_id) REFERENCES channels ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX channel_members_user ON channel_members (tenant_id, user_id);

-- What names a character goes on naming one that is gone: it is skipped then, as one that may no longer be used.
CREATE TABLE activated_channels (
  tenant_id uuid NOT NULL,
  channel_id varchar(128) NOT NULL,
  personality_id uuid NOT NULL,
  place int NOT NULL,
  auto_respond boolean NOT NULL DEFAULT true,
  activated_by uuid,
  activated_at timestamptz NOT NULL,
  -- That it is skipped was told.
  is_skipped boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, channel_id, personality_id),
  FOREIGN KEY (tenant_id, channel_id) REFERENCES channels ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, activated_by) REFERENCES users ON DELETE SET NULL (activated_by)
);
CREATE INDEX activated_channels_personality ON activated_channels (tenant_id, personality_id);
CREATE INDEX activated_channels_by ON activated_channels (tenant_id, activated_by) WHERE activated_by IS NOT NULL;

CREATE TABLE conversation_history (
  tenant_id uuid NOT NULL,
  channel_id varchar(128) NOT NULL,
  -- Its place in the channel's one order.
  number bigint NOT NULL CHECK (number > 0),
  -- The sender's own id, or one that was made for it: once in a channel.
  client_id varchar(200) NOT NULL CHECK (btrim(client_id) <> ''),
  role varchar(20) NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
  content text NOT NULL,
  tokens int NOT NULL CHECK (tokens >= 0),
  personality_id uuid,
  -- Who said it or, of an answer, to whom it was said.
  user_id uuid,
  persona_id uuid,
  speaker varchar(255),
  -- The client_id of what it answers.
  reply_to varchar(200),
  created_at timestamptz NOT NULL,
  edited_at timestamptz,
  -- Nothing is left of it but that its id was used.
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, channel_id, number),
  CONSTRAINT conversation_history_client_id UNIQUE (tenant_id, channel_id, client_id),
  CHECK (deleted_at IS NULL OR content = ''),
  FOREIGN KEY (tenant_id, channel_id) REFERENCES channels ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX conversation_history_personality ON conversation_history (tenant_id, channel_id, personality_id, number);
CREATE INDEX conversation_history_user ON conversation_history (tenant_id, user_id, channel_id) WHERE user_id IS NOT NULL;
CREATE INDEX conversation_history_age ON conversation_history (tenant_id, created_at);

-- A part of a history that was cleared: messages up to a number, of a user, with a personality, or of all. They are there no
-- more for anybody, and once it is final they go.
CREATE TABLE conversation_clears (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  channel_id varchar(128) NOT NULL,
  user_id uuid,
  personality_id uuid,
  up_to bigint NOT NULL,
  cleared_at timestamptz NOT NULL,
  is_final boolean NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, channel_id) REFERENCES channels ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX conversation_clears_channel ON conversation_clears (tenant_id, channel_id);
CREATE INDEX conversation_clears_user ON conversation_clears (tenant_id, user_id) WHERE user_id IS NOT NULL;
CREATE INDEX conversation_clears_due ON conversation_clears (is_final, cleared_at);

-- Members read what is in their channels; the channel's grain writes, for all of them.
CREATE PROCEDURE protect_channel(target regclass, readable text) LANGUAGE plpgsql AS $$
BEGIN
  CALL protect_by(target,
    format('tenant_id = app_tenant() AND (app_scope() IN (''tenant'', ''operator'') OR %s)', readable),
    'tenant_id = app_tenant() AND app_scope() IN (''tenant'', ''operator'')');
END $$;
CALL protect_channel('channel_members', 'user_id = app_user()');
CALL protect_channel('channels', 'EXISTS (SELECT FROM channel_members m WHERE m.tenant_id = channels.tenant_id AND m.channel_id = channels.channel_id AND m.user_id = app_user())');
CALL protect_channel('activated_channels',
  'EXISTS (SELECT FROM channel_members m WHERE m.tenant_id = activated_channels.tenant_id AND m.channel_id = activated_channels.channel_id AND m.user_id = app_user())');
CALL protect_channel('conversation_history',
  'EXISTS (SELECT FROM channel_members m WHERE m.tenant_id = conversation_history.tenant_id AND m.channel_id = conversation_history.channel_id AND m.user_id = app_user())');
CALL protect_channel('conversation_clears',
  'EXISTS (SELECT FROM channel_members m WHERE m.tenant_id = conversation_clears.tenant_id AND m.channel_id = conversation_clears.channel_id AND m.user_id = app_user())');

-- Retention, and what was cleared for good.
CREATE POLICY worker ON conversation_history TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON conversation_history TO personactors_worker;
CREATE POLICY worker ON conversation_clears TO personactors_worker USING (true) WITH CHECK (true);
GRANT SELECT, DELETE ON conversation_clears TO personactors_worker;
