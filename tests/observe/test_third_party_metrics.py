"""The manifest of CONTRIBUTING, "Metrics that have other names", reads what those servers really say."""

import re
from pathlib import Path

import pytest

from chaoskit.observe.exposition import parse
from chaoskit.observe.readings import Readings
from chaoskit.plan import Plan, build
from chaoskit.records import ResourceSample
from chaoskit.scenario import load

ROOT = Path(__file__).parents[2]
SCENARIO = """\
version: 1
name: payday
target: {use: ./bank.yaml, driver: process}
load: {accounts: {request: {method: GET, path: /}, rate: 1/s}}
phases: [baseline: {for: 10s}]
"""
HIKARI = """\
# HELP hikaricp_connections_max Max connections
# TYPE hikaricp_connections_max gauge
hikaricp_connections_max{application="accounts",pool="main"} 10.0
hikaricp_connections_max{application="accounts",pool="reports"} 2.0
hikaricp_connections_active{application="accounts",pool="main"} 7.0
hikaricp_connections_pending{application="accounts",pool="main"} 3.0
hikaricp_connections_timeout_total{application="accounts",pool="main"} 2.0
# TYPE hikaricp_connections_usage_seconds summary
hikaricp_connections_usage_seconds_count{application="accounts",pool="main"} 1200
hikaricp_connections_usage_seconds_sum{application="accounts",pool="main"} 36.5
hikaricp_connections_usage_seconds_sum{application="accounts",pool="reports"} 99.0
hikaricp_connections_usage_seconds_max{application="accounts",pool="main"} 0.25
hikaricp_connections_acquire_seconds_sum{application="accounts",pool="main"} 4.25
"""
OPEN_TELEMETRY = """\
db_client_connection_max{db_client_connection_pool_name="orders"} 8
db_client_connection_count{db_client_connection_pool_name="orders",db_client_connection_state="idle"} 2
db_client_connection_count{db_client_connection_pool_name="orders",db_client_connection_state="used"} 6
db_client_connection_pending_requests{db_client_connection_pool_name="orders"} 4
db_client_connection_use_time_seconds_bucket{db_client_connection_pool_name="orders",le="+Inf"} 90
db_client_connection_use_time_seconds_count{db_client_connection_pool_name="orders"} 90
db_client_connection_wait_time_milliseconds_sum{db_client_connection_pool_name="orders"} 1500
"""
PGBOUNCER = """\
pgbouncer_pools_server_active_connections{database="bank",user="bank"} 15
pgbouncer_pools_server_active_connections{database="bank",user="audit"} 5
pgbouncer_pools_server_active_connections{database="pgbouncer",user="pgbouncer"} 1
pgbouncer_pools_client_waiting_connections{database="bank",user="bank"} 31
pgbouncer_stats_sql_transactions_pooled_total{database="bank"} 5000
pgbouncer_stats_client_wait_seconds_total{database="bank"} 12.5
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("bank")
    (folder / "bank.yaml").write_text(next(block for block in blocks if "name: bank\n" in block))
    (folder / "payday.yaml").write_text(SCENARIO)
    return build(load(folder / "payday.yaml"))


def read_twice(plan: Plan, instance: str, text: str) -> ResourceSample:
    """Return the second of two equal scrapes, two seconds apart."""
    readings = Readings(plan, instance)
    for t_s in (1.0, 3.0):
        (record,) = readings.read(parse(text), t_s)
    assert readings.lacking == {}
    assert isinstance(record, ResourceSample)
    return record


def test_hikari_s_pool_by_its_timers(bank: Plan) -> None:
    assert read_twice(bank, "accounts", HIKARI) == ResourceSample(
        t_s=3.0,
        resource="bank/accounts.pool",
        servers=10,
        busy_s=36.5,
        arrivals=1205,  # 1200 given back, 2 timed out, 3 wait
        completions=1200,
        rejections={"": 2},
        wait_s=4.25,
        queue_length=3,
    )


def test_open_telemetry_s_pool_by_the_connections_in_use(bank: Plan) -> None:
    assert read_twice(bank, "payments", OPEN_TELEMETRY) == ResourceSample(
        t_s=3.0,
        resource="bank/payments.pool",
        servers=8,
        busy_s=12.0,  # 6 in use for 2 seconds
        arrivals=100,  # 90 given back, 6 in use, 4 wait
        completions=90,
        wait_s=1.5,
        queue_length=4,
    )


def test_a_pooler_by_its_exporter(bank: Plan) -> None:
    pooler = next(one for one in bank.instances if one.name == "pgbouncer")
    assert pooler.metrics is not None
    assert pooler.metrics.instance == "pgbouncer-exporter"
    assert next(one for one in bank.resources if one.name == "servers").waits_for == ("pgbouncer->postgres",)
    assert read_twice(bank, "pgbouncer", PGBOUNCER) == ResourceSample(
        t_s=3.0,
        resource="bank/pgbouncer.servers",
        servers=20,
        busy_s=40.0,
        arrivals=5000,
        completions=4949,  # less 31 that wait and 20 that are served
        wait_s=12.5,
        queue_length=31,
    )


def test_a_metric_that_is_spelt_otherwise_is_said_once(bank: Plan) -> None:
    readings = Readings(bank, "payments")
    text = OPEN_TELEMETRY.replace("_connection_max", "_connections_max").replace("pending_requests", "pending")
    for t_s in (1.0, 2.0):
        assert list(readings.read(parse(text), t_s)) == []
    size, waiting = "db_client_connection_max", "db_client_connection_pending_requests"
    missing = "bank/payments.pool: its metrics have no"
    assert readings.lacking == {
        size: f"{missing} {size} (but db_client_connections_max), so nothing is known of it",
        waiting: f"{missing} {waiting} (but db_client_connection_pending), which counts as 0",
    }
    assert list(readings.read(parse(OPEN_TELEMETRY.replace('state="used"', 'state="in_use"')), 3.0)) == []
    used = 'db_client_connection_count{db_client_connection_state="used"}'
    said = f"no series of db_client_connection_count has the labels of {used}, so nothing is known of it"
    assert readings.lacking[used] == f"bank/payments.pool: {said}"
