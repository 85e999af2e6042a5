-- The tenant's tier of behaviour settings, and how long its conversations are kept.
ALTER TABLE tenants
  ADD COLUMN settings jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN conversation_retention_days int NOT NULL DEFAULT 7 CHECK (conversation_retention_days BETWEEN 1 AND 3650);
