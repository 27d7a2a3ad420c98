from pathlib import Path

from chaoskit.plan import Plan, build
from chaoskit.plan.model import PlannedMapping, PlannedMetrics, PlannedQuantity, Probe
from chaoskit.scenario import load

POOLED = """\
version: 1
name: pooled
components:
  database:
    per: region
    command: [run]
    ports: {sql: {protocol: postgres}}
    metrics: {component: exporter, port: http}
    settings: {connections: {type: integer, default: 60}, patience: {type: duration, unit: ms, default: 2s}}
    resources:
      connections:
        kind: pool
        metrics: {servers: {setting: connections}, busy: {level: used, scale: 2}, completions: [reads_total, writes]}
  exporter: {per: region, command: [run], ports: {http: {protocol: http}}}
  api:
    entry: true
    links: [database]
    command: [run]
    ports: {http: {protocol: http}}
    metrics: {component: exporter-of-api, port: http, path: /all}
    resources:
      pool:
        kind: pool
        metrics:
          servers: 8
          busy: {sum: held_ms, minus: idle_ms, scale: 0.001}
          blocked: {"api->database": query_seconds_total}
          wait: {setting: database.patience, scale: 0.001}
      threads: {kind: server, waits_for: [pool, api->database]}
  exporter-of-api: {command: [run], ports: {http: {protocol: http}}}
"""
SCENARIO = """\
version: 1
name: any
target: {use: ./target.yaml, driver: process, regions: [east, west]}
load: {reads: {request: {method: GET, path: /}, rate: 1/s}}
phases: [baseline: {for: 10s}]
"""


def test_mapped_resources_know_their_series_and_an_exporter_its_instance(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text(POOLED)
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    plan = build(load(tmp_path / "scenario.yaml", overrides={"database.connections": "70"}))
    metrics = {instance.name: instance.metrics for instance in plan.instances}
    assert metrics["database@west"] == PlannedMetrics("http", "/metrics", "exporter@west")
    assert metrics["api"] == PlannedMetrics("http", "/all", "exporter-of-api")
    resources = {resource.id: resource for resource in plan.resources}
    assert resources["pooled/database@west.connections"].mapping == PlannedMapping(
        {
            "servers": PlannedQuantity(constant=70),
            "busy": PlannedQuantity(plus=("used",), scale=2),
            "completions": PlannedQuantity(plus=("reads_total", "writes")),
        },
        level=True,
    )
    assert resources["pooled/api.pool"].mapping == PlannedMapping(
        {
            "servers": PlannedQuantity(constant=8),
            "busy": PlannedQuantity(plus=("held_ms",), minus=("idle_ms",), scale=0.001),
            "wait": PlannedQuantity(constant=2),
        },
        blocked={"api->database": PlannedQuantity(plus=("query_seconds_total",))},
    )
    assert resources["pooled/api.threads"].mapping is None
    assert resources["pooled/api.threads"].waits_for == ("pool", "api->database")


def test_instances_per_region_and_per_target(full: Plan) -> None:
    names = [instance.name for instance in full.instances]
    assert names == ["database@us-east-1", "database@eu-west-1", "till", "counter@us-east-1", "counter@eu-west-1"]
    counter = full.instances[3]
    assert counter.settings["pool"] == 8
    assert counter.settings["memory"] == 1
    assert counter.settings["greedy"] is True
    assert counter.links == {
        "till": ("counter@us-east-1->till",),
        "database": ("counter@us-east-1->database@us-east-1",),
    }
    till = full.instances[2]
    assert till.region is None
    assert till.settings["service_time"] == 400
    assert till.links == {"database": ("till->database@us-east-1", "till->database@eu-west-1")}
    assert till.directory.endswith("/targets/shop")


def test_links_lead_to_the_first_port(full: Plan) -> None:
    assert full.entries == ("client->counter@us-east-1", "client->counter@eu-west-1")
    assert full.link("client->counter@us-east-1").port == "http"
    assert full.link("client->counter@us-east-1").kind == "client->counter"
    assert full.link("counter@eu-west-1->till").regions == ("eu-west-1", "us-east-1")
    assert full.link("till->database@eu-west-1").regions == ("us-east-1", "eu-west-1")
    assert full.link("counter@us-east-1->database@us-east-1").port == "sql"
    assert all(link.upstream is None for link in full.links)


def test_probes_ask_by_the_port_s_protocol(full: Plan) -> None:
    assert full.link("client->counter@us-east-1").probe == Probe("http", path="/ready")
    assert full.link("counter@us-east-1->till").probe == Probe("text", send="ping\n", expect="pong\n")
    assert full.link("till->database@us-east-1").probe == Probe("postgres")
    metrics = next(port for port in full.instances[0].ports if port.name == "metrics")
    assert metrics.probe == Probe("http", path="/ready")


def test_resources_carry_the_setting_that_sizes_them(full: Plan) -> None:
    resources = {resource.id: resource for resource in full.resources}
    pool = resources["shop/counter@us-east-1.pool"]
    assert (pool.kind_id, pool.kind, pool.sized_by, pool.setting) == ("shop/counter.pool", "pool", "counter.pool", "8")
    loop = resources["shop/till.loop"]
    assert (loop.kind_id, loop.sized_by, loop.setting) == ("shop/till.loop", "till.service_time", "400us")
    assert resources["shop/till.queue"].feeds == "loop"
    limiter = resources["shop/counter@eu-west-1.limiter"]
    assert (limiter.sized_by, limiter.setting) == ("till.queue_limit", "2000")


def test_cores_make_a_resource_of_the_cpu(full: Plan) -> None:
    cpu = next(resource for resource in full.resources if resource.kind == "cpu")
    assert (cpu.id, cpu.instance, cpu.sized_by, cpu.setting) == ("shop/till.cpu", "till", None, "1")


def test_settings_are_texts_with_units(full: Plan) -> None:
    assert full.settings["till.service_time"] == "400us"
    assert full.settings["counter.spare"] == "5%"
    assert full.settings["counter.refill"] == "600/min"
    assert full.settings["counter.greedy"] == "true"
