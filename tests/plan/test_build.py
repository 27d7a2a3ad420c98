from chaoskit.plan import Plan, build
from chaoskit.plan.model import AbortRule, Objective
from chaoskit.scenario import load
from tests.plan.conftest import SCENARIOS, TARGETS


def test_the_whole_run_stands_on_one_time_axis(full: Plan) -> None:
    windows = [(phase.name, phase.start_s, phase.end_s) for phase in full.phases]
    assert windows == [
        ("warmup", 0.0, 1.0),
        ("baseline", 1.0, 4.0),
        ("surge", 4.0, 14.0),
        ("lull", 14.0, 15.5),
        ("recovery", 15.5, 18.5),
    ]
    assert full.duration_s == 18.5
    assert full.drain_s == 10.0
    assert (full.baseline_phase, full.surge_phase) == ("baseline", "surge")
    assert full.phase("surge").multiply == {"buying": 10, "browsing": 5.5, "asking": 1, "own": 1, "people": 1}
    assert full.phase("lull").multiply == {"buying": 0, "browsing": 0, "asking": 0, "own": 0, "people": 0}


def test_faults_have_their_windows_links_and_parameters(full: Plan) -> None:
    faults = {fault.id: fault for fault in full.faults}
    latency = faults["latency-1"]
    assert (latency.start_s, latency.end_s, latency.phase) == (5.0, 7.0, "surge")
    assert latency.links == (
        "counter@us-east-1->database@us-east-1",
        "counter@eu-west-1->database@eu-west-1",
    )
    assert latency.parameters == {"delay_s": 0.04, "jitter_s": 0.01, "toxicity": 0.5, "stream": "upstream"}
    assert latency.title == "latency 40ms ± 10ms on counter->database"
    assert faults["latency-2"].links == ("counter@us-east-1->till",)
    assert (faults["latency-2"].start_s, faults["latency-2"].end_s) == (4.0, 14.0)
    assert faults["bandwidth"].parameters["rate_bytes_per_s"] == 64_000
    assert faults["slicer"].parameters["variation_bytes"] == 16
    assert faults["limit_data"].parameters["limit_bytes"] == 1024**2
    assert faults["down"].parameters == {}
    assert (faults["down"].start_s, faults["down"].end_s) == (14.0, 15.5)


def test_a_lost_region_takes_every_link_with_an_end_in_it(full: Plan) -> None:
    lost = next(fault for fault in full.faults if fault.kind == "region_down")
    assert lost.region == "us-east-1"
    assert lost.parameters == {"mode": "degraded", "share": 0.3}
    assert lost.title == "region down (degraded, 30% of connections) on us-east-1"
    assert set(lost.links) == {
        "client->counter@us-east-1",
        "till->database@us-east-1",
        "till->database@eu-west-1",
        "counter@eu-west-1->till",
        "counter@us-east-1->till",
        "counter@us-east-1->database@us-east-1",
    }


def test_a_partition_takes_the_links_between_its_regions(full: Plan) -> None:
    cut = next(fault for fault in full.faults if fault.kind == "partition")
    assert cut.links == ("till->database@eu-west-1", "counter@eu-west-1->till")
    assert (cut.region, cut.parameters) == (None, {"mode": "refuse"})


def test_component_faults_have_their_instances(full: Plan) -> None:
    struck = {fault.kind: (fault.component, fault.instances) for fault in full.faults if fault.component}
    assert struck == {
        "kill": ("counter@eu-west-1", ("counter@eu-west-1",)),
        "stop": ("counter", ("counter@us-east-1", "counter@eu-west-1")),
        "pause": ("till", ("till",)),
        "restart": ("database", ("database@us-east-1", "database@eu-west-1")),
        "cpu_limit": ("till", ("till",)),
        "memory_limit": ("till", ("till",)),
    }
    assert all(not fault.links for fault in full.faults if fault.component)


def test_a_restart_ends_when_its_delay_is_over(full: Plan) -> None:
    restart = next(fault for fault in full.faults if fault.kind == "restart")
    assert (restart.start_s, restart.end_s) == (7.0, 7.5)


def test_objectives_and_abort_rules(full: Plan) -> None:
    assert full.objectives[0] == Objective(
        "buying p99 < 250ms in baseline", "buying", "quantile", 0.99, "<", 0.25, "baseline"
    )
    assert full.abort_rules[0] == AbortRule(
        Objective("errors > 95% for 15s", None, "errors", None, "<=", 0.95, None), 15.0
    )


def test_what_else_the_file_says(full: Plan) -> None:
    assert full.expected_bottleneck == "shop/counter.pool"
    assert full.toxiproxy_url == "http://127.0.0.1:8474"
    assert full.steady_tolerance_ratio == 0.3
    assert full.incident == {"article": "It was a bad day.", "record": "It was worse."}
    assert (full.generator.workers, full.generator.connections, full.generator.max_lag_s) == (2, 500, 0.02)
    assert full.credentials == {"key": "customer-1"}


def test_a_target_given_by_urls_has_links_and_nothing_else(external: Plan) -> None:
    assert (external.driver, external.target) == ("external", "external")
    assert (external.instances, external.resources, external.figures) == ((), (), ())
    assert external.entries == ("client->api", "client->other")
    assert [link.upstream for link in external.links] == ["127.0.0.1:8080", "10.1.2.3:80"]
    assert external.faults[0].links == ("client->api",)
    assert external.surge_phase == "burst"


def test_a_run_without_a_surge_has_none(least: Plan) -> None:
    assert (least.baseline_phase, least.surge_phase) == ("only", None)
    assert least.regions == ("local",)
    assert least.title == "least"
    assert least.streams[0].surge_multiple == 1.0


def test_the_seed_of_the_command_line_replaces_the_file_s() -> None:
    search = [SCENARIOS, TARGETS]
    one, other = (build(load("full", search=search, seed=seed)) for seed in (None, 43))
    assert (one.seed, other.seed) == (42, 43)
    assert one.streams[1].expected_per_second != other.streams[1].expected_per_second
