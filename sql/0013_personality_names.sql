-- What a personality is called: slugs and the tenant's aliases are one namespace, so that a name that means one personality
-- never comes to mean another. Triggers keep it from the two tables that have the names; nobody else writes it.
--
-- A user's own alias may be what others call another personality: for that user it goes first. It is refused where the tenant
-- has the name already, so that who knows a slug to be nobody's alias knows it as long as the slug stays.

CREATE TABLE personality_names (
  tenant_id uuid NOT NULL,
  -- In lower case.
  name text NOT NULL,
  personality_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, name),
  FOREIGN KEY (tenant_id, personality_id) REFERENCES personalities ON DELETE CASCADE
);
CREATE INDEX personality_names_personality ON personality_names (tenant_id, personality_id);
ALTER TABLE personality_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE personality_names FORCE ROW LEVEL SECURITY;
CREATE POLICY migrator ON personality_names TO personactors_migrator USING (true) WITH CHECK (true);

CREATE INDEX personality_aliases_word ON personality_aliases (tenant_id, lower(alias));

-- Aliases that are also a slug, which never led to their personality since: they go, and their personalities say so.
DO $$
DECLARE
  called record;
  moment timestamptz := clock_timestamp();
  reached bigint;
  number bigint;
BEGIN
  FOR called IN
    SELECT DISTINCT a.tenant_id, a.personality_id FROM personality_aliases a
    JOIN personalities p ON p.tenant_id = a.tenant_id AND p.slug = lower(a.alias) WHERE a.user_id IS NULL
  LOOP
    DELETE FROM personality_aliases a WHERE a.tenant_id = called.tenant_id AND a.personality_id = called.personality_id AND a.user_id IS NULL
      AND EXISTS (SELECT FROM personalities p WHERE p.tenant_id = a.tenant_id AND p.slug = lower(a.alias));
    UPDATE personalities SET version = version + 1, updated_at = moment
      WHERE tenant_id = called.tenant_id AND id = called.personality_id RETURNING version INTO reached;
    UPDATE streams SET seq = seq + 1
      WHERE tenant_id = called.tenant_id AND stream = 'personality:' || called.personality_id RETURNING seq INTO number;
    IF FOUND THEN
      INSERT INTO events (tenant_id, stream, seq, id, type, at, data)
      SELECT called.tenant_id, 'personality:' || called.personality_id, number, gen_random_uuid(), 'personality.updated', moment,
        json_build_object('changes', json_build_object(
          'aliases', coalesce(json_agg(json_build_object('alias', a.alias, 'userId', NULL) ORDER BY a.created_at, a.alias), '[]'),
          'version', reached, 'updatedAt', moment))
      FROM personality_aliases a WHERE a.tenant_id = called.tenant_id AND a.personality_id = called.personality_id AND a.user_id IS NULL;
    END IF;
  END LOOP;
END $$;

INSERT INTO personality_names (tenant_id, name, personality_id)
SELECT tenant_id, slug, id FROM personalities
UNION ALL
SELECT tenant_id, lower(alias), personality_id FROM personality_aliases WHERE user_id IS NULL;

-- Of a name taken for the tenant and as a user's own at the same time, the second waits for the first.
CREATE FUNCTION await_name(of_tenant uuid, called text) RETURNS void LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended(of_tenant::text || '/' || lower(called), 0))
$$;

CREATE FUNCTION name_by_slug() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM personality_names WHERE tenant_id = OLD.tenant_id AND name = OLD.slug;
  END IF;
  PERFORM await_name(NEW.tenant_id, NEW.slug);
  INSERT INTO personality_names VALUES (NEW.tenant_id, NEW.slug, NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER named AFTER INSERT ON personalities FOR EACH ROW EXECUTE FUNCTION name_by_slug();
CREATE TRIGGER renamed AFTER UPDATE OF slug ON personalities FOR EACH ROW WHEN (OLD.slug <> NEW.slug) EXECUTE FUNCTION name_by_slug();

CREATE FUNCTION name_by_alias() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM personality_names WHERE tenant_id = OLD.tenant_id AND name = lower(OLD.alias);
    RETURN NULL;
  END IF;
  PERFORM await_name(NEW.tenant_id, NEW.alias);
  IF NEW.user_id IS NULL THEN
    INSERT INTO personality_names VALUES (NEW.tenant_id, lower(NEW.alias), NEW.personality_id);
  ELSIF EXISTS (SELECT FROM personality_names WHERE tenant_id = NEW.tenant_id AND name = lower(NEW.alias)) THEN
    RAISE unique_violation USING MESSAGE = 'the tenant calls a personality that', CONSTRAINT = 'personality_names_pkey', TABLE = 'personality_names';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER named AFTER INSERT ON personality_aliases FOR EACH ROW EXECUTE FUNCTION name_by_alias();
CREATE TRIGGER unnamed AFTER DELETE ON personality_aliases FOR EACH ROW WHEN (OLD.user_id IS NULL) EXECUTE FUNCTION name_by_alias();
