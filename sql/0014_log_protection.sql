-- The log, the outbox and the stored answers under row-level security, as far as the app login's settings go: a user's
-- transaction reads and writes what is that user's, tenant-wide work what is the tenant's, operators' work what has no tenant.
-- It appends; what was written it neither changes nor deletes.

CREATE PROCEDURE protect_appended(target regclass) LANGUAGE plpgsql AS $$
DECLARE
  own text := '(tenant_id = app_tenant() AND (owner_id = app_user() OR app_scope() IN (''tenant'', ''operator''))) OR (tenant_id IS NULL AND app_scope() = ''operator'')';
BEGIN
  EXECUTE format('DROP POLICY app_select ON %s', target);
  EXECUTE format('DROP POLICY app_insert ON %s', target);
  EXECUTE format('DROP POLICY app_update ON %s', target);
  EXECUTE format('DROP POLICY app_delete ON %s', target);
  EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM personactors_app', target);
  EXECUTE format('CREATE POLICY app_select ON %s FOR SELECT TO personactors_app USING (%s)', target, own);
  EXECUTE format('CREATE POLICY app_insert ON %s FOR INSERT TO personactors_app WITH CHECK (%s)', target, own);
END $$;
CALL protect_appended('streams');
CALL protect_appended('events');
CALL protect_appended('command_log');
GRANT INSERT ON command_log TO personactors_app;

-- Whether the transaction's settings own that part of the log.
CREATE FUNCTION owns_log(of_tenant uuid, of_owner uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(CASE WHEN of_tenant IS NULL THEN app_scope() = 'operator'
    ELSE of_tenant = app_tenant() AND (of_owner = app_user() OR app_scope() IN ('tenant', 'operator')) END, false)
$$;

-- The one way into the log. A stream belongs to whom it belonged at its first event; its row is locked until the commit, so
-- numbers are dense and in commit order. Under another ownership than the row's (owner_epoch) nothing is appended.
CREATE FUNCTION append_event(
  of_tenant uuid, to_stream text, of_owner uuid, event_id uuid, event_type text, event_at timestamptz, event_data json, owned_as bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  number bigint;
BEGIN
  IF NOT owns_log(of_tenant, of_owner) THEN
    RAISE insufficient_privilege USING MESSAGE = 'the stream is not this transaction''s to write';
  END IF;
  INSERT INTO streams AS s (tenant_id, stream, owner_id, seq, owner_epoch) VALUES (of_tenant, to_stream, of_owner, 1, coalesce(owned_as, 0))
  ON CONFLICT (tenant_id, stream) DO UPDATE SET seq = s.seq + 1
    WHERE s.owner_id IS NOT DISTINCT FROM of_owner AND (owned_as IS NULL OR s.owner_epoch = owned_as)
  RETURNING s.seq INTO number;
  PERFORM must_hit(CASE WHEN number IS NULL THEN 0 ELSE 1 END, 'ownership of the stream');
  INSERT INTO events (tenant_id, stream, seq, id, type, at, owner_id, data)
  VALUES (of_tenant, to_stream, number, event_id, event_type, event_at, of_owner, event_data);
  RETURN number;
END $$;

-- Raises the ownership of a stream that is there.
CREATE FUNCTION claim_stream(of_tenant uuid, the_stream text) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
  UPDATE streams SET owner_epoch = owner_epoch + 1
  WHERE (tenant_id = of_tenant OR (of_tenant IS NULL AND tenant_id IS NULL)) AND stream = the_stream AND owns_log(tenant_id, owner_id)
  RETURNING owner_epoch
$$;

-- The same, also of one that no event was written to yet.
CREATE FUNCTION claim_stream(of_tenant uuid, the_stream text, of_owner uuid, first bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  claimed bigint;
BEGIN
  IF NOT owns_log(of_tenant, of_owner) THEN
    RAISE insufficient_privilege USING MESSAGE = 'the stream is not this transaction''s to claim';
  END IF;
  INSERT INTO streams AS s (tenant_id, stream, owner_id, seq, owner_epoch) VALUES (of_tenant, the_stream, of_owner, 0, first)
  ON CONFLICT (tenant_id, stream) DO UPDATE SET owner_epoch = s.owner_epoch + 1 WHERE s.owner_id IS NOT DISTINCT FROM of_owner
  RETURNING s.owner_epoch INTO claimed;
  PERFORM must_hit(CASE WHEN claimed IS NULL THEN 0 ELSE 1 END, 'ownership of the stream');
  RETURN claimed;
END $$;

REVOKE EXECUTE ON FUNCTION append_event, claim_stream(uuid, text), claim_stream(uuid, text, uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_event, claim_stream(uuid, text), claim_stream(uuid, text, uuid, bigint) TO personactors_app;

-- A user's transaction asks for what concerns that user alone; to erase is the tenant's. The worker does the rest.
DROP POLICY app_select ON outbox_tasks;
DROP POLICY app_insert ON outbox_tasks;
DROP POLICY app_update ON outbox_tasks;
DROP POLICY app_delete ON outbox_tasks;
REVOKE UPDATE, DELETE ON outbox_tasks FROM personactors_app;
CREATE POLICY app_select ON outbox_tasks FOR SELECT TO personactors_app USING (tenant_id = app_tenant() AND app_scope() IN ('tenant', 'operator'));
CREATE POLICY app_insert ON outbox_tasks FOR INSERT TO personactors_app WITH CHECK (tenant_id = app_tenant() AND (
  app_scope() IN ('tenant', 'operator')
  OR (kind IN ('user.forget', 'focus.started', 'focus.ended', 'focus.end-live')
      AND coalesce(payload ->> 'user', payload ->> 'person') = app_user()::text)));

-- What the streams that are nobody's own say of a deleted user is looked for.
CREATE INDEX events_of_nobody ON events (tenant_id, stream) WHERE owner_id IS NULL;
