"""The SQL contract between the components: the tables, what the engine writes, what a gateway reads.

Amounts are the engine's whole numbers (lots, ticks x lots, 1e-8 USDT); times are wall-clock microseconds. The
view `account_reads` holds the connection for the modelled time of a query with `pg_sleep` inside the
database, so that the pool, the link and the backend are all really occupied for that time; the server sleeps,
and no CPU is burnt. `pg_stat_force_next_flush` makes each backend publish its statistics after every read
instead of once a second, which is what lets a scrape twice a second see true activity.
"""

import asyncpg

DATABASE = "exchange"
USER = "exchange"
READER = "exchange reader"
"""`application_name` of sessions that only read, which a replica may serve."""

LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a call on a connection may raise when the database or the way to it fails. The last is asyncpg's own confusion
when a connection breaks at the moment of a call."""

TABLES = """
CREATE TABLE accounts (
    account integer PRIMARY KEY,
    wallet bigint NOT NULL,
    updated_us bigint NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE positions (
    account integer NOT NULL,
    symbol smallint NOT NULL,
    lots bigint NOT NULL,
    cost bigint NOT NULL,
    PRIMARY KEY (account, symbol)
) WITH (fillfactor = 70);
CREATE TABLE watermark (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    complete_to_us bigint NOT NULL
);
INSERT INTO watermark (complete_to_us) VALUES (0);
"""

VIEWS = """
CREATE OR REPLACE VIEW account_reads AS
    WITH modelled AS MATERIALIZED (SELECT pg_sleep({query_time_s}), pg_stat_force_next_flush())
    SELECT account, wallet, updated_us, symbol, lots, cost, complete_to_us
    FROM modelled, watermark, accounts JOIN positions USING (account);
"""

READ_ACCOUNT = "SELECT wallet, updated_us, symbol, lots, cost, complete_to_us FROM account_reads WHERE account = $1"

# One round trip writes a whole batch; the watermark says up to which engine time the tables are complete.
WRITE_BATCH = """
WITH written_accounts AS (
    INSERT INTO accounts SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[])
    ON CONFLICT (account) DO UPDATE SET wallet = excluded.wallet, updated_us = excluded.updated_us
), written_positions AS (
    INSERT INTO positions SELECT * FROM unnest($4::integer[], $5::smallint[], $6::bigint[], $7::bigint[])
    ON CONFLICT (account, symbol) DO UPDATE SET lots = excluded.lots, cost = excluded.cost
)
UPDATE watermark SET complete_to_us = $8 RETURNING pg_stat_force_next_flush()
"""
READ_IDENTITY = "SELECT system_identifier FROM pg_control_system()"
