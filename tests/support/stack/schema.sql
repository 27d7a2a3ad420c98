-- One query that takes the database 50 ms, whatever machine it runs on.
CREATE SCHEMA app;
CREATE FUNCTION app.quote() RETURNS integer LANGUAGE plpgsql STABLE AS $$
BEGIN
  PERFORM pg_sleep(0.050);
  RETURN 42;
END $$;

-- pgbouncer speaks no SQL but its own; the exporter reads its figures through these.
CREATE EXTENSION dblink;
CREATE VIEW pgbouncer_stats AS
SELECT * FROM dblink('host=pgbouncer port=6432 dbname=pgbouncer user=bank', 'SHOW STATS') AS stats (
  database text, xact_count bigint, query_count bigint, received bigint, sent bigint, xact_time bigint,
  query_time bigint, wait_time bigint, avg_xact_count bigint, avg_query_count bigint, avg_received bigint,
  avg_sent bigint, avg_xact_time bigint, avg_query_time bigint, avg_wait_time bigint);
CREATE VIEW pgbouncer_pools AS
SELECT * FROM dblink('host=pgbouncer port=6432 dbname=pgbouncer user=bank', 'SHOW POOLS') AS pools (
  database text, username text, cl_active int, cl_waiting int, cl_active_cancel_req int, cl_waiting_cancel_req int,
  sv_active int, sv_active_cancel int, sv_being_canceled int, sv_idle int, sv_used int, sv_tested int, sv_login int,
  maxwait int, maxwait_us int, pool_mode text);
