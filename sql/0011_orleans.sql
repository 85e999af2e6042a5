-- Orleans' tables: who belongs to the cluster, reminders, and grain storage. Its ADO.NET providers read the text of every
-- statement from orleansquery, by the keys below; what each must answer is tested in tests/Orleans. Nothing of truth is in
-- here (what is due and what is the case stand in the tables of their subjects), and nothing of one tenant: grain keys
-- carry it, Orleans reads for all at once, and so there is no row-level security on these.

-- The engine before kept its own. A live session's reminder is registered anew by its grain, which the sweep wakes.
DROP TABLE reminders;
DROP TABLE grain_state;

CREATE TABLE orleansquery (
  querykey varchar(64) PRIMARY KEY,
  querytext text NOT NULL
);
GRANT SELECT ON orleansquery TO personactors_app;

CREATE TABLE orleans_membership_version (
  deployment_id varchar(150) PRIMARY KEY,
  version int NOT NULL DEFAULT 0
);
GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_membership_version TO personactors_app;

CREATE TABLE orleans_membership (
  deployment_id varchar(150) NOT NULL REFERENCES orleans_membership_version,
  address varchar(45) NOT NULL,
  port int NOT NULL,
  generation int NOT NULL,
  silo_name varchar(150) NOT NULL,
  host_name varchar(150) NOT NULL,
  status int NOT NULL,
  proxy_port int,
  suspect_times text,
  start_time timestamptz NOT NULL,
  i_am_alive_time timestamptz NOT NULL,
  PRIMARY KEY (deployment_id, address, port, generation)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_membership TO personactors_app;

CREATE TABLE orleans_reminders (
  service_id varchar(150) NOT NULL,
  grain_id text NOT NULL,
  reminder_name varchar(150) NOT NULL,
  start_time timestamptz NOT NULL,
  period bigint NOT NULL,
  grain_hash int NOT NULL,
  version int NOT NULL DEFAULT 0,
  PRIMARY KEY (service_id, grain_id, reminder_name)
) WITH (fillfactor = 80);
CREATE INDEX orleans_reminders_ring ON orleans_reminders (service_id, grain_hash);
GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_reminders TO personactors_app;

CREATE TABLE orleans_storage (
  service_id varchar(150) NOT NULL,
  grain_id_hash int NOT NULL,
  grain_id_n0 bigint NOT NULL,
  grain_id_n1 bigint NOT NULL,
  grain_type_hash int NOT NULL,
  grain_type text NOT NULL,
  grain_id_extension text,
  payload bytea,
  version int NOT NULL,
  UNIQUE NULLS NOT DISTINCT (service_id, grain_id_hash, grain_type_hash, grain_id_n0, grain_id_n1, grain_type, grain_id_extension)
) WITH (fillfactor = 80);
GRANT SELECT, INSERT, UPDATE, DELETE ON orleans_storage TO personactors_app;

INSERT INTO orleansquery (querykey, querytext) VALUES
('GatewaysQueryKey', $q$
  SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation
  FROM orleans_membership WHERE deployment_id = @DeploymentId AND status = @Status AND proxy_port > 0
$q$),
-- The version is answered also where there is no silo; its columns are NULL then.
('MembershipReadAllKey', $q$
  SELECT v.deployment_id AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
         m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
         m.start_time AS StartTime, m.i_am_alive_time AS IAmAliveTime, v.version AS Version
  FROM orleans_membership_version v LEFT JOIN orleans_membership m USING (deployment_id)
  WHERE v.deployment_id = @DeploymentId
$q$),
('MembershipReadRowKey', $q$
  SELECT v.deployment_id AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.silo_name AS SiloName,
         m.host_name AS HostName, m.status AS Status, m.proxy_port AS ProxyPort, m.suspect_times AS SuspectTimes,
         m.start_time AS StartTime, m.i_am_alive_time AS IAmAliveTime, v.version AS Version
  FROM orleans_membership_version v
  LEFT JOIN orleans_membership m ON m.deployment_id = v.deployment_id AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
  WHERE v.deployment_id = @DeploymentId
$q$),
('InsertMembershipVersionKey', $q$
  WITH inserted AS (
    INSERT INTO orleans_membership_version (deployment_id) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*) FROM inserted
$q$),
-- The version's row is locked first, so of two writers that read the same version one finds it moved and changes nothing.
('InsertMembershipKey', $q$
  WITH moved AS (
    UPDATE orleans_membership_version SET version = version + 1
    WHERE deployment_id = @DeploymentId AND version = @Version
      AND NOT EXISTS (SELECT FROM orleans_membership WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING 1),
  inserted AS (
    INSERT INTO orleans_membership
      (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
    SELECT @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM moved
    RETURNING 1)
  SELECT count(*) FROM inserted
$q$),
('UpdateMembershipKey', $q$
  WITH moved AS (
    UPDATE orleans_membership_version SET version = version + 1
    WHERE deployment_id = @DeploymentId AND version = @Version
      AND EXISTS (SELECT FROM orleans_membership WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation)
    RETURNING 1),
  changed AS (
    UPDATE orleans_membership SET status = @Status, suspect_times = @SuspectTimes, i_am_alive_time = @IAmAliveTime
    FROM moved
    WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
    RETURNING 1)
  SELECT count(*) FROM changed
$q$),
('UpdateIAmAlivetimeKey', $q$
  UPDATE orleans_membership SET i_am_alive_time = @IAmAliveTime
  WHERE deployment_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$q$),
('DeleteMembershipTableEntriesKey', $q$
  WITH silos AS (DELETE FROM orleans_membership WHERE deployment_id = @DeploymentId)
  DELETE FROM orleans_membership_version WHERE deployment_id = @DeploymentId
$q$),
('CleanupDefunctSiloEntriesKey', $q$
  DELETE FROM orleans_membership WHERE deployment_id = @DeploymentId AND i_am_alive_time < @IAmAliveTime AND status <> 3
$q$),
('ReadReminderRowsKey', $q$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
  FROM orleans_reminders WHERE service_id = @ServiceId AND grain_id = @GrainId
$q$),
('ReadReminderRowKey', $q$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
  FROM orleans_reminders WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName
$q$),
('ReadRangeRows1Key', $q$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
  FROM orleans_reminders WHERE service_id = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash
$q$),
-- The part of the ring that goes over its end.
('ReadRangeRows2Key', $q$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period, version AS Version
  FROM orleans_reminders WHERE service_id = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)
$q$),
('UpsertReminderRowKey', $q$
  INSERT INTO orleans_reminders AS r (service_id, grain_id, reminder_name, start_time, period, grain_hash)
  VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
  ON CONFLICT (service_id, grain_id, reminder_name) DO UPDATE
    SET start_time = excluded.start_time, period = excluded.period, grain_hash = excluded.grain_hash, version = r.version + 1
  RETURNING version AS Version
$q$),
('DeleteReminderRowKey', $q$
  WITH gone AS (
    DELETE FROM orleans_reminders
    WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName AND version = @Version
    RETURNING 1)
  SELECT count(*) FROM gone
$q$),
('DeleteReminderRowsKey', $q$
  DELETE FROM orleans_reminders WHERE service_id = @ServiceId
$q$),
('ReadFromStorageKey', $q$
  SELECT payload AS PayloadBinary, version AS Version
  FROM orleans_storage
  WHERE service_id = @ServiceId AND grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0
    AND grain_id_n1 = @GrainIdN1 AND grain_type = @GrainTypeString AND grain_id_extension IS NOT DISTINCT FROM @GrainIdExtensionString::text
$q$),
-- Whoever was first has moved the version; the second gets its own back, and knows by that.
('WriteToStorageKey', $q$
  WITH inserted AS (
    INSERT INTO orleans_storage
      (service_id, grain_id_hash, grain_type_hash, grain_id_n0, grain_id_n1, grain_type, grain_id_extension, payload, version)
    SELECT @ServiceId, @GrainIdHash, @GrainTypeHash, @GrainIdN0, @GrainIdN1, @GrainTypeString, @GrainIdExtensionString::text, @PayloadBinary, 1
    WHERE @GrainStateVersion::int IS NULL
    ON CONFLICT DO NOTHING RETURNING version),
  updated AS (
    UPDATE orleans_storage SET payload = @PayloadBinary, version = version + 1
    WHERE service_id = @ServiceId AND grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0
      AND grain_id_n1 = @GrainIdN1 AND grain_type = @GrainTypeString AND grain_id_extension IS NOT DISTINCT FROM @GrainIdExtensionString::text
      AND version = @GrainStateVersion::int
    RETURNING version)
  SELECT COALESCE((SELECT version FROM inserted), (SELECT version FROM updated), @GrainStateVersion::int) AS NewGrainStateVersion
$q$),
('ClearStorageKey', $q$
  WITH cleared AS (
    UPDATE orleans_storage SET payload = NULL, version = version + 1
    WHERE service_id = @ServiceId AND grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0
      AND grain_id_n1 = @GrainIdN1 AND grain_type = @GrainTypeString AND grain_id_extension IS NOT DISTINCT FROM @GrainIdExtensionString::text
      AND version = @GrainStateVersion::int
    RETURNING version)
  SELECT COALESCE((SELECT version FROM cleared), @GrainStateVersion::int) AS NewGrainStateVersion
$q$),
('DeleteStorageKey', $q$
  WITH gone AS (
    DELETE FROM orleans_storage
    WHERE service_id = @ServiceId AND grain_id_hash = @GrainIdHash AND grain_type_hash = @GrainTypeHash AND grain_id_n0 = @GrainIdN0
      AND grain_id_n1 = @GrainIdN1 AND grain_type = @GrainTypeString AND grain_id_extension IS NOT DISTINCT FROM @GrainIdExtensionString::text
      AND version = @GrainStateVersion::int
    RETURNING version + 1 AS version)
  SELECT COALESCE((SELECT version FROM gone), @GrainStateVersion::int) AS NewGrainStateVersion
$q$);
