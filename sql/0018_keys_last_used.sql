-- When a key was used last, to the minute. Who calls is known before any tenant is, so it is noted by the function's owner.

ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;

CREATE FUNCTION note_api_keys_used(used uuid[], at timestamptz[]) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public
  AS $$ UPDATE api_keys k SET last_used_at = u.at FROM unnest(used, at) AS u(id, at) WHERE k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at) $$;
REVOKE EXECUTE ON FUNCTION note_api_keys_used(uuid[], timestamptz[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_api_keys_used(uuid[], timestamptz[]) TO personactors_app;
