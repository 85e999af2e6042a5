-- The ground everything stands on: who may see which row, streams and events, tenants, users and keys.

-- Settings of the transaction, read by every policy. Unset reads as NULL, and NULL admits nobody.
CREATE FUNCTION app_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('app.current_tenant_id', true), '')::uuid $$;
CREATE FUNCTION app_user() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('app.user_id', true), '')::uuid $$;
CREATE FUNCTION app_scope() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT NULLIF(current_setting('app.scope', true), '') $$;

-- A change that must hit its row: the batch fails with this state instead of writing an event about nothing.
CREATE FUNCTION must_hit(hits bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF hits <> 1 THEN
    RAISE EXCEPTION 'the % changed before this write, or is gone', what USING ERRCODE = 'PA001';
  END IF;
END $$;

-- Row-level security in one place. Kinds:
--   tenant: every member of the tenant;
--   owned:  the user in owner_column, or work that says scope tenant or operator;
--   shared: as tenant, and rows without a tenant are readable by all, writable by the operator scope only.
-- The worker's background work crosses tenants (its statements name the tenant), the migrator must not be
-- silently emptied by FORCE.
CREATE PROCEDURE protect(target regclass, kind text, owner_column text DEFAULT NULL, worker boolean DEFAULT false)
LANGUAGE plpgsql AS $$
DECLARE
  mine text := 'tenant_id = app_tenant()';
  readable text;
  writable text;
BEGIN
  IF kind = 'owned' THEN
    mine := format('tenant_id = app_tenant() AND (%I = app_user() OR app_scope() IN (''tenant'', ''operator''))', owner_column);
    readable := mine; writable := mine;
  ELSIF kind = 'shared' THEN
    readable := mine || ' OR tenant_id IS NULL';
    writable := mine || ' OR (tenant_id IS NULL AND app_scope() = ''operator'')';
  ELSIF kind = 'tenant' THEN
    readable := mine; writable := mine;
  ELSE
    RAISE EXCEPTION 'unknown kind of protection: %', kind;
  END IF;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY app_select ON %s FOR SELECT TO personactors_app USING (%s)', target, readable);
  EXECUTE format('CREATE POLICY app_insert ON %s FOR INSERT TO personactors_app WITH CHECK (%s)', target, writable);
  EXECUTE format('CREATE POLICY app_update ON %s FOR UPDATE TO personactors_app USING (%s) WITH CHECK (%s)', target, writable, writable);
  EXECUTE format('CREATE POLICY app_delete ON %s FOR DELETE TO personactors_app USING (%s)', target, writable);
  EXECUTE format('CREATE POLICY migrator ON %s TO personactors_migrator USING (true) WITH CHECK (true)', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO personactors_app', target);
  IF worker THEN
    EXECUTE format('CREATE POLICY worker ON %s TO personactors_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO personactors_worker', target);
  END IF;
END $$;

CREATE TABLE tenants (
  tenant_id uuid PRIMARY KEY,
  name varchar(50) NOT NULL UNIQUE CHECK (name ~ '^[a-z][a-z0-9-]{1,49}$'),
  display_name varchar(255) NOT NULL CHECK (btrim(display_name) <> ''),
  event_retention_days int NOT NULL DEFAULT 7 CHECK (event_retention_days BETWEEN 1 AND 365),
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY app_select ON tenants FOR SELECT TO personactors_app USING (tenant_id = app_tenant() OR app_scope() = 'operator');
CREATE POLICY app_insert ON tenants FOR INSERT TO personactors_app WITH CHECK (app_scope() = 'operator');
CREATE POLICY app_update ON tenants FOR UPDATE TO personactors_app
  USING (tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator'))
  WITH CHECK (tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator'));
CREATE POLICY app_delete ON tenants FOR DELETE TO personactors_app USING (app_scope() = 'operator');
CREATE POLICY migrator ON tenants TO personactors_migrator USING (true) WITH CHECK (true);
CREATE POLICY worker ON tenants FOR SELECT TO personactors_worker USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants TO personactors_app;
GRANT SELECT ON tenants TO personactors_worker;

CREATE TABLE users (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  username varchar(255) NOT NULL CHECK (btrim(username) <> ''),
  is_placeholder boolean NOT NULL DEFAULT false,
  time_zone varchar(64) NOT NULL DEFAULT 'UTC',
  is_free boolean NOT NULL DEFAULT false,
  is_active boolean NOT NULL DEFAULT true,
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CALL protect('users', 'owned', 'id');

CREATE TABLE user_identities (
  tenant_id uuid NOT NULL,
  provider varchar(50) NOT NULL,
  subject varchar(255) NOT NULL,
  user_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, provider, subject),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX user_identities_user ON user_identities (tenant_id, user_id);
CALL protect('user_identities', 'owned', 'user_id');

CREATE TABLE personas (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  owner_id uuid NOT NULL,
  name varchar(255) NOT NULL CHECK (btrim(name) <> '' AND name !~ '^[0-9]{17,20}$'),
  description text,
  content text NOT NULL DEFAULT '',
  preferred_name varchar(255),
  pronouns varchar(100),
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  -- What references a persona names its owner too, so that nobody's default is somebody else's persona.
  UNIQUE (tenant_id, owner_id, id),
  FOREIGN KEY (tenant_id, owner_id) REFERENCES users ON DELETE CASCADE
);
CREATE UNIQUE INDEX personas_name ON personas (tenant_id, owner_id, lower(name));
CALL protect('personas', 'owned', 'owner_id');

CREATE TABLE user_default_personas (
  tenant_id uuid NOT NULL,
  user_id uuid NOT NULL,
  persona_id uuid NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id, persona_id) REFERENCES personas (tenant_id, owner_id, id)
);
CALL protect('user_default_personas', 'owned', 'user_id');

CREATE TABLE api_keys (
  tenant_id uuid REFERENCES tenants ON DELETE CASCADE,
  id uuid PRIMARY KEY,
  kind varchar(20) NOT NULL CHECK (kind IN ('user', 'service', 'tenant-admin', 'operator')),
  name varchar(100) NOT NULL CHECK (btrim(name) <> ''),
  prefix varchar(12) NOT NULL,
  hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
  -- Signs the connection tokens made with this key: they die with it.
  token_secret bytea NOT NULL CHECK (length(token_secret) = 32),
  user_id uuid,
  may_delegate boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CHECK ((kind = 'operator') = (tenant_id IS NULL)),
  CHECK ((kind = 'user') = (user_id IS NOT NULL)),
  FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE
);
CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);
CREATE INDEX api_keys_user ON api_keys (tenant_id, user_id) WHERE user_id IS NOT NULL;
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY app_select ON api_keys FOR SELECT TO personactors_app
  USING ((tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator')) OR (tenant_id IS NULL AND app_scope() = 'operator'));
CREATE POLICY app_insert ON api_keys FOR INSERT TO personactors_app
  WITH CHECK ((tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator')) OR (tenant_id IS NULL AND app_scope() = 'operator'));
CREATE POLICY app_update ON api_keys FOR UPDATE TO personactors_app
  USING ((tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator')) OR (tenant_id IS NULL AND app_scope() = 'operator'))
  WITH CHECK ((tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator')) OR (tenant_id IS NULL AND app_scope() = 'operator'));
CREATE POLICY app_delete ON api_keys FOR DELETE TO personactors_app
  USING ((tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator')) OR (tenant_id IS NULL AND app_scope() = 'operator'));
CREATE POLICY migrator ON api_keys TO personactors_migrator USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys TO personactors_app;

-- Who calls is found before any tenant is known; so these run as their owner and answer exact questions only.
CREATE FUNCTION find_api_key(wanted bytea) RETURNS SETOF api_keys LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
  AS $$ SELECT * FROM api_keys WHERE hash = wanted $$;
CREATE FUNCTION find_api_key_by_id(wanted uuid) RETURNS SETOF api_keys LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
  AS $$ SELECT * FROM api_keys WHERE id = wanted $$;
CREATE FUNCTION find_ended_api_keys(held uuid[]) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
  AS $$ SELECT h.id FROM unnest(held) AS h(id) WHERE NOT EXISTS (SELECT FROM api_keys k WHERE k.id = h.id AND k.revoked_at IS NULL) $$;
REVOKE EXECUTE ON FUNCTION find_api_key(bytea), find_api_key_by_id(uuid), find_ended_api_keys(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea), find_api_key_by_id(uuid), find_ended_api_keys(uuid[]) TO personactors_app;

-- A stream's row is locked by whoever appends, so numbers are dense and in commit order.
CREATE TABLE streams (
  tenant_id uuid,
  stream varchar(200) NOT NULL,
  owner_id uuid,
  seq bigint NOT NULL,
  -- The oldest event that the log still has; pruning moves it.
  oldest bigint NOT NULL DEFAULT 1,
  UNIQUE NULLS NOT DISTINCT (tenant_id, stream),
  FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE CASCADE
);
CREATE INDEX streams_owner ON streams (tenant_id, owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE events (
  tenant_id uuid,
  stream varchar(200) NOT NULL,
  seq bigint NOT NULL,
  id uuid NOT NULL,
  type varchar(100) NOT NULL,
  at timestamptz NOT NULL,
  owner_id uuid,
  data json NOT NULL,
  UNIQUE NULLS NOT DISTINCT (tenant_id, stream, seq),
  FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE CASCADE
);
CREATE INDEX events_age ON events (tenant_id, at);

CREATE PROCEDURE protect_log(target regclass) LANGUAGE plpgsql AS $$
DECLARE
  readable text := '(tenant_id = app_tenant() AND (owner_id IS NULL OR owner_id = app_user() OR app_scope() IN (''tenant'', ''operator''))) OR tenant_id IS NULL';
  writable text := '(tenant_id = app_tenant() AND (owner_id IS NULL OR owner_id = app_user() OR app_scope() IN (''tenant'', ''operator''))) OR (tenant_id IS NULL AND app_scope() = ''operator'')';
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY app_select ON %s FOR SELECT TO personactors_app USING (%s)', target, readable);
  EXECUTE format('CREATE POLICY app_insert ON %s FOR INSERT TO personactors_app WITH CHECK (%s)', target, writable);
  EXECUTE format('CREATE POLICY app_update ON %s FOR UPDATE TO personactors_app USING (%s) WITH CHECK (%s)', target, writable, writable);
  EXECUTE format('CREATE POLICY app_delete ON %s FOR DELETE TO personactors_app USING (%s)', target, writable);
  EXECUTE format('CREATE POLICY migrator ON %s TO personactors_migrator USING (true) WITH CHECK (true)', target);
  EXECUTE format('CREATE POLICY worker ON %s TO personactors_worker USING (true) WITH CHECK (true)', target);
END $$;
CALL protect_log('streams');
CALL protect_log('events');
GRANT SELECT, INSERT, UPDATE, DELETE ON streams TO personactors_app;
-- The log is written and read, never rewritten.
GRANT SELECT, INSERT ON events TO personactors_app;
GRANT SELECT, UPDATE, DELETE ON streams TO personactors_worker;
GRANT SELECT, DELETE ON events TO personactors_worker;

-- Rises when a database is restored by means that keep PostgreSQL's identity (a file copy, a snapshot): `personactors epoch bump`.
CREATE TABLE database_epoch (one boolean PRIMARY KEY DEFAULT true CHECK (one), counter bigint NOT NULL DEFAULT 1);
INSERT INTO database_epoch DEFAULT VALUES;
GRANT SELECT ON database_epoch TO personactors_app, personactors_worker;

CREATE FUNCTION current_epoch() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT substr(md5(s.system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
                    (SELECT oid FROM pg_database WHERE datname = current_database())::text || '/' || e.counter::text), 1, 16)
  FROM pg_control_system() s, database_epoch e
$$;
GRANT EXECUTE ON FUNCTION current_epoch() TO personactors_app, personactors_worker;

CREATE TABLE command_log (
  tenant_id uuid,
  caller uuid NOT NULL,
  id varchar(200) NOT NULL,
  owner_id uuid,
  fingerprint char(64) NOT NULL,
  answer json NOT NULL,
  at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (tenant_id, caller, id),
  FOREIGN KEY (tenant_id) REFERENCES tenants ON DELETE CASCADE
);
CREATE INDEX command_log_age ON command_log (at);
CREATE INDEX command_log_owner ON command_log (tenant_id, owner_id) WHERE owner_id IS NOT NULL;
CALL protect_log('command_log');
GRANT SELECT, INSERT, DELETE ON command_log TO personactors_app;
GRANT SELECT, DELETE ON command_log TO personactors_worker;

CREATE TABLE outbox_tasks (
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
  id uuid NOT NULL,
  kind varchar(50) NOT NULL,
  payload json NOT NULL,
  status varchar(10) NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed')),
  attempts int NOT NULL DEFAULT 0,
  run_after timestamptz NOT NULL,
  leased_until timestamptz,
  last_error varchar(500),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX outbox_due ON outbox_tasks (run_after) WHERE status = 'pending';
CALL protect('outbox_tasks', 'tenant', NULL, true);
