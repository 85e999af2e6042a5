-- The database, its extension and its three logins: what has to be there before the migrations, once, as superuser.
-- Run again it changes nothing but the passwords.
--
--   psql "host=… user=postgres dbname=postgres" -v ON_ERROR_STOP=1 -v database=personactors \
--     -v migrator_password=… -v app_password=… -v worker_password=… -f sql/setup/roles.sql
--
--   personactors_migrator  owns the database and its schema; changes tables, never serves anybody
--   personactors_app       serves requests; sees what row-level security shows it
--   personactors_worker    works in the background across tenants, on the tables the migrations admit it to
--
-- None of them is superuser and none passes by row-level security. What each may do with a table is granted by the
-- migration that makes the table.

\set ON_ERROR_STOP on
\if :{?database}
\else
  \set database personactors
\endif
SET client_min_messages = warning;

-- Two runs at once would trip over each other's roles.
DO $$ BEGIN PERFORM pg_advisory_lock(hashtext('personactors roles')); END $$;

SELECT format('CREATE ROLE %I LOGIN', login)
FROM unnest(ARRAY['personactors_migrator', 'personactors_app', 'personactors_worker']) AS login
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login)
\gexec

SELECT format('ALTER ROLE %I NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION', rolname)
FROM pg_roles
WHERE rolname IN ('personactors_migrator', 'personactors_app', 'personactors_worker')
  AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)
\gexec

ALTER ROLE personactors_migrator LOGIN NOINHERIT PASSWORD :'migrator_password';
ALTER ROLE personactors_app LOGIN NOINHERIT PASSWORD :'app_password';
ALTER ROLE personactors_worker LOGIN NOINHERIT PASSWORD :'worker_password';

SELECT format('CREATE DATABASE %I OWNER personactors_migrator TEMPLATE template0 ENCODING ''UTF8''', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database')
\gexec

ALTER DATABASE :"database" OWNER TO personactors_migrator;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO personactors_app, personactors_worker;

\connect :"database"
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS vector;
ALTER SCHEMA public OWNER TO personactors_migrator;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO personactors_app, personactors_worker;
